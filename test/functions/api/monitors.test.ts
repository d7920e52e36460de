import { UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { monitorKey, shardKey } from "../../../shared/store/keys.ts";
import { createShardStore } from "../../../shared/store/shards.ts";
import { type Edge, startEdge } from "./edge.ts";

let edge: Edge;
beforeAll(async () => {
  edge = await startEdge();
});
afterAll(() => edge[Symbol.asyncDispose]());
beforeEach(() => {
  edge.calls.jobs.length = 0;
  edge.calls.plans.length = 0;
  edge.outside.isDown = false;
});

const minimal = { name: "Orders", protocol: "tcp", host: "127.0.0.1", port: 5432 };
const create = async (more: Record<string, unknown> = {}, headers: Record<string, string> = {}) => {
  const answer = await edge.call("POST", "/v1/monitors", { body: { ...minimal, ...more }, headers });
  edge.calls.jobs.length = 0;
  edge.calls.plans.length = 0;
  return answer;
};
const at = (id: string) => `/v1/monitors/${id}`;
const item = async (id: string) => (await edge.stored("monitors", `MONITOR#${id}`))[0];
const view = { health: "down", state: "closed", reason: "connection-refused", message: "refused", evidence: {} };

/** What the other functions write: a view, a decision. */
const write = (id: string, fields: Record<string, unknown>) =>
  edge.client.send(
    new UpdateCommand({
      TableName: edge.tables.monitors,
      Key: monitorKey(id),
      UpdateExpression: `SET ${Object.keys(fields)
        .map((name) => `#${name} = :${name}`)
        .join(", ")} ADD revision :one`,
      ExpressionAttributeNames: Object.fromEntries(Object.keys(fields).map((name) => [`#${name}`, name])),
      ExpressionAttributeValues: {
        ":one": 1,
        ...Object.fromEntries(Object.entries(fields).map(([name, value]) => [`:${name}`, value])),
      },
    }),
  );

/** As dispatch leaves a shard once it has planned it. */
const planned = (shard: string, ...locations: string[]) =>
  edge.client.send(
    new UpdateCommand({
      TableName: edge.tables.monitors,
      Key: shardKey(shard),
      UpdateExpression: "SET planned = :planned",
      ExpressionAttributeValues: { ":planned": Object.fromEntries(locations.map((location) => [location, 1])) },
    }),
  );

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
      locations: ["local"],
      quorum: "majority",
      alerts: { afterSeconds: 0, emails: [] },
      tags: {},
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
      flapping: false,
      createdAt: body.createdAt,
      updatedAt: body.createdAt,
    });
    const { settingsVersion } = (await item(body.id))!;
    expect(edge.calls.jobs).toEqual([
      { queue: "jobs-local", job: { kind: "spot", monitors: [{ id: body.id, settingsVersion }] } },
    ]);
    expect(edge.calls.plans).toEqual([{ source: "api", shard: "60#0" }]);
    const read = await edge.call("GET", at(body.id));
    expect(read.body).toEqual(body);
    expect(read.headers.etag).toBe(headers.etag);
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

describe("changing", () => {
  test("the name leaves views and version alone, and moves the monitor in the list", async () => {
    const { body } = await create({ name: "Aaa" });
    const { settingsVersion } = (await item(body.id))!;
    await write(body.id, {
      views: { local: { ...view, since: body.since, tick: 1, address: null, fingerprint: null } },
      status: "down",
    });
    const answer = await edge.call("PATCH", at(body.id), { body: { name: "Zzz", tags: { team: "x" } } });
    expect([answer.status, answer.body.name, answer.body.status]).toEqual([200, "Zzz", "down"]);
    expect(answer.body.views.local).toMatchObject(view);
    expect(await item(body.id)).toMatchObject({ settingsVersion, collectionKey: `zzz#${body.id}`, revision: 3 });
    expect(edge.calls.jobs).toEqual([]);
  });

  test("what is checked clears the views, grows the version and checks at once", async () => {
    const { body } = await create();
    await planned("60#0", "local");
    const { settingsVersion } = (await item(body.id))!;
    await write(body.id, { views: { local: { ...view, since: body.since, tick: 1 } }, status: "down" });
    const answer = await edge.call("PATCH", at(body.id), { body: { port: 5433 } });
    expect(answer.body).toMatchObject({ port: 5433, status: "pending", views: {}, since: answer.body.updatedAt });
    const stored = await item(body.id);
    expect(stored).toMatchObject({
      settingsVersion: settingsVersion + 1,
      settingsChangedAt: answer.body.updatedAt,
      undecidedSince: null,
    });
    expect(edge.calls.jobs).toEqual([
      { queue: "jobs-local", job: { kind: "spot", monitors: [{ id: body.id, settingsVersion: settingsVersion + 1 }] } },
    ]);
    expect(edge.calls.plans).toEqual([]);
  });

  test("nothing writes nothing", async () => {
    const { body, headers } = await create();
    const answer = await edge.call("PATCH", at(body.id), { body: { port: 5432, tags: {} } });
    expect([answer.status, answer.headers.etag, answer.body.updatedAt]).toEqual([200, headers.etag, body.updatedAt]);
    expect((await item(body.id))?.revision).toBe(1);
  });

  test("the interval moves it to another shard and brings fitting defaults along", async () => {
    const { body } = await create();
    const answer = await edge.call("PATCH", at(body.id), { body: { intervalSeconds: 10 } });
    expect(answer.body).toMatchObject({ intervalSeconds: 10, timeoutMs: 2000, retries: { count: 2, delayMs: 1000 } });
    const stored = await item(body.id);
    expect(stored?.shard).toBe("10#0");
    const [old, present] = stored?.placements ?? [];
    expect(old).toMatchObject({ shard: "60#0", toTick: present.fromTick });
    expect(present).toMatchObject({ shard: "10#0", toTick: null });
  });

  test("a timeout that its owner chose is not changed along, but refused where it does not fit", async () => {
    const { body } = await create({ timeoutMs: 9000 });
    const answer = await edge.call("PATCH", at(body.id), { body: { intervalSeconds: 10 } });
    expect([answer.status, answer.body.errors[0].path]).toEqual([422, "timeoutMs"]);
    expect(
      (await edge.call("PATCH", at(body.id), { body: { intervalSeconds: 10, timeoutMs: null } })).body.timeoutMs,
    ).toBe(2000);
  });

  test("an object merges, and null brings a default back", async () => {
    const { body } = await create({
      alerts: { afterSeconds: 30, emails: ["a@b.ch"] },
      tags: { a: "1", b: "2" },
      quorum: "any",
    });
    const answer = await edge.call("PATCH", at(body.id), {
      body: { alerts: { emails: null }, tags: { a: null, c: "3" }, quorum: null },
      headers: { "Content-Type": "application/merge-patch+json" },
    });
    expect(answer.body).toMatchObject({ alerts: { afterSeconds: 30, emails: [] }, quorum: "majority" });
    expect(answer.body.tags).toEqual({ b: "2", c: "3" });
  });

  test.each([
    [{ colour: null }, "colour"],
    [{ status: "up" }, "status"],
    [{ port: 0 }, "port"],
    [{ name: null }, "name"],
    [{ alerts: { remindEverySeconds: 60 } }, "alerts.remindEverySeconds"],
    [[], ""],
  ])("with %j is refused and stores nothing", async (patch, path) => {
    const { body, headers } = await create();
    const answer = await edge.call("PATCH", at(body.id), { body: patch });
    expect([answer.status, answer.body.errors?.[0].path]).toEqual([422, path]);
    expect((await edge.call("GET", at(body.id))).headers.etag).toBe(headers.etag);
  });

  test("new locations become known to the shard", async () => {
    const { body } = await create({ intervalSeconds: 900, host: "db.example.com" });
    await edge.call("PATCH", at(body.id), { body: { locations: ["local", "inside"] } });
    const shard = (await edge.stored("monitors", "SHARD")).find(({ sk }) => sk === "900#0");
    expect(shard?.locations).toEqual(new Set(["local", "inside"]));
  });

  test("a monitor keeps a location that was removed until its locations are changed", async () => {
    const { body } = await create();
    await write(body.id, { locations: ["local", "gone"] });
    const renamed = await edge.call("PATCH", at(body.id), {
      body: { name: "Renamed", port: 5433, intervalSeconds: 30 },
    });
    expect(renamed).toMatchObject({ status: 200, body: { name: "Renamed", locations: ["local", "gone"] } });
    expect(edge.calls.jobs.map(({ queue }) => queue)).toEqual(["jobs-local"]);
    const again = await edge.call("PATCH", at(body.id), { body: { locations: ["local", "gone"] } });
    expect([again.status, again.body.errors]).toEqual([
      422,
      [{ path: "locations[1]", message: 'must be one of local, eu-west-1, inside, got "gone"' }],
    ]);
    const changed = await edge.call("PATCH", at(body.id), { body: { locations: ["local"] } });
    expect([changed.status, changed.body.locations]).toEqual([200, ["local"]]);
  });

  test("by many at once loses nobody's change", async () => {
    const { body } = await create();
    const tags = Array.from({ length: 4 }, (_, n) => `t${n}`);
    const answers = await Promise.all(
      tags.map((tag) => edge.call("PATCH", at(body.id), { body: { tags: { [tag]: "x" } } })),
    );
    const done = tags.filter((_, n) => answers[n]?.status === 200);
    expect(answers.every(({ status }) => status === 200 || status === 409)).toBe(true);
    expect(Object.keys((await edge.call("GET", at(body.id))).body.tags).toSorted()).toEqual(done);
    expect(done.length).toBeGreaterThan(0);
  });
});

describe("If-Match", () => {
  test.each(["PATCH", "DELETE"])("that is stale stops %s", async (method) => {
    const { body, headers } = await create();
    await edge.call("PATCH", at(body.id), { body: { name: "Newer" } });
    const ifMatch = { headers: { "If-Match": headers.etag ?? "" } };
    const answer = await edge.call(
      method,
      at(body.id),
      method === "PATCH" ? { body: { name: "Mine" }, ...ifMatch } : ifMatch,
    );
    expect([answer.status, answer.body.code]).toEqual([412, "stale-etag"]);
    expect((await edge.call("GET", at(body.id))).body.name).toBe("Newer");
  });

  test("does not go stale when only the views change", async () => {
    const { body, headers } = await create();
    await write(body.id, { status: "up" });
    const answer = await edge.call("PATCH", at(body.id), {
      body: { name: "Mine" },
      headers: { "If-Match": `"other", ${headers.etag}` },
    });
    expect(answer.status).toBe(200);
  });
});

describe("pausing", () => {
  test("shows at once, and resuming starts anew with a check", async () => {
    const { body } = await create();
    const { settingsVersion } = (await item(body.id))!;
    await write(body.id, { views: { local: { ...view, since: body.since, tick: 1 } }, status: "down" });
    const paused = await edge.call("POST", `${at(body.id)}/pause`);
    expect([paused.status, paused.body.paused, paused.body.status]).toEqual([200, true, "paused"]);
    expect(edge.calls.jobs).toEqual([]);
    const resumed = await edge.call("POST", `${at(body.id)}/resume`);
    expect(resumed.body).toMatchObject({ paused: false, status: "pending", views: {} });
    expect(edge.calls.jobs.map(({ job }) => job)).toEqual([
      { kind: "spot", monitors: [{ id: body.id, settingsVersion: settingsVersion + 1 }] },
    ]);
  });
});

describe("deleting", () => {
  test("marks the item for state-change, and nobody sees it any more", async () => {
    const { body } = await create({ name: "Gone" });
    expect((await edge.call("DELETE", at(body.id))).status).toBe(204);
    expect((await edge.call("GET", at(body.id))).status).toBe(404);
    expect((await edge.call("PATCH", at(body.id), { body: {} })).status).toBe(404);
    expect((await edge.call("DELETE", at(body.id))).status).toBe(404);
    expect((await edge.call("GET", "/v1/monitors?q=gone")).body.items).toEqual([]);
    expect(await item(body.id)).toMatchObject({ deletedAt: expect.any(String), revision: 2 });
  });
});

describe("listing", () => {
  let own: Edge;
  beforeAll(async () => {
    own = await startEdge();
    const monitors = Array.from({ length: 25 }, (_, n) => ({
      ...minimal,
      name: `${n % 2 ? "b" : "A"} ${String(n).padStart(2, "0")}`,
      host: n === 3 ? "special.example.com" : "127.0.0.1",
      tags: { n: String(n % 5), ...(n < 3 && { "odd one": "a=b,c" }) },
      paused: n === 7,
      key: `k${n}`,
    }));
    await own.call("PUT", "/v1/monitors", { body: { monitors } });
  });
  afterAll(() => own[Symbol.asyncDispose]());

  const all = async (query: string) => {
    const names: string[] = [];
    let cursor = "";
    let pages = 0;
    do {
      const { status, body } = await own.call("GET", `/v1/monitors?${query}${cursor && `&cursor=${cursor}`}`);
      expect(status).toBe(200);
      names.push(...body.items.map(({ name }: { name: string }) => name));
      cursor = body.nextCursor ?? "";
      pages++;
    } while (cursor);
    return { names, pages };
  };

  test("pages by name without loss or repetition", async () => {
    const { names, pages } = await all("limit=4");
    expect(names).toHaveLength(25);
    expect(new Set(names).size).toBe(25);
    expect(names.map((name) => name.toLowerCase())).toEqual(names.map((name) => name.toLowerCase()).toSorted());
    expect(pages).toBe(7);
  });

  test.each([
    ["q=SPECIAL", 1],
    ["q=a%200", 5],
    ["status=paused", 1],
    ["status=pending&limit=5", 24],
    ["tag=n", 25],
    ["tag=n=2&limit=2", 5],
    ["tag=n=2&tag=odd%20one", 1],
    ["tag=odd%20one=a%3Db%2Cc", 3],
    ["tag=toString", 0],
    ["q=nothing-like-it", 0],
  ])("with %s finds %i", async (query, count) => {
    expect((await all(query)).names).toHaveLength(count);
  });

  test("a cursor of another question is refused", async () => {
    const { body } = await own.call("GET", "/v1/monitors?limit=2");
    const other = await own.call("GET", `/v1/monitors?limit=2&status=up&cursor=${body.nextCursor}`);
    expect([other.status, other.body.errors[0].path]).toEqual([422, "cursor"]);
    expect((await own.call("GET", `/v1/monitors?limit=3&cursor=${body.nextCursor}`)).status).toBe(200);
  });
});

describe("the newest outcome", () => {
  test("comes from the newest block, and from the view of a spot check before there is one", async () => {
    const { body } = await create({ intervalSeconds: 600 });
    const tick = Math.floor(Date.now() / 1000);
    await write(body.id, { views: { local: { ...view, since: body.since, tick } } });
    const spot = (await edge.call("GET", at(body.id))).body;
    expect([spot.lastCheckedAt, spot.latencyMs]).toEqual([new Date(tick * 1000).toISOString(), null]);

    const later = tick + 1;
    edge.clock.now = () => new Date((later + 5) * 1000);
    const roster = await edge.stores.history.putRoster([body.id]);
    const entry = { state: "open", reason: null, health: "up", latencyMs: 12.3, lossPercent: null } as const;
    const bits = { bits: 1, bitCount: 1, upStreak: 1, notUpStreak: 0, unmeasuredStreak: 0 } as const;
    const settingsByte = (await item(body.id))!.settingsVersion & 0xff;
    const belief = { settingsByte, view: "up", doubt: 0 } as const;
    const block = { shard: "600#0", location: "local", tick: later, offline: false, roster } as const;
    const claim = { run: "one", expiresAtSeconds: later + 86_400 };
    const entries = [{ ...entry, ...bits, ...belief }];
    await edge.stores.history.putBlock({ ...block, entries }, claim, later * 1000);
    const { lastCheckedAt, latencyMs } = (await edge.call("GET", at(body.id))).body;
    expect([lastCheckedAt, latencyMs]).toEqual([new Date(later * 1000).toISOString(), 12.3]);
    edge.clock.now = () => new Date();
  });
});

test("an answer never carries what is ours", async () => {
  const { body } = await create();
  const own = [
    "pk",
    "sk",
    "shard",
    "placements",
    "pendingAlerts",
    "revision",
    "settingsVersion",
    "collection",
    "creation",
  ];
  for (const name of own) expect(body).not.toHaveProperty(name);
});
