import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Edge, startEdge } from "../edge.ts";

let edge: Edge;
beforeAll(async () => {
  edge = await startEdge();
});
afterAll(() => edge[Symbol.asyncDispose]());
beforeEach(() => {
  edge.calls.jobs.length = 0;
});

const one = (key: string, more: Record<string, unknown> = {}) => ({
  key,
  name: `Name of ${key}`,
  protocol: "tcp",
  host: "127.0.0.1",
  port: 5432,
  ...more,
});
const put = (monitors: unknown[], query = "", remainingMs?: number) =>
  edge.call("PUT", `/v1/monitors${query}`, { body: { monitors }, ...(remainingMs && { remainingMs }) });
const keys = (body: Record<string, { key: string }[]>) =>
  Object.fromEntries(
    Object.entries(body).flatMap(([list, items]) =>
      Array.isArray(items) ? [[list, items.map(({ key }) => key).toSorted()]] : [],
    ),
  );
const NONE = { created: [], updated: [], unchanged: [], deleted: [], remaining: [] };

/** Monitors that the spot jobs name. */
const lookedAt = () => edge.calls.jobs.flatMap(({ job }) => (job.kind === "spot" ? job.monitors : []));

describe("PUT /v1/monitors", () => {
  test("creates, changes, leaves and, with prune, deletes", async () => {
    const first = await put([one("a"), one("b"), one("c")]);
    expect([first.status, keys(first.body)]).toEqual([200, { ...NONE, created: ["a", "b", "c"] }]);
    expect(lookedAt()).toHaveLength(3);
    edge.calls.jobs.length = 0;

    const again = await put([one("a"), one("b"), one("c")]);
    expect(keys(again.body)).toEqual({ ...NONE, unchanged: ["a", "b", "c"] });
    expect(edge.calls.jobs).toEqual([]);

    const { body: loose } = await edge.call("POST", "/v1/monitors", { body: { ...one("x"), key: null } });
    edge.calls.jobs.length = 0;
    const next = [one("a"), one("b", { port: 1 }), one("d", { name: "New" })];
    const dry = await put(next, "?dryRun=true&prune=true");
    expect([dry.status, dry.body.dryRun]).toEqual([200, true]);
    const expected = { ...NONE, created: ["d"], updated: ["b"], unchanged: ["a"], deleted: ["c"] };
    expect(keys(dry.body)).toEqual(expected);
    expect(keys((await put([one("a"), one("b"), one("c")], "?dryRun=true")).body).unchanged).toEqual(["a", "b", "c"]);

    const wet = await put(next, "?prune=true");
    expect(keys(wet.body)).toEqual(expected);
    expect(lookedAt()).toHaveLength(2);
    const { body: listed } = await edge.call("GET", "/v1/monitors");
    expect(new Set(listed.items.map(({ key }: { key: string }) => key))).toEqual(new Set(["a", "b", "d", null]));
    expect((await edge.call("GET", `/v1/monitors/${loose.id}`)).status).toBe(200);
  });

  test("without prune deletes nothing", async () => {
    await put([one("keep-1"), one("keep-2")]);
    expect(keys((await put([one("keep-1")])).body)).toEqual({ ...NONE, unchanged: ["keep-1"] });
    const { body } = await edge.call("GET", "/v1/monitors?q=keep-2");
    expect(body.items).toHaveLength(1);
  });

  test("names everything that is wrong with any of them, and writes nothing", async () => {
    const before = JSON.stringify(await edge.stored());
    const { status, body } = await put([
      one("good"),
      one("bad", { port: 0, host: "http://x" }),
      one("good", { port: 7 }),
      { ...one("x"), key: undefined },
      "text",
      null,
    ]);
    expect(status).toBe(422);
    const paths = body.errors.map(({ path }: { path: string }) => path);
    expect(paths).toEqual(
      expect.arrayContaining([
        "monitors[1].port",
        "monitors[1].host",
        "monitors[2].key",
        "monitors[3].key",
        "monitors[4]",
        "monitors[5]",
      ]),
    );
    expect(paths.filter((path: string) => path.startsWith("monitors[0]"))).toEqual([]);
    expect(JSON.stringify(await edge.stored())).toBe(before);
  });

  test("answers with at most 500 errors", async () => {
    const { body } = await put(Array.from({ length: 600 }, (_, n) => one(`e${n}`, { port: 0 })));
    expect(body.errors).toHaveLength(501);
    expect(body.errors.at(-1).message).toBe("and 100 more errors");
  });

  test.each([[{}], [{ monitors: {} }], [{ monitors: [], more: 1 }], [[]]])("refuses the body %j", async (body) => {
    expect((await edge.call("PUT", "/v1/monitors", { body })).status).toBe(422);
  });

  test("refuses dryRun=yes", async () => {
    const { status, body } = await put([], "?dryRun=yes");
    expect([status, body.errors[0].path]).toEqual([422, "dryRun"]);
  });

  test("stops in time with 202, and the same again does the rest", async () => {
    const monitors = Array.from({ length: 40 }, (_, n) => one(`slow-${n}`));
    // The clock jumps with every look: one round of twenty monitors takes all the time there is.
    let ms = Date.now();
    edge.clock.now = () => {
      ms += 100;
      return new Date(ms);
    };
    const first = await put(monitors, "", 5_500);
    edge.clock.now = () => new Date();
    expect(first.status).toBe(202);
    const done = first.body.created.length;
    expect(done).toBeGreaterThan(0);
    expect(done + first.body.remaining.length).toBe(40);
    const second = await put(monitors);
    expect([second.status, second.body.created.length, second.body.unchanged.length]).toEqual([200, 40 - done, done]);
  });

  test("an id beside the key must be the id of that key's monitor", async () => {
    await put([one("named")]);
    const { id } = (await edge.call("GET", "/v1/monitors?key=named")).body.items[0];
    expect((await put([{ ...one("named"), id }])).body.unchanged).toHaveLength(1);
    const wrong = await put([{ ...one("named", { port: 1 }), id: "ffffffffffffffffffff" }]);
    expect([wrong.status, wrong.body.errors]).toMatchObject([422, [{ path: "monitors[0].id" }]]);
    expect((await edge.call("GET", `/v1/monitors/${id}`)).body.port).toBe(5432);
  });

  test("leaves a monitor that is still being deleted for the next time", async () => {
    await put([one("phoenix")]);
    const { body } = await edge.call("GET", "/v1/monitors?q=phoenix");
    await edge.call("DELETE", `/v1/monitors/${body.items[0].id}`);
    const answer = await put([one("phoenix")]);
    expect([answer.status, keys(answer.body)]).toEqual([202, { ...NONE, remaining: ["phoenix"] }]);
  });

  test("hundreds of monitors are applied, recognised and seated in full shards", async () => {
    const monitors = Array.from({ length: 510 }, (_, n) =>
      one(`many-${n}`, { tags: { note: "x".repeat(120) }, intervalSeconds: 120 }),
    );
    let created = 0;
    for (let status = 202; status === 202; ) {
      const answer = await put(monitors);
      status = answer.status;
      created += answer.body.created.length;
    }
    expect(created).toBe(510);
    const again = await put(monitors, "?dryRun=true");
    expect(again.body.unchanged).toHaveLength(510);
    const members = (await edge.stored("monitors", "SHARD")).filter(({ sk }) => String(sk).startsWith("120#"));
    expect(members.map((shard) => shard.members)).toEqual([250, 250, 10]);
  }, 60_000);
});
