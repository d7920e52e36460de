/** Derives schemas and functions from the declaration of a monitor's fields (`fields.ts`). */
import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { fields } from "../schema.ts";
import type { Field, Surroundings } from "./field.ts";
import { CHECK_FIELDS, type CheckSettings, type MonitorSettings, OTHER_FIELDS } from "./fields.ts";

type Fields = typeof CHECK_FIELDS & typeof OTHER_FIELDS;
export type FieldName = keyof Fields;

const FIELDS: Fields = { ...OTHER_FIELDS, ...CHECK_FIELDS };
const names = Object.keys as <K extends string>(of: Readonly<Record<K, unknown>>) => K[];
const CHECK_NAMES = names(CHECK_FIELDS);
const OTHER_NAMES = names(OTHER_FIELDS);
export const FIELD_NAMES: readonly FieldName[] = names(FIELDS);

const mapped = <V>(value: (field: Field, name: string) => V) =>
  Object.fromEntries(Object.entries(FIELDS).map(([name, field]) => [name, value(field as Field, name)]));

type Sent = { [K in FieldName]: Fields[K]["sent"] };
/** Schema of each field as it is sent; fields with a default are optional. */
export const sentFields = mapped(({ sent }) => sent) as unknown as Sent;
/** Schema of each field as it is stored and shown. */
export const storedFields = mapped(({ stored }) => stored) as unknown as { [K in FieldName]: Fields[K]["stored"] };

/** A monitor as a caller may send it, for documents. */
export const MONITOR_EXAMPLE = {
  name: "Shop",
  protocol: "https",
  host: "shop.example.com",
  settings: { path: "/health" },
  intervalSeconds: 60,
  locations: ["eu-west-1"],
  tags: { team: "orders" },
} as const;

/** Body that creates a monitor. */
export const monitorInput = fields(sentFields).meta({
  id: "MonitorInput",
  description: "A monitor to create.",
  example: MONITOR_EXAMPLE,
});

/** JSON Merge Patch (RFC 7396) of a monitor: every field may also be null, which restores its default. */
export const monitorPatch = fields(
  mapped(({ sent, stored }) =>
    z
      .union([sent, z.null()])
      .optional()
      .describe(stored.description ?? ""),
  ) as unknown as Record<FieldName, z.ZodOptional<z.ZodType>>,
).meta({
  id: "MonitorPatch",
  description: "Merged into the monitor (RFC 7396); null brings a field's default back.",
  example: { intervalSeconds: 30, alerts: { emails: ["ops@example.com"] } },
});

/** The sent fields that are valid by themselves. */
export type SentSettings = Partial<z.output<typeof monitorInput>>;

/**
 * Returns settings with every default filled in.
 * @param sent valid fields
 * @param available names of the locations that are configured
 */
export const completed = (
  sent: { readonly [K in FieldName]?: unknown },
  available: readonly string[],
): MonitorSettings => {
  // Defaults depend only on fields that are declared before them, which are in `all` by then.
  const all: Record<string, unknown> = { available };
  for (const name of FIELD_NAMES)
    all[name] = (FIELDS[name] as Field).complete(sent[name], all as unknown as Surroundings);
  delete all.available;
  return all as unknown as MonitorSettings;
};

/** The parts of an object that its other parts do not give as a default. */
const sentParts = (field: Field, whole: Readonly<Record<string, unknown>>, others: Surroundings) => {
  let sent = whole;
  for (const name of Object.keys(whole)) {
    const { [name]: _left, ...rest } = sent;
    if (isDeepStrictEqual(field.complete(rest, others), whole)) sent = rest;
  }
  return sent;
};

/**
 * Returns the settings without fields, and parts of fields, that equal a default which depends on other fields, so that
 * after a change of the interval or the protocol the timeout, retries and port follow with new defaults.
 */
export const asSent = (settings: MonitorSettings, available: readonly string[]): Record<string, unknown> => {
  const others: Surroundings = { ...settings, available };
  const sent: Record<string, unknown> = {};
  for (const name of FIELD_NAMES) {
    const field = FIELDS[name] as Field;
    const value: unknown = settings[name];
    if (field.follows && isDeepStrictEqual(value, field.complete(undefined, others))) continue;
    const hasParts = field.follows && typeof value === "object" && value !== null && !Array.isArray(value);
    sent[name] = hasParts ? sentParts(field, value as Record<string, unknown>, others) : value;
  }
  return sent;
};

/** Like `asSent`, and without fields that equal any default: the shortest input that gives the same settings. */
export const withoutDefaults = (settings: MonitorSettings, available: readonly string[]): Record<string, unknown> => {
  const others: Surroundings = { ...settings, available };
  const isDefault = (name: FieldName) =>
    isDeepStrictEqual((FIELDS[name] as Field).complete(undefined, others), settings[name]);
  return Object.fromEntries(
    Object.entries(asSent(settings, available)).filter(([name]) => !isDefault(name as FieldName)),
  );
};

const pick = (from: object, some: readonly string[]) =>
  Object.fromEntries(some.map((name) => [name, (from as Record<string, unknown>)[name]]));

/** The settings of a monitor, without its state. */
export const settingsOf = (monitor: MonitorSettings) => pick(monitor, FIELD_NAMES) as unknown as MonitorSettings;

/** The settings of a monitor that a probe needs for a check. */
export const checkSettingsOf = (monitor: MonitorSettings): CheckSettings => {
  const { locations: _locations, ...check } = pick(monitor, CHECK_NAMES);
  return check as unknown as CheckSettings;
};

/** The settings of a check as it runs at one location: with the location's own limits. */
export const checkAt = <C extends CheckSettings>(location: string, check: C): C => {
  const degradedAboveMs = check.degradedAboveMsByLocation[location];
  return degradedAboveMs === undefined ? check : { ...check, degradedAboveMs };
};

/** Settings as the table stores them: those of the check in one attribute, the others in one each. */
export const storedSettings = (monitor: MonitorSettings) => ({
  ...pick(monitor, OTHER_NAMES),
  check: pick(monitor, CHECK_NAMES),
});

/** Whether what is checked, how, or from where differs, so that the old views no longer apply. */
export const isOtherCheck = (before: MonitorSettings, after: MonitorSettings) =>
  !isDeepStrictEqual(pick(before, CHECK_NAMES), pick(after, CHECK_NAMES));

/** Whether all settings are equal. */
export const isSame = (a: MonitorSettings, b: MonitorSettings) => isDeepStrictEqual(settingsOf(a), settingsOf(b));
