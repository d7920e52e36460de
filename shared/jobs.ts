/** What dispatch and the API ask of probes, through the queue of a location. */
import type { ItemKey, Monitor, Timestamp } from "./model.ts";

/**
 * Timer of an item. `dueAt` is its `nextEvaluationAt` as it was read or set; if that has changed, the timer is void.
 */
export interface Timer extends ItemKey {
  readonly dueAt: Timestamp;
}

/** Message in the queue of a location. */
export type Job =
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
