import { randomUUID } from "node:crypto";
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { type Disk, refusalOf } from "../disk/disk.ts";
import { AwsError } from "../http-server/aws-error.ts";
import { readBody } from "../http-server/request-body.ts";
import type { InvocationResult } from "../lambda/lambda.ts";
import type { OpenPages } from "../sns/open-pages.ts";
import { type HttpAnswer, toEvent, toHttpAnswer } from "./http-event.ts";
import { createRouter } from "./routes.ts";
import { createTokenBucket } from "./token-bucket.ts";

export interface Throttle {
  readonly ratePerSecond: number;
  readonly burst: number;
}

export interface HttpApiSettings {
  readonly apiId: string;
  readonly stage: string;
  readonly routes: readonly {
    readonly key: string;
    /** Undefined where API Gateway has no permission to invoke the function: the client gets a 500, as on AWS. */
    readonly invoke: ((payload: string) => Promise<InvocationResult>) | undefined;
    /** The route's own; undefined: it shares the stage's. */
    readonly throttle?: Throttle | undefined;
  }[];
  /** Of all routes without one of their own, together. */
  readonly throttle: Throttle | undefined;
  readonly cors:
    | {
        readonly AllowOrigins?: readonly string[];
        readonly AllowMethods?: readonly string[];
        readonly AllowHeaders?: readonly string[];
        readonly ExposeHeaders?: readonly string[];
        readonly MaxAge?: number;
        readonly AllowCredentials?: boolean;
      }
    | undefined;
}

/** What the one-machine stack serves beside the API. */
export interface Here {
  /** Pages behind links in messages, which lead to this port: others reach no other. */
  readonly open?: OpenPages;
  readonly disk?: Disk;
}

/** Hard limits of API Gateway's HTTP APIs. */
const MAX_BODY_BYTES = 10 * 1024 * 1024;
const INTEGRATION_TIMEOUT_MS = 30_000;

/** Emulates API Gateway for the template's HTTP API: the same routes, events, limits and errors. */
export const createHttpApi = (settings: HttpApiSettings, here: Here = {}): RequestListener => {
  const shared = bucketOf(settings.throttle) ?? (() => true);
  const route = createRouter(
    settings.routes.map(({ throttle, ...one }) => ({ ...one, mayPass: bucketOf(throttle) ?? shared })),
  );

  const answer = async (request: IncomingMessage): Promise<HttpAnswer> => {
    const method = request.method ?? "GET";
    const path = (request.url ?? "/").split("?")[0]!;
    if (settings.cors && method === "OPTIONS" && request.headers.origin !== undefined) return plain(204);
    const page = method === "GET" ? here.open?.(new URL(request.url ?? "/", "http://api")) : undefined;
    if (page) return { status: 200, headers: { "content-type": page.type }, body: Buffer.from(page.body) };
    const matched = route(method, path);
    const body = await readBody(request, MAX_BODY_BYTES);
    if (!matched) return message(404, "Not Found");
    if (!matched.route.mayPass()) return message(429, "Too Many Requests");
    if (body === undefined) return message(413, "Request Entity Too Large");
    const { key, invoke } = matched.route;
    if (!invoke) return message(500, "Internal Server Error");
    const event = toEvent(
      request,
      body,
      {
        routeKey: key,
        pathParameters: matched.pathParameters,
        stage: settings.stage,
        apiId: settings.apiId,
        requestId: randomUUID(),
      },
      new Date(),
    );
    const result = await withinTime(invoke(JSON.stringify(event))).catch((error) => {
      if (error instanceof AwsError) return error;
      throw error;
    });
    if (result instanceof AwsError && result.status === 413) return message(413, "Request Entity Too Large");
    // Throttled, or timed out.
    if (result === undefined || result instanceof AwsError) return message(503, "Service Unavailable");
    const made = result.failed ? undefined : toHttpAnswer(result.payload);
    if (here.disk?.isRefusing && (made === undefined || made.status >= 500)) return message(507, NO_ROOM);
    return made ?? message(500, "Internal Server Error");
  };

  return (request, response) => {
    answer(request).then(
      (made) => send(request, response, made),
      (error: Error) => {
        if (refusalOf(error) !== undefined) {
          here.disk?.refused(error);
          return send(request, response, message(507, NO_ROOM));
        }
        if (request.errored || request.destroyed) return response.destroy(); // the client went away
        process.stderr.write(`${error.stack}\n`);
        send(request, response, message(500, "Internal Server Error"));
      },
    );
  };

  function send(request: IncomingMessage, response: ServerResponse, { status, headers, body }: HttpAnswer): void {
    const isHead = request.method === "HEAD";
    // The answer to HEAD has no body, and the length of the body that GET would get.
    const length = isHead ? Number(headers["content-length"] ?? body.length) : body.length;
    // A 304 has no body either, and API Gateway gives it no length.
    const sized = status === 304 ? {} : { "content-length": length };
    response.writeHead(status, { ...headers, ...corsHeaders(request), ...sized });
    response.end(isHead ? undefined : body);
  }

  function corsHeaders(request: IncomingMessage): Record<string, string> {
    const { cors } = settings;
    const { origin } = request.headers;
    if (!cors || origin === undefined) return {};
    const origins = cors.AllowOrigins ?? [];
    if (!origins.includes("*") && !origins.includes(origin)) return {};
    return {
      "access-control-allow-origin": origins.includes("*") ? "*" : origin,
      ...(cors.AllowCredentials ? { "access-control-allow-credentials": "true" } : {}),
      ...(cors.ExposeHeaders ? { "access-control-expose-headers": cors.ExposeHeaders.join(",") } : {}),
      ...(request.method === "OPTIONS" && cors.AllowMethods
        ? { "access-control-allow-methods": cors.AllowMethods.join(",") }
        : {}),
      ...(request.method === "OPTIONS" && cors.AllowHeaders
        ? { "access-control-allow-headers": cors.AllowHeaders.join(",") }
        : {}),
      ...(request.method === "OPTIONS" && cors.MaxAge !== undefined
        ? { "access-control-max-age": String(cors.MaxAge) }
        : {}),
    };
  }
};

const bucketOf = (throttle: Throttle | undefined) =>
  throttle && createTokenBucket(throttle.ratePerSecond, throttle.burst);

const NO_ROOM =
  "Insufficient Storage: the disk of the data folder takes no data. Nothing was changed; try again later.";

const plain = (status: number): HttpAnswer => ({ status, headers: {}, body: Buffer.alloc(0) });

const message = (status: number, text: string): HttpAnswer => ({
  status,
  headers: { "content-type": "application/json" },
  body: Buffer.from(JSON.stringify({ message: text })),
});

const withinTime = async <T>(work: Promise<T>): Promise<T | undefined> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), INTEGRATION_TIMEOUT_MS);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
};
