/**
 * What a service says of itself over time, as one location sees it. A value counts once two checks saw it, and is gone
 * once three in a row did not: a single check may have met a server that is just being replaced. Pure.
 *
 * Several servers behind one name often differ (keys, versions) and answer in turn. Each value that was seen is therefore
 * remembered, and how often it came back: after some turns none of them causes a write any more.
 */
import { isDeepStrictEqual } from "node:util";
import { DAY_SECONDS } from "../durations.ts";
import type { Facts } from "../model.ts";

/** A value of a fact that checks have seen. Its other fields are absent where nothing is special, to keep the item small. */
export interface Sighting {
  readonly value: string;
  /** The tick of the check that saw it, while only one has. */
  readonly newAt?: number;
  /** Checks in a row, up to now, that saw another value: at most `GONE`. */
  readonly missed?: number;
  /** How often it came back after checks that did not see it: at most `ALTERNATES`. */
  readonly returned?: number;
}

/** What a location has seen of a service. */
export interface Sightings {
  /** Checks that had facts, up to `LEARNED`. */
  readonly checks: number;
  /** By key. An empty value: a check did not find the key, which others had found. An empty list: the key changes by its nature. */
  readonly values: Readonly<Record<string, readonly Sighting[]>>;
}

/** Checks in a row without a value until it is gone. */
const GONE = 3;
/** Returns after which a value is taken for one of several that alternate. */
const ALTERNATES = 3;
/** Checks whose values are the beginning of a baseline. */
export const LEARNED = 3;
/** Values of one key that are remembered. A key with more of them changes by its nature and says nothing. */
const MOST_VALUES = 8;
/** Size of all sightings as JSON: they are stored with each location's view, in the monitor's item. */
const MOST_BYTES = 1_536;
/** The same for devices, whose interfaces have facts each. */
const DEVICE_BYTES = 8_192;
const UNSTABLE: readonly Sighting[] = [];

export const isGone = ({ missed = 0 }: Sighting) => missed >= GONE;

const seenAgain = (sighting: Sighting, tick: number): Sighting => {
  const { value, newAt, missed = 0, returned = 0 } = sighting;
  if (isGone(sighting)) return { value, newAt: tick };
  if (newAt === undefined && missed === 0) return sighting;
  const returns = missed > 0 ? Math.min(ALTERNATES, returned + 1) : returned;
  return { value, ...(returns > 0 && { returned: returns }) };
};

const notSeen = (sighting: Sighting): Sighting =>
  isGone(sighting) || (sighting.returned ?? 0) >= ALTERNATES
    ? sighting
    : { ...sighting, missed: (sighting.missed ?? 0) + 1 };

/** Whether it may be forgotten. One that a single check saw is kept for a day, since many of those show a key that always changes. */
const isSpare = (sighting: Sighting, tick: number) =>
  isGone(sighting) && (sighting.newAt === undefined || sighting.newAt < tick - DAY_SECONDS);

/** Facts that are a set of values, separated by a space, of which each check may see other ones: such as the networks of a name's addresses. */
const SETS: ReadonlySet<string> = new Set(["dns.addresses"]);
export const isSet = (key: string): boolean => SETS.has(key);

/** @returns the same list where nothing changes */
function withValues(before: readonly Sighting[], seen: readonly string[], tick: number): readonly Sighting[] {
  const after = before.map((one) => (seen.includes(one.value) ? seenAgain(one, tick) : notSeen(one)));
  for (const value of seen) if (!before.some((one) => one.value === value)) after.push({ value, newAt: tick });
  const spare = after.length > MOST_VALUES ? after.findIndex((one) => isSpare(one, tick)) : -1;
  if (spare >= 0) after.splice(spare, 1);
  if (after.length > MOST_VALUES) return UNSTABLE;
  const isSame = after.length === before.length && after.every((one) => before.includes(one));
  return isSame ? before : after;
}

const bytesOf = (value: unknown) => Buffer.byteLength(JSON.stringify(value));

/** Gives up the keys that need most room. */
function fitted(
  values: Readonly<Record<string, readonly Sighting[]>>,
  room: number,
): Readonly<Record<string, readonly Sighting[]>> {
  if (bytesOf(values) <= room) return values;
  const [longest] = Object.entries(values).toSorted(([, a], [, b]) => bytesOf(b) - bytesOf(a))[0]!;
  return fitted({ ...values, [longest]: UNSTABLE }, room);
}

/**
 * Adds what a check saw.
 * @param tick of the check
 * @returns the same object where nothing changes
 */
export function observe(before: Sightings | null, facts: Facts, tick: number): Sightings {
  const checks = Math.min(LEARNED, (before?.checks ?? 0) + 1);
  const known = before?.values ?? {};
  const values: Record<string, readonly Sighting[]> = {};
  for (const key of new Set([...Object.keys(known), ...Object.keys(facts)])) {
    const seen = known[key];
    const now = facts[key] ?? "";
    values[key] = seen?.length === 0 ? seen : withValues(seen ?? [], isSet(key) ? now.split(" ") : [now], tick);
  }
  const isSame =
    before !== null &&
    before.checks === checks &&
    Object.keys(values).length === Object.keys(known).length &&
    Object.entries(values).every(([key, list]) => known[key] === list);
  const room = Object.keys(facts).some((key) => key.startsWith("if.")) ? DEVICE_BYTES : MOST_BYTES;
  return isSame ? before : { checks, values: fitted(values, room) };
}

/**
 * Takes what a check saw for certain: its values are the only ones from now on, and keys that it did not find are missing.
 * @returns the same object where nothing changes
 */
export function confirm(before: Sightings | null, facts: Facts): Sightings {
  const keys = new Set([...Object.keys(before?.values ?? {}), ...Object.keys(facts)]);
  const values = Object.fromEntries([...keys].map((key) => [key, [{ value: facts[key] ?? "" }]]));
  const after = { checks: LEARNED, values };
  return before && isDeepStrictEqual(before, after) ? before : after;
}

/** Values of each key that a service has: seen by enough checks, and not gone. Keys without any are left out. */
export function presentValues({ values }: Sightings): ReadonlyMap<string, readonly string[]> {
  const present = new Map<string, readonly string[]>();
  for (const [key, sightings] of Object.entries(values)) {
    const firm = sightings.filter((one) => one.newAt === undefined && !isGone(one)).map(({ value }) => value);
    if (firm.length > 0) present.set(key, firm);
  }
  return present;
}
