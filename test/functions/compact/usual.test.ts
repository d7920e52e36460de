/** Usual ranges: what compact learns from the outcomes of the last weeks, and from which it does not. */
import { expect, test } from "vitest";
import type { PastOutcome } from "../../../shared/history/outcome.ts";
import { DEFAULT_RETENTION } from "../../../shared/history/retention.ts";
import { noSums } from "../../../shared/measures/slots.ts";
import type { Monitor } from "../../../shared/model.ts";
import { UNUSUAL_OFF } from "../../../shared/monitor/unusual.ts";
import { createWindowStore } from "../../../shared/store/alerting.ts";
import { createCounterStore } from "../../../shared/store/counters.ts";
import { createRateStore } from "../../../shared/store/rates.ts";
import { createStretchStore } from "../../../shared/store/stretches.ts";
import { createUsualStore, watchedPlace } from "../../../shared/store/usual.ts";
import { interfaceReading } from "../../support/interfaces.ts";
import { DAY, HOUR, MIDNIGHT, monitorOf, startHistory } from "./fixture.ts";

const SHARD = "300#0";
/** Fifteen days, so that each weekday is there twice. */
const FIRST = MIDNIGHT - 15 * DAY;
/** A Friday, like the day a week before and the one two weeks before. */
const NOON = MIDNIGHT - 7 * DAY + 12 * HOUR;

const outcome = (tick: number, latencyMs: number): PastOutcome => ({
  tick,
  intervalSeconds: 300,
  state: "open",
  reason: null,
  health: "up",
  view: "up",
  offline: false,
  latencyMs,
  lossPercent: null,
});

async function start(more: Partial<Monitor> = {}, latencyAt: (tick: number) => number = () => 20) {
  const h = await startHistory();
  const usual = createUsualStore(h.client, h.tables.history, {
    now: () => h.clock.now * 1000,
    sleep: async () => {},
    unreadable: (error) => expect.unreachable(error.message),
  });
  const place = watchedPlace(monitorOf("web"), "eu");
  h.clock.now = MIDNIGHT + 3 * HOUR;
  const { shard } = await h.shards.place(300, ["eu"]);
  const target = { version: 1, changedAt: new Date(FIRST * 1000).toISOString(), reason: "created" } as const;
  await h.create(
    monitorOf("web", {
      intervalSeconds: 300,
      shard,
      placements: [{ shard, fromTick: 0, toTick: null }],
      unusual: { ...UNUSUAL_OFF, latency: "normal" },
      target,
      ...more,
    }),
  );
  for (let day = FIRST; day < MIDNIGHT; day += DAY) {
    const ticks = Array.from({ length: DAY / 300 }, (_, n) => day + n * 300);
    await h.history.putChunks([
      { monitorId: "web", location: "eu", shard: SHARD, outcomes: ticks.map((tick) => outcome(tick, latencyAt(tick))) },
    ]);
  }
  return { ...h, usual, place, week: async () => (await usual.weeks(place)).get("latency") };
}
/** 2026-11-13 and 20 are Fridays. */
const FRIDAY_NOON = 4 * 24 + 12;
const levelOf = (latencyMs: number) => Math.log(2 + latencyMs);

test("learns the hours of the week once a day", async () => {
  await using h = await start({}, (tick) => (tick % DAY >= 12 * HOUR && tick % DAY < 13 * HOUR ? 400 : 20));
  await h.compact();
  const week = await h.week();
  expect(week?.size).toBe(168);
  expect(week!.get(FRIDAY_NOON)!.centre).toBeCloseTo(levelOf(400), 2);
  expect(week!.get(FRIDAY_NOON + 1)!.centre).toBeCloseTo(levelOf(20), 2);
  expect([...week!.values()].every((hour) => Math.abs(hour.spread - Math.log(1.2)) < 0.001)).toBe(true);
  expect(await h.usual.learnedUntil(h.place, ["latency"])).toBe(MIDNIGHT);
  expect(await h.usual.learnedUntil(h.place, ["latency", "loss"])).toBe(0);

  await h.usual.put(h.place, MIDNIGHT, new Map([["latency", new Map()]]), ["latency"]);
  await h.compact();
  expect((await h.week())?.size).toBe(0); // not learned again
  h.clock.now += DAY;
  await h.compact();
  expect((await h.week())?.size).toBe(168);
});

test.each([
  ["an incident", "down"],
  ["a degraded stretch", "degraded"],
] as const)("%s teaches nothing", async (_, status) => {
  await using h = await start({}, (tick) => (tick >= NOON && tick < NOON + HOUR ? 900 : 20));
  const stretches = createStretchStore(h.client, h.tables.history, DEFAULT_RETENTION);
  const at = (second: number) => new Date(second * 1000).toISOString();
  await stretches.record("web", { status: "up", since: at(FIRST) }, 1);
  await stretches.record("web", { status, since: at(NOON) }, 2);
  await stretches.record("web", { status: "up", since: at(NOON + HOUR) }, 3);
  await h.compact();
  // Of two Fridays one is left, which is not enough.
  expect([(await h.week())?.size, (await h.week())?.has(FRIDAY_NOON)]).toEqual([167, false]);
});

test("maintenance teaches nothing", async () => {
  await using h = await start();
  const at = new Date(FIRST * 1000).toISOString();
  const iso = (second: number) => new Date(second * 1000).toISOString();
  const schedule = { kind: "once", startsAt: iso(NOON), endsAt: iso(NOON + HOUR) } as const;
  const scope = { all: false, monitorIds: ["web"], tags: {} };
  const window = {
    id: "w",
    name: "w",
    revision: 1,
    createdAt: at,
    updatedAt: at,
    versions: [{ scope, schedule, from: at, until: null }],
    ends: {},
  };
  await createWindowStore(h.client, h.tables.monitors).create(window);
  await h.compact();
  expect([(await h.week())?.size, (await h.week())?.has(FRIDAY_NOON)]).toEqual([167, false]);
});

test("what was another target teaches nothing, but a pause forgets nothing", async () => {
  const changedAt = new Date((MIDNIGHT - DAY) * 1000).toISOString();
  const known = async (reason: "changed" | "paused") => {
    await using h = await start({ target: { version: 2, changedAt, reason } });
    await h.compact();
    return (await h.week())?.size;
  };
  expect(await known("changed")).toBe(0);
  expect(await known("paused")).toBe(168);
});

test("learns the traffic of each interface that the device has, from its rates", async () => {
  const device = { protocol: "interfaces", host: "10.0.3.2", port: 161 };
  await using h = await start({ ...device, unusual: { ...UNUSUAL_OFF, inBytes: "normal", outPackets: "high" } });
  const options = {
    history: h.history,
    retention: DEFAULT_RETENTION,
    now: () => h.clock.now * 1000,
    sleep: async () => {},
    unreadable: (error: Error) => expect.unreachable(error.message),
  };
  const rates = createRateStore(h.client, h.tables.history, options);
  const slot = { ...noSums(), seconds: 300, inBytes: 300 * 5_000_000, outPackets: 300 * 70 };
  for (let day = FIRST; day < MIDNIGHT; day += DAY)
    await rates.putDays(h.place, day, new Map([["Gi1/0/7", Array.from({ length: DAY / 300 }, () => slot)]]));
  await rates.advance(h.place, MIDNIGHT);
  const polled = { ...h.place, target: "10.0.3.2 161" };
  await createCounterStore(h.client, h.tables.history, options).putPoll(polled, {
    atMs: (MIDNIGHT + HOUR) * 1000,
    upHundredths: 100,
    interfaces: [interfaceReading({ name: "Gi1/0/7" })],
    memory: new Map(),
  });
  await h.compact();
  const weeks = await h.usual.weeks(watchedPlace({ id: "web", ...device }, "eu"));
  const centres = [...weeks].map(([series, week]) => [series, week.get(FRIDAY_NOON)?.centre.toFixed(2)]);
  expect(Object.fromEntries(centres)).toEqual({
    "inBytes#Gi1/0/7": Math.log(1 + 10_000 + 5_000_000).toFixed(2),
    "outPackets#Gi1/0/7": Math.log(1 + 10 + 70).toFixed(2),
  });
  // What was usual for another device says nothing about this one.
  expect((await h.usual.weeks(h.place)).size).toBe(0);
});
