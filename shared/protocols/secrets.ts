/** Masks secret settings, which only those who may write monitors may see: fields that their schema marks `writeOnly` (JSON Schema). */
import { z } from "zod";
import { pathText } from "../issues.ts";
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

type Path = readonly (string | number)[];

/** Replaces every secret within a value. @param path where the value is: `["steps", 0, "send"]` */
const replaceSecrets = (
  value: unknown,
  schemas: readonly Schema[],
  path: Path,
  replace: (secret: unknown, path: Path) => unknown,
): unknown => {
  const all = schemas.flatMap(forms);
  if (value !== undefined && all.some(({ writeOnly }) => writeOnly)) return replace(value, path);
  if (typeof value !== "object" || value === null) return value;
  const within = (inner: unknown, at: string | number, schema: (parent: Schema) => Schema | boolean | undefined) => {
    const inside = all.map(schema).filter((one) => typeof one === "object");
    return replaceSecrets(inner, inside, [...path, at], replace);
  };
  if (Array.isArray(value)) return value.map((inner, index) => within(inner, index, ({ items }) => items));
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      name,
      within(inner, name, ({ properties, additionalProperties }) =>
        properties && Object.hasOwn(properties, name) ? properties[name] : additionalProperties,
      ),
    ]),
  );
};

/** Masks the secrets of a monitor's settings, for those who may read but not write. */
export const hideSecrets = (protocol: string, settings: Readonly<Record<string, unknown>>) =>
  replaceSecrets(settings, [schemaOf(protocol)], [], () => HIDDEN) as Record<string, unknown>;

/** The secrets among settings, by path. */
export function secretsOf(protocol: string, settings: unknown): Map<string, unknown> {
  const found = new Map<string, unknown>();
  replaceSecrets(settings, [schemaOf(protocol)], [], (secret, path) => {
    found.set(pathText(path), secret);
    return secret;
  });
  return found;
}

const valueAt = (whole: unknown, path: Path): unknown =>
  path.reduce<unknown>(
    (value, name) =>
      typeof value === "object" && value !== null && Object.hasOwn(value, name)
        ? (value as Record<string | number, unknown>)[name]
        : undefined,
    whole,
  );

/**
 * Puts stored secrets back where settings contain the replacement, so that a client may send what it read. Where none is
 * stored at that path, the replacement stays, which `hiddenPaths` then reports.
 */
export const restoreSecrets = (protocol: string, sent: unknown, stored: unknown): unknown =>
  replaceSecrets(sent, [schemaOf(protocol)], [], (secret, path) =>
    secret === HIDDEN ? (valueAt(stored, path) ?? secret) : secret,
  );
/** Paths of secrets that contain the replacement: a client sent back settings that it had read masked. */
export const hiddenPaths = (protocol: string, settings: unknown): string[] =>
  [...secretsOf(protocol, settings)].flatMap(([path, secret]) => (secret === HIDDEN ? [path] : []));
