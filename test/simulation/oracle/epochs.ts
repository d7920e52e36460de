/** Stretches of a monitor's life in which it was looked at in one way, from the writes that were committed. */
import { isDeepStrictEqual } from "node:util";
import type { Segment } from "../journal.ts";
import { topicsAfterSeconds, type WatchedSettings } from "../scenario.ts";

export interface Epoch {
  readonly id: string;
  readonly from: number;
  /** At most the scenario's end. */
  readonly to: number;
  readonly settings: WatchedSettings;
  /** Since when views are of these settings: another quorum judges those that stand there. */
  readonly viewsFrom: number;
  /** The longest wait until the topics are told that stood during it. */
  readonly afterSeconds: number;
  readonly paused: boolean;
  readonly shard: string;
  readonly life: number;
  /** Grows with each life, target, pause and resume: an incident belongs to one of these. */
  readonly era: number;
  /** Why the era before ended; null for an epoch that goes on with it. */
  readonly beganBy: "created" | "changed" | "paused" | "resumed" | null;
}

const targetOf = ({ protocol, host, port }: WatchedSettings) => `${protocol} ${host} ${port}`;

export function epochsOf(segments: ReadonlyMap<string, readonly Segment[]>, end: number): Epoch[] {
  return [...segments.values()].flatMap((list) => epochsOfOne(list, end));
}

function epochsOfOne(segments: readonly Segment[], end: number): Epoch[] {
  const epochs: Epoch[] = [];
  let era = 0;
  for (const [place, segment] of segments.entries()) {
    const before = segments[place - 1];
    const beganBy = reasonOf(before, segment);
    if (beganBy) era++;
    const { id, from, settings, paused, shard, life } = segment;
    const last = epochs.at(-1);
    const isSameLook = last && !beganBy && isLookedAtAlike(before!, segment);
    const [began, afterSeconds] = isSameLook
      ? [last.from, Math.max(last.afterSeconds, topicsAfterSeconds(settings))]
      : [from, topicsAfterSeconds(settings)];
    const next: Epoch = {
      id,
      from: began,
      to: Math.min(end, segment.to),
      settings,
      viewsFrom: last && !beganBy && before!.version === segment.version ? last.viewsFrom : from,
      afterSeconds,
      paused,
      shard,
      life,
      era,
      beganBy: isSameLook ? last.beganBy : beganBy,
    };
    if (isSameLook) epochs[epochs.length - 1] = next;
    else epochs.push(next);
  }
  return epochs;
}

function reasonOf(before: Segment | undefined, { life, paused, settings }: Segment): Epoch["beganBy"] {
  if (!before || before.life !== life) return "created";
  if (paused !== before.paused) return paused ? "paused" : "resumed";
  return targetOf(settings) === targetOf(before.settings) ? null : "changed";
}

/** Names, tags and delays of alerts change nothing of how a monitor is looked at; these change what follows from it. */
const isLookedAtAlike = (one: Segment, other: Segment) =>
  one.version === other.version &&
  one.settings.quorum === other.settings.quorum &&
  one.settings.alerts.degraded === other.settings.alerts.degraded &&
  one.settings.alerts.minorityAfterSeconds === other.settings.alerts.minorityAfterSeconds &&
  isDeepStrictEqual(one.settings.flapping, other.settings.flapping);
