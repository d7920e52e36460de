/** The usual range against simulated weeks of traffic with fixed seeds: no false alarms, and what is tenfold is found. */
import { expect, test } from "vitest";
import {
  findUnusual,
  hourOfWeek,
  LOOK_BACK_SECONDS,
  learn,
  QuarterMeans,
  type Sample,
  type UsualWeek,
  type Watch,
} from "../../../shared/measures/usual.ts";
import { FIRST_MONDAY, PORT_KINDS, type PortKind, trafficOf } from "../../support/traffic.ts";

const DAY = 86_400;
const INTERVAL = 60;
const WEEKS_LEARNING = 2;
/** Together 3.5 years of a port. */
const WEEKS_WATCHED = 36.5;
const SURGE = { everySeconds: 9 * DAY + 5 * 3_600, seconds: 3_600, factor: 10 };
const watch: Watch = { measure: "inBytes", sensitivity: "normal", intervalSeconds: INTERVAL, wasUnusual: false };

/** Samples of the last half hour. */
function lately() {
  let samples: Sample[] = [];
  return (sample: Sample) => {
    samples.push(sample);
    if (samples.length > 100) samples = samples.filter(({ at }) => at > sample.at - LOOK_BACK_SECONDS - INTERVAL);
    return samples;
  };
}

/** Watches a port of a kind for weeks. Every nine days, at another hour, a second watcher sees ten times the traffic for an hour. */
function watched(kind: PortKind) {
  const bytesAt = trafficOf(kind, 1);
  const quarters = new QuarterMeans();
  const [remember, rememberSurge] = [lately(), lately()];
  const falseAlarms: string[] = [];
  const foundAfter: number[] = [];
  let [week, surges, wasUnusual, isFound]: [UsualWeek, number, boolean, boolean] = [new Map(), 0, false, false];
  const begin = FIRST_MONDAY + WEEKS_LEARNING * 7 * DAY;
  const end = begin + WEEKS_WATCHED * 7 * DAY;
  for (let at = FIRST_MONDAY; at < end; at += INTERVAL) {
    const value = bytesAt(at);
    if (at >= begin && at % DAY === 0) week = learn(quarters.means(), "inBytes", at);
    quarters.add({ at, value });
    const samples = remember({ at, value });
    const intoSurge = (at - begin) % SURGE.everySeconds;
    const isSurge = at > begin + DAY && intoSurge < SURGE.seconds;
    const surged = rememberSurge({ at, value: isSurge ? SURGE.factor * value : value });
    if (at < begin) continue;
    const isUnusual: boolean = findUnusual(samples, week, { ...watch, wasUnusual }, at) !== undefined;
    if (isUnusual && !wasUnusual) falseAlarms.push(new Date(at * 1000).toISOString());
    wasUnusual = isUnusual;
    if (!isSurge) continue;
    if (intoSurge === 0) [surges, isFound] = [surges + 1, false];
    if (isFound || !findUnusual(surged, week, watch, at)) continue;
    isFound = true;
    foundAfter.push(intoSurge / 60);
  }
  return { falseAlarms, surges, foundAfter: foundAfter.toSorted((a, b) => a - b) };
}

/** Of 27 surges; homes differ by more than ten times from one evening to the next, and ten times nothing is nothing. */
const FEWEST_FOUND: Readonly<Record<PortKind, number>> = { office: 19, homes: 0, backup: 24, server: 27, idle: 0 };

test.each(PORT_KINDS)(
  "a port of the kind %s raises no false alarm in 36 weeks, and ten times its traffic is found",
  (kind) => {
    const { falseAlarms, surges, foundAfter } = watched(kind);
    expect(falseAlarms).toEqual([]);
    expect(surges).toBe(27);
    expect(foundAfter.length).toBeGreaterThanOrEqual(FEWEST_FOUND[kind]);
    if (foundAfter.length > 1) expect(foundAfter[Math.floor(foundAfter.length / 2)]).toBeLessThanOrEqual(21);
  },
);

/** A week like each of the last ones: the same value all the time, but for one hour. */
function steadyWeek(weeks: number, value: (hour: number) => number, measure: Watch["measure"] = "latency") {
  const quarters = new QuarterMeans();
  for (let at = FIRST_MONDAY; at < FIRST_MONDAY + weeks * 7 * DAY; at += 900)
    quarters.add({ at, value: value(hourOfWeek(at)) });
  return learn(quarters.means(), measure, FIRST_MONDAY + weeks * 7 * DAY);
}
const NOW = FIRST_MONDAY + 70 * DAY + 10 * 3_600;
/** Samples each minute up to now, oldest first. */
const minutes = (...values: number[]): Sample[] =>
  values.map((value, place) => ({ at: NOW - 60 * (values.length - 1 - place), value }));
const times = (count: number, value: number) => Array.from({ length: count }, () => value);
const latency: Watch = { ...watch, measure: "latency" };

test.each([
  ["nothing out of the ordinary", [...times(30, 21)], false, false],
  ["twenty minutes of ten times as much", [...times(10, 20), ...times(20, 200)], false, true],
  ["ten minutes of ten times as much", [...times(20, 20), ...times(10, 200)], false, false],
  ["one check of a hundred times as much, however it falls", [...times(16, 20), 2_000, ...times(14, 20)], false, false],
  [
    "two short peaks",
    [...times(12, 20), ...times(2, 1_000), ...times(12, 20), ...times(2, 1_000), 20, 20],
    false,
    false,
  ],
  ["a tenth: a lower latency is no trouble", [...times(30, 2)], false, false],
  ["half of what is unusual", [...times(30, 34)], false, false],
  ["half of what is unusual, unusual until now", [...times(30, 34)], true, true],
  ["less than half, unusual until now", [...times(30, 29)], true, false],
  ["too few checks", [20, 200], false, false],
])("%s", (_, values, wasUnusual, expected) => {
  const week = steadyWeek(6, () => 20);
  const found = findUnusual(minutes(...values), week, { ...latency, wasUnusual }, NOW);
  expect(found !== undefined).toBe(expected);
});

test("less traffic than usual is unusual", () => {
  const week = steadyWeek(6, () => 5e6, "inBytes");
  expect(findUnusual(minutes(...times(31, 1e5)), week, watch, NOW)).toMatchObject({ mean: 1e5 });
});

test("an hour is known from its second week on", () => {
  const known = [1, 2].map((weeks) => steadyWeek(weeks, () => 20).size);
  expect(known).toEqual([0, 168]);
});

test("the hours before and after are usual too", () => {
  const week = steadyWeek(6, (hour) => (hour === 10 ? 500 : 20));
  const found = [9, 10, 11, 12].map((hour) => {
    const now = FIRST_MONDAY + 70 * DAY + hour * 3_600 + 3_000;
    const samples = times(31, 500).map((value, place) => ({ at: now - 60 * (30 - place), value }));
    return findUnusual(samples, week, latency, now) !== undefined;
  });
  expect(found).toEqual([false, false, false, true]);
});
