import { describe, expect, test } from "vitest";
import {
  addressCount,
  isLastLook,
  planSweep,
  refusePlan,
  sliceOf,
  stepsIn,
  stepsToPlan,
} from "../../../shared/rules/sweep-plan.ts";

const load = (addresses: number, ports: number, perSecond: number | null = null) => ({ addresses, ports, perSecond });

describe("how long a sweep takes", () => {
  test.each([
    ["all ports of one address from the Internet", load(1, 65_535), "public", { perSecond: 100, slices: 14 }],
    ["the same on one machine, at what a probe manages", load(1, 65_535), "local", { perSecond: 600, slices: 3 }],
    ["a thousand ports", load(1, 1_000), "public", { perSecond: 100, slices: 1 }],
    ["a network: six addresses at the same time", load(16, 1_000), "public", { perSecond: 600, slices: 1 }],
    ["a rate of one's own", load(1, 1_000, 10), "public", { perSecond: 10, slices: 2 }],
    ["a rate that a VPC does not bear", load(1, 1_000, 1_000), "vpc", { perSecond: 300, slices: 1 }],
  ] as const)("%s", (_what, sweep, kind, plan) => {
    expect(planSweep(sweep, kind)).toMatchObject(plan);
  });

  test.each([
    ["203.0.113.0/28", 16],
    ["203.0.113.7", 1],
    ["2001:db8::1", 1],
    ["shop.example.com", 6],
  ])("%s may have %i addresses", (host, count) => {
    expect(addressCount(host)).toBe(count);
  });
});

describe("what does not fit is refused with the figures", () => {
  test.each([
    ["a network too wide", load(2_048, 10), 86_400, "host", "at most 1024 addresses (IPv4 /22, IPv6 /118), got 2048"],
    ["IPv6", load(Number.POSITIVE_INFINITY, 1), 86_400, "host", "got more than 4 billion"],
    ["too many attempts", load(1_024, 2_000), 86_400, "settings.ports", "2048000 attempts, and at most 1048576"],
    ["often", load(1, 1_000), 60, "intervalSeconds", "must be at least 300 for a sweep of 1000 attempts"],
    ["many often", load(1, 10_000), 300, "intervalSeconds", "must be at least 3600 for a sweep of 10000 attempts"],
    [
      "half the interval",
      load(1, 65_535, 20),
      3_600,
      "intervalSeconds",
      "takes 66 min, and must fit into half the interval of 60 min",
    ],
  ])("%s", (_what, sweep, intervalSeconds, path, message) => {
    const refused = refusePlan(sweep, "public", intervalSeconds);
    expect(refused?.path).toBe(path);
    expect(refused?.message).toContain(message);
  });

  test("a UDP port takes the time of ten others", () => {
    expect(planSweep({ ...load(1, 1), udpPorts: 0 }, "public").slices).toBe(1);
    const plan = planSweep({ ...load(256, 1), udpPorts: 50 }, "public");
    expect(plan).toMatchObject({ attempts: 256 * 51, slices: Math.ceil((256 * 501) / (600 * 50)) });
    expect(refusePlan({ ...load(1_024, 1), udpPorts: 50 }, "public", 3_600)).toBeUndefined();
  });

  test("a daily sweep of all ports, and an hourly one of a thousand, fit", () => {
    expect(refusePlan(load(1, 65_535), "public", 86_400)).toBeUndefined();
    expect(refusePlan(load(1, 1_000), "public", 3_600)).toBeUndefined();
  });
});

describe("the slices of a sweep", () => {
  test.each([
    [1, 1],
    [2, 1],
    [100, 3],
    [16 * 1_000, 2],
    [65_535, 14],
    [1_048_576, 35],
  ])("together they try each of %i ports once, in %i slices", (count, slices) => {
    const seen = new Uint8Array(count);
    for (let slice = 0; slice < slices; slice++)
      for (const place of sliceOf("m1", 1_800_000_000, count, slice, slices)) seen[place]! += 1;
    expect(seen.every((times) => times === 1)).toBe(true);
  });

  test("attempts that follow each other are at different addresses, at each as many", () => {
    const addresses = 16;
    const places = [...sliceOf("m1", 1_800_000_000, addresses * 1_000, 0, 4)].map((place) => place % addresses);
    for (let at = 0; at + addresses <= places.length; at += addresses)
      expect(new Set(places.slice(at, at + addresses)).size).toBe(addresses);
  });

  test("the order differs between monitors and ticks", () => {
    const order = (id: string, tick: number) => [...sliceOf(id, tick, 1_000, 0, 1)].slice(0, 20).join();
    expect(new Set([order("m1", 1), order("m1", 2), order("m2", 1)]).size).toBe(3);
    expect(order("m1", 1)).toBe(order("m1", 1));
  });
});

describe("which steps need jobs", () => {
  const at = (seconds: number) => new Date(seconds * 1000);
  const schedule = { intervalSeconds: 3_600, phase: 120 };
  const TICK = 1_800_000_000 - (1_800_000_000 % 3_600) + 120;
  const numbers = (steps: readonly { tick: number; step: number }[]) =>
    steps.map(({ tick, step }) => [tick - TICK, step]);

  /** Of a sweep whose last slice takes the whole minute. */
  const full = (slices: number) => ({ slices, endAfterSeconds: slices * 60 });

  test("a small sweep is looked at as soon as it has usually ended, and again where a slice was missing", () => {
    const plan = planSweep({ addresses: 1, ports: 100, perSecond: null }, "local");
    const steps = stepsToPlan(schedule, plan, TICK - 1, TICK + 600, at(TICK - 60));
    expect(steps.map(({ step, dueAtSeconds }) => [step, dueAtSeconds - TICK])).toEqual([
      [0, 0],
      [1, 9],
      [2, 60],
      [3, 180],
    ]);
    expect([1, 2, 3].map((step) => isLastLook(step, 1))).toEqual([false, false, true]);
  });

  test("slices a minute apart, then the end, and two minutes later the last look", () => {
    const steps = stepsToPlan(schedule, full(2), TICK - 1, TICK + 600, at(TICK - 60));
    expect(steps.map(({ step, dueAtSeconds }) => [step, dueAtSeconds - TICK])).toEqual([
      [0, 0],
      [1, 60],
      [2, 120],
      [4, 240],
    ]);
    expect([1, 2, 3, 4].map((step) => isLastLook(step, 2))).toEqual([false, false, false, true]);
  });

  test("each is planned once, however far each plan reaches", () => {
    const planned: number[][] = [];
    let watermark = TICK - 200;
    for (let now = TICK - 180; now < TICK + 900; now += 60) {
      planned.push(...numbers(stepsToPlan(schedule, full(5), watermark, now + 180, at(now))));
      watermark = now + 179;
    }
    expect(planned).toEqual([0, 1, 2, 3, 4, 5, 7].map((step) => [0, step]));
  });

  test("steps that were missed by a minute are lost, and a new shard joins at its next tick", () => {
    expect(numbers(stepsToPlan(schedule, full(3), TICK - 1, TICK + 300, at(TICK + 110)))).toEqual([
      [0, 2],
      [0, 3],
    ]);
    expect(numbers(stepsToPlan(schedule, full(3), undefined, TICK + 300, at(TICK + 110)))).toEqual([]);
  });

  test("a sweep that is asked for begins at once, beside the ticks", () => {
    const now = TICK + 1_000;
    expect(numbers(stepsIn([now], full(1), undefined, now + 180, at(now)))).toEqual([
      [1_000, 0],
      [1_000, 1],
    ]);
    expect(numbers(stepsIn([now], full(1), now + 179, now + 240, at(now + 60)))).toEqual([[1_000, 3]]);
  });
});
