/** What follows from the declaration of a monitor's fields (`fields.ts`). */
import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { fields } from "../schema.ts";
import {
  CHECK_FIELDS,
  type CheckSettings,
  type Field,
  type MonitorSettings,
  OTHER_FIELDS,
  type Surroundings,
} from "./fields.ts";

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
/** Each field as it is sent. Missing ones get their defaults. */
export const sentFields = mapped(({ sent }) => sent) as unknown as Sent;
/** Each field as it is shown. */
export const storedFields = mapped(({ stored }) => stored) as unknown as { [K in FieldName]: Fields[K]["stored"] };

/** What creates a monitor. */
export const monitorInput = fields(sentFields).meta({ id: "MonitorInput" });

/** What changes a monitor: RFC 7396, so every field may also be null, which brings its default back. */
export const monitorPatch = fields(
  mapped(({ sent, stored }) =>
    z
      .union([sent, z.null()])
      .optional()
      .describe(stored.description ?? ""),
  ) as unknown as Record<FieldName, z.ZodOptional<z.ZodType>>,
).meta({ id: "MonitorPatch", description: "Merged into the monitor (RFC 7396); null brings a field's default back." });

/** Fields that are right by themselves, of those that were sent. */
export type SentSettings = Partial<z.output<typeof monitorInput>>;

/**
 * Settings with every default filled in.
 * @param sent fields without errors
 * @param available names of the locations that are configured
 */
export const completed = (
  sent: { readonly [K in FieldName]?: unknown },
  available: readonly string[],
): MonitorSettings => {
  // Defaults depend on fields that are declared before them, so those stand here by then.
  const all: Record<string, unknown> = { available };
  for (const name of FIELD_NAMES)
    all[name] = (FIELDS[name] as Field).complete(sent[name], all as unknown as Surroundings);
  delete all.available;
  return all as unknown as MonitorSettings;
};

/**
 * Settings as their owner would have sent them: what equals the default that other fields gave it is left out, so that
 * a change of the interval or the protocol brings the fitting timeout, retries and port along.
 */
export const asSent = (settings: MonitorSettings, available: readonly string[]): Record<string, unknown> => {
  const others: Surroundings = { ...settings, available };
  const isSent = (name: FieldName) => {
    const { follows, complete } = FIELDS[name] as Field;
    return !follows || !isDeepStrictEqual(settings[name], complete(undefined, others));
  };
  return Object.fromEntries(FIELD_NAMES.filter(isSent).map((name) => [name, settings[name]]));
};

const pick = (from: object, some: readonly string[]) =>
  Object.fromEntries(some.map((name) => [name, (from as Record<string, unknown>)[name]]));

/** The settings of a monitor, without how it stands. */
export const settingsOf = (monitor: MonitorSettings) => pick(monitor, FIELD_NAMES) as unknown as MonitorSettings;

/** What a probe needs for a check, out of a monitor. */
export const checkSettingsOf = (monitor: MonitorSettings): CheckSettings => {
  const { locations: _locations, ...check } = pick(monitor, CHECK_NAMES);
  return check as unknown as CheckSettings;
};

/** Settings as a monitor's item has them: what is checked is one attribute, the others are one each. */
export const storedSettings = (monitor: MonitorSettings) => ({
  ...pick(monitor, OTHER_NAMES),
  check: pick(monitor, CHECK_NAMES),
});

/** Whether what is checked, how, or from where differs: the views of before say nothing about it. */
export const isOtherCheck = (before: MonitorSettings, after: MonitorSettings) =>
  !isDeepStrictEqual(pick(before, CHECK_NAMES), pick(after, CHECK_NAMES));

/** Whether anything differs that people set up. */
export const isSame = (a: MonitorSettings, b: MonitorSettings) => isDeepStrictEqual(settingsOf(a), settingsOf(b));
