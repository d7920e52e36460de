/**
 * Describes a call of the API as data; the router, the validation and the OpenAPI document are made from it. `run`
 * carries out a call: authentication, validation, handler.
 */
import type { APIGatewayProxyEventV2, Context } from "aws-lambda";
import { z } from "zod";
import { type FieldError, InvalidInput } from "../../../shared/errors.ts";
import { show } from "../../../shared/issues.ts";
import type { Session } from "../../../shared/store/sessions.ts";
import type { Token } from "../../../shared/store/tokens.ts";
import type { Scope } from "../../../shared/tokens.ts";
import type { Deps } from "../deps.ts";
import { preferred } from "./accept.ts";
import { limitedTo } from "./access.ts";
import { audited, authorOf, type Recorder } from "./audit.ts";
import { authenticate, requireScope } from "./auth.ts";
import type { HeaderName } from "./headers.ts";
import { fieldErrors, PARSING, parse } from "./input.ts";
import { parseJson } from "./json.ts";
import { Problem, type ProblemCode } from "./problem.ts";
import { JSON_OR_YAML, parseYaml, toYaml, YAML } from "./yaml.ts";

export interface Reply {
  /** Default 200. */
  readonly status?: number;
  /** Objects become JSON; text goes out as it is and needs a `content-type` of its own. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Values of `set-cookie`. */
  readonly cookies?: readonly string[];
}

export interface Call<Query, Body> {
  /** Path parameters, not URL-decoded, because no id needs it. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: Query;
  readonly body: Body;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Null for calls without authentication. */
  readonly token: Token | null;
  /** Null for calls with a bearer token, or without authentication. */
  readonly session: Session | null;
  readonly sourceIp: string;
  /** By which the log and the audit log name this call. */
  readonly requestId: string;
  readonly context: Context;
  /** For the audit log: what the call has changed. */
  readonly record: Recorder;
}

/** What a call answers with one status, for the OpenAPI document. */
export interface Answer {
  readonly description: string;
  readonly schema?: z.ZodType;
  /** Default: JSON. Others than JSON are described as text. */
  readonly contentTypes?: readonly string[];
  /** Headers that it can have. */
  readonly headers?: readonly HeaderName[];
  /** Of content that is not JSON; examples of JSON are made from those in the schema. */
  readonly example?: string;
}

export interface Route {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** `/v1/monitors/{id}` */
  readonly path: string;
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  /** Null: no token needed. */
  readonly scope: Scope | null;
  /** Parameters that may be repeated are arrays in the schema. */
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  /** What GET answers, if that may be sent as the body: fields that only this schema has are ignored. */
  readonly sentBack?: z.ZodObject;
  /** Whether `handle` validates the body, because the schema alone cannot. */
  readonly checksBody?: boolean;
  readonly contentTypes?: readonly string[];
  /** Default 256 KB. */
  readonly maxBodyBytes?: number;
  /** Headers that the call reads, by lower-case name. */
  readonly headers?: Readonly<Record<string, string>>;
  /** By status. */
  readonly responses: Readonly<Record<number, Answer>>;
  /** Codes of problems, besides those that calls of its kind have in common. */
  readonly problems?: readonly ProblemCode[];
  readonly handle: (call: Call<never, never>, deps: Deps) => Promise<Reply>;
}

type Typed<Q extends z.ZodObject | undefined, B extends z.ZodType | undefined> = Omit<
  Route,
  "query" | "body" | "handle"
> & {
  readonly query?: Q;
  readonly body?: B;
  readonly handle: (
    call: Call<
      Q extends z.ZodObject ? z.output<Q> : Record<never, never>,
      B extends z.ZodType ? z.output<B> : undefined
    >,
    deps: Deps,
  ) => Promise<Reply>;
};

/** Defines a route; `handle` gets the types of its schemas. */
export const route = <Q extends z.ZodObject | undefined = undefined, B extends z.ZodType | undefined = undefined>(
  typed: Typed<Q, B>,
): Route => typed as unknown as Route;

const KILOBYTE = 1024;
const MAX_BODY_BYTES = 256 * KILOBYTE;
export const MAX_APPLY_BYTES = 4096 * KILOBYTE;

const bodyBytes = ({ body, isBase64Encoded }: APIGatewayProxyEventV2) =>
  Buffer.from(body ?? "", isBase64Encoded ? "base64" : "utf8");

const readBody = (route: Route, event: APIGatewayProxyEventV2): unknown => {
  const bytes = bodyBytes(event);
  const most = route.maxBodyBytes ?? MAX_BODY_BYTES;
  if (bytes.length > most)
    throw new Problem("body-too-large", `the body has ${bytes.length} bytes; at most ${most} are taken here`);
  if (!route.body) {
    if (bytes.length > 0 && bytes.toString().trim() !== "{}")
      throw new InvalidInput([{ path: "", message: "this call takes no body" }]);
    return undefined;
  }
  const encoding = event.headers["content-encoding"]?.trim().toLowerCase() ?? "identity";
  if (encoding !== "identity")
    throw new Problem(
      "unsupported-media-type",
      `send the body as it is, not with Content-Encoding: ${show(encoding)}`,
      {
        "accept-encoding": "identity",
      },
    );
  const accepted = route.contentTypes ?? ["application/json"];
  const [sent, ...parameters] = (event.headers["content-type"] ?? "")
    .split(";")
    .map((part) => part.trim().toLowerCase());
  if (!sent || !accepted.includes(sent))
    throw new Problem(
      "unsupported-media-type",
      `send the header Content-Type: ${accepted.join(" or ")}${sent ? `, not ${sent}` : ""}`,
      { accept: accepted.join(", ") },
    );
  const charset = parameters.find((part) => part.startsWith("charset="))?.slice("charset=".length);
  if (charset !== undefined && !/^"?utf-?8"?$/.test(charset))
    throw new Problem("unsupported-media-type", `send the body in UTF-8, not in ${show(charset)}`);
  const isYaml = sent === YAML;
  let body: unknown;
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    body = isYaml ? parseYaml(text) : parseJson(text);
  } catch (error) {
    if (error instanceof InvalidInput) throw error;
    const [code, name] = isYaml ? (["malformed-yaml", "YAML"] as const) : (["malformed-json", "JSON"] as const);
    throw new Problem(code, `the body is not ${name} in UTF-8: ${(error as Error).message}`);
  }
  const given = withoutServerFields(route, body);
  return route.checksBody ? given : parse(route.body, given);
};

/** Leaves out the fields that the server sets, so that what GET answered may be sent back. */
const withoutServerFields = ({ body: input, sentBack }: Route, body: unknown): unknown => {
  if (!sentBack || !(input instanceof z.ZodObject) || typeof body !== "object" || body === null || Array.isArray(body))
    return body;
  const isServers = (name: string) => Object.hasOwn(sentBack.shape, name) && !Object.hasOwn(input.shape, name);
  return Object.fromEntries(Object.entries(body).filter(([name]) => !isServers(name)));
};

const readQuery = (route: Route, rawQuery: string): unknown => {
  const shape = route.query?.shape ?? {};
  const sent: Record<string, string | string[]> = {};
  const errors: FieldError[] = [];
  for (const [name, value] of new URLSearchParams(rawQuery)) {
    const schema = Object.hasOwn(shape, name) ? shape[name] : undefined;
    const present = Object.hasOwn(sent, name) ? sent[name] : undefined;
    if (!schema) {
      const known = Object.keys(shape);
      const allowed = known.length > 0 ? `; there are ${known.join(", ")}` : "";
      errors.push({ path: name, message: `there is no such parameter here${allowed}` });
    } else if (isRepeatable(schema as z.ZodType)) sent[name] = [present ?? [], value].flat();
    else if (present !== undefined) errors.push({ path: name, message: "must be given once" });
    else sent[name] = value;
  }
  const parsed = (route.query ?? z.object({})).safeParse(sent, PARSING);
  if (!parsed.success) errors.push(...fieldErrors(parsed.error.issues));
  if (errors.length > 0) throw new InvalidInput(errors);
  return parsed.data;
};
const isRepeatable = (schema: z.ZodType): boolean =>
  schema instanceof z.ZodArray ||
  ((schema instanceof z.ZodOptional || schema instanceof z.ZodDefault) && isRepeatable(schema.unwrap() as z.ZodType));

/** Longer than any of our ids, and short enough for a key of DynamoDB. */
const MAX_ID_LENGTH = 200;

/** Conditional headers: ignoring one would break its promise, so calls that do not support it refuse it. */
const CONDITIONAL = ["if-match", "if-none-match", "idempotency-key"];

const refuseHeaders = ({ headers: known, method }: Route, headers: APIGatewayProxyEventV2["headers"]) => {
  if (method === "GET") return; // there they only save bandwidth
  const ignored = CONDITIONAL.filter((name) => headers[name] !== undefined && known?.[name] === undefined);
  if (ignored.length > 0)
    throw new InvalidInput(
      ignored.map((path) => ({ path, message: "has no meaning for this call: leave the header out" })),
    );
};

/** The reply in YAML, if the call offers it and `Accept` prefers it. Caches must know that another `Accept` gets another type. */
const inWantedType = (route: Route, reply: Reply, accept: string | undefined): Reply => {
  const { contentTypes = [] } = route.responses[reply.status ?? 200] ?? {};
  if (contentTypes.length < 2) return reply;
  const varied = { ...reply, headers: { ...reply.headers, vary: "accept" } };
  return contentTypes.includes(YAML) && typeof reply.body === "object" && preferred(accept, JSON_OR_YAML) === YAML
    ? { ...varied, body: toYaml(reply.body), headers: { ...varied.headers, "content-type": YAML } }
    : varied;
};

/** Reads change nothing. */
const nothing: Recorder = () => Promise.resolve();

/**
 * Carries out a call: authenticates, validates parameters, headers and body, and runs the handler.
 * @param answerWith gets headers that every answer to the call has, problem documents too
 */
export const run = async (
  route: Route,
  event: APIGatewayProxyEventV2,
  context: Context,
  deps: Deps,
  answerWith: (headers: Readonly<Record<string, string>>) => void,
): Promise<Reply> => {
  const { headers, cookies = [] } = event;
  const { requestId, http } = event.requestContext;
  const { method, sourceIp } = http;
  const now = deps.now();
  const caller = route.scope ? await authenticate(deps, { method, headers, cookies }, now) : null;
  if (caller && route.scope) {
    // Calls that the token may not make count too: otherwise they would be without limit.
    answerWith(await deps.fairShare.admit(caller.token, now));
    requireScope(caller.token, route.scope);
  }
  const params = (event.pathParameters ?? {}) as Record<string, string>;
  for (const id of Object.values(params))
    if (id.length > MAX_ID_LENGTH) throw new Problem("not-found", `there is nothing with the id ${show(id)}`);
  refuseHeaders(route, event.headers);
  const call: Omit<Call<unknown, unknown>, "record"> = {
    params,
    query: readQuery(route, event.rawQueryString),
    body: readBody(route, event),
    headers,
    token: caller?.token ?? null,
    session: caller?.session ?? null,
    sourceIp,
    requestId,
    context,
  };
  const limited = limitedTo(caller?.token.monitorTags, deps);
  const handle = (record: Recorder) => route.handle({ ...call, record } as Call<never, never>, limited);
  const begun = {
    requestId,
    by: authorOf(caller?.token ?? null),
    operation: route.operationId,
    resource: params.id ?? null,
  };
  // Without authentication anybody could fill the log; such calls write into it themselves once they know who calls.
  const isAudited = route.method !== "GET" && route.scope !== null;
  const reply = isAudited ? await audited(deps, begun, handle) : await handle(nothing);
  return inWantedType(route, reply, event.headers.accept);
};
