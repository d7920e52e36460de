import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { HOUR_SECONDS as HOUR } from "../../../../shared/durations.ts";
import { createViewStore } from "../../../../shared/store/views.ts";
import { viewOf } from "../../../support/monitors.ts";
import { fillStatus } from "../../../support/status-history.ts";
import { iso, MIDNIGHT, startWorld, type World } from "./world.ts";

let w: World;
beforeAll(async () => {
  w = await startWorld();
});
afterAll(() => w[Symbol.asyncDispose]());

/** Lets time pass, with compact at seven minutes past each hour. */
const pass = async (until: number) => {
  for (let hour = Math.ceil(w.time.now / HOUR); hour * HOUR + 420 <= until; hour++) {
    w.time.now = hour * HOUR + 420;
    await w.compact();
  }
  w.time.now = until;
};

const row = async (query: string, id: string) =>
  (await w.get(`/v1/overview?${query}`)).items.find((one: { id: string }) => one.id === id);

describe("the overview", () => {
  test("shows status, bars and uptime of a monitor from its first second on", async () => {
    await w.create("web", { tags: { team: "shop" } });
    w.time.now += 60;
    await w.see("web", "up");
    w.time.now = MIDNIGHT + 600;
    await w.see("web", "down");
    w.time.now = MIDNIGHT + 900;
    const body = await w.get("/v1/overview");
    expect(body).toMatchObject({
      at: iso(MIDNIGHT + 900),
      counts: { down: 1 },
      bars: { from: iso(MIDNIGHT - 23 * HOUR), step: "1h", count: 24 },
      removed: [],
      nextCursor: null,
    });
    expect(body.items).toHaveLength(1);
    expect(body.items[0]).toMatchObject({
      ...{ id: "web", name: "web", protocol: "tcp", port: 5432, tags: { team: "shop" }, status: "down" },
      ...{ since: iso(MIDNIGHT + 600), state: "closed", reason: "connection-refused", message: "it is down" },
      ...{ bars: `${"n".repeat(23)}x`, downSeconds: { 23: 300 }, uptimePercent: 64.285, certificateDays: null },
    });
  });

  test("keeps hours and days after they are summarised, and what is deleted drops out", async () => {
    await w.create("gone");
    await w.see("gone", "up");
    w.time.now = MIDNIGHT + 1200;
    await w.see("web", "up");
    await pass(MIDNIGHT + 25 * HOUR + 1800);
    await w.see("web", "degraded");
    w.time.now += 60;
    expect(await row("bars=24h", "web")).toMatchObject({ bars: `${"u".repeat(23)}d`, downSeconds: {} });
    expect(await row("bars=7d", "web")).toMatchObject({ bars: `${"n".repeat(23)}xuuud`, downSeconds: { 23: 600 } });
    expect(await row("bars=90d", "web")).toMatchObject({
      ...{ bars: `${"n".repeat(88)}xd`, downSeconds: { 88: 600 } },
      ...{ uptimePercent: Math.floor(100_000 * (1 - 600 / (25.5 * HOUR))) / 1_000 },
    });
    const before = await w.get("/v1/overview");
    await w.remove("gone");
    w.time.now += 1;
    const poll = await w.get(`/v1/overview?since=${before.changes}`);
    expect(poll).toMatchObject({ removed: ["gone"], counts: { degraded: 1 } });
    expect((await w.get("/v1/overview")).items.map(({ id }: { id: string }) => id)).toEqual(["web"]);
  });

  test("sorts, filters and pages", async () => {
    for (const [id, health] of [
      ["b-up", "up"],
      ["a-up", "up"],
      ["c-down", "down"],
    ] as const) {
      await w.create(id, { tags: id.startsWith("a") ? { team: "shop" } : {} });
      await w.see(id, health);
    }
    const ids = async (query: string) => {
      const found: string[] = [];
      let cursor = "";
      do {
        const body = await w.get(`/v1/overview?${query}${cursor && `&cursor=${cursor}`}`);
        found.push(...body.items.map((one: { id: string }) => one.id));
        cursor = body.nextCursor ?? "";
      } while (cursor);
      return found;
    };
    w.time.now += 100;
    for (const limit of [1, 2, 200]) {
      expect(await ids(`limit=${limit}`)).toEqual(["c-down", "web", "a-up", "b-up"]);
      expect(await ids(`limit=${limit}&sort=name`)).toEqual(["a-up", "b-up", "c-down", "web"]);
      expect(await ids(`limit=${limit}&sort=uptime&bars=90d`)).toEqual(["c-down", "web", "a-up", "b-up"]);
      expect(await ids(`limit=${limit}&tag=team=shop`)).toEqual(["web", "a-up"]);
      expect(await ids(`limit=${limit}&status=up&status=down`)).toEqual(["c-down", "a-up", "b-up"]);
    }
    expect((await w.get("/v1/overview?ids=a-up,nobody".replaceAll("-", ""))).removed).toEqual(["aup", "nobody"]);
    expect((await w.get("/v1/overview?tag=team=shop")).counts).toEqual({ degraded: 1, up: 1 });
  });

  test("a poll tells what changed, and one that finds nothing reads at most 8 units", async () => {
    w.time.now += 60;
    const { changes } = await w.get("/v1/overview");
    const nothing = await w.get(`/v1/overview?since=${changes}`);
    expect(nothing).toMatchObject({ items: [], removed: [], counts: null });
    w.time.now += 10;
    await w.see("c-down", "up");
    w.time.now += 10;
    const poll = await w.get(`/v1/overview?since=${nothing.changes}`);
    expect(poll).toMatchObject({ items: [{ id: "c-down", status: "up" }], counts: { up: 3, degraded: 1 } });
    expect(poll.items[0]).not.toHaveProperty("latencyMs");
    const again = await w.get(`/v1/overview?since=${poll.changes}`);
    expect(again.items.map(({ revision }: { revision: number }) => revision)).toEqual([poll.items[0].revision]);
    w.time.now += 60;
    const last = await w.get(`/v1/overview?since=${again.changes}`);
    w.time.now += 60;
    expect(await w.unitsOf(() => w.get(`/v1/overview?since=${last.changes}`))).toBeLessThanOrEqual(8);
  });

  test("a poll tells which monitors have not the tags or status asked for any more, and counts those of the tags", async () => {
    await w.see("a-up", "up");
    w.time.now += 60;
    const all = await w.get("/v1/overview?tag=team=shop&status=up");
    expect(all.items.map(({ id }: { id: string }) => id)).toEqual(["a-up"]);
    await w.see("a-up", "down");
    const since = `since=${all.changes}`;
    expect(await w.get(`/v1/overview?tag=team=shop&status=up&${since}`)).toMatchObject({
      items: [],
      removed: ["a-up"],
      counts: { down: 1, degraded: 1 },
    });
    expect(await w.get(`/v1/overview?status=down&${since}`)).toMatchObject({ items: [{ id: "a-up" }], removed: [] });
    await w.create("plain");
    expect(await w.get("/v1/overview?ids=web,plain&tag=team=shop")).toMatchObject({
      items: [{ id: "web" }],
      removed: ["plain"],
    });
    await w.remove("plain");
    await w.see("a-up", "up");
  });

  test("of a monitor that is not up the newest message shows, also where its status stays", async () => {
    await w.see("b-up", "down");
    w.time.now += 60;
    expect(await row("", "b-up")).toMatchObject({ status: "down", message: "it is down" });
    const { settingsVersion } = await w.present("b-up");
    const view = { ...viewOf("down", w.time.now), message: "it is down otherwise" };
    await createViewStore(w.client, w.tables.monitors).save("b-up", settingsVersion, "local", view, w.time.now * 1000);
    w.time.now += 400;
    expect(await row("", "b-up")).toMatchObject({ status: "down", message: "it is down otherwise" });
    await w.see("b-up", "up");
  });

  test("pages by uptime stay in the order of the first one, while uptimes go on", async () => {
    await using own = await startWorld();
    for (const id of ["a", "b", "c"]) {
      await own.create(id);
      await own.see(id, "down");
      own.time.now += 100;
      await own.see(id, "up");
    }
    const seen: string[] = [];
    let cursor = "";
    do {
      const page = await own.get(`/v1/overview?sort=uptime&limit=1${cursor && `&cursor=${cursor}`}`);
      seen.push(...page.items.map(({ id }: { id: string }) => id));
      cursor = page.nextCursor ?? "";
      own.time.now += HOUR;
    } while (cursor && seen.length < 9);
    expect(seen.toSorted()).toEqual(["a", "b", "c"]);
  });

  test("says what is wrong with a request", async () => {
    for (const query of ["bars=8d", "since=x", "cursor=x", "ids=A", "sort=id", "limit=1001", "status=bad"])
      expect((await w.call("GET", `/v1/overview?${query}`)).status, query).toBe(422);
    const { changes } = await w.get("/v1/overview");
    for (const [query, paths] of [
      [`ids=a&since=${changes}&cursor=x`, ["since", "cursor"]],
      [`since=${changes}&cursor=x`, ["cursor"]],
    ] as const) {
      const answer = await w.call("GET", `/v1/overview?${query}`);
      expect([answer.status, answer.body.errors.map(({ path }: { path: string }) => path)]).toEqual([422, paths]);
    }
    const { body } = await w.call("GET", "/v1/overview?since=x");
    expect(body.errors).toEqual([
      { path: "since", message: expect.stringContaining("`changes` of an earlier answer") },
    ]);
  });
});

test("1,000 monitors and 90 days are under 45 KB compressed", async () => {
  await using big = await startWorld();
  big.time.now = MIDNIGHT + 15 * HOUR;
  await fillStatus(big, big.stores.summaries, { monitors: 1_000, days: 90, now: big.time.now });
  const body = await big.get("/v1/overview?bars=90d&limit=1000");
  expect(body.items).toHaveLength(1_000);
  expect(body.items[0].bars).toHaveLength(90);
  expect(body.items.some(({ bars }: { bars: string }) => bars.includes("x"))).toBe(true);
  expect(gzipSync(JSON.stringify(body)).length).toBeLessThan(45 * 1024);
  // The first reading has put rows and past days into memory.
  expect(await big.unitsOf(() => big.get("/v1/overview?bars=90d&limit=1000"))).toBeLessThanOrEqual(20);
  expect(await big.unitsOf(() => big.get("/v1/uptime"))).toBeLessThanOrEqual(30);
  expect(await big.unitsOf(() => big.get("/v1/tags"))).toBeLessThanOrEqual(4);
}, 120_000);
