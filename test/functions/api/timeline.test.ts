/** Timelines, statistics by location, and the history of deleted monitors. */
import { DeleteCommand, PutCommand } from "@aws-sdk/lib-dynamodb";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { HOUR_SECONDS as HOUR } from "../../../shared/durations.ts";
import { portStretches } from "../../../shared/history/lanes.ts";
import { incidentKey, locationKey, monitorKey } from "../../../shared/store/keys.ts";
import { runShard } from "../../support/fleet.ts";
import { type Edge, startEdge } from "./edge.ts";

const NOW = Math.floor(Date.now() / 60_000) * 60 + 30;
const iso = (seconds: number) => new Date(seconds * 1000).toISOString();
const open = { state: "open", health: "up", reason: null, latencyMs: 7, lossPercent: null } as const;
const closed = {
  state: "closed",
  health: "down",
  reason: "connection-refused",
  latencyMs: null,
  lossPercent: null,
} as const;

let edge: Edge;
let id = "";
const outage = Math.floor((NOW - 3 * HOUR) / 300) * 300;

beforeAll(async () => {
  edge = await startEdge();
  edge.clock.now = () => new Date((NOW - 6 * HOUR) * 1000);
  const body = { name: "Orders", protocol: "tcp", host: "10.1.2.3", port: 1, intervalSeconds: 300 };
  const created = await edge.call("POST", "/v1/monitors", {
    body: { ...body, locations: ["local", "inside"], quorum: "any" },
  });
  id = created.body.id;
  const { shard } = (await edge.stores.monitors.get(id))!;
  edge.clock.now = () => new Date(NOW * 1000);
  const isOut = (tick: number, location: string) => location === "inside" && tick >= outage && tick < outage + HOUR;
  await runShard(
    { ...edge, history: edge.stores.history },
    {
      shard,
      locations: ["local", "inside"],
      from: NOW - 6 * HOUR,
      to: NOW,
      members: new Map([[id, (tick: number, location: string) => (isOut(tick, location) ? closed : open)]]),
    },
  );
  const incident = {
    startedAt: iso(outage),
    endedAt: iso(outage + HOUR),
    severity: "down",
    endReason: "recovered",
    id: "x",
    ...{ reason: "connection-refused", message: "", evidence: {}, locations: {}, alertCount: 2, undeliverable: {} },
    ...{ monitorName: "A", protocol: "tcp", host: "127.0.0.1", port: 1 },
  };
  await edge.client.send(
    new PutCommand({
      TableName: edge.tables.monitors,
      Item: { ...incidentKey(id, iso(outage)), ...incident, monitorId: id },
    }),
  );
}, 60_000);
afterAll(() => edge[Symbol.asyncDispose]());

const get = (path: string, options = {}) => edge.call("GET", path, options);
const range = () => `from=${iso(NOW - 5 * HOUR)}&to=${iso(NOW)}`;

describe("GET /v1/monitors/{id}/timeline", () => {
  test("has a lane for each location, in stretches, and the incidents", async () => {
    const { status, body } = await get(`/v1/monitors/${id}/timeline?${range()}`);
    expect(status).toBe(200);
    expect(body.lanes.map(({ location }: { location: string }) => location)).toEqual(["inside", "local"]);
    const [inside, local] = body.lanes;
    expect(local.stretches).toEqual([
      { from: iso(NOW - 5 * HOUR), to: expect.any(String), state: "open", health: "up", reason: null },
    ]);
    expect(inside.stretches.map(({ state }: { state: string }) => state)).toEqual(["open", "closed", "open"]);
    const [before, during, after] = inside.stretches;
    expect([during.reason, during.health]).toEqual(["connection-refused", "down"]);
    expect([before.to, after.from]).toEqual([during.from, during.to]);
    expect((Date.parse(during.to) - Date.parse(during.from)) / 1000).toBe(HOUR);
    expect(body.incidents).toMatchObject([{ startedAt: iso(outage), endedAt: iso(outage + HOUR) }]);
  });

  test("refuses a range of more than 31 days, and an unknown monitor", async () => {
    const { status, body } = await get(`/v1/monitors/${id}/timeline?from=-32d`);
    expect([status, body.errors[0].path]).toEqual([422, "from"]);
    expect((await get("/v1/monitors/nobody/timeline")).status).toBe(404);
  });

  test("stretches cover what the outcomes hold, and neighbours differ", () => {
    const outcome = fc.record({
      tick: fc.nat(300),
      intervalSeconds: fc.constantFrom(10, 30),
      state: fc.constantFrom("open" as const, "closed" as const),
      reason: fc.constantFrom(null, "connection-refused" as const),
      health: fc.constantFrom("up" as const, "down" as const),
      view: fc.constant(null),
      offline: fc.boolean(),
      latencyMs: fc.constant(null),
      lossPercent: fc.constant(null),
    });
    fc.assert(
      fc.property(fc.uniqueArray(outcome, { selector: ({ tick }) => tick }), (some) => {
        const outcomes = some.toSorted((a, b) => a.tick - b.tick);
        const stretches = [...portStretches(outcomes, { from: 50, to: 250 })];
        for (let second = 50; second < 250; second++) {
          const holds = outcomes.findLast(({ tick }) => tick <= second);
          const isHeld = holds !== undefined && second < holds.tick + holds.intervalSeconds;
          const found = stretches.filter(({ from, to }) => from <= second && second < to);
          expect(found.map(({ state }) => state)).toEqual(isHeld ? [holds.state] : []);
          if (isHeld) expect(found[0]?.health).toBe(holds.offline ? "unknown" : holds.health);
        }
        for (const [i, { from, to, ...rest }] of stretches.entries()) {
          const next = stretches[i + 1];
          if (next?.from === to) expect({ ...next, from, to }).not.toEqual({ from, to, ...rest });
        }
      }),
    );
  });
});

test("statistics by location are those of each location alone", async () => {
  const query = `${range()}&step=1h`;
  const { body } = await get(`/v1/monitors/${id}/stats?${query}&by=location`);
  expect(body.series.map(({ location }: { location: string }) => location)).toEqual(["inside", "local"]);
  for (const { location, total, items } of body.series) {
    const alone = (await get(`/v1/monitors/${id}/stats?${query}&location=${location}`)).body;
    expect({ total, items }).toEqual({ total: alone.total, items: alone.items });
  }
  expect((await get(`/v1/monitors/${id}/stats?${query}`)).body).not.toHaveProperty("series");
});

test("locations are listed with their condition", async () => {
  const stalled = {
    "300#0": { since: iso(NOW - 60), backSince: null },
    "60#0": { since: iso(NOW), backSince: iso(NOW) },
  };
  const put = (name: string, more: object) =>
    edge.client.send(new PutCommand({ TableName: edge.tables.monitors, Item: { ...locationKey(name), ...more } }));
  await put("local", { lastHeartbeatAt: iso(NOW - 10), stalled });
  await put("inside", { lastHeartbeatAt: iso(NOW - 600), offlineSince: iso(NOW - 900) });
  const { body } = await get("/v1/locations");
  expect(body).toMatchObject({
    items: [
      {
        name: "local",
        kind: "local",
        families: ["ipv4", "ipv6"],
        condition: "working",
        silentSince: null,
        lateTicks: [{ shard: "300#0", since: iso(NOW - 60) }],
      },
      { name: "eu-west-1", region: "eu-west-1", port25: false, lastHeartbeatAt: null, lateTicks: [] },
      { name: "inside", condition: "silent", silentSince: iso(NOW - 600), offlineSince: iso(NOW - 900) },
    ],
    nextCursor: null,
  });
});

test("tags are listed with their values, counted", async () => {
  const body = { name: "Orders", protocol: "tcp", host: "10.1.2.3", port: 1 };
  for (const tags of [{ team: "a", x: "1" }, { team: "a" }, { team: "b" }])
    await edge.call("POST", "/v1/monitors", { body: { ...body, tags } });
  expect((await get("/v1/tags")).body).toEqual({
    items: [
      {
        key: "team",
        monitors: 3,
        values: [
          { value: "a", monitors: 2 },
          { value: "b", monitors: 1 },
        ],
      },
      { key: "x", monitors: 1, values: [{ value: "1", monitors: 1 }] },
    ],
    nextCursor: null,
  });
});

describe("a deleted monitor", () => {
  const PARTS = ["results", "stats", "timeline", "incidents"];
  const answers = () =>
    Promise.all(
      PARTS.map(
        async (part) => (await get(`/v1/monitors/${id}/${part}${part === "incidents" ? "" : `?${range()}`}`)).body,
      ),
    );

  test("can be read by its id until its history expires", async () => {
    const before = await answers();
    await edge.call("DELETE", `/v1/monitors/${id}`);
    expect(await answers()).toEqual(before);
    // As state-change does once the deletion is decided.
    const monitor = (await edge.stores.monitors.get(id))!;
    await edge.stores.former.remember(monitor, new Date(NOW * 1000));
    await edge.client.send(new DeleteCommand({ TableName: edge.tables.monitors, Key: monitorKey(id) }));
    expect(await answers()).toEqual(before);
    expect((await get(`/v1/monitors/${id}`)).status).toBe(404);
    edge.clock.now = () => new Date((NOW + 800 * 86_400) * 1000);
    expect((await get(`/v1/monitors/${id}/stats`)).status).toBe(404);
    edge.clock.now = () => new Date(NOW * 1000);
  });
});
