/** Differences between the settings of a monitor before and after a change, for dry runs and the audit log. Pure. */
import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import type { MonitorSettings } from "../../../shared/model.ts";
import { settingsOf } from "../../../shared/monitor/settings.ts";
import { HIDDEN, hideSecrets } from "../../../shared/protocols/secrets.ts";
import type { Token } from "../../../shared/store/tokens.ts";
import type { Change } from "../http/audit.ts";
import { maySeeAll } from "./present.ts";

/** Value before and after by path, such as `alerts.afterSeconds`; null where there is none. */
export type Changes = Readonly<Record<string, readonly [before: unknown, after: unknown]>>;

export const changesView = z.record(z.string(), z.array(z.unknown()).length(2)).meta({
  id: "Changes",
  description: "Value before and after by path, such as `alerts.afterSeconds`; null: none. Secrets are masked.",
  example: { intervalSeconds: [60, 30], "settings.path": [null, "/health"] },
});

/** A thing before or after a change. */
export interface Side {
  readonly value: unknown;
  /** The same with secrets masked. */
  readonly shown: unknown;
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const within = ({ value, shown }: Side, name: string): Side => ({
  value: isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined,
  shown: isObject(shown) && Object.hasOwn(shown, name) ? shown[name] : undefined,
});
/** Whether to name the parts of a value that differ; a mask hides the parts. */
const hasParts = ({ value, shown }: Side) => isObject(value) && shown !== HIDDEN;

function* differences(before: Side, after: Side, path: string): Generator<[string, [unknown, unknown]]> {
  if (isDeepStrictEqual(before.value, after.value)) return;
  if (!hasParts(before) || !hasParts(after)) {
    yield [path, [before.shown ?? null, after.shown ?? null]];
    return;
  }
  const names = new Set([...Object.keys(before.value as object), ...Object.keys(after.value as object)]);
  for (const name of names)
    yield* differences(within(before, name), within(after, name), path ? `${path}.${name}` : name);
}

/** Differences between two objects that may have secrets. */
export const maskedDifferencesOf = (before: Side, after: Side): Changes =>
  Object.fromEntries(differences(before, after, ""));

/** Differences between two objects of settings without secrets. */
export const differencesOf = (before: object, after: object): Changes =>
  maskedDifferencesOf({ value: before, shown: before }, { value: after, shown: after });

const sideOf = (monitor: MonitorSettings): Side => {
  const value = settingsOf(monitor);
  return { value, shown: { ...value, settings: hideSecrets(value.protocol, value.settings) } };
};

/** What differs between the settings; empty if nothing does. */
export const changesOf = (before: MonitorSettings, after: MonitorSettings): Changes =>
  maskedDifferencesOf(sideOf(before), sideOf(after));

export const NOTHING: Side = { value: {}, shown: {} };

/**
 * Entries of the audit log for another resource than a monitor; none if nothing differs.
 * @param before, after its settings; null: it does not exist
 */
export const changeOfKept = (
  { id, name }: { readonly id: string; readonly name: string },
  before: object | null,
  after: object | null,
): Change[] => {
  const changes = differencesOf(before ?? {}, after ?? {});
  return Object.keys(changes).length > 0 ? [{ resource: id, name, changes }] : [];
};

const WITH_ADDRESSES: ReadonlySet<string> = new Set(["alerts.emails", "alerts.steps"]);

/** Changes as a caller may see them: without addresses of people for tokens that may not read them. */
export const shownChanges = (changes: Changes, reader: Token | null): Changes =>
  maySeeAll(reader)
    ? changes
    : Object.fromEntries(
        Object.entries(changes).map(([path, values]) => [path, WITH_ADDRESSES.has(path) ? [HIDDEN, HIDDEN] : values]),
      );

type Named = MonitorSettings & { readonly id: string };
/** Entries of the audit log; none if nothing differs. */
export const changeOf = (before: Named, after: MonitorSettings): Change[] => {
  const changes = changesOf(before, after);
  return Object.keys(changes).length > 0 ? [{ resource: before.id, name: after.name, changes }] : [];
};
/** With all of its settings. */
export const creationOf = (made: Named): Change => ({
  resource: made.id,
  name: made.name,
  changes: maskedDifferencesOf(NOTHING, sideOf(made)),
});
/** With all of its settings, so that what was deleted by mistake can be made again. */
export const deletionOf = (gone: Named): Change => ({
  resource: gone.id,
  name: gone.name,
  changes: maskedDifferencesOf(sideOf(gone), NOTHING),
});
