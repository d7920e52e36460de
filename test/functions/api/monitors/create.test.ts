import { describe, expect, test } from "vitest";
import { ALERT_DEFAULTS, CHANGE_WATCH_DEFAULTS } from "../../../../shared/monitor/alert-defaults.ts";
import { createShardStore } from "../../../../shared/store/shards.ts";
import { at, create, edge, item, minimal, useEdge } from "./fixture.ts";

useEdge();

describe("creating", () => {
  test("fills in every default, checks at once and has the new shard planned", async () => {
    const { status, headers, body } = await edge.call("POST", "/v1/monitors", { body: minimal });
    expect(status).toBe(201);
    expect(headers.location).toBe(at(body.id));
    expect(body).toEqual({
      ...minimal,
      key: null,
      settings: {},
      family: "auto",
      addresses: "first",
      intervalSeconds: 60,
      timeoutMs: 5000,
      retries: { count: 2, delayMs: 1000 },
      expectedState: "open",
      failureThreshold: 1,
      recoveryThreshold: 1,
      degradedAboveMs: null,
      degradedAboveMsByLocation: {},
      errorRate: null,
      unusual: null,
      locations: ["local"],
      quorum: "majority",
      alerts: ALERT_DEFAULTS,
      changeWatch: CHANGE_WATCH_DEFAULTS,
      dependsOn: [],
      tags: {},
      maintenanceCountsAsDowntime: false,
      paused: false,
      badge: false,
      id: body.id,
      status: "pending",
      since: body.createdAt,
      lastCheckedAt: null,
      latencyMs: null,
      timeToAlertSeconds: 80,
      views: {},
      incident: null,
      flapping: null,
      flappingSince: null,
      maintenance: null,
      reachesNobody: true,
      createdAt: body.createdAt,
      updatedAt: body.createdAt,
      updatedBy: { id: edge.admin.split("_")[1], name: "admin" },
      etag: headers.etag,
    });
    const { settingsVersion } = (await item(body.id))!;
    expect(edge.calls.jobs).toEqual([
      { queue: "jobs-local", job: { kind: "spot", monitors: [{ id: body.id, settingsVersion }] } },
    ]);
    expect(edge.calls.plans).toEqual([{ source: "api", shard: "60#0" }]);
    const read = await edge.call("GET", at(body.id));
    expect(read.body).toEqual(body);
    expect(read.body.etag).toBe(headers.etag);
  });

  test.each([
    [10, {}, 2000, { count: 2, delayMs: 1000 }],
    [10, { timeoutMs: 5000 }, 5000, { count: 0, delayMs: 1000 }],
    [20, {}, 5000, { count: 2, delayMs: 1000 }],
    [60, { timeoutMs: 30_000 }, 30_000, { count: 0, delayMs: 1000 }],
    [60, { retries: { delayMs: 0 } }, 5000, { count: 2, delayMs: 0 }],
    [3600, { retries: { count: 5 } }, 5000, { count: 5, delayMs: 1000 }],
  ])("at %i s with %j takes what fits", async (intervalSeconds, sent, timeoutMs, retries) => {
    const { status, body } = await create({ intervalSeconds, ...sent });
    expect([status, body.timeoutMs, body.retries]).toEqual([201, timeoutMs, retries]);
  });

  test("stands although nobody could be told", async () => {
    edge.outside.isDown = true;
    const { status, body } = await create();
    expect(status).toBe(201);
    expect((await edge.call("GET", at(body.id))).status).toBe(200);
  });

  test("paused asks for no check", async () => {
    const { body } = await edge.call("POST", "/v1/monitors", { body: { ...minimal, paused: true } });
    expect([body.status, edge.calls.jobs]).toEqual(["paused", []]);
  });

  test("sends each location its own job", async () => {
    await edge.call("POST", "/v1/monitors", {
      body: { ...minimal, host: "db.example.com", locations: ["inside", "eu-west-1"], quorum: "any" },
    });
    expect(edge.calls.jobs.map(({ queue }) => queue).toSorted()).toEqual(["jobs-eu-west-1", "jobs-inside"]);
    const [shard] = (await edge.stored("monitors", "SHARD")).filter(({ sk }) => sk === "60#0");
    expect(shard?.locations).toEqual(new Set(["local", "inside", "eu-west-1"]));
  });

  test("keeps a name with other letters as name servers know it, and a zone", async () => {
    expect((await create({ host: "Bücher.example" })).body.host).toBe("xn--bcher-kva.example");
    expect((await create({ host: "straße。example" })).body.host).toBe("xn--strae-oqa.example");
    expect((await create({ host: "DB.example.com" })).body.host).toBe("DB.example.com");
    expect((await create({ host: "fe80::1%eth0" })).body.host).toBe("fe80::1%eth0");
  });

  test("takes a null for no reminders", async () => {
    expect((await create({ alerts: { remindEverySeconds: null } })).status).toBe(201);
  });

  test("takes the next shard when one is full, due together with the first, and then one with another phase", async () => {
    const shards = createShardStore(edge.client, edge.tables.monitors);
    expect(await shards.place(300, ["local"], 300)).toEqual({ shard: "300#0", count: 250, isUnplanned: true });
    expect(await shards.place(300, ["local"], 300)).toEqual({ shard: "300#1", count: 250, isUnplanned: true });
    const { body } = await edge.call("POST", "/v1/monitors", { body: { ...minimal, intervalSeconds: 300 } });
    expect((await item(body.id))?.shard).toBe("300#2");
    expect(edge.calls.plans).toEqual([{ source: "api", shard: "300#2" }]);
    const phases = (await edge.stored("monitors", "SHARD"))
      .filter(({ sk }) => sk.startsWith("300#"))
      .map(({ phase }) => phase);
    expect(phases[0]).toBe(phases[1]);
    expect(Math.abs(phases[0] - phases[2])).toBeGreaterThan(60);
  });

  test("side by side never seats more than 250", async () => {
    const shards = createShardStore(edge.client, edge.tables.monitors);
    await shards.place(1800, ["local"], 245);
    const seats = await Promise.all(Array.from({ length: 12 }, () => shards.place(1800, ["local"])));
    expect(seats.filter(({ shard }) => shard === "1800#0")).toHaveLength(5);
    expect(seats.filter(({ shard }) => shard === "1800#1")).toHaveLength(7);
  });
});

describe("an Idempotency-Key", () => {
  test("makes one monitor of many requests, at the same time too", async () => {
    const headers = { "Idempotency-Key": "order-7" };
    const answers = await Promise.all([1, 2, 3].map(() => create({}, headers)));
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201]);
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
    const again = await create({}, headers);
    expect([again.status, again.body.id, again.headers["idempotent-replayed"]]).toEqual([
      201,
      answers[0]?.body.id,
      "true",
    ]);
  });

  test("with another body is refused", async () => {
    const headers = { "Idempotency-Key": "order-8" };
    await create({}, headers);
    const { status, body } = await create({ port: 1 }, headers);
    expect([status, body.code]).toEqual([422, "idempotency-key-reused"]);
  });

  test("of another token is another key", async () => {
    const headers = { "Idempotency-Key": "order-9" };
    const mine = await create({}, headers);
    const token = await edge.tokenWith("write");
    const theirs = await edge.call("POST", "/v1/monitors", { body: minimal, headers, token });
    expect([theirs.status, theirs.body.id === mine.body.id]).toEqual([201, false]);
  });

  test("with spaces is refused", async () => {
    const { status, body } = await create({}, { "Idempotency-Key": "a b" });
    expect([status, body.errors[0].path]).toEqual([422, "Idempotency-Key"]);
  });
});

describe("a key", () => {
  test("is taken once", async () => {
    expect((await create({ key: "orders-db" })).status).toBe(201);
    const { status, body } = await create({ key: "orders-db" });
    expect([status, body.code]).toEqual([409, "already-exists"]);
  });

  test("cannot be changed, given later or removed", async () => {
    const { body: keyed } = await create({ key: "fixed" });
    const { body: plain } = await create();
    for (const [id, key] of [
      [keyed.id, "other"],
      [keyed.id, null],
      [plain.id, "late"],
    ]) {
      const { status, body } = await edge.call("PATCH", at(id), { body: { key } });
      expect([status, body.errors?.[0].path]).toEqual([422, "key"]);
    }
  });

  test("of a monitor on its way out asks for patience", async () => {
    const { body } = await create({ key: "phoenix" });
    await edge.call("DELETE", at(body.id));
    const answer = await create({ key: "phoenix" });
    expect([answer.status, answer.body.code, answer.headers["retry-after"]]).toEqual([409, "being-deleted", "2"]);
  });
});
