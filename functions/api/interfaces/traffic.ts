/** Reads what went over an interface: of days that are compacted their sums of 5 minutes, of the others the counters. */
import type { StoredPoll } from "../../../shared/history/poll.ts";
import type { Range } from "../../../shared/history/steps.ts";
import { intervalsBetween } from "../../../shared/measures/counters.ts";
import { cropped, SLOT_SECONDS, type Stretch, slotsFrom, stretchOf, sumsOf } from "../../../shared/measures/slots.ts";
import type { Deps } from "../deps.ts";
import type { WatchedDevice } from "./device.ts";

/** Polls that may lie between two that are compared. */
const MARGIN_INTERVALS = 3;

/** From the counters alone, which are kept for two weeks: as fine as the monitor's interval. */
export async function stretchesFromCounters(
  { counters }: Pick<Deps, "counters">,
  device: WatchedDevice,
  name: string,
  { from, to }: Range,
): Promise<Stretch[]> {
  const { intervalSeconds } = device;
  const margin = MARGIN_INTERVALS * intervalSeconds;
  const found: Stretch[] = [];
  let before: StoredPoll | undefined;
  for await (const poll of counters.polls(device, from - margin, to + margin, name)) {
    const interval = before && intervalsBetween(before, poll, intervalSeconds).get(name);
    const stretch = interval && cropped(stretchOf(interval), from);
    if (stretch && stretch.from < to) found.push(stretch);
    before = poll;
  }
  return found;
}

/** In 5 minutes at the finest. */
export async function stretchesOf(
  deps: Pick<Deps, "counters" | "rates">,
  device: WatchedDevice,
  name: string,
  { from, to }: Range,
): Promise<Stretch[]> {
  const until = await deps.rates.progress(device);
  const old = from < until ? await deps.rates.days(device, name, from, Math.min(to, until)) : [];
  const rawFrom = Math.max(from, until);
  const raw = rawFrom < to ? await stretchesFromCounters(deps, device, name, { from: rawFrom, to }) : [];
  return [...old, ...raw];
}

/** The 5 minutes of a range. */
export function slotsIn(stretches: readonly Stretch[], { from, to }: Range): Stretch[] {
  const slots = slotsFrom(Math.floor(from / SLOT_SECONDS) * SLOT_SECONDS, to);
  return sumsOf(stretches, slots).map((sums, place) => ({ ...sums, ...slots[place]! }));
}
