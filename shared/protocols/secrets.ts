/** Masks secret settings, which only those who may write monitors may see: fields that their schema marks `writeOnly` (JSON Schema). */
import { z } from "zod";
import { protocols } from "./index.ts";

/** Replacement for a secret. */
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

/** All alternatives of a schema (anyOf and the like); a value is secret if it is in any of them. */
const forms = (schema: Schema): Schema[] => [
  schema,
  ...[...(schema.anyOf ?? []), ...(schema.oneOf ?? [])].flatMap(forms),
];

/** Replaces every secret within a value. @param path for people: `tls.key`, `steps[0].send` */
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

/** Masks the secrets of a monitor's settings, for those who may read but not write. */
export const hideSecrets = (protocol: string, settings: Readonly<Record<string, unknown>>) =>
  replaceSecrets(settings, [schemaOf(protocol)], "", () => HIDDEN) as Record<string, unknown>;

/** The secrets among settings, by path. */
export function secretsOf(protocol: string, settings: unknown): Map<string, unknown> {
  const found = new Map<string, unknown>();
  replaceSecrets(settings, [schemaOf(protocol)], "", (secret, path) => {
    found.set(path, secret);
    return secret;
  });
  return found;
}

/** Paths of secrets that contain the replacement: a client sent back settings that it had read masked. */
export const hiddenPaths = (protocol: string, settings: unknown): string[] =>
  [...secretsOf(protocol, settings)].flatMap(([path, secret]) => (secret === HIDDEN ? [path] : []));
