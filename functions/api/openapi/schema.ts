/** JSON Schema as this document uses it, and the form of it that all generators of clients understand. */
export interface Schema {
  $ref?: string;
  title?: string;
  description?: string;
  type?: string | string[];
  format?: string;
  enum?: unknown[];
  const?: unknown;
  default?: unknown;
  example?: unknown;
  examples?: unknown[];
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: Schema | boolean;
  propertyNames?: Schema;
  items?: Schema;
  anyOf?: Schema[];
  oneOf?: Schema[];
  minimum?: number;
  maximum?: number;
  /** Names of the values of an enumeration, where generators would take one that is taken. */
  "x-enum-varnames"?: string[];
  readOnly?: boolean;
  discriminator?: { propertyName: string; mapping: Record<string, string> };
}
export type Schemas = Record<string, Schema>;

export const refTo = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` });
export const nameOf = ($ref: string): string => $ref.slice($ref.lastIndexOf("/") + 1);

const isNull = ({ type }: Schema) => type === "null";
const MAX_INT32 = 2 ** 31 - 1;

/** The type with `null` in it: `["string", "null"]`. Generators crash on, or ignore, a branch `{"type": "null"}`. */
const nullable = (schema: Schema): Schema => {
  const [one, ...more] = (schema.anyOf ?? []).filter((branch) => !isNull(branch));
  if (!one?.type || one.enum || more.length > 0) return schema;
  const { anyOf: _branches, ...others } = schema;
  return { ...one, ...others, type: [...new Set([one.type, "null"].flat())] };
};

/** The branches of a union without unions among them, and with null at most once: a patch may set what is null already. */
const flat = (branches: readonly Schema[]): Schema[] => {
  const all = branches.flatMap((branch) => (branch.oneOf && !branch.discriminator ? branch.oneOf : [branch]));
  const takesNull = all.some(({ type }) => Array.isArray(type) && type.includes("null"));
  return all.filter((one, index) => !isNull(one) || (!takesNull && all.findIndex(isNull) === index));
};

/** `oneOf` in place of `anyOf`: our unions have no common values, and more generators can tell them apart. */
const exclusive = ({ anyOf, ...schema }: Schema): Schema => (anyOf ? { ...schema, oneOf: anyOf } : schema);

/** Adds the format that decides which type a generator takes: `Integer` or `Long`, `float` or `double`. */
const withFormat = (schema: Schema): Schema => {
  if (schema.type === "number" && schema.enum?.every(Number.isInteger))
    return withFormat({ ...schema, type: "integer" });
  const types = [schema.type].flat();
  if (types.includes("number")) return { ...schema, format: "double" };
  if (!types.includes("integer")) return schema;
  const { minimum, maximum, ...others } = schema;
  const isSmall = schema.enum !== undefined || (maximum !== undefined && maximum <= MAX_INT32);
  return {
    ...others,
    ...(minimum !== undefined && minimum > Number.MIN_SAFE_INTEGER && { minimum }),
    ...(maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER && { maximum }),
    format: isSmall ? "int32" : "int64",
  };
};

/** Not all generators can write down an object, a list or a value with a name of its own as a default. */
const canBeWritten = (standard: unknown, schema: Schema) =>
  standard !== undefined && typeof standard !== "object" && !schema["x-enum-varnames"];

const mapped = (schemas: Record<string, Schema>) =>
  Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, plain(schema)]));

/**
 * Rewrites a schema into the form that generators read alike: `enum` in place of `const`, `examples` in place of
 * `example`, `type: [x, null]` in place of a branch, and a format for each number.
 */
export const plain = (schema: Schema): Schema => {
  const { const: only, example, propertyNames, default: standard, ...known } = schema;
  // `contentEncoding` says so already, and JSON Schema has no such format.
  const { format, ...unformatted } = known;
  const rest: Schema = format === "base64" ? unformatted : known;
  // Beside a reference only what generators know to look for there: they take a type for another schema.
  if (rest.$ref) {
    const { $ref, description, examples = example === undefined ? undefined : [example] } = rest;
    return { $ref, ...(description && { description }), ...(examples && { examples }) };
  }
  const result: Schema = {
    ...rest,
    ...(only !== undefined && { enum: [only] }),
    ...(canBeWritten(standard, rest) && { default: standard }),
    ...(example !== undefined && { examples: [example] }),
    ...(propertyNames && Object.keys(propertyNames).length > 1 && { propertyNames }),
    ...(schema.properties && { properties: mapped(schema.properties) }),
    ...(schema.items && { items: plain(schema.items) }),
    ...(schema.anyOf && { anyOf: flat(schema.anyOf.map(plain)) }),
    ...(schema.oneOf && { oneOf: schema.oneOf.map(plain) }),
  };
  const { additionalProperties: others } = schema;
  if (typeof others === "object") result.additionalProperties = Object.keys(others).length === 0 ? true : plain(others);
  return withFormat(exclusive(nullable(result)));
};

export const READ_ONLY = "Fields that are `readOnly` may be sent back as they were read, and change nothing.";

/**
 * Adds to an input the fields of an answer that the server sets, as `readOnly`: callers may send them back with what they
 * read, and they are ignored. They are not `readOnly` in answers, because generators then take them for values that may be
 * missing.
 */
export const withServerFields = (input: Schema, answer: Schema): Schema => {
  const set = Object.entries(answer.properties ?? {}).filter(([name]) => !Object.hasOwn(input.properties ?? {}, name));
  const readOnly = set.map(([name, schema]) => [name, { ...schema, readOnly: true }]);
  return { ...input, properties: { ...input.properties, ...Object.fromEntries(readOnly) } };
};
