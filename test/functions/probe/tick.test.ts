import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Control, NetworkState } from "../../../functions/probe/control.ts";
import { createJob } from "../../../functions/probe/job.ts";
import { createMembers } from "../../../functions/probe/members.ts";
import { createSpot } from "../../../functions/probe/spot.ts";
import { createTick } from "../../../functions/probe/tick.ts";
import type { Intercept } from "../../../infra/local/dynamodb/database.ts";
import { createEngine } from "../../../shared/engine/run.ts";
import type { Job, Lane, Monitor, View } from "../../../shared/model.ts";
import { protocols } from "../../../shared/protocols/index.ts";
import { createDueStore } from "../../../shared/store/due.ts";
import { createHistoryStore } from "../../../shared/store/history.ts";
import { dueBucket, monitorKey } from "../../../shared/store/keys.ts";
import { createPlanningStore } from "../../../shared/store/planning.ts";
import { createShardStore } from "../../../shared/store/shards.ts";
import { createViewStore } from "../../../shared/store/views.ts";
import { monitorOf, putMonitor, viewOf } from "../../support/monitors.ts";
import { refusedPort, serve, serveUdp, type TcpServer } from "../../support/servers.ts";
import { startTables } from "../../support/tables.ts";

const SHARD = "10#0";
const FIRST = 1_800_000_000;

/** What a test does around a request: waits, or throws as if the process had died. */
type Around = (operation: string, input: Record<string, unknown>) => Promise<void> | void;

/** One location's probe on real tables and real sockets; its clock is set to half a second after the tick that runs. */
async function startProbe({ intercept, lane = 10 }: { intercept?: Intercept; lane?: Lane } = {}) {
  const tables = await startTables(intercept ? { intercept } : {});
  const { monitors, history: historyTable } = tables.tables;
  const views = createViewStore(tables.client, monitors);
  const history = createHistoryStore(tables.client, historyTable, { now: () => now() });
  const shards = createShardStore(tables.client, monitors);
  const due = createDueStore(tables.client, monitors);
  const { shard } = await shards.place(lane, ["a"]);
  let offsetMs = 0;
  const setTo = (seconds: number) => {
    offsetMs = seconds * 1000 - Date.now();
  };
  setTo(FIRST);
  const now = () => Date.now() + offsetMs;
  const engine = createEngine({ location: { kind: "local", families: ["ipv4"] }, protocols, now });
  const state = {
    online: true,
    /** Answers of the control targets that come before `online` decides. */
    answers: [] as NetworkState[],
    wentOffline: [] as string[],
    results: [] as string[],
    asked: 0,
    slept: 0,
    runs: 0,
  };
  const control: Control = async () => {
    state.asked += 1;
    return state.answers.shift() ?? (state.online ? "online" : "offline");
  };
  /** A process of its own, which remembers nothing. */
  const startProcess = (around: Around = () => {}) => {
    const client = Object.assign(Object.create(tables.client) as typeof tables.client, {
      send: async (command: { input: Record<string, unknown> }) => {
        const name = command.constructor.name.replace("Command", "");
        await around(name, command.input);
        return tables.client.send(command as never);
      },
    });
    const ownViews = createViewStore(client, monitors);
    return createTick({
      location: "a",
      engine,
      members: createMembers(ownViews, createPlanningStore(client, monitors), now),
      views: ownViews,
      history: createHistoryStore(client, historyTable, { now }),
      control,
      wentOffline: async (since) => void state.wentOffline.push(since),
      blockSeconds: 1000,
      now,
      sleep: async (ms) => {
        state.slept += ms;
      },
      newId: () => `run${state.runs++}`,
    });
  };
  const tick = startProcess();
  const at = (n: number) => FIRST + n * lane;
  return {
    ...tables,
    views,
    history,
    shards,
    state,
    shard,
    now,
    setTo,
    startProcess,
    /** Runs the n-th tick, so many seconds after it was due. */
    tick: (n: number, lag = 0.5, run = tick) => {
      setTo(at(n) + lag);
      return run(shard, at(n));
    },
    at,
    job: createJob({
      tick,
      spot: async () => {},
      heartbeat: async () => {},
      touch: (timer) => due.touch(timer, now()),
      nudge: (key) => due.nudge(key, now()),
      checked: ({ result }) => state.results.push(result),
    }),
    spot: createSpot({ location: "a", engine, views, control, now }),
    view: async (id = "m1") => (await views.views([id], "a")).get(id),
    block: async (n: number) => {
      const block = await history.latestBlock(shard, "a", at(n));
      return block?.tick === at(n) ? block : undefined;
    },
    /** As a write of another process leaves it. */
    setView: (view: View, id = "m1") =>
      tables.client.send(
        new UpdateCommand({
          TableName: monitors,
          Key: monitorKey(id),
          UpdateExpression: "SET #views.a = :view",
          ExpressionAttributeNames: { "#views": "views" },
          ExpressionAttributeValues: { ":view": view },
        }),
      ),
    setTimer: (id: string, dueAt: string) =>
      tables.client.send(
        new UpdateCommand({
          TableName: monitors,
          Key: monitorKey(id),
          UpdateExpression: "SET nextEvaluationAt = :at, dueBucket = :bucket",
          ExpressionAttributeValues: { ":at": dueAt, ":bucket": dueBucket(monitorKey(id).pk) },
        }),
      ),
    put: (more: Partial<Monitor>) =>
      putMonitor(
        tables,
        monitorOf({ shard, placements: [{ shard, fromTick: 0, toTick: null }], intervalSeconds: lane, ...more }),
      ),
  };
}

/** A TCP target on one port that is open or closed as the test wants. */
async function startTarget() {
  let server: TcpServer | undefined = await serve(() => {});
  const { port } = server;
  return {
    port,
    set: async (isOpen: boolean) => {
      if (isOpen) server ??= await serve(() => {}, "127.0.0.1", port);
      else {
        await server?.[Symbol.asyncDispose]();
        server = undefined;
      }
    },
    [Symbol.asyncDispose]: async () => server?.[Symbol.asyncDispose](),
  };
}

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

    p.database.usage.reset();
    await p.tick(1);
    const writes = p.database.usage.rows().filter(({ operation }) => /^(Put|Update)/.test(operation));
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

describe("what a location believes of its monitors", () => {
  test("survives the death of a run at any request: the tick after is right, whatever the target has become", async () => {
    const live = async (n: number, isOpenLater: boolean) => {
      await using p = await startProbe();
      await using target = await startTarget();
      await p.put({ port: target.port });
      await p.tick(0);
      await target.set(false);
      let requests = 0;
      const dies = () => {
        if (++requests >= n) throw new Error("killed");
      };
      await p.tick(1, 0.5, p.startProcess(dies)).catch(() => {});
      await target.set(isOpenLater);
      // The job comes again while the claim of the dead run stands, then the next tick does.
      await p.tick(1, 2, p.startProcess());
      await p.tick(2, 0.5, p.startProcess());
      expect((await p.view())?.health, `killed at request ${n}`).toBe(isOpenLater ? "up" : "down");
      expect((await p.block(2))?.entries[0]?.view).toBe(isOpenLater ? "up" : "down");
      return requests;
    };
    const requests = await live(999, true);
    expect(requests).toBeGreaterThanOrEqual(8);
    for (let n = 1; n <= requests; n++) for (const isOpenLater of [true, false]) await live(n, isOpenLater);
  }, 120_000);

  test("is written by one of two runs of a tick, however they interleave", async () => {
    /** B stops before its n-th request while A runs to its end. @returns whether B came so far */
    const race = async (n: number, isOkOfA: boolean) => {
      await using p = await startProbe();
      let isA = true;
      // Whoever asks is told what the test wants this run to see.
      const says = { a: isOkOfA, b: !isOkOfA };
      await using server = await serve((socket) => socket.end((isA ? says.a : says.b) ? "hello" : "other"));
      await p.put({ port: server.port, settings: { steps: [{ expect: { contains: "hello" } }] } });
      says.a = true;
      await p.tick(0);
      says.a = isOkOfA;
      const { promise: resumed, resolve: resume } = Promise.withResolvers<void>();
      const { promise: stopped, resolve: stop } = Promise.withResolvers<void>();
      let requests = 0;
      const b = p.startProcess(async () => {
        if (++requests !== n) return;
        isA = true;
        stop();
        await resumed;
        isA = false;
      });
      isA = false;
      const ofB = p.tick(1, 0.5, b);
      const hasEnded = await Promise.race([stopped.then(() => false), ofB.then(() => true)]);
      isA = true;
      const ofA = await p.tick(1, 1, p.startProcess());
      isA = false;
      resume();
      const results = [ofA.result, (await ofB).result];
      const where = `B stopped at request ${n}, A saw ${isOkOfA ? "up" : "down"}`;
      expect(results.toSorted(), where).toEqual(["checked", "done"]);
      const [entry] = (await p.block(1))!.entries;
      const owner = results[0] === "checked" ? isOkOfA : !isOkOfA;
      expect([(await p.view())?.health, entry?.view, entry?.health], where).toEqual(
        Array(3).fill(owner ? "up" : "down"),
      );
      return !hasEnded;
    };
    for (const isOkOfA of [true, false]) for (let n = 1; await race(n, isOkOfA); n++);
  }, 120_000);

  test("is read from the table while a write may be under way, and after a gap; else the block will do", async () => {
    await using p = await startProbe();
    await using target = await startTarget();
    await p.put({ port: target.port });
    const seen: [doubt: number | undefined, reads: number][] = [];
    const run = async (n: number) => {
      p.database.usage.reset();
      await p.tick(n);
      const reads = p.database.usage.rows().filter(({ operation }) => operation === "BatchGetItem");
      seen.push([(await p.block(n))?.entries[0]?.doubt, reads.length]);
    };
    for (let n = 0; n <= 14; n++) await run(n);
    expect(seen).toEqual([...Array.from({ length: 13 }, (_, n) => [12 - n, 1]), [0, 0], [0, 0]]);
    await run(16);
    expect(seen.at(-1)).toEqual([12, 1]);
  });

  test("is put right within an hour where the block is wrong and nothing tells of it", async () => {
    await using p = await startProbe({ lane: 600 });
    await using target = await startTarget();
    await p.put({ port: target.port });
    for (const n of [0, 1, 2]) await p.tick(n);
    expect((await p.block(2))?.entries[0]).toMatchObject({ view: "up", doubt: 0 });
    await p.setView(viewOf("down", p.at(2)));
    const reads: number[] = [];
    for (let n = 3; n < 9; n++) {
      p.database.usage.reset();
      await p.tick(n);
      if (p.database.usage.rows().some(({ operation }) => operation === "BatchGetItem")) reads.push(n);
    }
    expect(await p.view()).toMatchObject({ health: "up" });
    expect((await p.block(8))?.entries[0]?.view).toBe("up");
    expect(reads.length).toBeLessThanOrEqual(2); // the hour's, and the doubt that it raised
  });

  test("begins anew with a monitor that was made again by the same key", async () => {
    await using p = await startProbe();
    await using target = await startTarget();
    await p.put({ port: target.port });
    for (const n of [0, 1]) await p.tick(n);
    await target.set(false);
    await p.put({
      port: target.port,
      settingsVersion: 257,
      settingsChangedAt: new Date(p.at(1) * 1000 + 4_000).toISOString(),
    });
    await p.shards.settingsChanged(SHARD, ["a"]);
    await p.tick(2);
    expect((await p.block(2))?.entries[0]).toMatchObject({ bitCount: 1, view: "down" });
    expect((await p.view())?.health).toBe("down");
  });
});

describe("a view that turns down", () => {
  test("is stored as its outcome comes, before a slow neighbour's; after a gap all wait to the end", async () => {
    await using p = await startProbe();
    await using target = await startTarget();
    const held = new Set<Socket>();
    let isHeld = false;
    await using slow = await serve((socket) => {
      if (isHeld) held.add(socket);
      else socket.write("hello");
    });
    await p.put({ id: "m1", port: target.port });
    const settings = { steps: [{ expect: { contains: "hello" } }] };
    await p.put({ id: "m2", port: slow.port, settings, timeoutMs: 7_000 });
    await p.tick(0);
    /** What the view says while the neighbour has not answered, and after the tick. */
    const whileHeld = async (n: number, isAwaited: (health: string | undefined) => boolean) => {
      isHeld = true;
      const running = p.tick(n);
      const until = performance.now() + 3_000;
      let health = (await p.view())?.health;
      while (!isAwaited(health) && performance.now() < until) {
        await sleep(10);
        health = (await p.view())?.health;
      }
      isHeld = false;
      for (const socket of held) socket.write("hello");
      held.clear();
      await running;
      return [health, (await p.view())?.health];
    };
    await target.set(false);
    expect(await whileHeld(1, (health) => health === "down")).toEqual(["down", "down"]);
    await target.set(true);
    const startedAt = performance.now();
    expect(await whileHeld(3, () => performance.now() - startedAt > 500)).toEqual(["down", "up"]);
  });

  test("waits for control targets, asked at the first failure and after the last attempt", async () => {
    await using p = await startProbe();
    await using target = await startTarget();
    await p.put({ port: target.port, retries: { count: 1, delayMs: 300 } });
    await p.tick(0);
    expect(p.state.asked).toBe(0);
    await target.set(false);
    // The network is away for a moment, and back before the check ends.
    p.state.answers = ["offline"];
    expect(await p.tick(1)).toMatchObject({ offline: true });
    expect(p.state.asked).toBeGreaterThanOrEqual(1);
    expect((await p.view())?.health).toBe("up");
    expect(await p.block(1)).toMatchObject({ offline: true, entries: [{ view: "up", bits: 1, bitCount: 1 }] });
    // And the other way round: it goes away between the first attempt and the last.
    p.state.answers = ["online", "online", "offline"];
    expect(await p.tick(2)).toMatchObject({ offline: true });
    expect((await p.view())?.health).toBe("up");
    expect(await p.tick(3)).toMatchObject({ offline: false });
    expect((await p.view())?.health).toBe("down");
  });

  test("counts no checks that were lost to our own network", async () => {
    await using p = await startProbe();
    await using target = await startTarget();
    await p.put({ port: target.port, failureThreshold: 3 });
    await p.tick(0);
    await target.set(false);
    const seen = [];
    for (let n = 1; n <= 6; n++) {
      p.state.online = n > 3;
      await p.tick(n);
      seen.push((await p.view())?.health);
    }
    expect(seen).toEqual(["up", "up", "up", "up", "up", "down"]);
  });

  test("is refused for a monitor that was paused or deleted meanwhile", async () => {
    await using p = await startProbe();
    const save = (id: string) => p.views.save(id, 1, "a", viewOf("down", p.at(0)), p.now());
    await p.put({ id: "here" });
    await p.put({ id: "paused", paused: true });
    await p.put({ id: "deleted", deletedAt: "2026-11-23T10:00:00.000Z" });
    expect(await Promise.all(["here", "paused", "deleted", "gone"].map(save))).toEqual([true, false, false, false]);
  });

  test("degraded takes its threshold too", async () => {
    await using p = await startProbe();
    await using target = await startTarget();
    await p.put({ port: target.port, failureThreshold: 3 });
    await p.tick(0);
    await p.put({ port: target.port, failureThreshold: 3, degradedAboveMs: 0, views: { a: (await p.view())! } });
    await p.shards.settingsChanged(SHARD, ["a"]);
    const seen = [];
    for (const n of [1, 2, 3]) {
      await p.tick(n);
      seen.push((await p.view())?.health);
    }
    expect(seen).toEqual(["up", "up", "degraded"]);
  });
});

describe("a clock", () => {
  test("an early job waits for its tick, one before a clock that was set back runs at once, one of another hour never", async () => {
    await using p = await startProbe();
    await using target = await startTarget();
    await p.put({ port: target.port });
    expect((await p.tick(0, -151)).result).toBe("late");
    expect(await p.view()).toBeUndefined();
    expect((await p.tick(0, -15)).result).toBe("checked");
    expect(p.state.slept).toBeGreaterThan(14_000);
    const { slept } = p.state;
    expect((await p.tick(1, -50)).result).toBe("checked");
    expect(p.state.slept).toBe(slept);
  });

  test("that was an hour ahead leaves neither views nor blocks that stand in the way", async () => {
    await using p = await startProbe();
    await using target = await startTarget();
    await p.put({ port: target.port });
    await p.tick(0);
    await target.set(false);
    for (let n = 360; n <= 372; n++) await p.tick(n);
    expect(await p.view()).toMatchObject({ health: "down", tick: p.at(360) });
    await target.set(true); // and the clock is right again
    expect((await p.tick(1)).result).toBe("checked");
    expect(await p.view()).toMatchObject({ health: "up", tick: p.at(1) });
    await target.set(false);
    await p.tick(359);
    expect(await p.tick(360)).toMatchObject({ result: "checked" });
    expect((await p.block(360))?.entries[0]?.bitCount).toBeLessThan(10);
    await p.tick(361);
    expect(await p.view()).toMatchObject({ health: "down" });
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

describe("a spot check", () => {
  let p: Awaited<ReturnType<typeof startProbe>>;
  beforeEach(async () => {
    p = await startProbe();
  });
  afterEach(() => p.stop());

  test("fills an empty view at once, and never replaces one", async () => {
    await using server = await serve(() => {});
    await p.put({ port: server.port });
    await p.spot([{ id: "m1", settingsVersion: 1 }]);
    const view = await p.view();
    expect(view?.health).toBe("up");
    expect(await p.block(0)).toBeUndefined();
    await server[Symbol.asyncDispose]();
    await p.spot([{ id: "m1", settingsVersion: 1 }]);
    await p.spot([
      { id: "m1", settingsVersion: 7 },
      { id: "nobody", settingsVersion: 1 },
    ]);
    expect(await p.view()).toEqual(view);
  });

  test("of many monitors waits with nobody's view for the slowest, and asks after each failure whether the location is offline", async () => {
    await using quick = await serve(() => {});
    await using silent = await serve(() => {});
    const { port: dead } = await refusedPort();
    const settings = { steps: [{ expect: { contains: "hello" } }] };
    await p.put({ id: "m1", port: quick.port });
    await p.put({ id: "m2", port: silent.port, settings, timeoutMs: 1500 });
    await p.put({ id: "m3", port: dead });
    const all = ["m1", "m2", "m3"].map((id) => ({ id, settingsVersion: 1 }));
    p.state.online = false;
    const spot = p.spot(all);
    while (!(await p.view("m1"))) await sleep(10);
    expect(await p.view("m2")).toBeUndefined();
    await spot;
    expect([await p.view("m2"), await p.view("m3")]).toEqual([undefined, undefined]);
    expect(p.state.asked).toBe(2);
    p.state.online = true;
    await p.spot(all);
    expect([(await p.view("m2"))?.reason, (await p.view("m3"))?.reason]).toEqual(["no-answer", "connection-refused"]);
  });
});

describe("a job", () => {
  test("of several shards: one that fails is repeated with the job, the others are done by then", async () => {
    let broken = "SHARD#10#1#a";
    await using p = await startProbe({
      intercept: ({ operation, body }) =>
        operation === "PutItem" && (body as { Item: { pk: { S: string } } }).Item.pk.S === broken
          ? "fail-before"
          : "proceed",
    });
    await using server = await serve(() => {});
    const shards = ["10#0", "10#1"];
    for (const [i, shard] of shards.entries())
      await p.put({ id: `m${i}`, port: server.port, shard, placements: [{ shard, fromTick: 0, toTick: null }] });
    await expect(p.job({ kind: "tick", shards, tick: p.at(0) })).rejects.toThrow();
    expect(p.state.results).toEqual(["checked"]);
    broken = "";
    await p.job({ kind: "tick", shards, tick: p.at(0) });
    expect(p.state.results.toSorted()).toEqual(["checked", "checked", "done"]);
    for (const shard of shards) expect((await p.history.latestBlock(shard, "a", p.at(0)))?.tick).toBe(p.at(0));
    expect((await p.view("m1"))?.health).toBe("up");
  });

  test("of timers touches those that have not changed since, and none twice", async () => {
    await using p = await startProbe();
    const dueAt = "2027-01-01T00:00:00.000Z";
    await p.put({});
    await p.setTimer("m1", dueAt);
    const timers = ["m1", "gone"].map((id) => ({ ...monitorKey(id), dueAt }));
    await p.job({ kind: "touch", timers });
    await p.job({ kind: "touch", timers });
    const [touched, ...others] = await p.views.membersById(["m1", "gone"]);
    expect(touched).toMatchObject({ revision: 2, lookBy: expect.any(String) });
    expect(touched).not.toHaveProperty("nextEvaluationAt");
    expect(others).toEqual([]);
  });

  test("of keys, as the version before queued it, brings up what is there", async () => {
    await using p = await startProbe();
    await p.put({});
    const former = { kind: "touch", keys: [monitorKey("m1"), monitorKey("gone")] } as unknown as Job;
    await p.job(former);
    expect(await p.views.membersById(["m1", "gone"])).toMatchObject([{ revision: 2, lookBy: expect.any(String) }]);
  });
});
