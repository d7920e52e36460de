import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { locationKey } from "../../../shared/store/keys.ts";
import { HOUR, MINUTE, NOW, startWatch } from "./fixture.ts";

let w: Awaited<ReturnType<typeof startWatch>>;
afterEach(() => w.stop());

describe("shards that are not checked", () => {
  const START = NOW; // a multiple of 60
  beforeEach(async () => {
    w = await startWatch(["a", "b"]);
    for (let left = 3 * 250; left > 0; ) left -= (await w.shards.place(60, ["a", "b"], left)).count;
    for (const n of [0, 1, 2]) {
      await w.put(`ma${n}`, "a", { shard: `60#${n}`, intervalSeconds: 60, placements: placed(`60#${n}`) });
      await w.put(`mb${n}`, "b", { shard: `60#${n}`, intervalSeconds: 60, placements: placed(`60#${n}`) });
    }
    w.set(START);
  });
  const placed = (shard: string) => [{ shard, fromTick: 0, toTick: null }];
  const SHARDS = ["60#0", "60#1", "60#2"];

  /** Minutes of planning, heartbeats and blocks. @param checks which shards' checks come to a block at a location */
  const run = async (
    minutes: number,
    checks: (shard: string, location: string) => boolean,
    heartbeats = ["a", "b"],
  ) => {
    for (let minute = 0; minute < minutes; minute++) {
      w.pass(MINUTE);
      const second = w.clock().getTime() / 1000;
      for (const name of ["a", "b"]) await w.store.ask(name, w.clock(), 180);
      await w.beat(...heartbeats);
      for (const name of SHARDS) {
        const shard = (await w.planning.shard(name))!;
        const [planned, since] = [second + 179, shard.plannedSince.a ?? second];
        await w.planning.advance(shard, planned, {
          planned: { a: planned, b: planned },
          plannedSince: { a: since, b: since },
        });
        for (const location of heartbeats)
          if (checks(name, location)) await w.block(name, location, second - 30);
          else if (minute % 2 === 0) await w.block(name, location, second - 30, false); // a run that died
      }
      await w.stalls();
      await w.goOn();
    }
  };
  const stalled = async (name: string) => (await w.store.get(name))!.stalled;

  test("are found within minutes, told once with their monitors, and these are decided again; so is their return", async () => {
    await run(6, () => true);
    expect(await stalled("a")).toEqual({});
    const before = await w.revision("ma0");
    await run(9, (_shard, location) => location === "b");
    expect(Object.keys(await stalled("a")).toSorted()).toEqual(SHARDS);
    expect(Object.values(await stalled("a"))[0]).toEqual({ since: expect.any(String), backSince: null });
    expect(await stalled("b")).toEqual({});
    expect(await w.told("a")).toEqual(["Location a: checks stand still"]);
    expect((await w.outbox("a"))[0]!.content).toMatchObject({
      event: "system.checks-stalled",
      about: "checks.a",
      message: expect.stringContaining("3 of its 3 shards with 3 monitors stored no outcomes"),
    });
    expect([await w.revision("ma0"), await w.revision("mb0")]).toEqual([before + 1, before]);
    await run(4, () => true);
    expect((await w.told("a")).toSorted()).toEqual(["Location a: checks run again", "Location a: checks stand still"]);
    expect((await w.outbox("a")).map(({ content }) => content)).toContainEqual(
      expect.objectContaining({ event: "system.checks-resumed", about: "checks.a" }),
    );
    const { backSince } = (await stalled("a"))["60#0"]!;
    expect(Date.parse(backSince!) / 1000).toBeGreaterThanOrEqual(START + 15 * MINUTE);
    expect(await w.revision("ma0")).toBe(before + 2);
    w.pass(2 * HOUR);
    await run(4, () => true);
    expect(await stalled("a")).toEqual({});
  });

  test("of one location alone are told with their number", async () => {
    await run(10, (shard, location) => location === "b" || shard !== "60#1");
    expect(Object.keys(await stalled("a"))).toEqual(["60#1"]);
    expect((await w.outbox("a"))[0]!.content).toMatchObject({
      message: expect.stringContaining("1 of its 3 shards with 1 monitors"),
    });
  });

  test("are no news while the location is silent, nor right after it", async () => {
    await run(6, () => true);
    await run(6, () => false, ["b"]);
    await run(2, () => false);
    expect(await stalled("a")).toEqual({});
  });

  test("are no news where nobody is checked: paused, new or changed moments ago, moved away", async () => {
    const recent = { updatedAt: new Date((START + 9 * MINUTE) * 1000).toISOString() };
    await w.put("ma0", "a", { shard: "60#0", intervalSeconds: 60, placements: placed("60#0"), paused: true });
    await w.put("ma1", "a", { shard: "60#1", intervalSeconds: 60, placements: placed("60#1"), ...recent });
    await w.put("ma2", "b", { shard: "60#2", intervalSeconds: 60, placements: placed("60#2") });
    await run(9, (_shard, location) => location === "b");
    expect(await stalled("a")).toEqual({});
    expect(await w.told("a")).toEqual([]);
  });

  test("are no news before there was time for a block", async () => {
    await run(2, () => false);
    expect(await stalled("a")).toEqual({});
  });

  test("keep their entry apart from heartbeats", async () => {
    await run(9, (_shard, location) => location === "b");
    expect((await w.item(locationKey("a"))).lastHeartbeatAt).toBe(w.clock().toISOString());
    expect(Object.keys(await stalled("a"))).toHaveLength(3);
  });
});
