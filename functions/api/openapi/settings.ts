/**
 * Types the settings of each protocol in the OpenAPI document. `MonitorInput` becomes a union of one schema for each
 * protocol, told apart by `protocol`, because what `settings` may hold depends on it.
 */
import { z } from "zod";
import { protocols } from "../../../shared/protocols/index.ts";
import { plain, READ_ONLY, refTo, type Schema, type Schemas, withServerFields } from "./schema.ts";

/** `minecraft-bedrock` becomes `MinecraftBedrock`, and `2c` becomes `2c`. */
const pascal = (name: string) => name.replace(/(?:^|-)(\w)/g, (_match, letter: string) => letter.toUpperCase());

/** An object within the settings of a protocol. It gets a name, because generators cannot tell apart those without. */
interface Part {
  readonly prefix: string;
  readonly name: string;
  readonly schema: Schema;
}

/** Moves each object out of the settings, the innermost first, and leaves `place(object)` in its stead. */
const withoutObjects = (
  schema: Schema,
  property: string,
  place: (object: Schema, property: string) => Schema,
): Schema => {
  const inner = (one: Schema, name = property) => {
    const rest = withoutObjects(one, name, place);
    return rest.properties ? place(rest, name) : rest;
  };
  return {
    ...schema,
    ...(schema.properties && {
      properties: Object.fromEntries(Object.entries(schema.properties).map(([name, one]) => [name, inner(one, name)])),
    }),
    ...(schema.items && { items: inner(schema.items) }),
    ...(typeof schema.additionalProperties === "object" && {
      additionalProperties: inner(schema.additionalProperties),
    }),
    ...(schema.oneOf && { oneOf: schema.oneOf.map((one) => inner(one)) }),
  };
};

interface Form {
  /** The property and its value that tell the form from the others. */
  readonly property: string;
  readonly value: string;
  readonly schema: Schema;
}

/** The forms of settings: several if they differ by transport or version. */
const formsOf = ({ oneOf, ...schema }: Schema): Form[] =>
  oneOf?.map((form) => {
    const [property = "", { enum: [value] = [] } = {}] =
      Object.entries(form.properties ?? {}).find(([, { enum: values }]) => values?.length === 1) ?? [];
    return { property, value: String(value), schema: form };
  }) ?? [{ property: "", value: "", schema }];

/** A union of schemas, told apart by the value of a property. @param named value and name of each */
const unionOf = (propertyName: string, named: readonly (readonly [string, string])[], description: string): Schema => ({
  description,
  oneOf: named.map(([, name]) => refTo(name)),
  discriminator: {
    propertyName,
    mapping: Object.fromEntries(named.map(([value, name]) => [value, refTo(name).$ref ?? ""])),
  },
});

/** Schemas of the settings of all protocols: `HttpsSettings`, and one for each object within, such as `TlsSettings`. */
const settingsSchemas = (): Schemas => {
  const parts: Part[] = [];
  const whole: Schemas = {};
  for (const [protocol, { settings, title }] of Object.entries(protocols)) {
    const prefix = pascal(protocol);
    const place = (schema: Schema, property: string): Schema => {
      const { title, ...rest } = schema;
      parts.push({ prefix, name: title ?? `${pascal(property)}Settings`, schema: rest });
      return { $ref: `${parts.length - 1}`, ...(rest.description && { description: rest.description }) };
    };
    const json = plain(z.toJSONSchema(settings, { io: "input", unrepresentable: "any" }) as Schema);
    const forms = formsOf(json);
    const nameOfForm = ({ value }: Form) => `${prefix}${pascal(value)}Settings`;
    for (const form of forms) {
      const { $schema: _dialect, ...rest } = withoutObjects(form.schema, "", place) as Schema & { $schema?: string };
      const which = form.value && `, with the ${form.property} ${form.value}`;
      // The server takes the first form for settings that do not say which; generators need to be told.
      const required = [...new Set([...(rest.required ?? []), ...(form.value ? [form.property] : [])])];
      whole[nameOfForm(form)] = {
        ...rest,
        description: `Settings of ${title}${which}.`,
        ...(required.length > 0 && { required }),
      };
    }
    if (forms.length > 1)
      whole[`${prefix}Settings`] = unionOf(
        forms[0]?.property ?? "",
        forms.map((form) => [form.value, nameOfForm(form)]),
        `Settings of ${title}.`,
      );
  }
  return named(whole, parts);
};

/** Replaces the number of each part that a schema refers to. */
const referring = (schema: Schema, replace: (part: number) => Schema): Schema =>
  JSON.parse(JSON.stringify(schema), (_key, value) =>
    /^\d+$/.test(value?.$ref) ? { ...value, ...replace(Number(value.$ref)) } : value,
  );

/** Gives the parts their names; parts of one name that differ get that of their protocol before it. */
const named = (whole: Schemas, parts: readonly Part[]): Schemas => {
  // A part stands before those that contain it. Parts are compared with what they refer to.
  const texts: string[] = [];
  for (const { schema } of parts)
    texts.push(JSON.stringify(referring(schema, (inner) => ({ $ref: texts[inner] ?? "" }))));
  const variants = Map.groupBy(
    new Set(parts.map(({ name }, index) => `${name} ${texts[index]}`)),
    (one) => one.split(" ")[0],
  );
  const names = parts.map(({ prefix, name }) => (variants.get(name)?.length === 1 ? name : `${prefix}${name}`));
  const byName = (part: number) => refTo(names[part] ?? "");
  return Object.fromEntries([
    ...Object.entries(whole).map(([name, schema]) => [name, referring(schema, byName)]),
    ...parts.map(({ schema }, index) => [names[index], referring(schema, byName)]),
  ]);
};

/**
 * Replaces `MonitorInput` by a union of one schema for each protocol, `HttpsMonitorInput` and so on. Each has all fields
 * of a monitor, because generators read that alike, which they do not with `allOf`.
 */
export const withTypedSettings = (schemas: Schemas): Schemas => {
  const { MonitorInput = {}, MonitorPatch = {}, Monitor = {}, ...others } = schemas;
  const input = withServerFields(MonitorInput, Monitor);
  const settings = settingsSchemas();
  const taken = Object.keys(settings).filter((name) => Object.hasOwn(others, name));
  if (taken.length > 0) throw new Error(`two schemas have the name ${taken.join(", ")}: give one another title or id`);
  const variants = Object.entries(protocols).map(([protocol, { title, example, defaultPort }]) => {
    const name = `${pascal(protocol)}MonitorInput`;
    const { propertyName, mapping } = settings[`${pascal(protocol)}Settings`]?.discriminator ?? {};
    const told = propertyName && { [propertyName]: Object.keys(mapping ?? {})[0] };
    const schema: Schema = {
      ...input,
      description: `A monitor of ${title}.`,
      properties: {
        ...input.properties,
        protocol: { type: "string", enum: [protocol], description: `Always \`${protocol}\`.` },
        settings: { ...refTo(`${pascal(protocol)}Settings`), description: "The protocol's own settings." },
      },
      required: [...(input.required ?? []), ...(defaultPort === null ? ["port"] : [])],
      examples: [
        { name: title, protocol, host: "example.com", ...example, settings: { ...told, ...example.settings } },
      ],
    };
    return { protocol, name, schema };
  });
  return {
    ...others,
    Monitor,
    MonitorPatch: {
      ...withServerFields(MonitorPatch, Monitor),
      description: `${MonitorPatch.description} ${READ_ONLY}`,
    },
    MonitorInput: {
      ...unionOf(
        "protocol",
        variants.map(({ protocol, name }) => [protocol, name]),
        `A monitor to create; \`protocol\` tells which of these it is. ${READ_ONLY}`,
      ),
      ...(input.examples && { examples: input.examples }),
    },
    ...Object.fromEntries(variants.map(({ name, schema }) => [name, schema])),
    ...settings,
  };
};
