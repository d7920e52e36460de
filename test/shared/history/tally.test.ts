import fc from "fast-check";
import { expect, test } from "vitest";
import { tallyOf } from "../../../shared/history/day.ts";
import { latencyCode, latencyOf } from "../../../shared/history/latency.ts";
import type { PastOutcome } from "../../../shared/history/outcome.ts";
import { CorruptHistory } from "../../../shared/history/packing.ts";
import { LatencySketch } from "../../../shared/history/sketch.ts";
import { decodeTally, encodeTally } from "../../../shared/history/tally.ts";
import { noisyTarget } from "../../support/noise.ts";

const QUANTILES = [0, 0.5, 0.95, 0.99, 1];
const codes = fc.array(fc.integer({ min: 1, max: 8100 }), { minLength: 1, maxLength: 500 });

const sketchOf = (list: readonly number[]) => {
  const sketch = new LatencySketch();
  for (const code of list) sketch.add(code);
  return sketch;
};

test("quantiles are within 1 % of the latency at their rank; count, least, most and mean are exact", () => {
  fc.assert(
    fc.property(codes, (list) => {
      const sketch = sketchOf(list);
      const sorted = list.map((code) => latencyOf(code)!).sort((a, b) => a - b);
      const found = sketch.quantilesMs(QUANTILES);
      QUANTILES.forEach((q, i) => {
        const exact = sorted[Math.max(1, Math.ceil(q * sorted.length)) - 1]!;
        expect(Math.abs(found[i]! - exact)).toBeLessThanOrEqual(exact * 0.01 + 1e-12);
      });
      expect([sketch.count, sketch.minMs, sketch.maxMs]).toEqual([sorted.length, sorted[0], sorted.at(-1)]);
      expect(sketch.meanMs).toBeCloseTo(sorted.reduce((sum, latencyMs) => sum + latencyMs, 0) / sorted.length, 5);
    }),
  );
});

test("sketches of parts add up to the sketch of the whole", () => {
  fc.assert(
    fc.property(codes, codes, (some, others) => {
      const merged = sketchOf(some);
      merged.merge(sketchOf(others));
      const whole = sketchOf([...some, ...others]);
      expect(merged.quantilesMs(QUANTILES)).toEqual(whole.quantilesMs(QUANTILES));
      expect(merged.meanMs).toBe(whole.meanMs);
    }),
  );
});

const dayOf = (seed: number, intervalSeconds: number) => {
  const observe = noisyTarget(seed);
  return Array.from({ length: 86_400 / intervalSeconds }, (_, i): PastOutcome => {
    const outcome = observe(i * intervalSeconds);
    const latencyMs = latencyOf(latencyCode(outcome.latencyMs));
    return { tick: i * intervalSeconds, intervalSeconds, ...outcome, latencyMs, view: outcome.health, offline: false };
  });
};

test("a day comes back as it was stored and takes under 200 bytes", () => {
  let bytes = 0;
  for (let seed = 0; seed < 50; seed++) {
    const tally = tallyOf(dayOf(seed, 60), 0, 86_400);
    const data = encodeTally(tally);
    bytes += data.length;
    expect(decodeTally(data, "day")).toEqual(tally);
  }
  expect(bytes / 50).toBeLessThan(200);
});

test("a damaged day gives one clear error", () => {
  const data = Buffer.from(encodeTally(tallyOf(dayOf(1, 600), 0, 86_400)));
  for (let at = 0; at < data.length; at++) {
    const damaged = Buffer.from(data);
    damaged[at]! ^= 0x55;
    expect(() => decodeTally(damaged, "day m eu 2026-11-22")).toThrow(CorruptHistory);
  }
  expect(() => decodeTally(data.subarray(0, 3), "day m")).toThrow("day m: 3 bytes are too few");
});
