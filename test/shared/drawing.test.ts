import { expect, test } from "vitest";
import { BAR, barPaths, kindOf, widthOf } from "../../shared/drawing/bars.ts";
import { bandsOf, layOut, timeTicks, zoomed } from "../../shared/drawing/chart.ts";
import { lanePaths } from "../../shared/drawing/lanes.ts";

test("bars: one path for each status, each bar at its place, the worst the highest", () => {
  const paths = Object.fromEntries(barPaths("uxu").map(({ kind, d }) => [kind, d]));
  expect(Object.keys(paths)).toEqual(["up", "down"]);
  expect(paths.up?.match(/M(\d+)/g)).toEqual(["M0", `M${2 * (BAR.width + BAR.gap)}`]);
  expect(paths.down).toContain(`v${BAR.height}`);
  expect(widthOf(3)).toBe(3 * BAR.width + 2 * BAR.gap);
});

test("bars: a letter that is not known is no data, like none at all", () => {
  expect(kindOf("!")).toBe("no-data");
  expect(barPaths("")).toEqual([]);
  expect(widthOf(0)).toBe(0);
});

const FRAME = { width: 110, height: 60, left: 10, right: 0, top: 10, bottom: 10 };

test("chart: gaps stay gaps, a value alone is a dot", () => {
  const times = [0, 1, 2, 3, 4].map((minute) => minute * 60_000);
  const { paths, max } = layOut(times, [{ name: "p50", values: [1, 2, null, 4, null] }], FRAME);
  expect(max).toBe(5);
  expect(paths[0]?.d).toBe("M10.0 42.0L35.0 34.0M85.0 18.0h.1");
});

test("chart: nothing to draw is no error", () => {
  expect(layOut([], [{ name: "p50", values: [] }], FRAME).paths).toEqual([{ name: "p50", d: "" }]);
});

test("chart: ticks at round times of the zone", () => {
  const day = 86_400_000;
  expect(timeTicks(0, day, 5, 0)).toEqual({
    step: 6 * 3_600_000,
    ticks: [0, 6, 12, 18, 24].map((hour) => hour * 3_600_000),
  });
  // Two hours east of UTC, midnight is at 22:00 UTC.
  expect(timeTicks(0, 3 * day, 3, -120).ticks).toEqual([22, 46, 70].map((hour) => hour * 3_600_000));
});

test("lanes: one path for each kind of stretch, at its time, never too thin to be seen, the worst the highest", () => {
  const at = (second: number) => new Date(second * 1000).toISOString();
  const stretch = (from: number, to: number, state: string, health: string) => ({
    ...{ from: at(from), to: at(to), state, health, reason: null },
  });
  const stretches = [stretch(0, 40, "open", "up"), stretch(40, 40.1, "closed", "down"), stretch(50, 100, "open", "up")];
  const size = { width: 100, height: 20 };
  expect(lanePaths(stretches, { from: 0, to: 100_000 }, size)).toEqual([
    { health: "up", state: "open", d: "M0.0 8h40.0v12h-40.0zM50.0 8h50.0v12h-50.0z" },
    { health: "down", state: "closed", d: "M40.0 0h1.0v20h-1.0z" },
  ]);
  expect(lanePaths([], { from: 0, to: 1 }, size)).toEqual([]);
});

test("bands: the worst of each step that is not up, joined where they adjoin", () => {
  const step = (n: number, seconds: object) => ({
    from: new Date(n * 60_000).toISOString(),
    to: new Date((n + 1) * 60_000).toISOString(),
    seconds: { ...{ down: 0, degraded: 0, maintenance: 0 }, ...seconds },
  });
  const steps = [step(0, {}), step(1, { down: 3, degraded: 5 }), step(2, { down: 60 }), step(3, { maintenance: 1 })];
  expect(bandsOf([...steps, step(5, { maintenance: 60 })])).toEqual([
    { from: 60_000, to: 180_000, shade: "down" },
    { from: 180_000, to: 240_000, shade: "maintenance" },
    { from: 300_000, to: 360_000, shade: "maintenance" },
  ]);
});

const MINUTES = 60_000;
test.each([
  ["in: half as long, and the moment stays in its place", 25, 0.5, { from: 12.5, to: 62.5 }],
  ["in at an edge", 100, 0.5, { from: 50, to: 100 }],
  ["out: never later than now", 25, 2, { from: -90, to: 110 }],
] as const)("zoom %s", (_name, around, by, { from, to }) => {
  const span = { from: 0, to: 100 * MINUTES };
  expect(zoomed(span, around * MINUTES, by, 110 * MINUTES)).toEqual({ from: from * MINUTES, to: to * MINUTES });
});

test("zoom in: ten minutes are the least", () => {
  const span = { from: 0, to: 15 * MINUTES };
  expect(zoomed(span, 0, 0.5, 99 * MINUTES)).toEqual(span);
});
