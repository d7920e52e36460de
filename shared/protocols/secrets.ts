/** Settings that only their writer may see: those whose schema says `writeOnly` (JSON Schema, draft 2020-12). */
import { z } from "zod";
import { protocols } from "./index.ts";

/** What stands in a secret's place. */
export const HIDDEN = "(hidden)";

interface Schema {
  readonly writeOnly?: boolean;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
}

const schemas = new Map<string, Schema>();
const schemaOf = (protocol: string): Schema => {
  const known = schemas.get(protocol);
  if (known) return known;
  const row = protocols[protocol];
  const schema = (row ? z.toJSONSchema(row.settings, { io: "input", unrepresentable: "any" }) : {}) as Schema;
  schemas.set(protocol, schema);
  return schema;
};

/** Every form a value may have; what is a secret in one of them is one in all. */
const forms = (schema: Schema): Schema[] => [
  schema,
  ...[...(schema.anyOf ?? []), ...(schema.oneOf ?? [])].flatMap(forms),
];

/** The value with every secret in it replaced. @param path as people write it: `tls.key`, `steps[0].send` */
const replaceSecrets = (
  value: unknown,
  schemas: readonly Schema[],
  path: string,
  replace: (secret: unknown, path: string) => unknown,
): unknown => {
  const all = schemas.flatMap(forms);
  if (value !== undefined && all.some(({ writeOnly }) => writeOnly)) return replace(value, path);
  if (typeof value !== "object" || value === null) return value;
  const within = (inner: unknown, name: string, schema: (parent: Schema) => Schema | boolean | undefined) => {
    const inside = all.map(schema).filter((one) => typeof one === "object");
    return replaceSecrets(inner, inside, name, replace);
  };
  if (Array.isArray(value))
    return value.map((inner, index) => within(inner, `${path}[${index}]`, ({ items }) => items));
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      name,
      within(inner, path ? `${path}.${name}` : name, ({ properties, additionalProperties }) =>
        properties && Object.hasOwn(properties, name) ? properties[name] : additionalProperties,
      ),
    ]),
  );
};

/** A monitor's settings for those who may read but not write. */
export const hideSecrets = (protocol: string, settings: Readonly<Record<string, unknown>>) =>
  replaceSecrets(settings, [schemaOf(protocol)], "", () => HIDDEN) as Record<string, unknown>;

/** Paths of secrets that are what stands in a secret's place: sent back by somebody who was not shown the secret. */
export function hiddenPaths(protocol: string, settings: unknown): string[] {
  const found: string[] = [];
  replaceSecrets(settings, [schemaOf(protocol)], "", (secret, path) => {
    if (secret === HIDDEN) found.push(path);
    return secret;
  });
  return found;
}
