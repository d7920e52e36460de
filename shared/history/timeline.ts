/**
 * Turns outcomes into stretches of time with one status each. Pure.
 *
 * An outcome holds until the next one, at most for one interval; after that comes a gap, which is neither up nor down.
 * So every second depends only on outcomes at most one interval before it, and history cut anywhere (chunk, day, step)
 * adds up to the same sums.
 */
import type { Health } from "../model.ts";
import { agree, quorumSize } from "../rules/quorum.ts";
import { isMeasured, isPaused, type PastOutcome } from "./outcome.ts";

/** Status of a stretch of time. Time without a stretch is "no data". */
export type TimeStatus = Health | "paused" | "maintenance";

/** Epoch seconds, `from <= t < to`. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
  readonly status: TimeStatus;
}

/**
 * Status of the time for which an outcome holds: the location's view with thresholds applied, which alerts are based on
 * too. Unknown if the check was not possible or there is no view yet.
 */
function timeStatus(outcome: PastOutcome): TimeStatus {
  if (isPaused(outcome)) return "paused";
  return isMeasured(outcome) ? (outcome.view ?? "unknown") : "unknown";
}

/**
 * The stretches of one location, cut to `from <= t < to`; adjoining ones of the same status are joined.
 * @param outcomes oldest first, at most one per tick
 */
export function* stretches(outcomes: readonly PastOutcome[], from: number, to: number): Generator<Stretch> {
  let open: { from: number; to: number; status: TimeStatus } | undefined;
  for (let i = 0; i < outcomes.length; i++) {
    const outcome = outcomes[i]!;
    const next = outcomes[i + 1]?.tick ?? Number.POSITIVE_INFINITY;
    const start = Math.max(outcome.tick, from);
    const end = Math.min(outcome.tick + outcome.intervalSeconds, next, to);
    if (start >= end) continue;
    const status = timeStatus(outcome);
    if (open?.to === start && open.status === status) open.to = end;
    else {
      if (open) yield open;
      open = { from: start, to: end, status };
    }
  }
  if (open) yield open;
}

/** Locations and quorum of a monitor. */
export interface Voters {
  readonly locations: readonly string[];
  readonly quorum: "majority" | "any" | "all" | number;
}

/**
 * Merges the stretches of several locations by the monitor's quorum. For times when locations were present that the
 * monitor no longer has, the quorum is taken over the locations present.
 */
export function* mergeStretches(
  byLocation: ReadonlyMap<string, Iterable<Stretch>>,
  voters: Voters,
): Generator<Stretch> {
  const edges: { at: number; location: string; status: TimeStatus | undefined; order: number }[] = [];
  for (const [location, list] of byLocation) {
    for (const { from, to, status } of list) {
      edges.push({ at: from, location, status, order: 1 }, { at: to, location, status: undefined, order: 0 });
    }
  }
  // Ends sort before starts at the same moment.
  edges.sort((a, b) => a.at - b.at || a.order - b.order);
  const verdicts = new Map<string, TimeStatus>();
  const present = new Map<string, TimeStatus>();
  for (let i = 0; i < edges.length; i++) {
    const { at, location, status } = edges[i]!;
    if (status) present.set(location, status);
    else present.delete(location);
    const next = edges[i + 1];
    if (!next || next.at === at || present.size === 0) continue;
    const key = [...present].sort(([a], [b]) => (a < b ? -1 : 1)).join();
    const verdict = verdicts.get(key) ?? vote(present, voters);
    verdicts.set(key, verdict);
    yield { from: at, to: next.at, status: verdict };
  }
}

function vote(present: ReadonlyMap<string, TimeStatus>, { locations, quorum }: Voters): TimeStatus {
  const statuses = [...present.values()];
  if (statuses.includes("paused")) return "paused";
  if (statuses.includes("maintenance")) return "maintenance";
  const everyone = [...present.keys()].every((name) => locations.includes(name)) ? locations : [...present.keys()];
  const healths = statuses.filter((status): status is Health => status !== "unknown");
  return agree(everyone.length, quorumSize({ quorum, locations: everyone }), healths) ?? "unknown";
}
