/**
 * Additive figures of a stretch of time: a day item holds one tally, a step of `stats` is the sum of many. Whole
 * numbers only, so that the sum depends neither on the order nor on whether days or raw outcomes were added.
 */
import { REASONS, type Reason } from "../reasons.ts";
import { BitReader, BitWriter } from "./bits.ts";
import { lossCode, reasonCode } from "./block.ts";
import { latencyCode } from "./latency.ts";
import { isMeasured, isPaused, type PastOutcome } from "./outcome.ts";
import { CorruptHistory } from "./packing.ts";
import { LatencySketch } from "./sketch.ts";
import type { Stretch, TimeStatus } from "./timeline.ts";

/** The order is stored in day items: append only. */
export const TIME_STATUSES = ["up", "degraded", "down", "unknown", "paused", "maintenance"] as const;

const VERSION = 1;

export class Tally {
  /** Checks that ran, measured or not. */
  checks = 0;
  /** Checks that say nothing about the target: our own fault, an offline location, or silence that proves nothing. */
  unmeasured = 0;
  degraded = 0;
  /** Failed checks by reason code (`reasonCode`). */
  readonly failures = new Map<number, number>();
  readonly seconds: Record<TimeStatus, number> = { up: 0, degraded: 0, down: 0, unknown: 0, paused: 0, maintenance: 0 };
  /** Latencies of checks that were not failures. */
  latency = new LatencySketch();
  /** Packet loss, in hundredths of a per cent, over the checks that measured it. */
  lossCount = 0;
  lossSum = 0;

  addOutcome(outcome: PastOutcome) {
    if (isPaused(outcome)) return;
    this.checks++;
    if (!isMeasured(outcome)) {
      this.unmeasured++;
      return;
    }
    if (outcome.lossPercent !== null) {
      this.lossCount++;
      this.lossSum += lossCode(outcome.lossPercent) - 1;
    }
    if (outcome.health === "down") {
      const reason = reasonCode(outcome.reason);
      this.failures.set(reason, (this.failures.get(reason) ?? 0) + 1);
      return;
    }
    if (outcome.health === "degraded") this.degraded++;
    if (outcome.latencyMs !== null) this.latency.add(latencyCode(outcome.latencyMs));
  }

  addStretch({ from, to, status }: Stretch) {
    this.seconds[status] += to - from;
  }

  merge(other: Tally, { seconds = true } = {}) {
    this.checks += other.checks;
    this.unmeasured += other.unmeasured;
    this.degraded += other.degraded;
    for (const [reason, count] of other.failures) this.failures.set(reason, (this.failures.get(reason) ?? 0) + count);
    if (seconds) for (const status of TIME_STATUSES) this.seconds[status] += other.seconds[status];
    this.latency.merge(other.latency);
    this.lossCount += other.lossCount;
    this.lossSum += other.lossSum;
  }

  get failed() {
    return [...this.failures.values()].reduce((sum, count) => sum + count, 0);
  }

  failuresByReason(): Partial<Record<Reason | "unexplained", number>> {
    const name = (code: number): Reason | "unexplained" => (code === 0 ? "unexplained" : REASONS[code - 1]!);
    return Object.fromEntries([...this.failures].sort(([a], [b]) => a - b).map(([code, count]) => [name(code), count]));
  }
}

/** Encodes a day item's `data`. */
export function encodeTally(tally: Tally): Uint8Array {
  const writer = new BitWriter();
  writer.bits(VERSION, 8);
  for (const count of [tally.checks, tally.unmeasured, tally.degraded, tally.lossCount, tally.lossSum])
    writer.varint(count);
  for (const status of TIME_STATUSES) writer.varint(tally.seconds[status]);
  writer.varint(tally.failures.size);
  for (const [reason, count] of [...tally.failures].sort(([a], [b]) => a - b)) {
    writer.varint(reason);
    writer.varint(count);
  }
  tally.latency.write(writer);
  return writer.finish();
}

/** @throws CorruptHistory */
export function decodeTally(data: Uint8Array, what: string): Tally {
  const reader = new BitReader(data, what);
  const version = reader.bits(8);
  if (version !== VERSION)
    throw new CorruptHistory(`${what}: version ${version} is unknown; this is version ${VERSION}`);
  const tally = new Tally();
  tally.checks = reader.varint();
  tally.unmeasured = reader.varint();
  tally.degraded = reader.varint();
  tally.lossCount = reader.varint();
  tally.lossSum = reader.varint();
  for (const status of TIME_STATUSES) tally.seconds[status] = reader.varint();
  for (let left = reader.varint(); left > 0; left--) {
    const reason = reader.varint();
    if (reason > REASONS.length) throw new CorruptHistory(`${what}: unknown reason`);
    tally.failures.set(reason, reader.varint());
  }
  tally.latency = LatencySketch.read(reader);
  return tally;
}
