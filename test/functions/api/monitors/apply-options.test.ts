import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseYaml, toYaml } from "../../../../functions/api/http/yaml.ts";
import { edge, useEdge } from "./fixture.ts";

useEdge();

const one = (key: string, more: Record<string, unknown> = {}) => ({
  key,
  name: `Name of ${key}`,
  protocol: "tcp",
  host: "127.0.0.1",
  port: 5432,
  ...more,
});
const put = (monitors: unknown[], query = "") => edge.call("PUT", `/v1/monitors${query}`, { body: { monitors } });
const exported = async (query = "", headers: Record<string, string> = {}, token?: string) =>
  edge.call("GET", `/v1/monitors/export${query}`, { headers, ...(token && { token }) });
const clear = () => put([], "?prune=true&force=true");

describe("PUT /v1/monitors", () => {
  test("says what differs, with masked secrets, in a dry run too", async () => {
    const radius = { protocol: "radius", port: 1812, settings: { secret: "a" } };
    await put([one("diff", radius)]);
    const next = [one("diff", { ...radius, settings: { secret: "b" }, intervalSeconds: 30, tags: { team: "x" } })];
    const expected = {
      intervalSeconds: [60, 30],
      "tags.team": [null, "x"],
      "settings.secret": ["(hidden)", "(hidden)"],
    };
    for (const query of ["?dryRun=true", ""]) {
      const { body } = await put(next, query);
      expect(body.updated).toEqual([{ key: "diff", id: expect.any(String), changes: expected }]);
    }
  });

  test("refuses an empty list with prune, unless forced", async () => {
    await put([one("last")]);
    const { status, body } = await put([], "?prune=true");
    expect([status, body.errors[0].path]).toEqual([422, "force"]);
    expect((await exported()).body.monitors).not.toEqual([]);
    expect((await clear()).status).toBe(200);
    expect((await exported()).body.monitors).toEqual([]);
  });

  test("deletes at most maxDeletes, or nothing at all", async () => {
    await put([one("m1"), one("m2"), one("m3")]);
    const { status, body } = await put([one("m1", { port: 1 })], "?prune=true&maxDeletes=1");
    expect([status, body.code]).toEqual([409, "too-many-deletes"]);
    expect((await exported()).body.monitors).toHaveLength(3);
    expect((await put([one("m1")], "?prune=true&maxDeletes=2")).body.deleted).toHaveLength(2);
    expect((await put([one("m1")], "?prune=true&maxDeletes=x")).status).toBe(422);
  });

  test("resumes a monitor that was paused by hand, unless keepPaused", async () => {
    await put([one("hand"), one("said")]);
    const { body: list } = await edge.call("GET", "/v1/monitors?q=hand");
    await edge.call("POST", `/v1/monitors/${list.items[0].id}/pause`);
    const kept = await put([one("hand"), one("said", { paused: false })], "?keepPaused=true");
    expect(kept.body.updated).toEqual([]);
    const said = await put([one("hand", { paused: false })], "?keepPaused=true&dryRun=true");
    expect(said.body.updated).toMatchObject([{ key: "hand", changes: { paused: [true, false] } }]);
    expect((await put([one("hand")])).body.updated).toMatchObject([{ changes: { paused: [true, false] } }]);
  });
});

describe("GET /v1/monitors/export", () => {
  test("exports the shortest list that gives the same monitors, for readers with masked secrets", async () => {
    await clear();
    const list = [
      one("e1"),
      one("e2", { protocol: "radius", port: 1812, settings: { secret: "s" }, paused: true, intervalSeconds: 10 }),
    ];
    await put(list);
    await edge.call("POST", "/v1/monitors", { body: { ...one("x"), key: null } });
    expect((await exported()).body).toEqual({
      monitors: [
        list[0],
        {
          key: "e2",
          name: "Name of e2",
          protocol: "radius",
          host: "127.0.0.1",
          settings: { secret: "s" },
          paused: true,
          intervalSeconds: 10,
        },
      ],
    });
    const read = await exported("?q=e2", {}, await edge.tokenWith("read"));
    expect(read.body.monitors[0].settings).toEqual({ secret: "(hidden)" });
    expect((await put(read.body.monitors)).body.unchanged).toHaveLength(1);
  });

  const settings = fc.record(
    {
      protocol: fc.constantFrom("tcp", "ssh", "https", "smtp"),
      port: fc.integer({ min: 1, max: 65_535 }).filter((port) => port !== 25),
      name: fc
        .string({ unit: "grapheme", minLength: 1, maxLength: 30 })
        .filter((name) => /^[^\p{C}]*\S[^\p{C}]*$/u.test(name)),
      intervalSeconds: fc.constantFrom(10, 30, 60, 3600),
      timeoutMs: fc.integer({ min: 100, max: 1_500 }),
      retries: fc.record(
        { count: fc.integer({ min: 0, max: 2 }), delayMs: fc.integer({ min: 0, max: 500 }) },
        { requiredKeys: [] },
      ),
      degradedAboveMs: fc.constantFrom(null, 50),
      tags: fc.dictionary(
        fc.constantFrom("a", "on", "1"),
        fc.constantFrom("", "yes", "null", "012", "2026-01-01", "- x: y #"),
      ),
      paused: fc.boolean(),
      badge: fc.boolean(),
      alerts: fc.record(
        { afterSeconds: fc.nat(100), emails: fc.constantFrom([], ["a@example.com"]) },
        { requiredKeys: [] },
      ),
      quorum: fc.constantFrom("any" as const, "all" as const, 1),
      expectedState: fc.constantFrom("open", "closed"),
    },
    { requiredKeys: ["protocol", "port", "name"] },
  );

  test("a round trip changes nothing, in JSON and in YAML", async () => {
    // Keys are new in each run, because a deleted monitor of a key exists until state-change removes it.
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(settings, { minLength: 1, maxLength: 8 }), async (some) => {
        run++;
        const list = some.map((more, n) => one(`run-${run}-${n}`, more));
        expect((await put(list, "?prune=true")).status).toBe(200);
        const unchanged = (await put((await exported()).body.monitors, "?dryRun=true&prune=true")).body;
        expect([unchanged.unchanged.length, unchanged.updated, unchanged.deleted]).toEqual([list.length, [], []]);
        const { body: raw, headers } = await exported("", { Accept: "application/yaml" });
        expect(headers["content-type"]).toBe("application/yaml");
        const yaml = await edge.call("PUT", "/v1/monitors?prune=true", {
          raw,
          headers: { "Content-Type": "application/yaml" },
        });
        expect([yaml.status, yaml.body.unchanged.length]).toEqual([200, list.length]);
      }),
      { numRuns: 15 },
    );
  }, 60_000);
});

/** Duration of a request to DynamoDB or SQS from Lambda. */
const REQUEST_MS = 6;
/** Marshalling and signing of a request on the API's share of a CPU, where requests do not overlap. */
const CPU_MS = 3;

test("creating 1,000 monitors is one call on AWS", async () => {
  let requests = 0;
  let underWay = 0;
  // Requests of a wave are under way together, so a wave takes as long as one of them.
  let waves = 0;
  edge.client.middlewareStack.add(
    (next) => async (input) => {
      requests++;
      if (underWay++ === 0) waves++;
      try {
        return await next(input);
      } finally {
        underWay--;
      }
    },
    { step: "initialize", name: "counting" },
  );
  const { status, body } = await put(Array.from({ length: 1_000 }, (_, n) => one(`k${n}`)));
  edge.client.middlewareStack.remove("counting");
  expect([status, body.created.length]).toEqual([200, 1_000]);
  const seconds = (waves * REQUEST_MS + requests * CPU_MS) / 1000;
  console.log(
    `PUT of 1,000 new monitors: ${requests} requests in ${waves} waves, ${seconds.toFixed(1)} s on AWS ` +
      `(one after another: ${((requests * REQUEST_MS) / 1000).toFixed(1)} s)`,
  );
  expect(seconds).toBeLessThan(25);
}, 60_000);

describe("YAML", () => {
  const headers = { "Content-Type": "application/yaml", Accept: "application/yaml" };

  test("is taken and given by POST, PATCH and PUT", async () => {
    const raw = "# ours\nname: Orders\nprotocol: tcp\nhost: 127.0.0.1\nport: 5432\ntags: &t {team: orders}\n";
    const created = await edge.call("POST", "/v1/monitors", { raw, headers });
    const monitor = parseYaml(created.body) as { id: string; tags: object };
    expect([created.status, monitor.tags]).toEqual([201, { team: "orders" }]);
    const patched = await edge.call("PATCH", `/v1/monitors/${monitor.id}`, {
      raw: "tags: {team: ~, on: 'yes'}",
      headers,
    });
    expect(parseYaml(patched.body)).toMatchObject({ tags: { on: "yes" } });
    const applied = await edge.call("PUT", "/v1/monitors?dryRun=true", { raw: "monitors: []", headers });
    expect(parseYaml(applied.body)).toMatchObject({ dryRun: true, created: [] });
    const json = await edge.call("PUT", "/v1/monitors?dryRun=true", {
      raw: "monitors: []",
      headers: { "Content-Type": "application/yaml" },
    });
    expect(json.headers["content-type"]).toBe("application/json");
    const bulk = await edge.call("POST", "/v1/monitors/bulk", { raw: `ids: [${monitor.id}]\naction: pause`, headers });
    expect(parseYaml(bulk.body)).toMatchObject({ done: [{ id: monitor.id, changes: { paused: [false, true] } }] });
  });

  test("or JSON: caches are told that the answer depends on Accept", async () => {
    for (const Accept of ["application/yaml", "application/json"]) {
      const { headers: answered } = await edge.call("GET", "/v1/monitors", { headers: { Accept } });
      expect([answered["content-type"], answered.vary]).toEqual([Accept, "accept, accept-encoding"]);
    }
  });

  const deep = `monitors: ${"[".repeat(5_000)}${"]".repeat(5_000)}`;
  const layers = Array.from({ length: 9 }, (_, n) => `l${n + 1}: &l${n + 1} [${Array(10).fill(`*l${n}`).join(", ")}]`);
  test.each([
    ["a name given twice", "monitors: []\nmonitors: []", "malformed-yaml"],
    ["an unknown tag", "monitors: !!js/function x", "malformed-yaml"],
    ["two documents", "monitors: []\n---\nmonitors: []", "malformed-yaml"],
    ["a number that JSON lacks", "monitors: [.inf]", "malformed-yaml"],
    ["a name that is a list", "? [a]\n: b", "malformed-yaml"],
    ["an alias within itself", "monitors: &a [*a]", "malformed-yaml"],
    ["aliases that multiply", `l0: &l0 [x]\n${layers.join("\n")}`, "malformed-yaml"],
    ["deep nesting", deep, "invalid-input"],
    ["nesting a little too deep", `monitors: ${"[".repeat(40)}${"]".repeat(40)}`, "invalid-input"],
    ["a refused name", "__proto__: {}", "invalid-input"],
    ["nothing", "", "invalid-input"],
  ])("with %s is refused", async (_what, raw, code) => {
    const { status, body } = await edge.call("PUT", "/v1/monitors", {
      raw,
      headers: { "Content-Type": "application/yaml" },
    });
    expect([status < 500, body.code]).toEqual([true, code]);
  });

  test("says what JSON says", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
        const plain = JSON.parse(JSON.stringify(value));
        if (/__proto__|constructor/.test(JSON.stringify(plain))) return;
        expect(parseYaml(toYaml(plain))).toEqual(plain);
      }),
    );
  });
});
