/**
 * From outcomes to stretches of time. Pure.
 *
 * An outcome speaks for its target until the next one, at most for one interval: what comes after is a gap, and a gap is
 * neither up nor down. So every second is decided by outcomes no more than one interval away, and any cut through
 * history (chunk, day, step) gives the same sums.
 */
import type { Health } from "../model.ts";
import { agree, quorumSize } from "../rules/quorum.ts";
import { isMeasured, isPaused, type PastOutcome } from "./outcome.ts";

/** What a stretch of time counts as. Time without any stretch is "no data". */
export type TimeStatus = Health | "paused" | "maintenance";

/** Epoch seconds, `from <= t < to`. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
  readonly status: TimeStatus;
}

/**
 * What an outcome says of the time that it speaks for: the location's view, thresholds applied, as it also made the alerts.
 * Unknown when the check was not possible or no view has formed yet.
 */
function timeStatus(outcome: PastOutcome): TimeStatus {
  if (isPaused(outcome)) return "paused";
  return isMeasured(outcome) ? (outcome.view ?? "unknown") : "unknown";
}

/**
 * One location's stretches, cut to `from <= t < to`; what adjoins with one status is one stretch.
 * @param outcomes oldest first, one a tick at most
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

/** Whose word counts how much. */
export interface Voters {
  readonly locations: readonly string[];
  readonly quorum: "majority" | "any" | "all" | number;
}

/**
 * The stretches of several locations as the monitor's quorum sees them.
 * Locations that the monitor no longer has still speak for their time: then everyone who was there votes.
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
  // At one moment what ends comes before what begins.
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
