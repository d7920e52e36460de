import { expect, test } from "vitest";
import type { Outcome } from "../../../shared/model.ts";
import { type UnusualMeasure, valueIn, withUnusual } from "../../../shared/rules/unusual.ts";

const outcome = (health: Outcome["health"]) =>
  ({ health, state: "open", reason: null, message: "ok", evidence: { greeting: "hi" } }) as unknown as Outcome;
/** 2026-11-27T14:20:00Z, a Friday. */
const FRIDAY = 1_795_789_200;
const found = (more: Partial<UnusualMeasure>): UnusualMeasure => ({
  measure: "outBytes",
  mean: 84e6,
  low: 9e6,
  high: 12e6,
  spreads: 9,
  ...more,
});

test.each([
  [{ of: "Gi1/0/7" }, "Gi1/0/7 sends 84 MB/s; on Fridays at 14:00 UTC it was 9 to 12 MB/s"],
  [
    { measure: "inBytes", of: "eth0", mean: 950, low: 1.2e9, high: 2.46e9 },
    "eth0 receives 950 B/s; on Fridays at 14:00 UTC it was 1.2 to 2.5 GB/s",
  ],
  [
    { measure: "inPackets", of: "eth0", mean: 123_456, low: 0.4, high: 900 },
    "eth0 receives 123,456 packets a second; on Fridays at 14:00 UTC it was 0 to 900 packets a second",
  ],
  [
    { measure: "latency", mean: 840.4, low: 19.6, high: 31.2 },
    "takes 840 ms; on Fridays at 14:00 UTC it was 20 to 31 ms",
  ],
  [
    { measure: "loss", mean: 12.5, low: 0, high: 0.41 },
    "loses 13 % of the datagrams; on Fridays at 14:00 UTC it was 0 to 0.41 % of the datagrams",
  ],
] as const)("says %j", (more, message) => {
  const judged = withUnusual(outcome("up"), [found(more)], FRIDAY);
  expect(judged).toMatchObject({ health: "degraded", reason: "unusual", message });
});

test("the furthest outside comes first, and the evidence names eight", () => {
  const all = Array.from({ length: 12 }, (_, n) => found({ of: `eth${n}`, spreads: n }));
  const { message, evidence } = withUnusual(outcome("up"), all, FRIDAY);
  expect(message).toMatch(/^eth11 sends .*; 11 more unusual, see the evidence$/);
  expect(evidence.unusual).toEqual(Array.from({ length: 8 }, (_, n) => `eth${11 - n} outBytes`));
  expect(evidence.greeting).toBe("hi");
});

test.each(["down", "degraded", "unknown"] as const)("what is %s by itself stays so", (health) => {
  const seen = outcome(health);
  expect(withUnusual(seen, [found({})], FRIDAY)).toBe(seen);
});

test("failed checks, and latencies of a process that stalled, measure nothing", () => {
  const check = { health: "up", timings: { latencyMs: 20 }, lossPercent: 5 } as const;
  expect([valueIn(check, "latency"), valueIn(check, "loss")]).toEqual([20, 5]);
  expect(valueIn({ ...check, stalled: true }, "latency")).toBeNull();
  expect(valueIn({ ...check, health: "down" }, "loss")).toBeNull();
  expect(valueIn({ health: "up", latencyMs: 21, lossPercent: null }, "latency")).toBe(21);
  expect(valueIn({ health: "up", latencyMs: 21, lossPercent: null }, "loss")).toBeNull();
});
