/** What dispatch and the API ask of probes, through the queue of a location. */
import type { ItemKey, Monitor, Timestamp } from "./model.ts";

/**
 * Timer of an item. `dueAt` is its `nextEvaluationAt` as it was read or set; if that has changed, the timer is void.
 */
export interface Timer extends ItemKey {
  readonly dueAt: Timestamp;
}

/** A step of a monitor's sweep: one of its slices, or a look at what they found (`rules/sweep-plan.ts`). */
export interface SweepJob extends Pick<Monitor, "id" | "settingsVersion"> {
  readonly shard: string;
  readonly tick: number;
  readonly step: number;
  readonly slices: number;
  /** Whether somebody asked for the sweep, which then is none of the shard's ticks. */
  readonly isAsked: boolean;
}

/** Message in the queue of a location. */
export type Job =
  | { readonly kind: "sweep"; readonly sweeps: readonly SweepJob[] }
  | { readonly kind: "tick"; readonly shards: readonly string[]; readonly tick: number }
  | { readonly kind: "touch"; readonly timers: readonly Timer[] }
  | { readonly kind: "heartbeat"; readonly at: number }
  | { readonly kind: "spot"; readonly monitors: readonly Pick<Monitor, "id" | "settingsVersion">[] };

/** A job for the queue of a location. */
export interface PlannedJob {
  readonly location: string;
  readonly job: Job;
  /** Epoch seconds until which it waits in the queue; a past moment means at once. */
  readonly dueAtSeconds: number;
}
