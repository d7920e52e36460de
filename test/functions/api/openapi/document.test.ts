/** Rules that the OpenAPI document keeps, for people who read it and for generators of clients. */
import { describe, expect, test } from "vitest";
import { routes } from "../../../../functions/api/routes.ts";
import { document, errorsOf, type JsonSchema, operations, refTo } from "../../../support/document.ts";

interface Found {
  readonly place: string;
  readonly schema: JsonSchema;
}
type Shape = JsonSchema & {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly oneOf?: readonly JsonSchema[];
};

/** Whether a type is JSON, or YAML, which is another spelling of it. */
const isStructured = (type: string) => /json$|yaml$/.test(type);

/** A schema and all those within it. */
const within = (schema: JsonSchema, place: string): Found[] => {
  const { properties = {}, items, additionalProperties, oneOf = [] } = schema as Shape;
  return [
    { place, schema },
    ...Object.entries(properties).flatMap(([name, one]) => within(one, `${place}.${name}`)),
    ...(items ? within(items, `${place}[]`) : []),
    ...(typeof additionalProperties === "object" ? within(additionalProperties, `${place}.*`) : []),
    ...oneOf.flatMap((one, index) => within(one, `${place}|${index}`)),
  ];
};

const components = Object.entries(document.components.schemas);
const parameters = operations.flatMap(({ operation }) =>
  (operation.parameters ?? []).map((parameter) => ({ place: `${operation.operationId} ${parameter.name}`, parameter })),
);
const contents = operations.flatMap(({ method, path, operation }) => {
  const at = ["paths", path, method.toLowerCase()];
  const body = Object.entries(operation.requestBody?.content ?? {}).map(([type, media]) => ({
    place: `${operation.operationId} body`,
    ref: refTo(...at, "requestBody", "content", type, "schema"),
    type,
    media,
  }));
  const answers = Object.entries(operation.responses).flatMap(([status, { content = {} }]) =>
    Object.entries(content).map(([type, media]) => ({
      place: `${operation.operationId} ${status} ${type}`,
      ref: refTo(...at, "responses", status, "content", type, "schema"),
      type,
      media,
    })),
  );
  return [...body, ...answers];
});
const schemas: Found[] = [
  ...components.flatMap(([name, schema]) => within(schema, name)),
  ...parameters.flatMap(({ place, parameter }) => within(parameter.schema, place)),
  ...contents.flatMap(({ place, media }) => within(media.schema, place)),
];

describe("operations", () => {
  test("are the routes, each once", () => {
    const named = routes.map(({ method, path }) => `${method} ${path}`);
    expect(operations.map(({ path, method }) => `${method} ${path}`).toSorted()).toEqual(named.toSorted());
    expect(new Set(named).size).toBe(named.length);
    expect(new Set(operations.map(({ operation }) => operation.operationId)).size).toBe(named.length);
  });

  test("are called by a verb and a noun", () => {
    const verbs = {
      GET: /^(get|list|export)[A-Z]/,
      POST: /^(create|test|check|pause|resume|rotate|change|send|acknowledge|accept|end|extend)[A-Z]/,
      PUT: /^apply[A-Z]/,
      PATCH: /^update[A-Z]/,
      DELETE: /^delete[A-Z]/,
    };
    for (const { method, operation } of operations)
      expect(operation.operationId).toMatch(verbs[method as keyof typeof verbs]);
  });

  test("name the scope that they need, and a tag that is described", () => {
    const tags = document.tags.map(({ name }) => name);
    for (const { operation } of operations) {
      const scope = routes.find(({ operationId }) => operationId === operation.operationId)?.scope;
      expect(operation.security, operation.operationId).toEqual(
        scope ? [{ bearer: [scope] }, { sessionCookie: [scope] }] : [],
      );
      expect(tags).toContain(operation.tags[0]);
    }
    expect(document.tags.filter(({ description }) => !description)).toEqual([]);
  });

  test("that read tell of ETags, compression and answers without a body", () => {
    for (const { operation } of operations.filter(({ method }) => method === "GET")) {
      const { 200: found, 304: same } = operation.responses;
      expect(Object.keys(found?.headers ?? {}), operation.operationId).toEqual(
        expect.arrayContaining(["Etag", "Cache-Control", "Content-Encoding", "Vary"]),
      );
      expect(same).toEqual({ $ref: "#/components/responses/NotModified" });
      expect(operation.parameters?.map(({ name }) => name)).toContain("If-None-Match");
    }
    expect(document.components.responses.NotModified).not.toHaveProperty("content");
  });

  test("declare each parameter of their path", () => {
    for (const { path, operation } of operations) {
      const declared = (operation.parameters ?? []).filter((parameter) => parameter.in === "path");
      expect(declared.map(({ name }) => name)).toEqual([...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name));
    }
  });
});

describe("everything is described", () => {
  test("operations, parameters and answers", () => {
    const missing = operations.flatMap(({ operation: { operationId, summary, description, responses } }) => [
      ...(summary && description ? [] : [operationId]),
      ...Object.entries(responses)
        .filter(([, response]) => !response.$ref && !response.description)
        .map(([status]) => `${operationId} ${status}`),
    ]);
    expect([
      ...missing,
      ...parameters.filter(({ parameter }) => !parameter.description).map(({ place }) => place),
    ]).toEqual([]);
  });

  test("schemas and their properties", () => {
    const isProperty = (place: string) => !/[\]*\d]$/.test(place);
    const missing = components
      .flatMap(([name, schema]) => within(schema, name))
      .filter(({ place, schema }) => isProperty(place) && !schema.$ref && !schema.description);
    expect(missing.map(({ place }) => place)).toEqual([]);
  });

  test("by an example of each parameter, body and answer, which is valid", () => {
    const wrong = contents.flatMap(({ place, ref, type, media }) => {
      if (media.example === undefined) return [`${place} has no example`];
      const errors = isStructured(type) ? errorsOf(ref, media.example) : undefined;
      return errors ? [`${place}: ${errors}`] : [];
    });
    const without = parameters.filter(({ parameter }) => parameter.example === undefined);
    expect([...wrong, ...without.map(({ place }) => place)]).toEqual([]);
  });
});

describe("generators of clients", () => {
  test("find a name for each body, answer, object and enumeration", () => {
    const bodies = contents.filter(({ type, media }) => isStructured(type) && !media.schema.$ref);
    const isSetting = (place: string) => /Settings|Bytes|Step|Match|Expectation|MonitorInput\./.test(place);
    const isChoice = (schema: JsonSchema) => Array.isArray(schema.enum) && schema.enum.length > 1;
    const nested = schemas.filter(({ place, schema }) => {
      const isInner = /[.[|]/.test(place);
      return isInner && (schema.properties !== undefined || (isChoice(schema) && !isSetting(place)));
    });
    expect([...bodies, ...nested].map(({ place }) => place)).toEqual([]);
  });

  test("find references that lead somewhere", () => {
    const referred = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/(\w+)\/([^"]+)"/g)];
    expect(referred.length).toBeGreaterThan(10);
    for (const [, kind, name] of referred) expect(document.components).toHaveProperty([kind ?? "", name ?? ""]);
  });

  test("find no form that one of them does not understand", () => {
    const wrong = schemas.filter(({ schema }) => {
      const isUnknown = "const" in schema || "anyOf" in schema || "allOf" in schema;
      const isObject = typeof schema.default === "object";
      const branches = (schema as Shape).oneOf;
      const isNested = branches?.some((branch) => "oneOf" in branch) || branches?.length === 1;
      return isUnknown || isObject || isNested;
    });
    expect(wrong.map(({ place }) => place)).toEqual([]);
    // A branch for null alone is understood beside a reference only.
    const nulls = schemas.filter(({ place, schema }) => schema.type === "null" && !place.endsWith("|1"));
    expect(nulls.map(({ place }) => place)).toEqual([]);
  });

  test("know the size of each number", () => {
    const unsized = schemas.filter(({ schema }) => /integer|number/.test(String(schema.type)) && !schema.format);
    expect(unsized.map(({ place }) => place)).toEqual([]);
  });

  test("find patterns that ECMAScript, Python, Go and Java read alike", () => {
    for (const { place, schema } of schemas)
      if (typeof schema.pattern === "string") {
        expect(() => new RegExp(schema.pattern as string, "u"), place).not.toThrow();
        expect(schema.pattern, place).not.toMatch(/\\[pPukbB1-9]|\(\?[=!<]/);
      }
  });

  test("find numbers and booleans in queries, not texts", () => {
    const types = new Map(parameters.map(({ parameter }) => [parameter.name, parameter.schema]));
    expect(types.get("limit")).toMatchObject({ type: "integer", minimum: 1, format: "int32" });
    expect(types.get("dryRun")).toMatchObject({ type: "boolean", default: false });
  });

  test("let answers grow: only bodies refuse fields that they do not name", () => {
    expect(document.components.schemas.Monitor).not.toHaveProperty("additionalProperties");
    expect(document.components.schemas.HttpsMonitorInput).toHaveProperty("additionalProperties", false);
  });

  test("tell the settings of a monitor apart by its protocol", () => {
    const { discriminator, oneOf } = document.components.schemas.MonitorInput as {
      discriminator?: { propertyName: string; mapping: Record<string, string> };
      oneOf?: unknown[];
    };
    expect(discriminator?.propertyName).toBe("protocol");
    expect(oneOf).toHaveLength(Object.keys(discriminator?.mapping ?? {}).length);
    const errors = (monitor: unknown) => errorsOf(refTo("components", "schemas", "MonitorInput"), monitor);
    const monitor = { name: "DNS", protocol: "dns", host: "192.0.2.53" };
    expect(errors({ ...monitor, settings: { transport: "udp", name: "example.com" } })).toBeUndefined();
    expect(errors({ ...monitor, settings: { transport: "tcp", tls: { verify: true } } })).toBeUndefined();
    expect(errors({ ...monitor, settings: { path: "/" } })).toBeDefined();
    expect(errors({ ...monitor, protocol: "tcp" })).toMatch(/port/);
  });
});
