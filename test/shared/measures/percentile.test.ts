import fc from "fast-check";
import { expect, test } from "vitest";
import { percentile, trend } from "../../../shared/measures/percentile.ts";

test("percentiles are nearest ranks, as by hand", () => {
  const hundred = Array.from({ length: 100 }, (_, n) => 100 - n);
  expect(percentile(hundred, 0.95)).toBe(95);
  expect(percentile([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20], 0.95)).toBe(19);
  expect(percentile([7], 0.95)).toBe(7);
  expect(percentile([3, 1, 2], 1)).toBe(3);
  expect(percentile([], 0.95)).toBeNull();
});

test("a percentile is the smallest value that the share does not exceed", () => {
  const values = fc.array(fc.integer({ min: 0, max: 1e9 }), { minLength: 1, maxLength: 300 });
  fc.assert(
    fc.property(values, fc.integer({ min: 1, max: 100 }), (all, hundredths) => {
      const found = percentile(all, hundredths / 100)!;
      const atMost = (limit: number) => all.filter((value) => value <= limit).length;
      expect(atMost(found) * 100).toBeGreaterThanOrEqual(hundredths * all.length);
      expect(atMost(found - 1) * 100).toBeLessThan(hundredths * all.length);
    }),
  );
});

test("a trend is a straight line's, and outliers do not move it", () => {
  const line = Array.from({ length: 12 }, (_, x) => ({ x, y: 100 + 7 * x }));
  expect(trend(line)).toEqual({ slope: 7, intercept: 100, slowest: 7, fastest: 7 });
  const busy = line.map((point) => (point.x === 5 ? { x: 5, y: 5_000 } : point));
  expect(trend(busy)).toMatchObject({ slope: 7, intercept: 100 });
  expect(trend(line.slice(0, 1))).toBeNull();
});

test("the bounds of a trend are around it", () => {
  const points = fc.array(fc.integer({ min: 0, max: 1_000 }), { minLength: 6, maxLength: 40 });
  fc.assert(
    fc.property(points, (values) => {
      const found = trend(values.map((y, x) => ({ x, y })))!;
      expect(found.slowest).toBeLessThanOrEqual(found.slope);
      expect(found.fastest).toBeGreaterThanOrEqual(found.slope);
    }),
  );
});
