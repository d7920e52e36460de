import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type Block,
  type BlockEntry,
  blockHeader,
  decodeBlock,
  decodeRoster,
  encodeBlock,
  encodeRoster,
  openBlock,
  pausedEntry,
  rosterHash,
} from "../../../shared/history/block.ts";
import { latencyCode, latencyOf } from "../../../shared/history/latency.ts";
import { CorruptHistory, pack } from "../../../shared/history/packing.ts";
import { HEALTHS, PORT_STATES } from "../../../shared/model.ts";
import { REASONS } from "../../../shared/reasons.ts";
import { noisyTarget } from "../../support/noise.ts";

const place = { shard: "60#3", location: "eu-west-1", tick: 1_764_000_000 };

/** A latency that has three significant digits already. */
const latency = fc.integer({ min: 1, max: 8100 }).map((code) => latencyOf(code));
const seen = {
  state: fc.constantFrom(...PORT_STATES),
  reason: fc.constantFrom(null, ...REASONS),
  health: fc.constantFrom(...HEALTHS),
  latencyMs: fc.option(latency),
  lossPercent: fc.option(fc.integer({ min: 0, max: 10_000 }).map((hundredths) => hundredths / 100)),
  bits: fc.integer({ min: 0, max: 0xffff_ffff }),
  bitCount: fc.integer({ min: 0, max: 32 }),
  settingsByte: fc.integer({ min: 0, max: 255 }),
  view: fc.constantFrom(null, ...HEALTHS),
  unmeasuredStreak: fc.integer({ min: 0, max: 15 }),
  doubt: fc.integer({ min: 0, max: 255 }),
};
const upStreak = fc.integer({ min: 0, max: 127 }).map((length) => ({ upStreak: length, notUpStreak: 0 }));
const notUpStreak = fc.integer({ min: 1, max: 127 }).map((length) => ({ upStreak: 0, notUpStreak: length }));
const entry: fc.Arbitrary<BlockEntry> = fc
  .tuple(fc.record(seen), fc.oneof(upStreak, notUpStreak))
  .map(([one, streaks]) => ({ ...one, ...streaks }));
const block: fc.Arbitrary<Block> = fc.record({
  version: fc.constant(2 as const),
  shard: fc.constant(place.shard),
  location: fc.constant(place.location),
  tick: fc.constant(place.tick),
  offline: fc.boolean(),
  roster: fc.array(fc.string()).map((ids) => rosterHash(ids)),
  entries: fc.array(entry, { maxLength: 250 }),
});

test("a block comes back as it was stored", () => {
  fc.assert(
    fc.property(block, (one) => {
      expect(decodeBlock(encodeBlock(one), place)).toEqual(one);
    }),
    { numRuns: 200 },
  );
});

test("single entries and the header read the same as the whole block", () => {
  fc.assert(
    fc.property(block, (one) => {
      const data = encodeBlock(one);
      const opened = openBlock(data, place);
      expect(one.entries.map((_, row) => opened.entry(row))).toEqual(one.entries);
      expect(blockHeader(data)).toEqual({ version: 2, roster: one.roster, offline: one.offline });
    }),
    { numRuns: 50 },
  );
});

test("latencies keep three significant digits", () => {
  fc.assert(
    fc.property(fc.double({ min: 0.001, max: 999_000, noNaN: true }), (latencyMs) => {
      const kept = latencyOf(latencyCode(latencyMs))!;
      expect(Math.abs(kept - latencyMs)).toBeLessThanOrEqual(latencyMs * 0.005_000_001);
      expect(latencyCode(kept)).toBe(latencyCode(latencyMs));
    }),
  );
});

test.each([
  [null, null],
  [0, 0.001],
  [0.0123456, 0.0123],
  [9.994, 9.99],
  [9.995_1, 10],
  [123.456, 123],
  [999.6, 1000],
  [5e9, 999_000],
])("a latency of %s ms is kept as %s ms", (latencyMs, kept) => {
  expect(latencyOf(latencyCode(latencyMs))).toBe(kept);
});

test.each([Number.NaN, -1])("a latency of %s ms is refused", (latencyMs) => {
  expect(() => latencyCode(latencyMs)).toThrow(RangeError);
});

test("a quiet tick of 250 monitors fits one write unit", () => {
  const entries = Array.from({ length: 250 }, (_, i): BlockEntry => {
    const { state, reason, health, latencyMs, lossPercent } = noisyTarget(i)(place.tick);
    const bits = health === "down" ? 0 : 0xffff_ffff;
    return {
      state,
      reason,
      health,
      latencyMs,
      lossPercent,
      bits,
      bitCount: 32,
      settingsByte: 1 + (i % 7),
      view: health,
      unmeasuredStreak: 0,
      upStreak: health === "up" ? 127 : 0,
      notUpStreak: health === "up" ? 0 : 127,
      doubt: 0,
    };
  });
  const data = encodeBlock({ offline: false, roster: rosterHash(["a"]), entries });
  // pk and sk with values, `data` with its name, `expiresAtSeconds` as a number: how DynamoDB counts an item.
  const rest =
    "pk".length + `SHARD#60#3#ap-southeast-1`.length + "sk".length + 12 + "data".length + "expiresAtSeconds".length + 7;
  expect(data.length + rest).toBeLessThan(1000);
});

test("damaged bytes give one clear error and never another block", () => {
  const whole = encodeBlock({
    offline: false,
    roster: rosterHash(["a"]),
    entries: Array(9).fill(pausedEntry(3)),
  });
  const damaged = fc.oneof(
    fc.integer({ min: 0, max: whole.length - 1 }).map((length) => whole.subarray(0, length)),
    fc.tuple(fc.integer({ min: 18, max: whole.length - 1 }), fc.integer({ min: 1, max: 255 })).map(([at, flip]) => {
      const copy = Buffer.from(whole);
      copy[at]! ^= flip;
      return copy;
    }),
  );
  fc.assert(
    fc.property(damaged, (data) => {
      let read: unknown;
      try {
        read = decodeBlock(data, place);
      } catch (error) {
        expect(error).toBeInstanceOf(CorruptHistory);
        expect(String(error)).toContain("block 60#3 eu-west-1 1764000000");
        return;
      }
      // A flipped bit that zstd does not use may go unnoticed, if nothing changes by it.
      expect(read).toEqual(decodeBlock(whole, place));
    }),
  );
});

test("a block of version 1, without streaks and doubt, is still read", () => {
  const entries = Array.from({ length: 3 }, (_, i) => ({
    ...pausedEntry(7),
    bits: i,
    bitCount: 9,
    view: "up" as const,
  }));
  const old = Buffer.concat([
    Uint8Array.of(1, 1),
    Buffer.from(rosterHash(["a"]), "base64url"),
    pack(Uint8Array.from({ length: 3 * 13 }, (_, at) => columnOf(Math.floor(at / 3), at % 3))),
  ]);
  /** Column by column, as version 1 had them. */
  function columnOf(column: number, row: number): number {
    if (column === 0) return PORT_STATES.indexOf("unmeasured") | (HEALTHS.indexOf("unknown") << 3) | (1 << 5);
    return { 1: REASONS.indexOf("paused") + 1, 9: row, 10: 9, 11: 7 }[column] ?? 0;
  }
  expect(decodeBlock(old, place)).toEqual({ ...place, version: 1, offline: true, roster: rosterHash(["a"]), entries });
});

test("an entry that a newer version wrote gives one clear error", () => {
  const header = Buffer.concat([Uint8Array.of(1, 0), Buffer.alloc(16)]);
  const entryWith = (bytes: Record<number, number>) =>
    openBlock(Buffer.concat([header, pack(Uint8Array.from({ length: 13 }, (_, i) => bytes[i] ?? 0))]), place).entry(0);
  expect(() => entryWith({ 1: 255 })).toThrow(/unknown reason/);
  expect(() => entryWith({ 2: 255, 3: 255 })).toThrow(/unknown latency/);
  expect(() => entryWith({ 2: 255, 3: 255 })).toThrow(CorruptHistory);
});

test("a block of a newer version says which version it has", () => {
  const data = Buffer.from(encodeBlock({ offline: false, roster: rosterHash([]), entries: [] }));
  data[0] = 9;
  expect(() => decodeBlock(data, place)).toThrow("version 9 is unknown");
});

test("a roster comes back under its hash, and under no other", () => {
  const ids = fc.uniqueArray(fc.stringMatching(/^[0-9a-f]{20}$/), { maxLength: 250 }).map((list) => list.sort());
  fc.assert(
    fc.property(ids, (list) => {
      expect(decodeRoster(encodeRoster(list), rosterHash(list))).toEqual(list);
      expect(() => decodeRoster(encodeRoster(list), rosterHash([...list, "z"]))).toThrow(CorruptHistory);
    }),
  );
});
