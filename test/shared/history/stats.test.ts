import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { latencyCode } from "../../../shared/history/latency.ts";
import { isMeasured, isPaused, type PastOutcome } from "../../../shared/history/outcome.ts";
import { report, uptimePercent } from "../../../shared/history/report.ts";
import { tallySteps } from "../../../shared/history/stats.ts";
import { cut, type Range, STEPS, stepSeconds } from "../../../shared/history/steps.ts";
import { Tally } from "../../../shared/history/tally.ts";
import { agree, quorumSize } from "../../../shared/rules/quorum.ts";
import { createHistoryReader } from "../../../shared/store/history-reader.ts";
import { readResults } from "../../../shared/store/results-reader.ts";
import { DAY, HOUR, MIDNIGHT, monitorOf, startHistory } from "../../functions/compact/fixture.ts";
import { type Member, type Plain, runShard } from "../../support/fleet.ts";
import { noisyTarget, randomFrom } from "../../support/noise.ts";

let started: Awaited<ReturnType<typeof startHistory>>;
const LOCATIONS = ["ap", "eu", "us"];
beforeAll(async () => {
  started = await startHistory(LOCATIONS);
});
afterAll(() => started.stop());

/** Every edge in these histories is a multiple of this, so that looking at one moment in each says everything. */
const GRAIN = 60;

type PlainStatus = "up" | "degraded" | "down" | "unknown" | "paused";

/** What holds in each grain of time from `start` on, told from the plain outcomes and nothing else. */
function grains(outcomes: readonly PastOutcome[], start: number, end: number): (PlainStatus | undefined)[] {
  const sorted = outcomes.toSorted((a, b) => a.tick - b.tick);
  return Array.from({ length: (end - start) / GRAIN }, (_, i) => {
    const moment = start + i * GRAIN;
    const last = sorted.findLast(({ tick }) => tick <= moment);
    if (!last || moment >= last.tick + last.intervalSeconds) return undefined;
    if (isPaused(last)) return "paused";
    return isMeasured(last) ? (last.view ?? "unknown") : "unknown";
  });
}

function plainReport(
  { plain, held, start, monitor: { id, quorum } }: Played,
  locations: readonly string[],
  range: Range,
) {
  const seconds = { up: 0, degraded: 0, down: 0, unknown: 0, paused: 0, maintenance: 0, noData: 0 };
  const lists = locations.map((location) => plain.get(`${id} ${location}`) ?? []);
  for (let moment = range.from; moment < range.to; moment += GRAIN) {
    const statuses = locations.flatMap((location) => held.get(location)![(moment - start) / GRAIN] ?? []);
    const healths = statuses.filter((one) => one !== "unknown" && one !== "paused");
    const q = quorumSize({ quorum, locations });
    if (statuses.length === 0) seconds.noData += GRAIN;
    else if (statuses.includes("paused")) seconds.paused += GRAIN;
    else seconds[agree(locations.length, q, healths) ?? "unknown"] += GRAIN;
  }
  const checks = lists.flat().filter((one) => one.tick >= range.from && one.tick < range.to && !isPaused(one));
  const measured = checks.filter(isMeasured);
  const failures = measured.filter(({ health }) => health === "down");
  const latencies = measured.filter(({ health }) => health !== "down").flatMap(({ latencyMs }) => latencyMs ?? []);
  return {
    seconds,
    checks: checks.length,
    unmeasured: checks.length - measured.length,
    failures: failures.length,
    failuresByReason: Object.fromEntries(
      Map.groupBy(failures, ({ reason }) => reason ?? "unexplained")
        .entries()
        .map(([reason, list]) => [reason, list.length]),
    ),
    latencies: latencies.sort((a, b) => a - b),
  };
}

interface Story {
  readonly seed: number;
  readonly lanes: readonly [number, number];
  readonly movedAtHour: number;
  readonly quorum: "majority" | "any";
  readonly locations: readonly string[];
  /** When compact runs, in hours. */
  readonly compactedAt: readonly number[];
}
const HOURS = 60;
const story: fc.Arbitrary<Story> = fc.record({
  seed: fc.nat(),
  lanes: fc.tuple(fc.constantFrom(900, 1800), fc.constantFrom(600, 3600, 21_600)),
  movedAtHour: fc.integer({ min: 1, max: HOURS }),
  quorum: fc.constantFrom("majority" as const, "any" as const),
  locations: fc.constantFrom(["eu"], ["eu", "us"], ["ap", "eu", "us"]),
  compactedAt: fc.array(fc.integer({ min: 1, max: HOURS }), { maxLength: 3 }),
});

let stories = 0;
/** Plays a story on the database. @returns the monitor and its plain outcomes */
async function play({ seed, lanes, movedAtHour, quorum, locations, compactedAt }: Story) {
  const { shards, clock, compact } = started;
  const random = randomFrom(seed);
  const id = `m${++stories}`;
  const start = MIDNIGHT + stories * 10 * DAY;
  const moved = start + movedAtHour * HOUR;
  clock.now = start;
  const places = await Promise.all(lanes.map((lane) => shards.place(lane as 900, locations, 250)));
  const [old, fresh] = places.map(({ shard }) => shard) as [string, string];
  const placements = [
    { shard: old, fromTick: start, toTick: moved },
    { shard: fresh, fromTick: moved, toTick: null },
  ];
  const monitor = monitorOf(id, { locations, quorum, shard: fresh, placements });
  await started.create(monitor);
  const observe = new Map(locations.map((location, i) => [location, noisyTarget(seed + i, { silentShare: 0 })]));
  const outages = Array.from({ length: 4 }, () => start + Math.floor(random() * HOURS) * HOUR);
  const pausedAt = start + Math.floor(random() * HOURS) * HOUR;
  const member: Member = (tick, location) => {
    if (tick >= pausedAt && tick < pausedAt + 2 * HOUR) return "paused";
    const outcome = observe.get(location)!(tick);
    if (outages.some((at) => tick >= at && tick < at + HOUR) && random() < 0.8)
      return { state: "filtered", reason: "timeout", health: "down", latencyMs: null, lossPercent: null };
    if (random() < 0.03)
      return { ...outcome, state: "unmeasured", reason: "cut-short", health: "unknown", latencyMs: null };
    return random() < 0.05 ? { ...outcome, health: outcome.health === "up" ? "degraded" : outcome.health } : outcome;
  };
  const plain: Plain = new Map();
  const isMissing = () => random() < 0.05;
  const isOffline = () => random() < 0.03;
  const common = { locations, members: new Map([[id, member]]), isMissing, isOffline };
  const views = new Map();
  await runShard(started, { ...common, shard: old, from: start, to: moved, phase: 780 }, plain, views);
  await runShard(started, { ...common, shard: fresh, from: moved, to: start + HOURS * HOUR, phase: 300 }, plain, views);
  for (const hour of compactedAt.toSorted((a, b) => a - b)) {
    clock.now = start + hour * HOUR;
    await compact();
  }
  clock.now = start + HOURS * HOUR;
  const held = new Map(
    locations.map((location) => [location, grains(plain.get(`${id} ${location}`) ?? [], start, clock.now)]),
  );
  return { monitor, plain, held, start, end: clock.now };
}
type Played = Awaited<ReturnType<typeof play>>;

const range = fc.tuple(fc.integer({ min: 0, max: HOURS * 60 }), fc.integer({ min: 1, max: 4_000 }));

test("whatever level answers, counts and seconds equal a plain recomputation, and quantiles are within 1 %", async () => {
  await fc.assert(
    fc.asyncProperty(story, fc.array(range, { minLength: 2, maxLength: 2 }), async (told, ranges) => {
      const played = await play(told);
      const { monitor, start, end } = played;
      for (const [fromMinute, minutes] of [[0, HOURS * 60] as const, ...ranges]) {
        const whole = { from: start + fromMinute * 60, to: Math.min(start + (fromMinute + minutes) * 60, end) };
        if (whole.from >= whole.to) continue;
        for (const step of ["1h", "1d", "1mo"] as const) {
          for (const location of [undefined, told.locations[0]!]) {
            const steps = cut(whole, step);
            const reader = createHistoryReader(started.history, LOCATIONS);
            const tallies = await tallySteps(reader, monitor, steps, { location });
            steps.forEach((one, i) => {
              const { latencies, ...expected } = plainReport(played, location ? [location] : told.locations, one);
              const found = report(tallies[i]!, one);
              expect(found).toMatchObject(expected);
              expect(tallies[i]!.latency.count).toBe(latencies.length);
              for (const [name, q] of [
                ["p50", 0.5],
                ["p95", 0.95],
                ["p99", 0.99],
              ] as const) {
                if (latencies.length === 0) continue;
                const exact = latencies[Math.ceil(q * latencies.length) - 1]!;
                expect(Math.abs(found.latencyMs![name] - exact)).toBeLessThanOrEqual(exact * 0.0105);
              }
            });
          }
        }
      }
    }),
    { numRuns: 4 },
  );
});

test("results are the plain outcomes, newest first, whatever the size of a page", async () => {
  await fc.assert(
    fc.asyncProperty(story, fc.constantFrom(1, 30, 1000), async (told, limit) => {
      const { monitor, plain, start, end } = await play(told);
      const { locations } = told;
      const expected = locations
        .flatMap((location) =>
          (plain.get(`${monitor.id} ${location}`) ?? []).flatMap((one) =>
            isPaused(one) ? [] : [{ ...one, location }],
          ),
        )
        .sort((a, b) => b.tick - a.tick || (a.location < b.location ? -1 : 1));
      const found = [];
      const pages = 12;
      let after: { tick: number; location: string } | undefined;
      for (let page = 0; page < pages; page++) {
        const reader = createHistoryReader(started.history, LOCATIONS);
        const { items, next } = await readResults(
          reader,
          monitor,
          locations,
          { from: start - DAY, to: end },
          limit,
          after,
        );
        expect(items.length).toBeLessThanOrEqual(limit);
        found.push(...items);
        if (!next) break;
        after = next;
      }
      expect(found).toEqual(expected.slice(0, found.length));
      expect(found.length).toBe(Math.min(expected.length, limit * pages));
    }),
    { numRuns: 3 },
  );
});

test("uptime counts neither gaps nor pauses, and is unknown without anything known", () => {
  const tally = new Tally();
  tally.seconds.paused = 100;
  tally.seconds.unknown = 50;
  expect(uptimePercent(tally)).toBeNull();
  tally.seconds.up = 999;
  tally.seconds.down = 1;
  expect(uptimePercent(tally)).toBe(99.9);
  tally.latency.add(latencyCode(12.3));
  expect(report(tally, { from: 0, to: 2000 })).toMatchObject({
    seconds: { noData: 850 },
    latencyMs: { min: 12.3, p50: 12.3, p99: 12.3, max: 12.3 },
  });
});

const uptimeOf = (up: number, down: number) => {
  const { seconds } = new Tally();
  return { seconds: { ...seconds, up, down } };
};

test.each([
  [300 * DAY - 10, 10, 99.9999],
  [60 * 30 * DAY - 1, 1, 99.9999],
  [400_000 * DAY - 1, 1, 99.9999],
  [1, 400_000 * DAY, 0.0001],
  [400_000 * DAY, 0, 100],
  [0, DAY, 0],
  [2, 1, 66.6666],
  [57, 43, 57],
])("uptime of %d s up and %d s down is %d per cent", (up, down, expected) => {
  expect(uptimePercent(uptimeOf(up, down))).toBe(expected);
});

test("a badge's two digits are those of the share, not of a rounded share", () => {
  expect(uptimePercent(uptimeOf(435, 9565), 2)).toBe(4.35);
  expect(uptimePercent(uptimeOf(99_995, 5), 2)).toBe(99.99);
  expect(uptimePercent(uptimeOf(1, 99_999), 2)).toBe(0.01);
});

test.each([
  [1, 99_999, 0.001],
  [99_999, 1, 99.999],
  [1, 0, 100],
  [0, 1, 0],
])("loss is neither 0 beside a loss nor 100 beside an answer: %d lost, %d not", (lost, answered, expected) => {
  const tally = new Tally();
  tally.lossCount = lost + answered;
  tally.lossSum = lost * 10_000;
  expect(report(tally, { from: 0, to: 60 }).lossPercent).toBe(expected);
});

test("latencies never contradict each other, however they are rounded", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 8100 }), { minLength: 1, maxLength: 40 }), (codes) => {
      const tally = new Tally();
      for (const code of codes) tally.latency.add(code);
      const { min, mean, p50, p95, p99, max } = report(tally, { from: 0, to: 60 }).latencyMs!;
      const ranks = [min, p50, p95, p99, max];
      expect(ranks).toEqual(ranks.toSorted((a, b) => a! - b!));
      expect(mean).toBeGreaterThanOrEqual(min!);
      expect(mean).toBeLessThanOrEqual(max!);
    }),
  );
});

const at = (text: string) => Date.parse(text) / 1000;
const iso = (ranges: readonly Range[]) => ranges.map(({ from }) => new Date(from * 1000).toISOString().slice(0, 16));

test.each([
  ["1d", "Europe/Berlin", "2026-03-28T23:00Z", "2026-03-30T22:00Z", ["2026-03-28T23:00", "2026-03-29T22:00"]],
  ["1d", "Asia/Kolkata", "2026-01-01T00:00Z", "2026-01-02T00:00Z", ["2026-01-01T00:00", "2026-01-01T18:30"]],
  ["1w", "UTC", "2026-11-21T12:00Z", "2026-11-24T00:00Z", ["2026-11-21T12:00", "2026-11-23T00:00"]],
  [
    "1mo",
    "America/New_York",
    "2026-02-15T00:00Z",
    "2026-04-15T00:00Z",
    ["2026-02-15T00:00", "2026-03-01T05:00", "2026-04-01T04:00"],
  ],
  // Cairo's clocks skip midnight: the day begins at one o'clock.
  ["1d", "Africa/Cairo", "2026-04-23T12:00Z", "2026-04-24T12:00Z", ["2026-04-23T12:00", "2026-04-23T22:00"]],
  ["6h", "UTC", "2026-11-21T05:59Z", "2026-11-21T12:00Z", ["2026-11-21T05:59", "2026-11-21T06:00"]],
] as const)("steps of %s in %s", (step, timeZone, from, to, begins) => {
  expect(iso(cut({ from: at(from), to: at(to) }, step, timeZone))).toEqual(begins);
});

/** Steps cover the range exactly, in order, none empty. */
function expectWhole(steps: readonly Range[], whole: Range) {
  expect([steps[0]!.from, steps.at(-1)!.to]).toEqual([whole.from, whole.to]);
  expect(steps.slice(1).map((one) => one.from)).toEqual(steps.slice(0, -1).map((one) => one.to));
  expect(steps.filter((one) => one.to <= one.from)).toEqual([]);
}

test.each([
  // Samoa went over the date line and left out 30 December.
  ["Pacific/Apia", "2011-12-29T00:00Z", "2012-01-02T00:00Z"],
  // Newfoundland's clocks went back from 00:01: the 7th began twice, a range begins in between.
  ["America/St_Johns", "2010-11-07T02:31Z", "2010-11-09T00:00Z"],
])("no step is empty where a zone leaves a date out or begins it twice: %s", (timeZone, from, to) => {
  const whole = { from: at(from), to: at(to) };
  expectWhole(cut(whole, "1d", timeZone), whole);
});

const zones = fc.constantFrom("UTC", ...Intl.supportedValuesOf("timeZone"));

test("steps adjoin and cover their range in any zone, also where only whole UTC days are kept", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...STEPS),
      zones,
      fc.integer({ min: 0, max: 1_900_000_000 }),
      fc.integer({ min: 1, max: 200 }),
      fc.integer({ min: -10, max: 300 }),
      (step, timeZone, from, count, keptDays) => {
        const whole = { from, to: from + count * stepSeconds(step) };
        expectWhole(cut(whole, step, timeZone), whole);
        const rawFrom = (Math.ceil(whole.to / DAY) - keptDays) * DAY;
        const steps = cut(whole, step, timeZone, rawFrom);
        expectWhole(steps, whole);
        for (const { from: edge } of steps.slice(1)) if (edge < rawFrom) expect(edge % DAY).toBe(0);
      },
    ),
    { numRuns: 150 },
  );
});

test("a day of a zone that lies behind the raw outcomes is the UTC day whose middle it holds", () => {
  const whole = { from: at("2026-01-01T00:00Z"), to: at("2026-02-01T00:00Z") };
  const rawFrom = at("2026-01-03T00:00Z");
  expect(iso(cut(whole, "1d", "Asia/Tokyo", rawFrom)).slice(0, 5)).toEqual([
    "2026-01-01T00:00",
    "2026-01-02T00:00",
    "2026-01-03T00:00",
    "2026-01-03T15:00",
    "2026-01-04T15:00",
  ]);
  expect(iso(cut(whole, "1h", "UTC", rawFrom)).slice(0, 4)).toEqual([
    "2026-01-01T00:00",
    "2026-01-02T00:00",
    "2026-01-03T00:00",
    "2026-01-03T01:00",
  ]);
});
