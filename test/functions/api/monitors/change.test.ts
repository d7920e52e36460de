import { describe, expect, test } from "vitest";
import { at, create, edge, item, planned, useEdge, view, write } from "./fixture.ts";

useEdge();

describe("changing", () => {
  test("the name leaves views and version alone, and moves the monitor in the list", async () => {
    const { body } = await create({ name: "Aaa" });
    const { settingsVersion, revision: born } = (await item(body.id)) as { settingsVersion: number; revision: number };
    await write(body.id, {
      views: { local: { ...view, since: body.since, tick: 1, address: null, facts: null } },
      status: "down",
    });
    const answer = await edge.call("PATCH", at(body.id), { body: { name: "Zzz", tags: { team: "x" } } });
    expect([answer.status, answer.body.name, answer.body.status]).toEqual([200, "Zzz", "down"]);
    expect(answer.body.views.local).toMatchObject({ ...view, facts: {} });
    expect(await item(body.id)).toMatchObject({ settingsVersion, listKey: `zzz\u0001${body.id}`, revision: born + 2 });
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
    expect((await item(body.id))?.revision).toBe(Date.parse(body.createdAt));
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
      alerts: { afterSeconds: 30, emails: ["a@b.ch"], degraded: true, minorityAfterSeconds: null, policies: [] },
      tags: { a: "1", b: "2" },
      quorum: "any",
    });
    const answer = await edge.call("PATCH", at(body.id), {
      body: { alerts: { emails: null }, tags: { a: null, c: "3" }, quorum: null },
      headers: { "Content-Type": "application/merge-patch+json" },
    });
    expect(answer.body).toMatchObject({
      alerts: { afterSeconds: 30, emails: [], degraded: true, minorityAfterSeconds: null, policies: [] },
      quorum: "majority",
    });
    expect(answer.body.tags).toEqual({ b: "2", c: "3" });
  });

  test("flap detection is on with an object, whose marks have defaults, and off with null", async () => {
    const { body } = await create({ flapping: {} });
    expect([body.flapping, body.flappingSince]).toEqual([{ highPercent: 30, lowPercent: 20 }, null]);
    const patch = (flapping: object | null) => edge.call("PATCH", at(body.id), { body: { flapping } });
    expect((await patch({ highPercent: 60 })).body.flapping).toEqual({ highPercent: 60, lowPercent: 20 });
    expect((await patch({ highPercent: 60, lowPercent: null })).body.flapping).toEqual({
      highPercent: 60,
      lowPercent: 40,
    });
    expect((await patch(null)).body.flapping).toBeNull();
  });

  test("measures are compared with their usual range one by one; those that are not named are off", async () => {
    const { body } = await create({ unusual: { latency: "high" } });
    const off = { loss: "off", inBytes: "off", outBytes: "off", inPackets: "off", outPackets: "off" };
    expect(body.unusual).toEqual({ latency: "high", ...off });
    const patch = (unusual: object | null) => edge.call("PATCH", at(body.id), { body: { unusual } });
    expect((await patch({ latency: "low" })).body.unusual).toEqual({ latency: "low", ...off });
    expect((await patch({ latency: "off" })).body.errors).toMatchObject([{ path: "unusual" }]);
    expect((await patch(null)).body.unusual).toBeNull();

    const udp = { protocol: "udp", port: 9, settings: { send: "ping", silence: "down", packets: { count: 3 } } };
    expect((await create({ ...udp, unusual: { loss: "normal" } })).body.unusual).toMatchObject({ loss: "normal" });
    const device = { protocol: "interfaces", port: 161, settings: { community: "harbor" } };
    const traffic = { inBytes: "normal", outPackets: "low" };
    expect((await create({ ...device, unusual: traffic })).body.unusual).toMatchObject({ latency: "off", ...traffic });
  });

  test.each([
    [{ colour: null }, "colour"],
    [{ port: 0 }, "port"],
    [{ name: null }, "name"],
    [{ alerts: { remindEverySeconds: 59 } }, "alerts.remindEverySeconds"],
    [[], ""],
  ])("with %j is refused and stores nothing", async (patch, path) => {
    const { body, headers } = await create();
    const answer = await edge.call("PATCH", at(body.id), { body: patch });
    expect([answer.status, answer.body.errors?.[0].path]).toEqual([422, path]);
    expect((await edge.call("GET", at(body.id))).body.etag).toBe(headers.etag);
  });

  test("new locations become known to the shard", async () => {
    const { body } = await create({ intervalSeconds: 900, host: "db.example.com" });
    await edge.call("PATCH", at(body.id), { body: { locations: ["local", "inside"] } });
    const shard = (await edge.stored("monitors", "SHARD")).find(({ sk }) => sk === "900#0");
    expect(shard?.locations).toEqual(new Set(["local", "inside"]));
  });

  test("a monitor keeps a location that was removed until its locations are changed to others", async () => {
    const { body } = await create();
    const { check } = (await item(body.id)) as { check: object };
    await write(body.id, { check: { ...check, locations: ["local", "gone"] } });
    const renamed = await edge.call("PATCH", at(body.id), {
      body: { name: "Renamed", port: 5433, intervalSeconds: 30 },
    });
    expect(renamed).toMatchObject({ status: 200, body: { name: "Renamed", locations: ["local", "gone"] } });
    expect(edge.calls.jobs.map(({ queue }) => queue)).toEqual(["jobs-local"]);
    const again = await edge.call("PATCH", at(body.id), { body: { locations: ["local", "elsewhere"] } });
    expect([again.status, again.body.errors]).toEqual([
      422,
      [{ path: "locations[1]", message: 'must be one of local, eu-west-1, inside, got "elsewhere"' }],
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
    expect(await item(body.id)).toMatchObject({
      deletedAt: expect.any(String),
      revision: Date.parse(body.createdAt) + 1,
    });
  });
});
