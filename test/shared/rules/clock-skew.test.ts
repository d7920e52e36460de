import { expect, test } from "vitest";
import { HOUR_SECONDS as HOUR } from "../../../shared/durations.ts";
import { firstTick, holdsTick } from "../../../shared/rules/clock-skew.ts";

const NOW = 1_800_000_000;
const now = new Date(NOW * 1_000);

test("a place that begins in the future was written by a clock that was ahead, and has begun", () => {
  expect(firstTick({ shard: "10#0", fromTick: NOW + HOUR, toTick: null }, now)).toBe(0);
  // Clocks of different machines differ by some seconds.
  expect(firstTick({ shard: "10#0", fromTick: NOW + 30, toTick: null }, now)).toBe(NOW + 30);
});

test.each([
  ["the present place", { fromTick: NOW - HOUR, toTick: null }, true],
  ["one that begins later", { fromTick: NOW + 20, toTick: null }, false],
  ["one that a clock an hour ahead made", { fromTick: NOW + HOUR, toTick: null }, true],
  ["a former one", { fromTick: NOW - HOUR, toTick: NOW - 60 }, false],
  ["one that ends soon", { fromTick: NOW - HOUR, toTick: NOW + 30 }, true],
  ["one that a clock an hour ahead ended", { fromTick: NOW - HOUR, toTick: NOW + HOUR }, false],
])("a tick of now belongs to %s: %j", (_, place, expected) => {
  expect(holdsTick({ shard: "10#0", ...place }, NOW, now)).toBe(expected);
});
