import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createMembers } from "../../../functions/probe/members.ts";
import { createPlanningStore } from "../../../shared/store/planning.ts";
import { refusedPort, serve, serveUdp } from "../../support/servers.ts";
import { SHARD, startProbe, startTarget } from "./fixture.ts";

describe("a tick", () => {
  let p: Awaited<ReturnType<typeof startProbe>>;
  beforeEach(async () => {
    p = await startProbe();
  });
  afterEach(() => p.stop());

  test("stores views that changed, then one block; the next quiet tick writes the block alone", async () => {
    await using server = await serve(() => {});
    const { port: dead } = await refusedPort();
    await p.put({ id: "m1", port: server.port });
    await p.put({ id: "m2", port: dead });
    await p.put({ id: "m3", port: dead, paused: true });
    expect(await p.tick(0)).toMatchObject({ result: "checked", offline: false, late: 0 });
    expect(await p.view("m1")).toMatchObject({ health: "up", state: "open", tick: p.at(0) });
    expect(await p.view("m2")).toMatchObject({ health: "down", state: "closed", reason: "connection-refused" });
    const block = await p.block(0);
    expect(block?.entries.map(({ state, view, bits, bitCount }) => [state, view, bits, bitCount])).toEqual([
      ["open", "up", 1, 1],
      ["closed", "down", 0, 1],
      ["unmeasured", null, 0, 0],
    ]);
    expect(await p.history.roster(block!.roster)).toEqual(["m1", "m2", "m3"]);

    p.usage.reset();
    await p.tick(1);
    const writes = p.usage.rows().filter(({ operation }) => /^(Put|Update)/.test(operation));
    expect((await p.block(1))?.entries.map(({ bits, bitCount }) => [bits, bitCount])).toEqual([
      [3, 2],
      [0, 2],
      [0, 0],
    ]);
    expect((await p.view("m1"))?.tick).toBe(p.at(0));
    expect(writes).toMatchObject([{ operation: "PutItem", requests: 1, units: 1 }]);
  });

  test("a UDP target known to be silent is waited for two seconds, and for its whole timeout every ten minutes", async () => {
    await using server = await serveUdp(() => {});
    const settings = { send: "ping", silence: "down" };
    await p.put({ protocol: "udp", port: server.port, settings, timeoutMs: 2_200 });
    const waited = [];
    for (const n of [1, 2, 60])
      waited.push(/within \d+ ms/.exec((await p.tick(n)).outcomes.get("m1")?.message ?? "")?.[0]);
    expect(waited).toEqual(["within 2200 ms", "within 2000 ms", "within 2200 ms"]);
  });

  test("running it twice changes nothing", async () => {
    await using server = await serve(() => {});
    await p.put({ port: server.port });
    expect((await p.tick(0)).result).toBe("checked");
    expect((await p.tick(0)).result).toBe("done");
  });

  test("a job that comes after its tick's time is late and leaves a gap", async () => {
    await p.put({});
    expect((await p.tick(0, 8.9)).result).toBe("late");
    expect(await p.block(0)).toBeUndefined();
  });

  test("thresholds count across ticks, from the block before", async () => {
    const { port: dead } = await refusedPort();
    await p.put({ port: dead, failureThreshold: 3 });
    const seen = [];
    for (const n of [0, 1, 2]) {
      await p.tick(n);
      seen.push((await p.view())?.health);
    }
    expect(seen).toEqual([undefined, undefined, "down"]);
  });

  test("when the control targets fail, nobody is down: the location is offline, and the block says so", async () => {
    const server = await serve(() => {});
    await p.put({ port: server.port });
    await p.tick(0);
    await server[Symbol.asyncDispose]();
    p.state.online = false;
    expect(await p.tick(1)).toMatchObject({ result: "checked", offline: true });
    expect((await p.view())?.health).toBe("up");
    expect(await p.block(1)).toMatchObject({
      offline: true,
      entries: [{ health: "down", view: "up", bits: 1, bitCount: 1 }],
    });
    expect(p.state.wentOffline).toEqual([new Date(p.at(1) * 1000).toISOString()]);
    p.state.online = true;
    await p.tick(2);
    expect((await p.view())?.health).toBe("down");
  });

  test("a change of what is checked begins a new history, and an outcome of the old settings is not stored", async () => {
    const { port: dead } = await refusedPort();
    await using server = await serve(() => {});
    await p.put({ port: dead });
    await p.tick(0);
    await p.put({ port: server.port, settingsVersion: 2, views: {} });
    await p.shards.settingsChanged(SHARD, ["a"]);
    await p.tick(1);
    expect(await p.view()).toMatchObject({ health: "up" });
    expect((await p.block(1))?.entries).toMatchObject([{ settingsByte: 2, bits: 1, bitCount: 1 }]);
    // A probe that still remembers version 1 writes nothing.
    expect(await p.views.save("m1", 1, "a", { ...(await p.view())!, health: "down", tick: p.at(9) }, p.now())).toBe(
      false,
    );
  });

  test("targets known to be silent start before the others, whose checks fit into the wait", async () => {
    const order: string[] = [];
    const listener = (name: string) => serve(() => void order.push(name));
    await using quick = await listener("quick");
    await using silent = await listener("silent");
    await p.put({ id: "m1", port: quick.port });
    const settings = { steps: [{ expect: { contains: "hello" } }] };
    await p.put({ id: "m2", port: silent.port, settings, timeoutMs: 300 });
    await p.tick(0);
    expect(await p.view("m2")).toMatchObject({ health: "down", reason: "no-answer" });
    expect(order[0]).toBe("quick");
    order.length = 0; // a busy machine has each measured more than once
    await p.tick(1);
    expect(order[0]).toBe("silent");
  });

  test("members are remembered until the shard says that something changed", async () => {
    await using server = await serve(() => {});
    await p.put({ port: server.port });
    let clock = Date.now();
    const planning = createPlanningStore(p.client, p.tables.monitors);
    const reads: string[] = [];
    const members = createMembers(
      {
        ...p.views,
        members: (shard: string) => {
          reads.push(shard);
          return p.views.members(shard);
        },
      },
      planning,
      () => clock,
    );
    const readsAfter = async (seconds: number) => {
      clock += seconds * 1000;
      await members(SHARD);
      return reads.length;
    };
    expect(await readsAfter(0)).toBe(1);
    expect(await readsAfter(10)).toBe(2); // just changed, as far as it knows: the index may have lagged
    expect(await readsAfter(25)).toBe(3);
    expect(await readsAfter(10)).toBe(3);
    await p.shards.settingsChanged(SHARD, ["a"]);
    expect(await readsAfter(1)).toBe(4);
    expect(await readsAfter(10)).toBe(5);
    expect(await readsAfter(20)).toBe(6);
    expect(await readsAfter(300)).toBe(6);
    expect(await readsAfter(300)).toBe(7); // ten minutes at most
  });
});

test("a monitor that was placed while the clock was an hour ahead is checked where it is, and not where it was", async () => {
  await using p = await startProbe();
  await using target = await startTarget();
  const toCome = p.at(0) + 3_600;
  await p.put({ port: target.port, placements: [{ shard: p.shard, fromTick: toCome, toTick: null }] });
  expect((await p.tick(0)).result).toBe("checked");
  expect(await p.view()).toMatchObject({ health: "up" });
  await p.put({
    port: target.port,
    placements: [
      { shard: p.shard, fromTick: 0, toTick: toCome },
      { shard: "10#9", fromTick: toCome, toTick: null },
    ],
  });
  expect((await p.tick(1)).result).toBe("empty");
});

test("a late job of a slow lane still runs, and has as long as any other", async () => {
  await using p = await startProbe({ lane: 3600 });
  await using target = await startTarget();
  await p.put({ port: target.port });
  expect((await p.tick(0, 1_700)).result).toBe("checked");
  expect((await p.tick(0, 1_700)).result).toBe("done");
  expect((await p.tick(1, 3_599)).result).toBe("late");
});

test("a target of a slow lane that answers after more than two seconds is up at its next tick", async () => {
  await using p = await startProbe({ lane: 300 });
  let delayMs = 60_000;
  await using server = await serve((socket) => void setTimeout(() => socket.end("hello"), delayMs).unref());
  const settings = { steps: [{ expect: { contains: "hello" } }] };
  await p.put({ port: server.port, settings, timeoutMs: 2_600 });
  await p.tick(0);
  expect(await p.view()).toMatchObject({ health: "down", reason: "no-answer" });
  delayMs = 2_200;
  await p.tick(1);
  expect(await p.view()).toMatchObject({ health: "up" });
});
