/**
 * The HTTP API: middy handles what all calls share (headers, errors, timeout), the router finds the route, which does
 * the work.
 */
import { MetricUnit } from "@aws-lambda-powertools/metrics";
import middy, { type MiddlewareObj } from "@middy/core";
import httpHeaderNormalizer from "@middy/http-header-normalizer";
import httpRouter from "@middy/http-router";
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2, Context } from "aws-lambda";
import type { Deps } from "./deps.ts";
import { answers } from "./http/answer.ts";
import { type Command, runCommand } from "./http/command.ts";
import { explain, Problem } from "./http/problem.ts";
import { type Reply, type Route, run } from "./http/route.ts";
import { routes } from "./routes.ts";

type Event = APIGatewayProxyEventV2;
type Result = APIGatewayProxyStructuredResultV2;
type Middleware = MiddlewareObj<Event, Result>;

/** For what is read: a client may keep its own copy, and asks by `If-None-Match` each time whether it is still right. */
const REVALIDATED = "private, no-cache";
/** For all else. */
const NOT_KEPT = "no-store";

const toResult = ({ status = 200, body, headers, cookies }: Reply, caching = NOT_KEPT): Result => ({
  statusCode: status,
  headers: {
    "cache-control": caching,
    "x-content-type-options": "nosniff",
    ...(body !== undefined && typeof body !== "string" && { "content-type": "application/json" }),
    ...headers,
  },
  ...(cookies && { cookies: [...cookies] }),
  ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
});

const problems = ({ logger, metrics }: Deps): Middleware => ({
  onError: (request) => {
    const { requestId } = request.event.requestContext;
    const { document, headers } = explain(request.error, requestId);
    if (document.status >= 500) {
      logger.error("request failed", { requestId, route: request.event.rawPath, error: request.error as Error });
      metrics.addMetric("RequestsFailed", MetricUnit.Count, 1);
    }
    request.response = toResult({
      status: document.status,
      body: document,
      headers: { "content-type": "application/problem+json", ...headers },
    });
  },
});

/** HEAD is GET without the body, but with its `content-length` (RFC 9110, section 9.3.2). */
const head = (): Middleware => {
  const asked = new WeakSet<Event>();
  const strip: Middleware["after"] = (request) => {
    const { event, response } = request;
    if (!response || !asked.has(event)) return;
    const { body, isBase64Encoded, ...head } = response;
    if (body === undefined) return;
    const length = Buffer.byteLength(body, isBase64Encoded ? "base64" : "utf8");
    request.response = { ...head, headers: { ...head.headers, "content-length": String(length) } };
  };
  return {
    before: ({ event }) => {
      const { http } = event.requestContext;
      if (http.method !== "HEAD") return;
      http.method = "GET";
      asked.add(event);
    },
    after: strip,
    onError: strip,
  };
};

/**
 * Decodes percent-encoded unreserved characters of the path, so that `/v1/%6Donitors` is `/v1/monitors` (RFC 3986, section
 * 6.2.2.2). Others stay encoded: `%2F` is not a slash.
 */
const normalPath = (): Middleware => ({
  before: ({ event }) => {
    const { http } = event.requestContext;
    http.path = http.path.replace(/%[0-9a-f]{2}/gi, (encoded) => {
      const character = String.fromCharCode(Number.parseInt(encoded.slice(1), 16));
      return /[\w.~-]/.test(character) ? character : encoded;
    });
  },
});

/** Adds headers to the answer of an event, whether it is a success or a problem. */
const extraHeaders = () => {
  const extra = new WeakMap<Event, Readonly<Record<string, string>>>();
  const add: Middleware["after"] = ({ event, response }) => {
    if (response) response.headers = { ...extra.get(event), ...response.headers };
  };
  return {
    of: (event: Event) => (headers: Readonly<Record<string, string>>) => void extra.set(event, headers),
    middleware: { after: add, onError: add } satisfies Middleware,
  };
};

const flush = ({ metrics }: Deps): Middleware => {
  const publish = () => {
    if (metrics.hasStoredMetrics()) metrics.publishStoredMetrics();
  };
  return { after: publish, onError: publish };
};

const matches = ({ path }: Route, asked: string) =>
  new RegExp(`^${path.replaceAll(".", "\\.").replace(/\{[^/]+\}/g, "[^/]+")}/?$`).test(asked);

const nowhere = ({ method, path }: { method: string; path: string }): never => {
  // At `/v1/monitors/bulk`, "bulk" is no id of a monitor.
  const literal = routes.filter((route) => route.path === path.replace(/\/$/, ""));
  const found = literal.length > 0 ? literal : routes.filter((route) => matches(route, path));
  const allowed = found.map((route) => route.method);
  if (allowed.length === 0) throw new Problem("not-found", `there is nothing at ${path}; see /v1/openapi.json`);
  const allow = [...new Set(allowed.flatMap((name) => (name === "GET" ? ["GET", "HEAD"] : [name])))].join(", ");
  throw new Problem("method-not-allowed", `${method} does not work at ${path}; ${allow} does`, { allow });
};

export type Handler = (event: Event | Command, context: Context) => Promise<unknown>;

export const createApi = (deps: Deps): Handler => {
  const extra = extraHeaders();
  const router = httpRouter<Event, Result>({
    routes: routes.map((route) => ({
      method: route.method,
      path: route.path,
      handler: async (event: Event, context: Context) =>
        toResult(
          await run(route, event, context, deps, extra.of(event)),
          route.method === "GET" ? REVALIDATED : NOT_KEPT,
        ),
    })),
    notFoundResponse: nowhere,
  });
  const http = middy<Event, Result>({ timeoutEarlyInMillis: 500 })
    .use(flush(deps))
    .use(extra.middleware)
    .use(head())
    .use(answers())
    .use(normalPath())
    .use(httpHeaderNormalizer() as unknown as Middleware)
    .use(problems(deps))
    .handler(router);
  return async (event, context) =>
    "command" in event ? runCommand(event, context?.awsRequestId ?? "", deps) : http(event, context);
};
