/** Results, statistics, uptime, badges and metrics over HTTP, on blocks of the last two days. */
import { DeleteCommand, PutCommand } from "@aws-sdk/lib-dynamodb";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { HOUR_SECONDS as HOUR } from "../../../shared/durations.ts";
import { Tally } from "../../../shared/history/tally.ts";
import { incidentKey, monitorKey } from "../../../shared/store/keys.ts";
import { createLocationStore } from "../../../shared/store/locations.ts";
import { type Plain, runShard } from "../../support/fleet.ts";
import { noisyTarget } from "../../support/noise.ts";
import { type Edge, startEdge } from "./edge.ts";

/** The middle of a minute, so that nothing becomes due while the tests run. */
const NOW = Math.floor(Date.now() / 60_000) * 60 + 30;
const iso = (seconds: number) => new Date(seconds * 1000).toISOString();

let edge: Edge;
const plain: Plain = new Map();
let id = "";
let shard = "";

beforeAll(async () => {
  edge = await startEdge();
  edge.clock.now = () => new Date(NOW * 1000);
  const body = {
    name: "Orders <db>",
    protocol: "tcp",
    host: "10.1.2.3",
    port: 1,
    intervalSeconds: 300,
    badge: true,
    tags: { team: "orders" },
  };
  const created = await edge.call("POST", "/v1/monitors", {
    body: { ...body, locations: ["local", "inside"], quorum: "any" },
  });
  expect(created.status).toBe(201);
  id = created.body.id;
  const stored = (await edge.stores.monitors.get(id))!;
  shard = stored.shard;
  // As if it had existed for two days.
  await edge.client.send(
    new PutCommand({
      TableName: edge.tables.monitors,
      Item: {
        ...(await edge.stored("monitors", `MONITOR#${id}`))[0],
        placements: [{ shard, fromTick: 0, toTick: null }],
      },
    }),
  );
  const outage = NOW - 10 * HOUR;
  const isOut = (tick: number, location: string) => location === "inside" && tick >= outage && tick < outage + HOUR;
  const observe = noisyTarget(5, { silentShare: 0 });
  await runShard(
    { ...edge, history: edge.stores.history },
    {
      shard,
      locations: ["local", "inside"],
      from: NOW - 48 * HOUR,
      to: NOW,
      members: new Map([
        [
          id,
          (tick, location) =>
            isOut(tick, location)
              ? { state: "closed", reason: "connection-refused", health: "down", latencyMs: null, lossPercent: null }
              : { ...observe(tick), state: "open", health: "up", reason: null, latencyMs: 12.3 },
        ],
      ]),
    },
    plain,
  );
  const incident = {
    startedAt: iso(outage),
    endedAt: iso(outage + HOUR),
    severity: "down",
    endReason: "recovered",
    id: "x",
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

describe("results", () => {
  test("come newest first, page by page", async () => {
    const items = [];
    for (let cursor = ""; ; ) {
      const { status, body } = await get(`/v1/monitors/${id}/results?from=${iso(NOW - 5 * HOUR)}&limit=50${cursor}`);
      expect(status).toBe(200);
      items.push(...body.items);
      if (body.nextCursor === null) break;
      cursor = `&cursor=${body.nextCursor}`;
    }
    const expected = [...plain]
      .flatMap(([key, list]) => list.map(({ tick }) => `${iso(tick)} ${key.split(" ")[1]}`))
      .filter((text) => text >= iso(NOW - 5 * HOUR))
      .sort((a, b) => (a.slice(0, 24) === b.slice(0, 24) ? (a < b ? -1 : 1) : a < b ? 1 : -1));
    expect(items.map(({ at, location }) => `${at} ${location}`)).toEqual(expected);
    expect(items[0]).toEqual({
      at: expected[0]!.slice(0, 24),
      location: "inside",
      state: "open",
      health: "up",
      reason: null,
      latencyMs: 12.3,
      lossPercent: items[0].lossPercent,
      view: "up",
      offline: false,
      maintenance: false,
    });
  });

  test("come as CSV, which names its next page", async () => {
    const { headers, body } = await get(`/v1/monitors/${id}/results?limit=2&location=local`, {
      headers: { accept: "text/csv" },
    });
    expect(headers["content-type"]).toContain("text/csv");
    const lines = body.split("\r\n");
    expect(lines[0]).toBe("at,location,state,health,reason,latencyMs,lossPercent,view,offline,maintenance");
    expect(lines[1]).toMatch(/^2\d{3}-.*Z,local,open,up,,12\.3,/);
    expect(lines).toHaveLength(4);
    const next = /<([^>]+)>; rel="next"/.exec(headers.link!)![1]!;
    const second = await get(next, { headers: { accept: "text/csv" } });
    expect(second.body.split("\r\n")[1] < lines[2]).toBe(true);
    const same = await get(`/v1/monitors/${id}/results?limit=2&location=local&cursor=${headers["x-next-cursor"]}`);
    expect(same.body.items).toHaveLength(2);
  });

  test("a cursor belongs to its question", async () => {
    const { body } = await get(`/v1/monitors/${id}/results?limit=2`);
    expect((await get(`/v1/monitors/${id}/results?limit=2&location=local&cursor=${body.nextCursor}`)).status).toBe(422);
    expect((await get(`/v1/monitors/${id}/results?cursor=made.up`)).status).toBe(422);
  });
});

describe("stats", () => {
  test("merge the locations by the quorum and tell outages", async () => {
    const { status, body } = await get(`/v1/monitors/${id}/stats?from=${iso(NOW - 24 * HOUR)}&step=12h`);
    expect(status).toBe(200);
    const checks = [...plain.values()].flat().filter(({ tick }) => tick >= NOW - 24 * HOUR);
    expect(body.total).toMatchObject({
      checks: checks.length,
      failures: 12,
      failuresByReason: { "connection-refused": 12 },
      uptimePercent: 95.8333,
      latencyMs: { min: 12.3, p50: 12.3, max: 12.3 },
      incidents: 1,
      outages: 1,
      downtimeSeconds: HOUR,
      mttrSeconds: HOUR,
      mtbfSeconds: 23 * HOUR,
      longestOutageSeconds: HOUR,
    });
    expect(body.total.seconds).toEqual({
      up: 23 * HOUR,
      degraded: 0,
      down: HOUR,
      unknown: 0,
      paused: 0,
      maintenance: 0,
      noData: 0,
    });
    const sum = (name: string) =>
      body.items.reduce((all: number, item: Record<string, number>) => all + item[name]!, 0);
    expect([sum("checks"), sum("failures")]).toEqual([checks.length, 12]);
  });

  test("of one location are its own", async () => {
    const { body } = await get(
      `/v1/monitors/${id}/stats?from=${iso(NOW - 24 * HOUR)}&location=local&step=1d&timeZone=Asia/Tokyo`,
    );
    expect(body).toMatchObject({
      location: "local",
      timeZone: "Asia/Tokyo",
      total: { failures: 0, uptimePercent: 100 },
    });
    expect(body.total).not.toHaveProperty("outages");
    expect(
      body.items.every(({ from }: { from: string }, i: number) => i === 0 || from.endsWith("T15:00:00.000Z")),
    ).toBe(true);
  });

  test("time without data is no uptime", async () => {
    const { body } = await get(`/v1/monitors/${id}/stats?from=${iso(NOW - 72 * HOUR)}&to=${iso(NOW - 60 * HOUR)}`);
    expect(body.total).toMatchObject({
      checks: 0,
      uptimePercent: null,
      latencyMs: null,
      seconds: { noData: 12 * HOUR },
    });
  });
});

test("days whose raw outcomes are gone answer in any zone and step, and their steps say what they cover", async () => {
  const DAY = 86_400;
  const first = Math.floor(NOW / DAY) * DAY - 450 * DAY;
  const tally = new Tally();
  Object.assign(tally.seconds, { up: DAY - 60, down: 60 });
  const days = Array.from({ length: 10 }, (_, i) => iso(first + i * DAY).slice(0, 10));
  await edge.stores.history.putDays(days.map((date) => ({ monitorId: id, location: "local", date, tally })));
  const range = `from=${iso(first)}&to=${iso(first + 10 * DAY)}`;
  for (const query of ["step=1d&timeZone=Asia/Tokyo", "step=1d&timeZone=America/New_York", "step=1d", "step=1h"]) {
    const { body } = await get(`/v1/monitors/${id}/stats?${range}&${query}`);
    expect(body.total).toMatchObject({
      uptimePercent: 99.9305,
      seconds: { up: 10 * (DAY - 60), down: 600, noData: 0 },
    });
    expect(body.items.map(({ from }: { from: string }) => from.slice(0, 10))).toEqual(days);
    for (const item of body.items) expect(item.seconds).toMatchObject({ up: DAY - 60, down: 60, noData: 0 });
  }
});

describe("badges", () => {
  test("need no token, and the monitor's leave", async () => {
    const badge = await get(`/v1/badges/${id}.svg?period=24h`, { token: null });
    expect(badge.headers).toMatchObject({
      "content-type": "image/svg+xml; charset=utf-8",
      "cache-control": "public, max-age=60",
    });
    expect(badge.body).toContain("95.83 % in 24h");
    expect(badge.body).toContain("Orders &#60;db&#62;");
    expect((await get(`/v1/badges/${id}.svg?show=status`, { token: null })).body).toContain("pending");
    await edge.call("PATCH", `/v1/monitors/${id}`, { body: { badge: false } });
    const [closed, unknown] = [
      await get(`/v1/badges/${id}.svg`, { token: null }),
      await get("/v1/badges/none.svg", { token: null }),
    ];
    expect([closed.status, unknown.status]).toEqual([404, 404]);
  });
});

test("metrics show the newest outcome of each monitor and location, and need a token", async () => {
  expect((await get("/v1/metrics", { token: null })).status).toBe(401);
  edge.usage.reset();
  const { headers, body } = await get("/v1/metrics");
  expect(headers["content-type"]).toContain("version=0.0.4");
  expect(body).toContain(`harborlight_up{monitor="${id}",location="local"} 1\n`);
  expect(body).toContain(`harborlight_latency_seconds{monitor="${id}",location="inside"} 0.0123\n`);
  expect(body).toMatch(/# TYPE harborlight_latency_seconds gauge\n/);
  for (const line of body.trimEnd().split("\n"))
    expect(line).toMatch(/^(# (HELP|TYPE) \w+ .+|\w+\{monitor="\w+"(,\w+="[^"]*")+\} -?\d+(\.\d+)?(e-?\d+)?)$/);
  // The token, the shards, for each location a block and its roster, and four buckets of the monitors and of their changes.
  const requests = edge.usage.rows().reduce((sum, row) => sum + row.requests, 0);
  expect(requests).toBeLessThanOrEqual(16);
});

const days = (count: number) => `from=${iso(NOW - count * 86_400)}`;
test.each([
  ["stats", `from=${iso(NOW)}&to=${iso(NOW - HOUR)}`, "from", "must be before to"],
  ["stats", `from=${iso(NOW - HOUR)}&to=${iso(NOW - HOUR)}`, "from", "must be before to"],
  ["stats", `from=${iso(NOW + HOUR)}`, "from", "must not be in the future: it is"],
  ["results", `to=${iso(NOW + HOUR)}`, "to", "must not be in the future: it is"],
  ["results", "from=yesterday", "from", "ISO 8601"],
  ["results", "from=2026", "from", "ISO 8601"],
  ["results", "from=20261122", "from", "ISO 8601"],
  ["results", "from=7d", "from", "such as -90m, -24h or -7d"],
  ["results", "from=-7y", "from", "such as -90m, -24h or -7d"],
  ["results", "from=-999999999w", "from", "from 1970 on"],
  ["stats", "to=-1h&from=-5m", "from", "must be before to"],
  ["stats", "from=9999999999", "from", "must not be in the future: it is"],
  ["results", "from=2026-13-01", "from", "ISO 8601"],
  ["results", "from=2026-02-30", "from", "ISO 8601"],
  ["stats", "from=2026-04-31T10:00:00Z", "from", "ISO 8601"],
  ["results", "from=1969-12-31", "from", "from 1970 on"],
  ["stats", "from=1960-01-01", "from", "from 1970 on"],
  ["stats", "from=2026-02-01T10:00:00", "from", "with its offset"],
  [
    "stats",
    `${days(30)}&step=1m`,
    "step",
    "1m allows ranges of at most 1 days; a range of 30.0 days can have steps of 30m or longer",
  ],
  [
    "stats",
    `${days(500)}&step=12h`,
    "step",
    "12h allows ranges of at most 400 days; a range of 500.0 days can have steps of 1d",
  ],
  ["stats", `${days(900)}&step=1mo`, "step", "at most 800 days"],
  ["stats", "step=7m", "step", "one of 1m, 5m"],
  ["stats", "step=1d&timeZone=Mars/Base", "timeZone", "IANA"],
  ["stats", "step=1h&timeZone=Europe/Berlin", "timeZone", "for the steps 1d, 1w and 1mo"],
  ["stats", "location=moon", "location", "must be one of local, inside, eu-west-1"],
  ["results", "limit=1001", "limit", "from 1 to 1000"],
  ["results", "step=1h", "step", "there is no such parameter here"],
])("%s?%s is refused at %s", async (call, query, path, message) => {
  const { status, body } = await get(`/v1/monitors/${id}/${call}?${query}`);
  expect(status).toBe(422);
  expect(body.errors).toEqual([{ path, message: expect.stringContaining(message) }]);
});

test("UTC may be named for any step", async () => {
  const query = `from=${iso(NOW - HOUR)}&step=1h&timeZone=Etc/UTC`;
  expect(await get(`/v1/monitors/${id}/stats?${query}`)).toMatchObject({ status: 200, body: { timeZone: "UTC" } });
});

test("a plus in an offset need not be encoded", async () => {
  const { status, body } = await get(`/v1/monitors/${id}/stats?from=2026-01-01T00:00:00+02:00&to=2026-01-02`);
  expect(status).toBe(200);
  expect(body.total.from).toBe("2025-12-31T22:00:00.000Z");
});

test("what a location saw stays readable when it is configured no more", async () => {
  const at = new Date(iso(NOW - HOUR));
  await createLocationStore(edge.client, edge.tables.monitors).beat("gone", at, at);
  const seen = { state: "open", health: "up", reason: null, latencyMs: 7, lossPercent: null } as const;
  await runShard(
    { ...edge, history: edge.stores.history },
    { shard, locations: ["gone"], from: NOW - 2 * HOUR, to: NOW - HOUR, members: new Map([[id, () => seen]]) },
    new Map(),
  );
  const { status, body } = await get(`/v1/monitors/${id}/results?location=gone`);
  expect(status).toBe(200);
  expect(body.items).toHaveLength(12);
  expect(body.items[0]).toMatchObject({ location: "gone", state: "open", latencyMs: 7 });
});

describe("a monitor that is created again by its key", () => {
  const settings = { name: "Again", protocol: "tcp", host: "10.1.2.3", port: 1, intervalSeconds: 300 };
  const body = { ...settings, key: "again", locations: ["local"] };
  const seen = { state: "open", health: "up", reason: null, latencyMs: 7, lossPercent: null } as const;

  /** What the probe and then state-change make of a life that began and ended so many hours ago. */
  const live = async (id: string, fromHours: number, toHours: number) => {
    const { client, tables, stores } = edge;
    const monitor = (await stores.monitors.get(id))!;
    const range = { from: NOW - fromHours * HOUR, to: NOW - toHours * HOUR };
    const members = new Map([[id, () => seen]]);
    await runShard(
      { client, tables, history: stores.history },
      { shard: monitor.shard, locations: ["local"], ...range, members },
    );
    await stores.former.remember(monitor, new Date(range.to * 1000));
    await client.send(new DeleteCommand({ TableName: tables.monitors, Key: monitorKey(id) }));
  };

  test.each([
    ["alone", () => edge.call("POST", "/v1/monitors", { body }), 0],
    ["in a list", () => edge.call("PUT", "/v1/monitors", { body: { monitors: [{ ...body, key: "listed" }] } }), 1],
  ])("%s shows at once what its former lives saw", async (_how, create, index) => {
    const { stores, clock } = edge;
    const ids = () =>
      edge
        .stored("monitors", "MONITOR#")
        .then((items) => items.flatMap(({ key, id }) => (key === ["again", "listed"][index] ? id : [])));
    // Two lives in two lanes, three hours each; then the present one.
    for (const hours of [9, 5]) {
      clock.now = () => new Date((NOW - hours * HOUR) * 1000);
      await create();
      const [again] = await ids();
      if (hours === 9) await edge.call("PATCH", `/v1/monitors/${again}`, { body: { intervalSeconds: 900 } });
      await live(again, hours, hours - 3);
    }
    clock.now = () => new Date(NOW * 1000);
    await create();
    const [again] = await ids();
    const { placements, shard } = (await stores.monitors.get(again))!;
    expect(placements.at(-1)).toEqual({ shard, fromTick: NOW, toTick: null });
    const { body: found } = await get(`/v1/monitors/${again}/results?limit=1000`);
    expect(found.items).toHaveLength(3 * 4 + 3 * 12);
    const { body: stats } = await get(`/v1/monitors/${again}/stats?from=${iso(NOW - 10 * HOUR)}`);
    expect(stats.total).toMatchObject({ checks: 48, uptimePercent: 100 });
  });

  test("places whose blocks are gone are forgotten, and there are never more than fifty", async () => {
    const { stores, clock } = edge;
    const { body: created } = await edge.call("POST", "/v1/monitors", { body: { ...body, key: "moving" } });
    const move = (days: number, intervalSeconds: number) => {
      clock.now = () => new Date((NOW + days * 86_400) * 1000);
      return edge.call("PATCH", `/v1/monitors/${created.id}`, { body: { intervalSeconds } });
    };
    const places = async () => (await stores.monitors.get(created.id))!.placements;
    await move(10, 600);
    await move(20, 900);
    expect((await places()).map(({ shard }) => shard.split("#")[0])).toEqual(["300", "600", "900"]);
    await move(26, 600);
    expect((await places()).map(({ shard }) => shard.split("#")[0])).toEqual(["600", "900", "600"]);
    for (let i = 0; i < 60; i++) await move(26 + i / 1000, i % 2 ? 600 : 900);
    expect(await places()).toHaveLength(50);
    expect((await places()).at(-1)).toMatchObject({ toTick: null });
    clock.now = () => new Date(NOW * 1000);
  });
});
