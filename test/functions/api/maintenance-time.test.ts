/** Time in maintenance: what statistics, results, the timeline and the monitor itself say of it. */

import { PutCommand } from "@aws-sdk/lib-dynamodb";
import { afterAll, beforeAll, expect, test } from "vitest";
import { HOUR_SECONDS as HOUR, MINUTE_SECONDS as MINUTE } from "../../../shared/durations.ts";
import type { Incident } from "../../../shared/model.ts";
import { incidentKey } from "../../../shared/store/keys.ts";
import { runShard } from "../../support/fleet.ts";
import { type Edge, startEdge } from "./edge.ts";

const NOW = 1_795_219_230;
const FROM = NOW - 24 * HOUR;
/** Both locations see it down for an hour; the window begins half an hour later, and lasts for an hour. */
const DOWN = NOW - 10 * HOUR;
const WINDOW = { startsAt: (DOWN + 30 * MINUTE) * 1000, endsAt: (DOWN + 90 * MINUTE) * 1000 };
const iso = (ms: number) => new Date(ms).toISOString();

let edge: Edge;
let id = "";
let path = "";
const get = async (url: string, headers = {}) => (await edge.call("GET", url, { headers })).body;

beforeAll(async () => {
  edge = await startEdge();
  edge.clock.now = () => new Date(FROM * 1000);
  const sent = { name: "Orders", protocol: "tcp", host: "10.1.2.3", port: 1, intervalSeconds: 300 };
  const { body } = await edge.call("POST", "/v1/monitors", { body: { ...sent, locations: ["local", "inside"] } });
  id = body.id;
  path = `/v1/monitors/${id}`;
  const schedule = { kind: "once", startsAt: iso(WINDOW.startsAt), endsAt: iso(WINDOW.endsAt) };
  await edge.call("POST", "/v1/maintenance-windows", { body: { name: "Upgrade", monitorIds: [id], schedule } });
  const observe = (tick: number) =>
    tick >= DOWN && tick < DOWN + HOUR
      ? ({ state: "closed", reason: "connection-refused", health: "down", latencyMs: null, lossPercent: null } as const)
      : ({ state: "open", reason: null, health: "up", latencyMs: 12, lossPercent: null } as const);
  const { shard } = (await edge.stores.monitors.get(id))!;
  const locations = ["local", "inside"];
  const members = new Map([[id, observe]]);
  await runShard({ ...edge, history: edge.stores.history }, { shard, locations, from: FROM, to: NOW, members });
  edge.clock.now = () => new Date(NOW * 1000);
});
afterAll(() => edge[Symbol.asyncDispose]());

const range = `from=${FROM + HOUR}&to=${NOW - HOUR}`;

test("is left out of the uptime, from all locations together and from each", async () => {
  for (const one of [
    await get(`${path}/stats?${range}`),
    await get(`${path}/stats?${range}&location=local`),
    (await get(`${path}/stats?${range}&by=location`)).series[0],
  ]) {
    const { down, maintenance, up } = one.total.seconds;
    expect([maintenance, down + maintenance + up]).toEqual([HOUR, 22 * HOUR]);
    expect(Math.abs(down - 30 * MINUTE)).toBeLessThan(300);
    // Checks are counted as they were.
    expect(one.total.failures % 12).toBe(0);
  }
});

test("counts like any other where the monitor asks for it", async () => {
  const seconds = async () => (await get(`${path}/stats?${range}&location=local`)).total.seconds;
  await edge.call("PATCH", path, { body: { maintenanceCountsAsDowntime: true } });
  expect(await seconds()).toMatchObject({ maintenance: 0, down: HOUR, up: 21 * HOUR });
  await edge.call("PATCH", path, { body: { maintenanceCountsAsDowntime: null } });
  expect(await seconds()).toMatchObject({ maintenance: HOUR });
});

test("marks results, and the timeline says when it was", async () => {
  const { items } = await get(`${path}/results?${range}&location=local&limit=1000`);
  const marked = items.filter(({ maintenance }: { maintenance: boolean }) => maintenance);
  expect(marked).toHaveLength(12);
  for (const { at } of marked) expect(Date.parse(at) >= WINDOW.startsAt && Date.parse(at) < WINDOW.endsAt).toBe(true);
  const csv = String(await get(`${path}/results?${range}&location=local&limit=1000`, { accept: "text/csv" }));
  expect(csv.split("\r\n").filter((line) => line.endsWith(",true"))).toHaveLength(12);
  const { maintenance } = await get(`${path}/timeline?${range}`);
  expect(maintenance).toEqual([{ from: iso(WINDOW.startsAt), to: iso(WINDOW.endsAt) }]);
});

test("a monitor and its row say which window it is in, and until when", async () => {
  const shown = async () => [
    (await get(path)).maintenance,
    (await get("/v1/monitors?fields=maintenance")).items[0].maintenance,
    (await get(`/v1/overview?ids=${id}`)).items[0].maintenanceUntil,
  ];
  expect(await shown()).toEqual([null, null, null]);
  const open = async (durationSeconds: number) => {
    const body = { name: "Now", monitorIds: [id], schedule: { kind: "once", durationSeconds } };
    return (await edge.call("POST", "/v1/maintenance-windows", { body })).body.id;
  };
  const [longer, until] = [await open(7_200), iso((NOW + 7_200) * 1000)];
  await open(3_600);
  expect(await shown()).toEqual([{ windowId: longer, until }, { windowId: longer, until }, until]);
});

test("an outage within it is none, and the rest of one is as long as what lies outside", async () => {
  const put = async (from: number, to: number) => {
    const startedAt = iso(from * 1000);
    const incident: Partial<Incident> = { id: `${id}.${from}`, severity: "down", endReason: "recovered" };
    const Item = { ...incidentKey(id, startedAt), ...incident, startedAt, endedAt: iso(to * 1000), monitorId: id };
    await edge.client.send(new PutCommand({ TableName: edge.tables.monitors, Item }));
  };
  await put(DOWN + 31 * MINUTE, DOWN + 45 * MINUTE);
  const outages = async () => {
    const { incidents, outages: count, longestOutageSeconds: longest } = (await get(`${path}/stats?${range}`)).total;
    return [incidents, count, longest];
  };
  expect(await outages()).toEqual([1, 0, null]);
  await put(DOWN, DOWN + HOUR);
  expect(await outages()).toEqual([2, 1, 30 * MINUTE]);
});
