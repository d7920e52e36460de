import { describe, expect, test } from "vitest";
import { at, create, edge, item, useEdge } from "./fixture.ts";

useEdge();

const made = async (more: Record<string, unknown> = {}) => (await create(more)).body.id as string;
const bulk = (body: Record<string, unknown>) => edge.call("POST", "/v1/monitors/bulk", { body });
const spots = () =>
  edge.calls.jobs.flatMap(({ job }) => (job.kind === "spot" ? job.monitors.map(({ id }) => id) : [])).toSorted();

describe("POST /v1/monitors/bulk", () => {
  test("changes monitors by ids, each with its result", async () => {
    const [a, b] = [await made(), await made({ intervalSeconds: 30 })];
    const { status, body } = await bulk({ ids: [a, b, "nobody"], action: "update", change: { intervalSeconds: 30 } });
    expect(status).toBe(200);
    expect(body).toEqual({
      dryRun: false,
      done: [
        { id: a, name: "Orders", changes: { intervalSeconds: [60, 30] } },
        { id: b, name: "Orders", changes: {} },
      ],
      failed: [{ id: "nobody", code: "not-found", detail: 'there is no monitor "nobody"' }],
      remaining: [],
    });
    expect((await edge.call("GET", at(a))).body.intervalSeconds).toBe(30);
  });

  test("merges within a field: null removes a tag", async () => {
    const id = await made({ tags: { a: "1", b: "2" } });
    const { body } = await bulk({ ids: [id], action: "update", change: { tags: { a: null, c: "3" } } });
    expect(body.done).toMatchObject([{ id, changes: { "tags.a": ["1", null], "tags.c": [null, "3"] } }]);
  });

  test("pauses and resumes by a filter; the same again changes nothing", async () => {
    const tags = { bulk: "pausing" };
    const ids = [await made({ tags }), await made({ tags }), await made({ tags, protocol: "ssh" })];
    const filter = { tags: ["bulk=pausing"], protocols: ["tcp"] };
    const paused = await bulk({ filter, action: "pause" });
    expect(paused.body.done.map(({ id }: { id: string }) => id).toSorted()).toEqual(ids.slice(0, 2).toSorted());
    expect(paused.body.done[0].changes).toEqual({ paused: [false, true] });
    const before = await item(ids[0]!);
    const again = await bulk({ filter, action: "pause" });
    expect(again.body.done.map(({ changes }: { changes: object }) => changes)).toEqual([{}, {}]);
    expect(await item(ids[0]!)).toEqual(before);
    expect((await edge.call("GET", at(ids[2]!))).body.paused).toBe(false);

    edge.calls.jobs.length = 0;
    const resumed = await bulk({ filter: { ...filter, statuses: ["paused"] }, action: "resume" });
    expect(resumed.body.done).toHaveLength(2);
    expect(spots()).toEqual(ids.slice(0, 2).toSorted());
  });

  test("queues checks of those that are not paused", async () => {
    const [a, b] = [await made(), await made({ paused: true })];
    const { body } = await bulk({ ids: [a, b, a], action: "check" });
    expect(body.done.map(({ id }: { id: string }) => id)).toEqual([a]);
    expect(body.failed).toEqual([{ id: b, code: "paused", detail: "it is paused: resume it first" }]);
    expect(spots()).toEqual([a]);
  });

  test("deletes, and says for the same ids again that they are gone", async () => {
    const ids = [await made(), await made()];
    expect((await bulk({ ids, action: "delete" })).body.done).toHaveLength(2);
    const codes = (await bulk({ ids, action: "delete" })).body.failed.map(({ code }: { code: string }) => code);
    expect(codes).toEqual(["not-found", "not-found"]);
  });

  test.each(["update", "pause", "delete", "check"] as const)("a dry run of %s writes nothing", async (action) => {
    const id = await made({ settings: {} });
    const before = await edge.stored("monitors", "MONITOR#");
    const { body } = await bulk({
      ids: [id],
      action,
      dryRun: true,
      ...(action === "update" && { change: { port: 1 } }),
    });
    expect([body.dryRun, body.done.length]).toEqual([true, 1]);
    expect(await edge.stored("monitors", "MONITOR#")).toEqual(before);
    expect(edge.calls.jobs).toEqual([]);
  });

  test("a field that is wrong for every monitor is named once, and nothing is written", async () => {
    const ids = [await made(), await made()];
    const before = await edge.stored("monitors", "MONITOR#");
    const { status, body } = await bulk({
      ids,
      action: "update",
      change: { port: -1, name: null, colour: null, alerts: { emails: ["x"] }, tags: { a: "b" } },
    });
    expect(status).toBe(422);
    expect(body.errors.map(({ path }: { path: string }) => path).toSorted()).toEqual([
      "change.alerts.emails[0]",
      "change.colour",
      "change.name",
      "change.port",
    ]);
    expect(await edge.stored("monitors", "MONITOR#")).toEqual(before);
  });

  test("a rule between fields fails only the monitors that it concerns", async () => {
    const [a, b] = [await made({ intervalSeconds: 60 }), await made({ intervalSeconds: 10 })];
    const { body } = await bulk({
      ids: [a, b],
      action: "update",
      change: { timeoutMs: 20_000, retries: { count: 0 } },
    });
    expect(body.done.map(({ id }: { id: string }) => id)).toEqual([a]);
    expect(body.failed).toMatchObject([{ id: b, code: "invalid-input", errors: [{ path: "timeoutMs" }] }]);
  });

  test.each([
    [{ action: "pause" }, "ids"],
    [{ ids: ["a"], filter: { q: "x" }, action: "pause" }, "filter"],
    [{ ids: [], action: "pause" }, "ids"],
    [{ filter: {}, action: "delete" }, "filter"],
    [{ ids: ["a"], action: "update" }, "change"],
    [{ ids: ["a"], action: "pause", change: {} }, "change"],
    [{ ids: ["a"], action: "explode" }, "action"],
    [{ ids: ["a"], action: "update", change: { key: "mine" } }, "change.key"],
    [{ filter: { tags: ["=x"] }, action: "pause" }, "filter.tags[0]"],
  ])("refuses %j", async (body, path) => {
    const answer = await bulk(body);
    expect([answer.status, answer.body.errors[0].path]).toEqual([422, path]);
  });

  test("stops in time with 202, and the remaining ids do the rest", async () => {
    const tags = { bulk: "slow" };
    await Promise.all(Array.from({ length: 60 }, () => made({ tags, paused: true })));
    let ms = Date.now();
    edge.clock.now = () => {
      ms += 400;
      return new Date(ms);
    };
    const first = await bulk({ filter: { tags: ["bulk=slow"] }, action: "resume" });
    edge.clock.now = () => new Date();
    expect(first.status).toBe(202);
    const { done, remaining } = first.body;
    expect([done.length > 0, done.length + remaining.length]).toEqual([true, 60]);
    const rest = await bulk({ ids: remaining, action: "resume" });
    expect([rest.status, rest.body.done.length]).toEqual([200, remaining.length]);
    const { body } = await edge.call("GET", "/v1/monitors?tag=bulk=slow&status=paused");
    expect(body.items).toEqual([]);
  });

  test("masks secrets in what it shows, and needs the scope write", async () => {
    const id = await made({ protocol: "radius", port: 1812, settings: { secret: "hunter2" } });
    const { body } = await bulk({ ids: [id], action: "update", change: { settings: { secret: "other" } } });
    expect(body.done[0].changes).toEqual({ "settings.secret": ["(hidden)", "(hidden)"] });
    const token = await edge.tokenWith("read");
    const refused = await edge.call("POST", "/v1/monitors/bulk", { body: { ids: [id], action: "pause" }, token });
    expect(refused.status).toBe(403);
  });
});
