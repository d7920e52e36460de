import { expect, test } from "vitest";
import { CorruptHistory } from "../../../shared/history/packing.ts";
import { decodeRates, encodeRates } from "../../../shared/history/rates.ts";
import {
  addToSlots,
  bitRates,
  cropped,
  noSums,
  type Stretch,
  slotsFrom,
  sumsOf,
  usageOf,
} from "../../../shared/measures/slots.ts";

const stretch = (from: number, to: number, more: Partial<Stretch> = {}): Stretch => ({
  ...noSums(),
  seconds: to - from,
  speedMbps: 100,
  from,
  to,
  ...more,
});

test("a stretch that crosses the edge of slots is shared out evenly; its flaps belong to its end", () => {
  const slots = Array.from({ length: 3 }, noSums);
  addToSlots(slots, stretch(270, 330, { inBytes: 600, flaps: 2 }), 0);
  addToSlots(slots, stretch(-30, 30, { inBytes: 600, flaps: 1 }), 0);
  addToSlots(slots, stretch(600, 1_200, { inBytes: 1_000 }), 0);
  expect(slots.map(({ inBytes, seconds, flaps }) => [inBytes, seconds, flaps])).toEqual([
    [600, 60, 1],
    [300, 30, 2],
    [500, 300, 0],
  ]);
});

test("ranges get the same as slots do", () => {
  const stretches = Array.from({ length: 40 }, (_, n) =>
    stretch(n * 60 + 17, n * 60 + 77, { outBytes: n, flaps: n % 2 }),
  );
  const ranges = slotsFrom(0, 2_700);
  const slots = ranges.map(noSums);
  for (const one of stretches) addToSlots(slots, one, 0);
  const sums = sumsOf(stretches, ranges);
  for (const [place, one] of sums.entries()) {
    expect(one.outBytes).toBeCloseTo(slots[place]!.outBytes, 9);
    expect(one.flaps).toBe(slots[place]!.flaps);
  }
  expect(sums.reduce((sum, { outBytes }) => sum + outBytes, 0)).toBeCloseTo((39 * 40) / 2, 6);
});

test("cropping leaves what is after a moment", () => {
  const one = stretch(0, 100, { inBytes: 1_000 });
  expect(cropped(one, 75)).toMatchObject({ from: 75, to: 100, inBytes: 250, seconds: 25 });
  expect(cropped(one, 100)).toBeUndefined();
  expect(cropped(one, 0)).toBe(one);
});

test("slots that are hardly covered are no peak", () => {
  const slots = [
    { ...noSums(), seconds: 300, inBytes: 300 },
    { ...noSums(), seconds: 1, inBytes: 1_000 },
  ];
  expect(bitRates(slots, "in")).toEqual([8]);
  expect(usageOf({ ...noSums(), seconds: 301 }, slots)).toMatchObject({ inPeak: 8, inPercentile95: 8, outPeak: 0 });
});

test("a day is kept with three significant digits", () => {
  const slots = Array.from({ length: 288 }, (_, n) => ({
    ...noSums(),
    seconds: n === 7 ? 0 : 300,
    inBytes: 10 ** (n / 20),
    outBytes: n,
    errors: n % 3,
    speedMbps: 100_000,
    flaps: n,
  }));
  const data = encodeRates(slots);
  expect(data.length).toBeLessThan(2_048);
  const read = decodeRates(data, 86_400, "a day");
  expect(read).toHaveLength(288);
  expect(read[7]).toMatchObject({ seconds: 0, from: 86_400 + 2_100, to: 86_400 + 2_400 });
  for (const [place, { inBytes, outBytes, errors, speedMbps, flaps }] of read.entries()) {
    expect(Math.abs(inBytes / slots[place]!.inBytes - 1)).toBeLessThan(0.005 + 1e-9);
    expect([outBytes, errors, speedMbps, flaps]).toEqual([place, place % 3, 100_000, place]);
  }
  expect(() => decodeRates(Uint8Array.of(9), 0, "a day")).toThrow(CorruptHistory);
});
