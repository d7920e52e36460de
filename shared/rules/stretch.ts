/**
 * Records a monitor's status over time: each change of status begins a stretch, which lasts until the next one begins.
 * Bars, uptime and downtime are all made from stretches, and incidents begin and end with them. Pure.
 */
import type { Monitor, StretchStart } from "../model.ts";
import type { NewEntry } from "./outbox.ts";

const isSame = (a: StretchStart, b: StretchStart) => a.status === b.status && a.since === b.since;

/**
 * The stretches that no decision has recorded yet, oldest first: the stored status, if a change of settings reset it, and
 * the status that follows. Compares with the last one recorded, so a monitor of an earlier version gets its first one.
 */
export function unrecorded(monitor: Monitor, next: StretchStart): StretchStart[] {
  const { status, since, lastStretch } = monitor;
  const stored: StretchStart = { status, since };
  if (lastStretch && isSame(lastStretch, next)) return [];
  const isKnown = isSame(stored, next) || since >= next.since || (lastStretch && isSame(lastStretch, stored));
  return isKnown ? [next] : [stored, next];
}

/** Outbox entry that writes a stretch to the history. */
export const recording = (stretch: StretchStart): NewEntry => ({
  key: `status#${stretch.since}#${stretch.status}`,
  content: { kind: "status", stretch },
  receivers: ["status"],
});
