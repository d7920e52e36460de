import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createConditions } from "../../../functions/state-change/conditions.ts";
import { type BlockEntry, pausedEntry } from "../../../shared/history/block.ts";
import type { Health, LocationHealth, ViewCondition } from "../../../shared/model.ts";
import { createHistoryStore } from "../../../shared/store/history.ts";
import { alertsOf, monitorOf, viewOf } from "../../support/monitors.ts";
import { startTables } from "../../support/tables.ts";

const NOW = Date.parse("2026-11-23T10:00:00.000Z") / 1000;
const SHARD = "10#0";
/** Seconds before now. */
const ago = (seconds: number) => new Date((NOW - seconds) * 1000).toISOString();
const now = () => new Date(NOW * 1000);

let tables: Awaited<ReturnType<typeof startTables>>;
beforeEach(async () => {
  tables = await startTables();
});
afterEach(() => tables.stop());

const monitor = monitorOf({ views: { a: viewOf("down", NOW - 1_000) } });

const conditionOf = async (health: Partial<LocationHealth> | undefined, seen = monitor): Promise<ViewCondition> => {
  const working = { name: "a", lastHeartbeatAt: ago(30), askingSince: ago(9_999), offlineSince: null };
  const healths = health ? [{ ...working, backSince: null, stalled: {}, ...health }] : [];
  const history = createHistoryStore(tables.client, tables.tables.history, { now: () => NOW * 1000 });
  const conditions = createConditions({ locations: ["a"], healths: async () => healths, history, now });
  return (await conditions(seen)).a!;
};

const putBlock = async (secondsAgo: number, entry: Partial<BlockEntry>, { offline = false, ids = ["m1"] } = {}) => {
  const history = createHistoryStore(tables.client, tables.tables.history, { now: () => NOW * 1000 });
  await history.putBlock(
    {
      shard: SHARD,
      location: "a",
      tick: NOW - secondsAgo,
      offline,
      roster: await history.putRoster(ids),
      entries: ids.map(() => ({ ...pausedEntry(1), state: "closed", reason: "connection-refused", ...entry })),
    },
    { run: "r", expiresAtSeconds: NOW + 9_999 },
    NOW * 1000,
  );
};

test.each<[what: string, health: Partial<LocationHealth> | undefined, expected: ViewCondition]>([
  ["nothing is known", undefined, "working"],
  ["heartbeats come", {}, "working"],
  ["no heartbeat came for long", { lastHeartbeatAt: ago(600) }, "silent"],
  ["its control targets fail", { offlineSince: ago(60) }, "offline"],
  ["its shard stands still", { stalled: { [SHARD]: { since: ago(60), backSince: null } } }, "stalled"],
  ["another shard stands still", { stalled: { "10#1": { since: ago(60), backSince: null } } }, "working"],
  ["it is back, later than the view, and nothing was checked since", { backSince: ago(100) }, "unproven"],
  ["it was back before the view", { backSince: ago(2_000) }, "working"],
  ["its shard is checked again", { stalled: { [SHARD]: { since: ago(300), backSince: ago(100) } } }, "unproven"],
  ["a clock that was ahead says when it came back", { backSince: ago(-3_600) }, "working"],
])("a view's condition where %s", async (_, health, expected) => {
  expect(await conditionOf(health)).toBe(expected);
});

describe("after a location's return its old view counts", () => {
  const back = { backSince: ago(100) };
  const entry = (health: Health) => ({ health, view: "down" as const });

  test.each<[what: string, put: () => Promise<unknown>, expected: ViewCondition]>([
    ["once a tick since then has measured it", () => putBlock(90, entry("down")), "working"],
    ["not by a tick that saw otherwise, below the threshold", () => putBlock(90, entry("up")), "unproven"],
    ["not by a tick of before", () => putBlock(110, entry("down")), "unproven"],
    ["not by a tick that could not measure it", () => putBlock(90, entry("unknown")), "unproven"],
    ["not by a tick at which the location was offline", () => putBlock(90, entry("up"), { offline: true }), "unproven"],
    ["not by a tick that checked others", () => putBlock(90, entry("down"), { ids: ["m2"] }), "unproven"],
    ["not by a tick of other settings", () => putBlock(90, { ...entry("down"), settingsByte: 7 }), "unproven"],
  ])("%s", async (_, put, expected) => {
    await put();
    expect(await conditionOf(back)).toBe(expected);
  });

  test("not for ever unproven where it says nothing, as of a silent UDP target", async () => {
    await putBlock(90, { health: "unknown", view: "unknown" });
    expect(await conditionOf(back, monitorOf({ views: { a: viewOf("unknown", NOW - 1_000) } }))).toBe("working");
  });

  test("at once where the view itself is newer", async () => {
    expect(await conditionOf(back, monitorOf({ views: { a: viewOf("up", NOW - 50) } }))).toBe("working");
  });
});

describe("an old view that makes a minority counts", () => {
  const advised = monitorOf({ ...monitor, status: "up", alerts: alertsOf({ minorityAfterSeconds: 60 }) });
  test.each<[what: string, put: () => Promise<unknown>, expected: ViewCondition]>([
    ["if the newest check agrees", () => putBlock(60, { health: "down", view: "down" }), "working"],
    ["not if the newest check saw the port up", () => putBlock(60, { health: "up", view: "down" }), "doubtful"],
    ["not if there was no check for a minute", () => putBlock(90, { health: "down", view: "down" }), "doubtful"],
    ["not if there was no check for long", () => putBlock(400, { health: "down", view: "down" }), "doubtful"],
  ])("%s", async (_, put, expected) => {
    await put();
    expect(await conditionOf({}, advised)).toBe(expected);
  });
});

test("a location that is configured no more has no condition", async () => {
  const history = createHistoryStore(tables.client, tables.tables.history);
  const conditions = createConditions({ locations: ["b"], healths: async () => [], history, now });
  expect(await conditions(monitorOf({ locations: ["a", "b"] }))).toEqual({ b: "working" });
});
