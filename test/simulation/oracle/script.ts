/** What was true: the health of each target from each location, the statuses that follow, and when nothing was amiss. */
import type { Cut, Scenario, TargetEvent, WatchedSettings } from "../scenario.ts";
import { latencyOfSlow } from "../scenario.ts";
import { type Count, countOf, type Health, quorumOf, type Truth, truthOf } from "./quorum.ts";

export interface Stretch {
  readonly from: number;
  to: number;
  readonly status: Truth;
}

/** What of a monitor decides about its health. */
type Watched = Pick<
  WatchedSettings,
  "host" | "timeoutMs" | "degradedAboveMs" | "degradedAboveMsByLocation" | "locations" | "quorum"
>;

interface Options {
  /** Sees through the locations' cuts to the target itself. */
  readonly despiteCuts?: boolean;
}

export class Script {
  readonly #events: ReadonlyMap<string, readonly TargetEvent[]>;
  readonly #cuts: readonly Cut[];

  constructor({ events, cuts }: Pick<Scenario, "events" | "cuts">) {
    this.#events = Map.groupBy(events, ({ host }) => host);
    this.#cuts = cuts;
  }

  isCut(location: string, at: number): boolean {
    return this.#cuts.some((cut) => cut.location === location && at >= cut.from && at < cut.to);
  }

  /** `unknown` from a location that cannot tell. */
  healthAt(monitor: Watched, location: string, at: number, { despiteCuts = false }: Options = {}): Health {
    if (!despiteCuts && this.isCut(location, at)) return "unknown";
    const event = this.#events
      .get(monitor.host)
      ?.find(({ from, to, locations }) => at >= from && at < to && (!locations || locations.includes(location)));
    if (!event) return "up";
    switch (event.kind) {
      case "resolver":
        return "unknown";
      case "slow": {
        const latencyMs = latencyOfSlow(event, monitor);
        if (latencyMs >= monitor.timeoutMs) return "down";
        const limit = monitor.degradedAboveMsByLocation?.[location] ?? monitor.degradedAboveMs;
        return limit !== null && latencyMs > limit ? "degraded" : "up";
      }
      default:
        return "down";
    }
  }

  countAt(monitor: Watched, at: number, options?: Options): Count {
    return countOf(monitor.locations.map((location) => this.healthAt(monitor, location, at, options)));
  }

  statusAt(monitor: Watched, at: number, options?: Options): Truth {
    return truthOf(this.countAt(monitor, at, options), quorumOf(monitor.quorum, monitor.locations.length));
  }

  /** Moments within `[from, to]` at which anything may change for a monitor, both ends included, in order. */
  edges({ host }: Pick<Watched, "host">, from: number, to: number): number[] {
    const moments = [...(this.#events.get(host) ?? []), ...this.#cuts].flatMap((one) => [one.from, one.to]);
    const within = moments.filter((at) => at > from && at < to);
    return [...new Set([from, ...within, to])].toSorted((a, b) => a - b);
  }

  /** The statuses of a monitor one after the other; neighbours differ. */
  stretches(monitor: Watched, from: number, to: number): Stretch[] {
    const found: Stretch[] = [];
    const edges = this.edges(monitor, from, to);
    for (const [place, begins] of edges.slice(0, -1).entries()) {
      const ends = edges[place + 1]!;
      const status = this.statusAt(monitor, (begins + ends) / 2);
      const last = found.at(-1);
      if (last?.status === status) last.to = ends;
      else found.push({ from: begins, to: ends, status });
    }
    return found;
  }

  /** Whether something holds at any moment of a stretch. What holds changes at edges only. */
  atSomeMoment(monitor: Watched, from: number, to: number, holds: (at: number) => boolean): boolean {
    if (to < from) return false;
    const edges = this.edges(monitor, from, to);
    return edges.some((at, place) => holds(at) || holds((at + (edges[place + 1] ?? at)) / 2));
  }
}

export interface Window {
  readonly from: number;
  readonly to: number;
}

/** A stretch of calm, and how long it had been rough before. */
export interface CalmStretch extends Window {
  readonly roughSeconds: number;
}

/** When no fault was at work, nor lingered. */
export class Calm {
  readonly stretches: readonly CalmStretch[];

  constructor(rough: readonly Window[], end: number) {
    const stretches: CalmStretch[] = [];
    let [reached, began] = [0, 0];
    for (const { from, to } of rough.toSorted((a, b) => a.from - b.from)) {
      if (from > reached) {
        stretches.push({ from: reached, to: from, roughSeconds: reached - began });
        began = from;
      }
      reached = Math.max(reached, to);
    }
    if (reached < end) stretches.push({ from: reached, to: end, roughSeconds: reached - began });
    this.stretches = stretches;
  }

  /** Whether all of it is calm. */
  covers(from: number, to: number): boolean {
    return this.stretches.some((calm) => calm.from <= from && to <= calm.to);
  }

  /** Whether nothing has been amiss since the beginning. */
  get isWhole(): boolean {
    return this.stretches.length === 1 && this.stretches[0]!.from === 0;
  }
}
