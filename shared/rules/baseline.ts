/** The values that a monitor's service is expected to say of itself: learned, accepted, or given by the monitor's settings. Pure. */
import { createHash } from "node:crypto";
import type { Monitor } from "../model.ts";
import type { Baseline } from "./changes.ts";
import { isGone, isSet, LEARNED } from "./facts.ts";

/** Values by the key of their fact. */
export type Values = Readonly<Record<string, readonly string[]>>;

/** Size of the accepted values as JSON; keys beyond it are not watched. */
const MOST_BYTES = 6 * 1024;
/** Values of one key, those of the settings apart. */
export const MOST_VALUES = 8;

const NONE: Values = {};

/** The values that the settings expect. */
export const pinnedBy = ({ mode, expect }: Monitor["changeWatch"]): Values => (mode === "expect" ? expect : NONE);

/** The values of the settings first, then the newest others. */
const beside = (pins: readonly string[], others: readonly string[]) => [
  ...pins,
  ...others.filter((one) => !pins.includes(one)).slice(-MOST_VALUES),
];

const hashOf = (content: unknown) => createHash("sha256").update(JSON.stringify(content)).digest("hex").slice(0, 12);

/**
 * Which ports are watched, as a hash; undefined for monitors that are not swept. With others, ports appear among the facts that were open
 * all along, and open ones vanish from them.
 */
export function watchedBy({ port, settings: { ports, udp, mayBe } }: Monitor): string | undefined {
  return port === 0 ? hashOf([ports, udp, mayBe]) : undefined;
}

/**
 * Takes the values of the settings into the baseline. Of a key that they name, what was learned before is not expected any more once the
 * settings change; what is accepted afterwards is, beside their values.
 */
export function withPins(before: Baseline, pins: Values): Baseline {
  const { pinned: _former, ...others } = before;
  const pinned = Object.keys(pins).length > 0 ? hashOf(pins) : undefined;
  const values: Record<string, readonly string[]> = { ...before.values };
  for (const [key, list] of Object.entries(pins)) {
    const accepted = pinned === before.pinned ? (values[key] ?? []) : [];
    values[key] = beside(list, accepted);
  }
  return { ...others, values, ...(pinned && { pinned }) };
}

/** Adds the first values that locations have seen. Keys that the settings name are not learned, nor are values that are open changes. */
export function learn(monitor: Monitor, before: Baseline, pins: Values): Baseline {
  const isDone = (location: string) => (monitor.views[location]?.facts?.checks ?? 0) >= LEARNED;
  const fresh = monitor.locations.filter((location) => !before.learned.includes(location) && isDone(location));
  if (fresh.length === 0) return before;
  const isOpen = (key: string, value: string) =>
    Object.values(before.changes).some((change) => change.key === key && change.value === value);
  const values: Record<string, readonly string[]> = { ...before.values };
  // Also those that one check alone saw: servers that differ answer in turn.
  for (const location of fresh)
    for (const [key, sightings] of Object.entries(monitor.views[location]!.facts!.values))
      for (const { value } of sightings.filter((one) => !isGone(one)))
        if (!pins[key] && values[key]?.length !== 0 && !isOpen(key, value))
          values[key] = withValue(values[key] ?? [], value);
  return { ...before, learned: [...before.learned, ...fresh], values: fitted(values, pins) };
}

const withValue = (values: readonly string[], value: string) =>
  values.includes(value) ? values : [...values, value].slice(-MOST_VALUES);

/**
 * The values of a key after one was accepted: what no location sees any more is no longer right, unless the settings say so, or values
 * come and go.
 * @param isSeen whether a location sees a value
 */
export const accepting = (
  key: string,
  values: readonly string[],
  value: string,
  pins: Values,
  isSeen: (value: string) => boolean,
): readonly string[] => beside(pins[key] ?? [], [...(isSet(key) ? values : values.filter(isSeen)), value]);

/** Gives up the keys that need most room, but none that the settings name. */
export function fitted(values: Values, pins: Values): Values {
  if (Buffer.byteLength(JSON.stringify(values)) <= MOST_BYTES) return values;
  const longest = Object.entries(values)
    .filter(([key, list]) => !pins[key] && list.length > 0)
    .toSorted(([, a], [, b]) => b.join("").length - a.join("").length)[0];
  return longest ? fitted({ ...values, [longest[0]]: [] }, pins) : values;
}
