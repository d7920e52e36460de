/** Merge patches of monitors (RFC 7396): the settings after one, and what is wrong with one whatever it is applied to. */
import { type FieldError, InvalidInput } from "../../../shared/errors.ts";
import { show } from "../../../shared/issues.ts";
import type { Location, MonitorSettings } from "../../../shared/model.ts";
import { asSent, FIELD_NAMES, monitorPatch, sentFields } from "../../../shared/monitor/settings.ts";
import type { StoredMonitor } from "../../../shared/store/monitor-item.ts";
import type { Token } from "../../../shared/store/tokens.ts";
import { fieldErrors, PARSING } from "../http/input.ts";
import { mergePatch } from "../http/merge-patch.ts";
import { refuseMovedSecrets } from "./moved-secrets.ts";
import { readMonitorSettings, withoutServerFields } from "./settings.ts";

/** Errors for unknown fields, which the merge would drop silently if they are null, and for anything but an object. */
const unknownFields = (patch: unknown, base = ""): FieldError[] =>
  fieldErrors(
    monitorPatch
      .safeParse(withoutServerFields(patch), PARSING)
      .error?.issues.filter(({ code, path }) => code === "unrecognized_keys" || path.length === 0) ?? [],
    base,
  );

/** Fields that the server sets once. Others of its fields change by themselves, so a client may send old values. */
const FIXED = ["id", "createdAt"] as const;

const fixedFields = (patch: Readonly<Record<string, unknown>>, before: StoredMonitor): FieldError[] =>
  FIXED.filter((name) => patch[name] !== undefined && patch[name] !== before[name]).map((name) => ({
    path: name,
    message: `is set by the server, and is ${show(before[name])}: leave it out`,
  }));

/**
 * The settings of a monitor after a patch. What GET answered may be sent: fields of the server are ignored, and a
 * masked secret stays as it is.
 * @throws InvalidInput that lists every wrong field
 */
export const patchedSettings = (
  before: StoredMonitor,
  patch: unknown,
  available: readonly Location[],
  reader: Token | null,
): MonitorSettings => {
  const errors = unknownFields(patch);
  if (errors.length === 0) errors.push(...fixedFields(patch as Readonly<Record<string, unknown>>, before));
  if (errors.length > 0) throw new InvalidInput(errors);
  const sent = asSent(
    before,
    available.map(({ name }) => name),
  );
  const after = readMonitorSettings(mergePatch(sent, patch), available, { stored: before });
  refuseMovedSecrets(reader, before, after, (patch as { settings?: unknown }).settings);
  return after;
};

/** Longest name, as `fields.ts` declares it. */
const MAX_NAME_LENGTH = 200;
const COPY = " (copy)";

/**
 * The settings of a copy of a monitor with some changes. Secrets are copied too; the key, which is unique, is not.
 * @throws InvalidInput that lists every wrong field
 */
export const copiedSettings = (
  source: StoredMonitor,
  changes: unknown,
  available: readonly Location[],
  reader: Token | null,
): MonitorSettings => {
  const errors = unknownFields(changes);
  if (errors.length > 0) throw new InvalidInput(errors);
  const { key: _unique, ...sent } = asSent(
    source,
    available.map(({ name }) => name),
  );
  const name = source.name.slice(0, MAX_NAME_LENGTH - COPY.length) + COPY;
  const copy = readMonitorSettings(mergePatch({ ...sent, name }, changes), available, { stored: source });
  refuseMovedSecrets(reader, source, copy, (changes as { settings?: unknown }).settings);
  return copy;
};

/**
 * What is wrong with a patch for any monitor, so that a patch of many names it once. Rules between fields depend on the
 * monitor.
 */
export const patchErrors = (patch: unknown, base: string): FieldError[] => {
  const errors = unknownFields(patch, base);
  if (typeof patch !== "object" || patch === null || Array.isArray(patch)) return errors;
  for (const name of FIELD_NAMES) {
    if (!Object.hasOwn(patch, name)) continue;
    if (name === "key") {
      errors.push({ path: `${base}.key`, message: "is fixed once a monitor exists" });
      continue;
    }
    const value = (patch as Readonly<Record<string, unknown>>)[name];
    // A null within a field removes that part.
    const sent = value === null ? undefined : mergePatch(undefined, value);
    const { error } = sentFields[name].safeParse(sent, PARSING);
    if (error) errors.push(...fieldErrors(error.issues, `${base}.${name}`));
  }
  return errors;
};
