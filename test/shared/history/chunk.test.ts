import fc from "fast-check";
import { expect, test } from "vitest";
import { CHUNK_TICKS, chunkWindow, decodeChunk, encodeChunk } from "../../../shared/history/chunk.ts";
import { latencyCode, latencyOf } from "../../../shared/history/latency.ts";
import type { PastOutcome } from "../../../shared/history/outcome.ts";
import { CorruptHistory } from "../../../shared/history/packing.ts";
import { HEALTHS, LANES, PORT_STATES } from "../../../shared/model.ts";
import { REASONS } from "../../../shared/reasons.ts";
import { noisyTarget } from "../../support/noise.ts";

const saying = fc.record({
  state: fc.constantFrom(...PORT_STATES),
  reason: fc.constantFrom(null, ...REASONS),
  health: fc.constantFrom(...HEALTHS),
  view: fc.constantFrom(null, ...HEALTHS),
  offline: fc.boolean(),
  latencyMs: fc.option(fc.integer({ min: 1, max: 8100 }).map((code) => latencyOf(code))),
  lossPercent: fc.option(fc.integer({ min: 0, max: 10_000 }).map((hundredths) => hundredths / 100)),
});
const chunk: fc.Arbitrary<PastOutcome[]> = fc
  .record({
    intervalSeconds: fc.constantFrom(...LANES),
    firstTick: fc.integer({ min: 0, max: 4_000_000_000 }),
    slots: fc.array(fc.option(saying), { minLength: 1, maxLength: CHUNK_TICKS }),
  })
  .map(({ intervalSeconds, firstTick, slots }) =>
    slots.flatMap((slot, i) => (slot ? [{ tick: firstTick + i * intervalSeconds, intervalSeconds, ...slot }] : [])),
  )
  .filter((outcomes) => outcomes.length > 0);

test("a chunk comes back as it was stored, gaps included", () => {
  fc.assert(
    fc.property(chunk, (one) => {
      expect(decodeChunk(encodeChunk(one), one[0]!.tick)).toEqual(one);
    }),
    {
      numRuns: 200,
    },
  );
});

test("the same outcomes always give the same bytes", () => {
  fc.assert(
    fc.property(chunk, (one) => {
      expect(encodeChunk(structuredClone(one))).toEqual(encodeChunk(one));
    }),
  );
});

test("damaged bytes give one clear error", () => {
  fc.assert(
    fc.property(chunk, fc.nat(), fc.integer({ min: 1, max: 255 }), (one, place, flip) => {
      const data = Buffer.from(encodeChunk(one));
      data[place % data.length]! ^= flip;
      expect(() => decodeChunk(data, one[0]!.tick, "chunk m eu 5")).toThrow(CorruptHistory);
      expect(() => decodeChunk(data, one[0]!.tick, "chunk m eu 5")).toThrow("chunk m eu 5");
    }),
  );
});

test("outcomes that are not whole intervals apart are refused", () => {
  const [first] = fc.sample(
    chunk.filter((one) => one[0]!.intervalSeconds === 60),
    1,
  )[0]!;
  expect(() => encodeChunk([first!, { ...first!, tick: first!.tick + 61 }])).toThrow(RangeError);
  expect(() => encodeChunk([first!, first!])).toThrow(RangeError);
});

test("windows of a lane cover the day without gap or overlap", () => {
  for (const lane of LANES) {
    const midnight = 1_764_028_800;
    let at = midnight;
    let windows = 0;
    for (; at < midnight + 86_400; windows++) {
      const window = chunkWindow(lane, at);
      expect(window.start).toBe(at);
      expect(window.end - window.start).toBeLessThanOrEqual(lane * CHUNK_TICKS);
      expect(chunkWindow(lane, window.end - 1)).toEqual(window);
      at = window.end;
    }
    expect(at).toBe(midnight + 86_400);
    expect(windows).toBe(Math.ceil(86_400 / (lane * CHUNK_TICKS)));
  }
});

test("an outcome of a realistic fleet takes at most 1.5 bytes", () => {
  let bytes = 0;
  let outcomes = 0;
  for (let monitor = 0; monitor < 60; monitor++) {
    const observe = noisyTarget(monitor);
    for (let window = 0; window < 4; window++) {
      const list = Array.from({ length: CHUNK_TICKS }, (_, i): PastOutcome => {
        const tick = (window * CHUNK_TICKS + i) * 60;
        const outcome = observe(tick);
        const latencyMs = latencyOf(latencyCode(outcome.latencyMs));
        return { tick, intervalSeconds: 60, ...outcome, latencyMs, view: outcome.health, offline: false };
      });
      bytes += encodeChunk(list).length;
      outcomes += list.length;
    }
  }
  expect(bytes / outcomes).toBeLessThan(1);
});
