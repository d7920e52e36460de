/** Makes the examples of the OpenAPI document from those of its properties, so that each value is written down once. */
import { nameOf, type Schema, type Schemas } from "./schema.ts";

/**
 * Example of a schema. That of an object is what its schema gives, completed by examples of the other required properties.
 * @param path where the schema is, for the error
 * @throws Error for a value of which no example is known
 */
const exampleOf = (schema: Schema, schemas: Schemas, path: string): unknown => {
  const inner = (one: Schema, name: string) => exampleOf(one, schemas, `${path}.${name}`);
  const { $ref, examples, enum: values, properties, items, additionalProperties: others } = schema;
  const given = examples?.[0];
  const isWhole = given !== undefined && (typeof given !== "object" || given === null || Array.isArray(given));
  if (isWhole) return given;
  if ($ref) return given ?? inner(schemas[nameOf($ref)] ?? {}, nameOf($ref));
  if (properties) {
    const missing = (schema.required ?? []).filter((name) => !Object.hasOwn((given ?? {}) as object, name));
    return {
      ...(given as object),
      ...Object.fromEntries(missing.map((name) => [name, inner(properties[name] ?? {}, name)])),
    };
  }
  if (given !== undefined) return given;
  if (values) return values[0];
  const [branch] = schema.oneOf ?? [];
  if (branch) return inner(branch, "oneOf");
  const types = [schema.type].flat();
  if (types.includes("null")) return null;
  if (types.includes("boolean")) return true;
  if (items) return [inner(items, "items")];
  if (typeof others === "object") return { "eu-west-1": inner(others, "*") };
  throw new Error(`${path} has no example: give its schema .meta({ example })`);
};

interface Content {
  schema: Schema;
  example?: unknown;
}
interface Body {
  content?: Record<string, Content>;
}
interface Parameter {
  name: string;
  description?: string;
  schema: Schema;
  example?: unknown;
}
interface Operation {
  operationId?: string;
  parameters?: Parameter[];
  requestBody?: Body;
  responses?: Record<string, Body>;
}
interface Document {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Schemas };
}

/**
 * Adds an example to each parameter, body and answer that has none, and completes those of named schemas. A parameter
 * without a description gets that of its schema.
 */
export const withExamples = <D extends object>(document: D): D => {
  const { paths, components } = document as unknown as Document;
  const { schemas } = components;
  const fill = (body: Body | undefined, path: string) => {
    for (const [type, content] of Object.entries(body?.content ?? {}))
      content.example ??= exampleOf(content.schema, schemas, `${path} ${type}`);
  };
  for (const operations of Object.values(paths))
    for (const { operationId, parameters = [], requestBody, responses = {} } of Object.values(operations)) {
      for (const parameter of parameters) {
        const { schema, name } = parameter;
        parameter.description ??= schema.description ?? schemas[nameOf(schema.$ref ?? "")]?.description;
        parameter.example ??= exampleOf(schema, schemas, `${operationId} ${name}`);
      }
      fill(requestBody, `${operationId} body`);
      for (const [status, response] of Object.entries(responses)) fill(response, `${operationId} ${status}`);
    }
  for (const [name, schema] of Object.entries(schemas))
    if (schema.examples) schema.examples = [exampleOf(schema, schemas, name)];
  return document;
};
