/** Describes one route as an operation of the OpenAPI document. */
import { z } from "zod";
import type { ZodOpenApiOperationObject, ZodOpenApiResponseObject, ZodOpenApiResponsesObject } from "zod-openapi";
import { HEADERS, type HeaderName } from "../http/headers.ts";
import { type ProblemCode, STATUS, TITLES } from "../http/problem.ts";
import { gatewayView, problemView } from "../http/representations.ts";
import type { Route } from "../http/route.ts";
import { YAML } from "../http/yaml.ts";
import { pathParameter, tagOf } from "./tags.ts";

/** Codes of the problems that a call may answer with. */
const problemsOf = ({ scope, body, path, headers, method, contentTypes = [], problems = [] }: Route): ProblemCode[] => [
  ...(scope ? (["unauthenticated", "missing-scope"] as const) : []),
  ...(scope && method !== "GET" ? (["cross-site-request"] as const) : []),
  ...(body ? (["malformed-json", "unsupported-media-type"] as const) : []),
  ...(contentTypes.includes(YAML) ? (["malformed-yaml"] as const) : []),
  ...(method === "GET" ? (["answer-too-large"] as const) : []),
  ...(method === "GET" ? [] : (["body-too-large"] as const)),
  ...(path.includes("{") ? (["not-found"] as const) : []),
  ...(headers?.["if-match"] ? (["stale-etag", "changed-meanwhile"] as const) : []),
  ...problems,
  "invalid-input",
  "too-many-requests",
  "internal",
  "timed-out",
];

const pascal = (code: string) => code.replace(/(?:^|-)(\w)/g, (_match, letter: string) => letter.toUpperCase());

/** Name of the component that describes problems of these codes: `NotFound`, `StaleEtag`. */
const responseOf = (codes: readonly ProblemCode[]): string => codes.map(pascal).join("Or");

/** Problems of each status that some route may answer with. */
const problemsByStatus = (route: Route): Map<number, ProblemCode[]> =>
  Map.groupBy(new Set(problemsOf(route)), (code) => STATUS[code]);

/** `retry-after` becomes `Retry-After`, as generators expect it. */
const canonical = (header: string) => header.replace(/(?:^|-)[a-z]/g, (letter) => letter.toUpperCase());

const headersOf = (names: readonly HeaderName[]) =>
  Object.fromEntries(names.map((name) => [canonical(name), { $ref: `#/components/headers/${canonical(name)}` }]));

/** Every header that answers can have, as components. */
export const headerComponents = Object.fromEntries(
  Object.entries(HEADERS).map(([name, { description, example }]) => [
    canonical(name),
    { description, schema: { type: "string" as const }, example },
  ]),
);

/** Headers of every answer that has a body: bodies from 1 KB on are compressed if the caller takes that. */
const CONTENT = ["content-encoding", "vary"] as const satisfies readonly HeaderName[];
/** Headers of every answer to a caller whose token is known. */
const RATE_LIMIT = ["ratelimit", "ratelimit-policy"] as const satisfies readonly HeaderName[];

const PROBLEM_HEADERS: { readonly [C in ProblemCode]?: readonly HeaderName[] } = {
  unauthenticated: ["www-authenticate"],
  "missing-scope": ["www-authenticate"],
  "method-not-allowed": ["allow"],
  "being-deleted": ["retry-after"],
  "changed-meanwhile": ["retry-after"],
  "stale-etag": ["etag"],
  "unsupported-media-type": ["accept", "accept-encoding"],
  "too-many-requests": ["retry-after"],
};

/** Statuses that the gateway answers by itself, with less than a problem document. */
const GATEWAY_MESSAGES: Readonly<Record<number, string>> = {
  413: "Request Entity Too Large",
  429: "Too Many Requests",
  500: "Internal Server Error",
  503: "Service Unavailable",
};

const problemExample = (code: ProblemCode) => ({
  type: `urn:harborlight:problem:${code}`,
  title: TITLES[code],
  status: STATUS[code],
  code,
  detail: TITLES[code],
  ...(code === "invalid-input" && { errors: [{ path: "port", message: "must be a whole number from 1 to 65535" }] }),
  requestId: "f2000d5e-5ed5-4d6c-9d1b-0c1f0a3f5b7e",
});

const problemContent = (codes: readonly ProblemCode[]) => ({
  "application/problem+json": { schema: problemView, example: problemExample(codes[0] ?? "internal") },
});
const gatewayContent = (message: string) => ({ "application/json": { schema: gatewayView, example: { message } } });

const problemResponse = (status: number, codes: readonly ProblemCode[]): ZodOpenApiResponseObject => {
  const byGateway = GATEWAY_MESSAGES[status];
  const headers = [
    ...codes.flatMap((code) => PROBLEM_HEADERS[code] ?? []),
    "cache-control",
    ...CONTENT,
    ...RATE_LIMIT,
  ] as const;
  return {
    description: `Problem ${codes.map((code) => `\`${code}\``).join(", ")}${byGateway ? "; or an answer of the gateway" : ""}.`,
    headers: headersOf(headers),
    content: { ...problemContent(codes), ...(byGateway && gatewayContent(byGateway)) },
  };
};

/** The responses that all operations have. */
const COMMON = {
  431: "HeadersTooLarge",
  default: "AnyProblem",
} as const;
const NOT_MODIFIED = "NotModified";

/** The responses that operations refer to, by name. */
export const responseComponents = (routes: readonly Route[]): Record<string, ZodOpenApiResponseObject> => ({
  ...Object.fromEntries(
    routes.flatMap((route) =>
      [...problemsByStatus(route)].map(([status, codes]) => [responseOf(codes), problemResponse(status, codes)]),
    ),
  ),
  [COMMON[431]]: {
    description: "The headers of the request are too large: an answer of the gateway.",
    content: gatewayContent("Request Header Fields Too Large"),
  },
  [NOT_MODIFIED]: {
    description: "The caller has this answer already: `If-None-Match` names its tag.",
    headers: headersOf(["etag", "cache-control", "vary", ...RATE_LIMIT]),
  },
  [COMMON.default]: {
    description: "Any other problem, such as `method-not-allowed` (405) with the methods that the path has.",
    headers: headersOf(["allow", "retry-after", "cache-control", ...CONTENT, ...RATE_LIMIT]),
    content: problemContent(["method-not-allowed"]),
  },
});

const responseRef = (name: string) => ({ $ref: `#/components/responses/${name}` });

/** Whether a type is JSON or another spelling of it, which its schema describes too. */
const isStructured = (type: string) => type.endsWith("json") || type === YAML;

const answers = ({ responses, scope, method }: Route): ZodOpenApiResponsesObject =>
  Object.fromEntries(
    Object.entries(responses).map(
      ([status, { description, schema, contentTypes = ["application/json"], headers = [], example }]) => [
        status as `${1 | 2 | 3 | 4 | 5}${string}`,
        {
          description,
          headers: headersOf([
            ...headers,
            "cache-control",
            ...(method === "GET" ? (["etag"] as const) : []),
            ...(schema ? CONTENT : []),
            ...(scope ? RATE_LIMIT : []),
          ]),
          ...(schema && {
            content: Object.fromEntries(
              contentTypes.map((type) => [
                type,
                isStructured(type) ? { schema } : { schema: z.string().describe("Text."), ...(example && { example }) },
              ]),
            ),
          }),
        },
      ],
    ),
  );

/** Headers that have a meaning of their own in OpenAPI, and are not parameters. */
const NOT_PARAMETERS: ReadonlySet<string> = new Set(["accept", "content-type", "authorization"]);
const IF_NONE_MATCH = "The `ETag` of an answer you have: 304, without a body, while it is still the same.";
const HEADER_EXAMPLES: Readonly<Record<string, string>> = {
  "if-match": HEADERS.etag.example,
  "if-none-match": HEADERS.etag.example,
  "idempotency-key": "9b1c7f0e-1",
};

const parameters = ({ method, path, query, ...route }: Route): ZodOpenApiOperationObject["requestParams"] => {
  const names = [...path.matchAll(/\{([^}]+)\}/g)].map(([, name]) => name ?? "");
  const headers = { ...(method === "GET" && { "if-none-match": IF_NONE_MATCH }), ...route.headers };
  const sent = Object.entries(headers).filter(([name]) => !NOT_PARAMETERS.has(name));
  return {
    ...(names.length > 0 && {
      path: z.object(Object.fromEntries(names.map((name) => [name, pathParameter(path, name)]))),
    }),
    ...(query && { query }),
    ...(sent.length > 0 && {
      header: z.object(
        Object.fromEntries(
          sent.map(([name, description]) => [
            canonical(name),
            z.string().optional().meta({ description, example: HEADER_EXAMPLES[name] }),
          ]),
        ),
      ),
    }),
  };
};

export const operationOf = (route: Route): ZodOpenApiOperationObject => ({
  operationId: route.operationId,
  summary: route.summary,
  description: route.description ?? `${route.summary}.`,
  tags: [tagOf(route.path)],
  security: route.scope ? [{ bearer: [route.scope] }, { sessionCookie: [route.scope] }] : [],
  requestParams: parameters(route),
  ...(route.body && {
    requestBody: {
      description: `What to do, as JSON${route.contentTypes?.includes(YAML) ? " or YAML" : ""}.`,
      required: true,
      content: Object.fromEntries(
        (route.contentTypes ?? ["application/json"]).map((type) => [type, { schema: route.body as z.ZodType }]),
      ),
    },
  }),
  responses: {
    ...answers(route),
    ...(route.method === "GET" && { 304: responseRef(NOT_MODIFIED) }),
    ...Object.fromEntries(
      [...problemsByStatus(route)].map(([status, codes]) => [status, responseRef(responseOf(codes))]),
    ),
    ...Object.fromEntries(Object.entries(COMMON).map(([status, name]) => [status, responseRef(name)])),
  },
});
