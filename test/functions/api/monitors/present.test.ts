import { describe, expect, test } from "vitest";
import { at, create, edge, item, useEdge, view, write } from "./fixture.ts";

useEdge();

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
    "check",
    "beliefs",
    "listBucket",
    "listKey",
    "attentionBucket",
    "attentionKey",
    "changedBucket",
    "changedAt",
    "creation",
  ];
  for (const name of own) expect(body).not.toHaveProperty(name);
});
