import { afterAll, beforeAll, expect, test } from "vitest";
import { DAY_SECONDS as DAY, HOUR_SECONDS as HOUR } from "../../../../shared/durations.ts";
import { iso, MIDNIGHT, startWorld, type World } from "./world.ts";

let w: World;
beforeAll(async () => {
  w = await startWorld();
  await w.create("a", { name: "A", tags: { team: "orders", env: "live" } });
  await w.create("b", { name: "B", tags: { team: "orders" } });
  await w.create("c", { name: "C", tags: { env: "test" } });
  for (const id of ["a", "b", "c"]) await w.see(id, "up");
  w.time.now = MIDNIGHT + 10 * HOUR;
  await w.see("a", "down");
  w.time.now = MIDNIGHT + 11 * HOUR;
  await w.see("a", "up");
  await w.remove("b");
  w.time.now = MIDNIGHT + DAY + 420;
  await w.compact();
  w.time.now = MIDNIGHT + 2 * DAY;
  await w.compact();
});
afterAll(() => w[Symbol.asyncDispose]());

const RANGE = `from=${MIDNIGHT}&to=${MIDNIGHT + 2 * DAY}`;

test("a group's uptime is over the time of all its monitors, deleted ones included", async () => {
  expect(await w.get(`/v1/uptime?tag=team=orders&${RANGE}`)).toMatchObject({
    monitors: 2,
    uptimePercent: Math.floor(1_000_000 * (58 / 59)) / 10_000,
    seconds: { up: 58 * HOUR, down: HOUR, noData: 37 * HOUR },
    incidents: 1,
    items: [
      { id: "a", name: "A", downtimeSeconds: HOUR, incidents: 1, deletedAt: null },
      { id: "b", name: "B", uptimePercent: 100, incidents: 0, deletedAt: iso(MIDNIGHT + 11 * HOUR) },
    ],
  });
  expect(await w.get("/v1/uptime?tag=team=nobody")).toMatchObject({ monitors: 0, uptimePercent: null, items: [] });
  expect((await w.get(`/v1/uptime?from=${MIDNIGHT + DAY}`)).monitors).toBe(2);
});

test("a monitor that was created after the range is none of it", async () => {
  const before = await w.get(`/v1/uptime?from=${MIDNIGHT - 2 * HOUR}&to=${MIDNIGHT - HOUR}&groupBy=env`);
  expect(before).toMatchObject({ monitors: 0, items: [], groups: [], seconds: { noData: 0 } });
});

test("groups by the values of a tag", async () => {
  const { groups } = await w.get(`/v1/uptime?groupBy=env&${RANGE}`);
  expect(groups).toMatchObject([
    { value: "live", monitors: 1, seconds: { down: HOUR }, incidents: 1 },
    { value: "test", monitors: 1, uptimePercent: 100, incidents: 0 },
    { value: null, monitors: 1, seconds: { up: 11 * HOUR } },
  ]);
});

test("steps begin at midnight of the time zone, to the second", async () => {
  const { steps } = await w.get(`/v1/uptime?step=1d&timeZone=Asia/Kathmandu&tag=env=live&${RANGE}`);
  const edge = MIDNIGHT + 18.25 * HOUR;
  expect(steps).toMatchObject([
    { from: iso(MIDNIGHT), to: iso(edge), seconds: { up: 17.25 * HOUR, down: HOUR }, incidents: 1 },
    { from: iso(edge), to: iso(edge + DAY), seconds: { up: DAY, down: 0 }, uptimePercent: 100, incidents: 0 },
    { from: iso(edge + DAY), to: iso(MIDNIGHT + 2 * DAY) },
  ]);
  expect((await w.call("GET", "/v1/uptime?timeZone=Asia/Kathmandu")).status).toBe(422);
  expect((await w.call("GET", "/v1/uptime?step=1h")).status).toBe(422);
});
