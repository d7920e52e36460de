/**
 * Prints the OpenAPI 3.1 document at build time, made from the routes and schemas that handle the calls. The bundler
 * puts it beside the function.
 */
import { pathToFileURL } from "node:url";
import { z } from "zod";
import { createDocument, type ZodOpenApiOperationObject, type ZodOpenApiResponsesObject } from "zod-openapi";
import harborlight from "../../package.json" with { type: "json" };
import { type ProblemCode, STATUS } from "./http/problem.ts";
import { problemView } from "./http/representations.ts";
import type { Route } from "./http/route.ts";
import { YAML } from "./http/yaml.ts";
import { routes } from "./routes.ts";

/** Codes of the problems that a call may answer with. */
const problemsOf = ({ scope, body, path, headers, method, contentTypes }: Route): ProblemCode[] => [
  ...(scope ? (["unauthenticated", "missing-scope"] as const) : []),
  ...(body ? (["malformed-json", "body-too-large", "unsupported-media-type"] as const) : []),
  ...(contentTypes?.includes(YAML) ? (["malformed-yaml"] as const) : []),
  ...(path.includes("{") ? (["not-found"] as const) : []),
  ...(headers?.["if-match"] ? (["stale-etag", "changed-meanwhile"] as const) : []),
  ...(method === "POST" && path === "/v1/monitors" ? (["already-exists"] as const) : []),
  ...(method === "DELETE" && path.startsWith("/v1/tokens") ? (["last-admin-token"] as const) : []),
  "invalid-input",
  "too-many-requests",
  "internal",
];

const problemResponses = (route: Route): ZodOpenApiResponsesObject => {
  const byStatus = Map.groupBy(problemsOf(route), (code) => STATUS[code]);
  return Object.fromEntries(
    [...byStatus].map(([status, codes]) => [
      `${status}` as `${1 | 2 | 3 | 4 | 5}${string}`,
      {
        description: `Problem ${codes.map((code) => `\`${code}\``).join(", ")}.`,
        content: { "application/problem+json": { schema: problemView } },
      },
    ]),
  );
};

const operation = (route: Route): ZodOpenApiOperationObject => ({
  operationId: route.operationId,
  summary: route.summary,
  ...(route.description && { description: route.description }),
  tags: [route.path.split("/")[2] ?? "landing"],
  ...(route.scope ? { security: [{ token: [] }], "x-scope": route.scope } : { security: [] }),
  requestParams: {
    ...(route.path.includes("{") && {
      path: z.object(
        Object.fromEntries([...route.path.matchAll(/\{([^}]+)\}/g)].map(([, name]) => [name ?? "", z.string()])),
      ),
    }),
    ...(route.query && { query: route.query }),
    ...(route.headers && {
      header: z.object(
        Object.fromEntries(
          Object.entries(route.headers).map(([name, description]) => [
            name,
            z.string().optional().describe(description),
          ]),
        ),
      ),
    }),
  },
  ...(route.body && {
    requestBody: {
      required: true,
      content: Object.fromEntries(
        (route.contentTypes ?? ["application/json"]).map((type) => [type, { schema: route.body as z.ZodType }]),
      ),
    },
  }),
  responses: {
    ...Object.fromEntries(
      Object.entries(route.responses).map(([status, { description, schema, contentTypes = ["application/json"] }]) => [
        status,
        {
          description,
          ...(schema && {
            // Content types that are not spellings of JSON are described as text.
            content: Object.fromEntries(
              contentTypes.map((type) => [type, { schema: /json$|yaml$/.test(type) ? schema : z.string() }]),
            ),
          }),
        },
      ]),
    ),
    ...problemResponses(route),
  },
});

export const openApiDocument = (version: string) =>
  createDocument({
    openapi: "3.1.1",
    info: {
      title: "Harborlight",
      version,
      description:
        "Watches TCP and UDP ports. Moments are ISO 8601 in UTC. Errors are problem documents (RFC 9457) with a stable `code`.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "/" }],
    components: {
      securitySchemes: {
        token: { type: "http", scheme: "bearer", description: "`hl_<id>_<secret>`, with the scope `x-scope`." },
      },
    },
    paths: Object.fromEntries(
      [...Map.groupBy(routes, ({ path }) => path)].map(([path, some]) => [
        path,
        Object.fromEntries(some.map((route) => [route.method.toLowerCase(), operation(route)])),
      ]),
    ),
  });

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href)
  process.stdout.write(JSON.stringify(openApiDocument(harborlight.version)));
