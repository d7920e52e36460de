/** Bars, uptime, statistics and incidents are made from one source, so they agree to the second. */
import { DeleteCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { afterEach, beforeEach, expect, test } from "vitest";
import { HOUR_SECONDS as HOUR, MINUTE_SECONDS as MINUTE } from "../../../../shared/durations.ts";
import type { Health, Status } from "../../../../shared/model.ts";
import { changeKey } from "../../../../shared/store/keys.ts";
import { iso, MIDNIGHT, startWorld, type World } from "./world.ts";

let w: World;
beforeEach(async () => {
  w = await startWorld();
});
afterEach(() => w[Symbol.asyncDispose]());

interface Seen {
  readonly status: Status | "deleted";
  /** Epoch seconds. */
  readonly at: number;
}

/** Maintenance of the random life, by monitor; `b` has the same windows, and asks that their time counts. */
const ONCE = [MIDNIGHT + 10 * HOUR + 1051, MIDNIGHT + 13 * HOUR + 5] as const;
const DAILY = [0, 1].map((day) => [
  MIDNIGHT + day * 24 * HOUR + 150 * MINUTE,
  MIDNIGHT + day * 24 * HOUR + 240 * MINUTE,
]);
const MAINTENANCE: Readonly<Record<string, readonly (readonly number[])[]>> = { a: [...DAILY, ONCE], b: [], c: [ONCE] };
const DAILY_WINDOW = { kind: "daily", at: "02:30", durationSeconds: 90 * MINUTE };

/** What was seen, cut where maintenance begins and ends. */
function withMaintenance(seen: readonly Seen[], windows: readonly (readonly number[])[]): Seen[] {
  const isIn = (at: number) => windows.some(([from = 0, to = 0]) => from <= at && at < to);
  const edges = [...seen.map(({ at }) => at), ...windows.flat()].toSorted((a, b) => a - b);
  return edges.flatMap((at) => {
    const status = seen.findLast((one) => one.at <= at)?.status;
    if (!status) return [];
    const isKept = ["pending", "paused", "deleted"].includes(status);
    return [{ at, status: isIn(at) && !isKept ? ("maintenance" as const) : status }];
  });
}

const secondsOf = (seen: readonly Seen[], from: number, to: number, status: string) =>
  seen.reduce((sum, one, place) => {
    const end = Math.min(to, seen[place + 1]?.at ?? to);
    return sum + (one.status === status ? Math.max(0, end - Math.max(from, one.at)) : 0);
  }, 0);

/** Random numbers that are the same every time. */
const randomOf = (seed: number) => {
  let state = seed;
  return (below: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
};

const COUNTED = ["up", "degraded", "down", "unknown", "paused", "maintenance"] as const;

/** Holds everything that is shown of a monitor against what it was seen to be. */
async function compare(id: string, life: readonly Seen[], random: (below: number) => number) {
  const now = w.time.now;
  const seen = withMaintenance(life, MAINTENANCE[id] ?? []);
  const isGone = seen.at(-1)?.status === "deleted";
  const ranges = [
    [MIDNIGHT, now],
    [now - 7 * HOUR - 1234, now - HOUR - 77],
    [MIDNIGHT + random(20 * HOUR), now - random(HOUR)],
  ] as const;
  for (const [from, to] of ranges) {
    const uptime = await w.get(`/v1/uptime?tag=who=${id}&from=${from}&to=${to}&step=1d`);
    const where = `${id} ${from - MIDNIGHT} ${to - MIDNIGHT} ${JSON.stringify(seen.map((one) => [one.status, one.at - MIDNIGHT]))}`;
    for (const status of COUNTED)
      expect([status, uptime.seconds[status]], where).toEqual([status, secondsOf(seen, from, to, status)]);
    const down = secondsOf(seen, from, to, "down");
    if (down > 0) expect(uptime.uptimePercent, where).toBeLessThan(100);
    if (isGone) continue;
    const stats = await w.get(`/v1/monitors/${id}/stats?from=${from}&to=${to}&step=1h`);
    for (const status of COUNTED)
      expect([status, stats.total.seconds[status]], where).toEqual([status, uptime.seconds[status]]);
    expect(stats.total.downtimeSeconds, where).toBe(down);
  }
  if (isGone) return;
  for (const period of ["24h", "7d", "90d"]) {
    const { items, bars } = await w.get(`/v1/overview?bars=${period}&ids=${id}`);
    const [row] = items;
    const length = { "1h": HOUR, "6h": 6 * HOUR, "1d": 24 * HOUR }[bars.step as string]!;
    const begin = Date.parse(bars.from) / 1000;
    for (let bar = 0; bar < bars.count; bar++) {
      const [from, to] = [begin + bar * length, Math.min(now, begin + (bar + 1) * length)];
      expect([bar, row.downSeconds[bar] ?? 0]).toEqual([bar, secondsOf(seen, from, to, "down")]);
      const letter = (["down", "degraded", "unknown", "up", "maintenance", "paused"] as const).find(
        (status) => secondsOf(seen, from, to, status) > 0,
      );
      expect([bar, row.bars[bar]]).toEqual([
        bar,
        letter ? { down: "x", degraded: "d", unknown: "?", up: "u", maintenance: "m", paused: "p" }[letter] : "n",
      ]);
    }
  }
  const { items: incidents } = await w.get(`/v1/monitors/${id}/incidents?limit=200`);
  const moments = new Set(life.map(({ at }) => at));
  for (const { startedAt, endedAt } of incidents) {
    expect(moments).toContain(Math.floor(Date.parse(startedAt) / 1000));
    if (endedAt) expect(moments).toContain(Math.floor(Date.parse(endedAt) / 1000));
  }
  for (const [place, { status, at }] of life.entries()) {
    if (status !== "down" && status !== "degraded") continue;
    const end = life[place + 1]?.at ?? now;
    const isCovered = incidents.some(
      (one: { startedAt: string; endedAt: string | null }) =>
        Date.parse(one.startedAt) / 1000 < at + 1 && (one.endedAt === null || Date.parse(one.endedAt) / 1000 >= end),
    );
    expect([id, at - MIDNIGHT, isCovered]).toEqual([id, at - MIDNIGHT, true]);
  }
}

test.each([1])(
  "over a random life with real decisions and compaction (seed %d)",
  async (seed) => {
    const random = randomOf(seed);
    const ids = ["a", "b", "c"];
    const seen = new Map<string, Seen[]>(ids.map((id) => [id, []]));
    const note = async (id: string) => {
      const own = seen.get(id)!;
      const monitor = await w.stores.monitors.get(id);
      const next: Seen = monitor
        ? { status: monitor.status, at: Math.floor(Date.parse(monitor.since) / 1000) }
        : { status: "deleted", at: w.time.now };
      const last = own.at(-1);
      if (last?.status !== next.status || last.at !== next.at) own.push(next);
    };
    for (const id of ids) {
      await w.create(id, { tags: { who: id }, maintenanceCountsAsDowntime: id === "b" });
      await note(id);
    }
    const once = { kind: "once", startsAt: iso(ONCE[0]), endsAt: iso(ONCE[1]) };
    await w.maintain({ tags: { who: "a" }, schedule: DAILY_WINDOW });
    await w.maintain({ monitorIds: ["b"], schedule: DAILY_WINDOW });
    await w.maintain({ all: true, schedule: once });
    let compacted = MIDNIGHT + HOUR;
    const gone = new Set<string>();
    for (let step = 0; w.time.now < MIDNIGHT + 30 * HOUR; step++) {
      w.time.now += 1 + random(random(4) === 0 ? 3 * HOUR : 40 * MINUTE);
      if (w.time.now > compacted + 420 && random(3) > 0) {
        await w.compact();
        compacted = Math.floor(w.time.now / HOUR + 1) * HOUR;
      }
      const id = ids[random(ids.length)]!;
      if (gone.has(id)) continue;
      const monitor = await w.present(id);
      const act = random(12);
      if (act === 0) await w.edit(id, { paused: !monitor.paused });
      else if (act === 1) await w.edit(id, { port: monitor.port + 1 });
      else if (act === 2) await w.edit(id, { timeoutMs: monitor.timeoutMs + 1 });
      else if (act === 3) await w.edit(id, { intervalSeconds: monitor.intervalSeconds === 120 ? 60 : 120 });
      else if (act === 4 && id === "c" && step > 40) {
        await w.remove(id);
        gone.add(id);
      } else await w.see(id, (["up", "down", "degraded"] as Health[])[random(3)]!);
      await note(id);
    }
    for (const id of ids) await compare(id, seen.get(id)!, random);
    await w.compact();
    for (const id of ids) await compare(id, seen.get(id)!, random);
    w.time.now += 2 * HOUR + random(HOUR);
    await w.compact();
    for (const id of ids) await compare(id, seen.get(id)!, random);
  },
  240_000,
);

const percent = async () => (await w.get(`/v1/uptime?from=${MIDNIGHT}&to=${MIDNIGHT + 24 * HOUR}`)).seconds;

test("an outage that ends within a second is as long in incidents and statistics as its downtime", async () => {
  await w.create("web");
  await w.see("web", "up");
  w.time.now += 100;
  await w.see("web", "down");
  w.time.now += 40.6;
  await w.edit("web", { port: 8_080 });
  w.time.now += 59.4;
  await w.see("web", "up");
  w.time.now += 100;
  const range = `from=${MIDNIGHT}&to=${w.time.now}`;
  const { total } = await w.get(`/v1/monitors/web/stats?${range}`);
  const [incident] = (await w.get("/v1/monitors/web/incidents")).items;
  expect(incident).toMatchObject({ endReason: "changed", endedAt: iso(MIDNIGHT + 140.6), durationSeconds: 40 });
  expect(total).toMatchObject({ outages: 1, downtimeSeconds: 40, longestOutageSeconds: 40, seconds: { down: 40 } });
});

test("a stretch that arrives after its hour was summarised counts at once, and corrects hours and days", async () => {
  await w.create("a");
  await w.see("a", "up");
  for (let hour = 1; hour <= 25; hour++) {
    w.time.now = MIDNIGHT + hour * HOUR + 420;
    await w.compact();
  }
  expect(await percent()).toMatchObject({ up: 24 * HOUR, down: 0 });
  const sequence = w.time.now * 1000 * 100 - 50;
  const since = (seconds: number) => new Date((MIDNIGHT + seconds) * 1000).toISOString();
  await w.stores.stretches.record("a", { status: "down", since: since(2 * HOUR + 100) }, sequence);
  await w.stores.stretches.record("a", { status: "up", since: since(5 * HOUR + 1) }, sequence + 1);
  const expected = { up: 21 * HOUR + 99, down: 3 * HOUR - 99 };
  expect(await percent()).toMatchObject(expected);
  await w.compact();
  expect(await percent()).toMatchObject(expected);
  expect(await w.stored("history", "SUMMARY#")).not.toContainEqual(
    expect.objectContaining({ sk: expect.stringContaining("NEW#") }),
  );
  const body = await w.get("/v1/overview?bars=7d");
  expect(body.items[0].downSeconds).toEqual({ [body.bars.count - 5]: 3 * HOUR - 99 });
});

test("a monitor of an earlier version gets its first stretch from compact, from when its status began", async () => {
  await w.create("a", { status: "up" });
  for (const { pk, sk } of await w.stored("history"))
    await w.client.send(new DeleteCommand({ TableName: w.tables.history, Key: { pk, sk } }));
  await w.client.send(
    new UpdateCommand({
      TableName: w.tables.monitors,
      Key: { pk: "MONITOR#a", sk: "MONITOR" },
      UpdateExpression: "REMOVE lastStretch SET #status = :up",
      ExpressionAttributeNames: { "#status": "status" },
      ExpressionAttributeValues: { ":up": "up" },
    }),
  );
  w.time.now = MIDNIGHT + 10 * HOUR;
  const before = (await w.present("a")).revision;
  await w.compact();
  expect((await w.present("a")).revision).toBeGreaterThan(before);
  await w.settle("a");
  const revision = (await w.present("a")).revision;
  await w.compact();
  await w.compact();
  expect((await w.present("a")).revision).toBe(revision);
  expect(await w.stores.stretches.within("a", MIDNIGHT, w.time.now)).toMatchObject([{ status: "up" }]);
  const [row] = (await w.get("/v1/overview?ids=a")).items;
  expect(row.bars).toMatch(/^n+u{10}$/);
});

test("a lost summary is made again from stretches", async () => {
  await w.create("a");
  await w.see("a", "up");
  w.time.now = MIDNIGHT + 5 * HOUR + 420;
  await w.compact();
  for (const { pk, sk } of await w.stored("history", changeKey("a", "", 0).pk))
    await w.client.send(new DeleteCommand({ TableName: w.tables.history, Key: { pk, sk } }));
  w.time.now += HOUR;
  await w.compact();
  expect((await w.get("/v1/overview?ids=a")).items[0].bars).toMatch(/^n+u{7}$/);
});
