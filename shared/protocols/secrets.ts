/** Settings that only their writer may see: those whose schema says `writeOnly` (JSON Schema, draft 2020-12). */
import { z } from "zod";
import { protocols } from "./index.ts";

/** What stands in a secret's place. */
export const HIDDEN = "(hidden)";

interface Schema {
  readonly writeOnly?: boolean;
  readonly properties?: Readonly<Record<string, Schema>>;
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

const hide = (value: unknown, schemas: readonly Schema[]): unknown => {
  const all = schemas.flatMap(forms);
  if (value !== undefined && all.some(({ writeOnly }) => writeOnly)) return HIDDEN;
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      name,
      hide(
        inner,
        all.flatMap(({ properties }) => properties?.[name] ?? []),
      ),
    ]),
  );
};

/** A monitor's settings for those who may read but not write. */
export const hideSecrets = (protocol: string, settings: Readonly<Record<string, unknown>>) =>
  hide(settings, [schemaOf(protocol)]) as Record<string, unknown>;
