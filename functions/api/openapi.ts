/**
 * Prints the OpenAPI 3.1 document at build time, made from the routes and schemas that handle the calls. The bundler
 * puts it beside the function.
 */
import { pathToFileURL } from "node:url";
import { createDocument } from "zod-openapi";
import harborlight from "../../package.json" with { type: "json" };
import { withExamples } from "./openapi/examples.ts";
import { headerComponents, operationOf, responseComponents } from "./openapi/operation.ts";
import { plain, READ_ONLY, type Schema, type Schemas, withServerFields } from "./openapi/schema.ts";
import { withTypedSettings } from "./openapi/settings.ts";
import { tagsOf } from "./openapi/tags.ts";
import { routes } from "./routes.ts";

/** Parts of the document in which each `schema` is rewritten by `plain`. */
const withPlainSchemas = <T>(part: T): T =>
  JSON.parse(JSON.stringify(part), (key, value) => (key === "schema" ? plain(value as Schema) : value));

/** Adds to the body of each call that takes what GET answers the fields of that answer. */
const withSentBack = (schemas: Schemas): Schemas => {
  const pairs = routes.flatMap(({ body, sentBack }) => {
    const [input = "", answer = ""] = [body?.meta()?.id, sentBack?.meta()?.id];
    return sentBack ? [[input, withServerFields(schemas[input]!, schemas[answer]!)] as const] : [];
  });
  const described = pairs.map(([name, { description, ...schema }]) => [
    name,
    { ...schema, description: `${description} ${READ_ONLY}` },
  ]);
  return { ...schemas, ...Object.fromEntries(described) };
};

export const openApiDocument = (version: string) => {
  const { components, paths, ...head } = createDocument(
    {
      openapi: "3.1.1",
      info: {
        title: "Harborlight",
        version,
        description:
          "Watches TCP and UDP ports. Moments are ISO 8601 in UTC. Errors are problem documents (RFC 9457) with a stable `code`; the gateway in front answers some by itself, with a `message` only.",
        license: { name: "Apache-2.0", url: "https://www.apache.org/licenses/LICENSE-2.0" },
      },
      servers: [{ url: "/", description: "Where this document was read." }],
      tags: tagsOf(routes.map(({ path }) => path)),
      components: {
        securitySchemes: {
          bearer: {
            type: "http",
            scheme: "bearer",
            description: "`hl_<id>_<secret>`. Each operation names the scope that its token needs.",
          },
          sessionCookie: {
            type: "apiKey",
            in: "cookie",
            name: "__Host-harborlight",
            description:
              "For browsers: see `createSession`. Over plain http the cookie is `harborlight-<port>`, and its second secret goes along as header `harborlight-session`.",
          },
        },
        headers: headerComponents,
        responses: responseComponents(routes),
      },
      paths: Object.fromEntries(
        [...Map.groupBy(routes, ({ path }) => path)].map(([path, some]) => [
          path,
          Object.fromEntries(some.map((route) => [route.method.toLowerCase(), operationOf(route)])),
        ]),
      ),
    },
    {
      // Clients must accept fields that later versions add to answers.
      override: ({ jsonSchema, io }) => {
        if (io === "output" && jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
      },
    },
  );
  const { schemas, ...others } = withPlainSchemas(components ?? {});
  const named = Object.fromEntries(Object.entries((schemas ?? {}) as Schemas).map(([name, one]) => [name, plain(one)]));
  return withExamples({
    ...head,
    paths: withPlainSchemas(paths ?? {}),
    components: { ...others, schemas: withTypedSettings(withSentBack(named)) },
  });
};

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href)
  process.stdout.write(JSON.stringify(openApiDocument(harborlight.version)));
