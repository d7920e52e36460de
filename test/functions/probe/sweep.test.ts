/** Sweeps of one location on real tables and real sockets: slices, their loss and repetition, and how a sweep ends. */
import { createServer, type Server } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { SweepTools } from "../../../functions/probe/sweep-slice.ts";
import { createProbe } from "../../../functions/probe/wiring.ts";
import { createEngine } from "../../../shared/engine/run.ts";
import { sweep } from "../../../shared/engine/sweep.ts";
import { DEFAULT_RETENTION } from "../../../shared/history/retention.ts";
import type { SweepJob } from "../../../shared/jobs.ts";
import type { Monitor } from "../../../shared/model.ts";
import { protocols } from "../../../shared/protocols/index.ts";
import { createHistoryStore } from "../../../shared/store/history.ts";
import { createSweepStore } from "../../../shared/store/sweeps.ts";
import { createViewStore } from "../../../shared/store/views.ts";
import { monitorOf, putMonitor } from "../../support/monitors.ts";
import { startTables } from "../../support/tables.ts";

/** An address of the loopback network on which nothing else listens. */
const HOST = "127.77.0.8";
const TICK = 1_800_000_000;
const SHARD = "3600#s0";
const SLICES = 2;

let tables: Awaited<ReturnType<typeof startTables>>;
let servers: Server[];
let nowSeconds: number;
/** What happens while a sweep waits between two looks. */
let meanwhile: () => void;
beforeEach(async () => {
  [servers, nowSeconds, meanwhile] = [[], TICK, () => {}];
  tables = await startTables();
  await put({});
});
afterEach(async () => {
  for (const server of servers) server.close();
  await tables.stop();
});

const put = (more: Partial<Monitor>) =>
  putMonitor(
    tables,
    monitorOf({
      protocol: "ports",
      host: HOST,
      port: 0,
      settings: { ports: "2300-2339" },
      intervalSeconds: 3_600,
      shard: SHARD,
      placements: [{ shard: SHARD, fromTick: 0, toTick: null }],
      ...more,
    }),
  );

const listen = async (port: number, host = HOST) => {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.end("SSH-2.0-test\r\n");
  });
  await new Promise<void>((resolve) => server.listen(port, host, resolve));
  servers.push(server);
  return server;
};

/** A process of its own, whose clock stands still but for what it does. */
const startProbe = (more: Partial<SweepTools> = {}, controlTargets: readonly string[] = []) => {
  const kind = more.kind ?? "local";
  const engine = createEngine({ location: { kind, families: ["ipv4"] }, protocols });
  const startedAt = Date.now();
  return createProbe({
    client: tables.client,
    tables: tables.tables,
    location: "a",
    engine,
    controlTargets,
    retention: DEFAULT_RETENTION,
    now: () => nowSeconds * 1000 + (Date.now() - startedAt),
    sleep: async () => meanwhile(),
    newId: () => String(Math.random()),
    unreadable: () => {},
    checked: () => {},
    sweepTools: {
      kind,
      port25: false,
      resolve: engine.resolve,
      sweep,
      rights: { targets: [], installation: "test" },
      ...more,
    },
  });
};

/** Runs a step of the sweep of a tick, so many seconds after it was due. */
const run = async (
  step: number,
  { tick = TICK, late = 1, more = {} as Partial<SweepJob>, probe = startProbe() } = {},
) => {
  nowSeconds = tick + 60 * step + late;
  const job = { id: "m1", settingsVersion: 1, shard: SHARD, tick, step, slices: SLICES, isAsked: false, ...more };
  await probe.job({ kind: "sweep", sweeps: [job] });
};
const wholeSweep = async (tick = TICK) => {
  for (const step of [0, 1, 2, 4]) await run(step, { tick });
};

const monitor = { id: "m1", location: "a" };
const sweeps = () => createSweepStore(tables.client, tables.tables.history);
const view = async () => (await createViewStore(tables.client, tables.tables.monitors).views(["m1"], "a")).get("m1");
const block = (tick = TICK) =>
  createHistoryStore(tables.client, tables.tables.history, { now: () => nowSeconds * 1000 }).latestBlock(
    SHARD,
    "a",
    tick,
  );
const openPorts = async () => (await view())?.facts?.values["ports.tcp"];

test("slices find what is open together; the end makes view, facts, block and record of it", async () => {
  for (const port of [2301, 2302, 2330]) await listen(port);
  await run(0);
  await run(1);
  expect((await sweeps().parts(monitor, TICK)).map(({ closedCount }) => closedCount).reduce((a, b) => a + b)).toBe(37);
  expect(await view()).toBeUndefined();
  await run(2);
  expect(await view()).toMatchObject({
    health: "up",
    state: "open",
    tick: TICK,
    message: `3 ports are open on ${HOST}: 2301 (ssh), 2302 (ssh), 2330 (ssh)`,
    facts: { checks: 3, values: { "ports.tcp": [{ value: "2301-2302,2330" }], "service.2301": [{ value: "ssh" }] } },
  });
  expect((await block())?.tick).toBe(TICK);
  expect(await sweeps().sweep(monitor, TICK)).toMatchObject({ openCount: 3, closedCount: 37, unmeasuredCount: 0 });
});

describe("no order, loss or repetition of steps does harm", () => {
  test("a slice that comes twice is run once, and the last look changes nothing", async () => {
    await listen(2301);
    await wholeSweep();
    const before = [await view(), await sweeps().sweep(monitor, TICK), await sweeps().parts(monitor, TICK)];
    const late = await listen(2302);
    await wholeSweep();
    expect([await view(), await sweeps().sweep(monitor, TICK), await sweeps().parts(monitor, TICK)]).toEqual(before);
    late.close();
  });

  test.each([0, 1])(
    "without slice %i the first look waits; the last one ends the sweep, and no fact moves",
    async (lost) => {
      await listen(2301);
      await wholeSweep();
      const known = (await view())?.facts;
      await listen(2302);
      const next = TICK + 3_600;
      for (const step of [0, 1].filter((one) => one !== lost)) await run(step, { tick: next });
      await run(2, { tick: next });
      expect(await sweeps().sweep(monitor, next)).toBeUndefined();
      await run(4, { tick: next });
      expect(await sweeps().sweep(monitor, next)).toMatchObject({ state: "unmeasured", reason: "cut-short" });
      expect((await view())?.facts).toEqual(known);
      expect((await block(next))?.tick).toBe(next);
      await wholeSweep(next + 3_600);
      expect(await openPorts()).toEqual([{ value: "2301-2302" }]);
    },
  );

  test("a slice that is more than 40 s late is lost: it would run beside the next one", async () => {
    await run(0, { late: 41 });
    expect(await sweeps().parts(monitor, TICK)).toEqual([]);
  });

  test("a run that died between the record and the view is made up for by the last look", async () => {
    await listen(2301);
    await run(0);
    await run(1);
    await sweeps().putSweep(monitor, {
      tick: TICK,
      startedAt: "",
      endedAt: "",
      settingsVersion: 1,
      state: "open",
      reason: null,
      message: "kept",
      hosts: { [HOST]: { open: "2301", services: {} } },
      addressCount: 1,
      openCount: 1,
      closedCount: 39,
      filteredCount: 0,
      unmeasuredCount: 0,
      answersEverywhere: [],
    });
    await run(4);
    expect(await view()).toMatchObject({ health: "up", message: "kept" });
  });

  test.each([
    ["changed", { settingsVersion: 2 }],
    ["paused", { paused: true }],
    ["deleted", { deletedAt: "2026-11-27T10:00:00.000Z" }],
  ])("nothing is swept for a monitor that was %s meanwhile", async (_what, more) => {
    await put(more);
    await wholeSweep();
    expect(await sweeps().parts(monitor, TICK)).toEqual([]);
    expect(await sweeps().sweep(monitor, TICK)).toBeUndefined();
  });
});

describe("ports that differ are looked at again", () => {
  test("one that opened for a moment is no change", async () => {
    await listen(2301);
    await wholeSweep();
    const short = await listen(2310);
    meanwhile = () => short.close();
    await wholeSweep(TICK + 3_600);
    expect(await openPorts()).toEqual([{ value: "2301" }]);
  });

  test("also after many sweeps that measured nothing", async () => {
    await listen(2301);
    await wholeSweep();
    for (let at = 1; at <= 12; at++) await run(4, { tick: TICK + at * 3_600 });
    const short = await listen(2310);
    meanwhile = () => short.close();
    await wholeSweep(TICK + 13 * 3_600);
    expect(await openPorts()).toEqual([{ value: "2301" }]);
  });

  test("one that was closed for a moment is no change", async () => {
    const server = await listen(2301);
    await wholeSweep();
    await new Promise((resolve) => server.close(resolve));
    meanwhile = () => void (server.listening || server.listen(2301, HOST));
    await wholeSweep(TICK + 3_600);
    expect(await openPorts()).toEqual([{ value: "2301" }]);
  });

  test("one that stays open, or closed, is", async () => {
    const server = await listen(2301);
    await wholeSweep();
    server.close();
    await listen(2310);
    await wholeSweep(TICK + 3_600);
    expect(await openPorts()).toEqual([{ value: "2310" }]);
    expect(await sweeps().sweep(monitor, TICK + 3_600)).toMatchObject({
      hosts: { [HOST]: { firstSeen: { [TICK + 3_600]: "2310" } } },
      closedPorts: [{ port: 2301, service: "ssh", firstSeen: TICK, lastSeen: TICK }],
    });
  });
});

test("a sweep that was asked for stores the view, and no block", async () => {
  await listen(2301);
  for (const step of [0, 1, 2]) await run(step, { more: { isAsked: true } });
  expect(await openPorts()).toEqual([{ value: "2301" }]);
  expect(await block()).toBeUndefined();
});

describe("permission is asked at every sweep", () => {
  test("what is not allowed is unmeasured, and nothing connects to it", async () => {
    await put({ host: "203.0.113.9" });
    for (const step of [0, 2]) await run(step);
    expect(await sweeps().sweep(monitor, TICK)).toMatchObject({
      state: "unmeasured",
      reason: "address-not-allowed",
      message: "203.0.113.9 may not be swept: it is not in sweepTargets of this installation",
    });
    expect((await view())?.facts).toBeUndefined();
  });

  test("the guard of addresses stands before it", async () => {
    const probe = startProbe({ kind: "public", rights: { targets: ["127.0.0.0/8"], installation: "test" } });
    for (const step of [0, 2]) await run(step, { probe });
    expect(await sweeps().sweep(monitor, TICK)).toMatchObject({
      reason: "address-not-allowed",
      message: `${HOST} not swept: ${HOST} is a loopback address, which this location does not connect to`,
    });
  });
});

test("a location that can connect to nothing has swept nothing, and learns no baseline from it", async () => {
  const probe = startProbe({
    sweep: async (targets, { found }) => {
      for (const target of targets) found(target, "unmeasured");
    },
  });
  for (const step of [0, 1, 2]) await run(step, { probe });
  expect(await sweeps().sweep(monitor, TICK)).toMatchObject({
    state: "unmeasured",
    reason: "no-route",
    message: "not swept: 40 of 40 attempts could not be made from here",
  });
  expect(await view()).toBeUndefined();
});

test("a host that accepts connections on every port shows nothing, and what was known of it stays", async () => {
  await put({ settings: { ports: "2300-2339", identify: false } });
  await listen(2301);
  await wholeSweep();
  const probe = startProbe({
    sweep: async (targets, { found }) => {
      for (const target of targets) found(target, "open");
    },
  });
  for (const step of [0, 1, 2]) await run(step, { tick: TICK + 3_600, probe });
  expect(await sweeps().sweep(monitor, TICK + 3_600)).toMatchObject({
    state: "unmeasured",
    reason: "answers-everywhere",
    answersEverywhere: [HOST],
  });
  expect(await openPorts()).toEqual([{ value: "2301" }]);
});

/** Ports that these connections find open; all others are closed, or filtered. */
const finding =
  (isOpen: (port: number) => boolean, otherwise: "closed" | "filtered" = "closed"): SweepTools["sweep"] =>
  async (targets, { found }) => {
    for (const target of targets) found(target, isOpen(target.port) ? "open" : otherwise);
  };

test("what a slice saw while this location's own network was down is no baseline", async () => {
  await listen(2301);
  const offline = startProbe({ sweep: finding(() => false, "filtered") }, ["name.invalid:1"]);
  await run(0, { probe: offline });
  for (const step of [1, 2]) await run(step);
  expect(await sweeps().sweep(monitor, TICK)).toMatchObject({ state: "unmeasured", reason: "no-route" });
  expect(await view()).toBeUndefined();
});

test("of more differences than there is time to look at, the others wait for the next sweep", async () => {
  await put({ settings: { ports: "2000-3999", identify: false } });
  const usual = startProbe({ sweep: finding((port) => port >= 2_000 && port < 4_000 && port % 3 === 0) });
  const lost = startProbe({ sweep: finding(() => false, "filtered") });
  for (const step of [0, 1, 2]) await run(step, { probe: usual });
  const known = await openPorts();
  for (const [step, probe] of [lost, lost, usual].entries()) await run(step, { tick: TICK + 3_600, probe });
  expect(await sweeps().sweep(monitor, TICK + 3_600)).toMatchObject({ openCount: 667 });
  expect(await openPorts()).toEqual(known);
});

test("a network of hostile addresses, each with thousands of ports, leaves a record that has room", async () => {
  await put({ host: "127.77.1.0/28", settings: { ports: "1-65535", identify: false } });
  const probe = startProbe({ sweep: finding((port) => port % 3 === 0) });
  const more = { slices: 4 };
  for (const step of [0, 1, 2, 3, 4]) await run(step, { probe, more });
  const record = await sweeps().sweep(monitor, TICK);
  expect(record).toMatchObject({ state: "open", addressCount: 16 });
  expect(record!.answersEverywhere.length).toBeGreaterThan(10);
});

test("suspected addresses that there is no time to try show nothing", async () => {
  await put({ settings: { ports: "2300-2339", identify: false } });
  await listen(2301);
  await wholeSweep();
  const probe = startProbe({
    sweep: async (targets, { found }) => {
      for (const target of targets) found(target, target.port >= 2_300 && target.port < 2_340 ? "open" : "unmeasured");
    },
  });
  for (const step of [0, 1, 2]) await run(step, { tick: TICK + 3_600, probe });
  expect(await sweeps().sweep(monitor, TICK + 3_600)).toMatchObject({ reason: "answers-everywhere" });
  expect(await openPorts()).toEqual([{ value: "2301" }]);
});

test("slices of former settings are none of the sweep", async () => {
  await listen(2301);
  for (const step of [0, 1]) await run(step);
  await put({ settings: { ports: "2302" }, settingsVersion: 2 });
  await run(4, { more: { settingsVersion: 2 } });
  expect(await sweeps().sweep(monitor, TICK)).toMatchObject({ reason: "cut-short", settingsVersion: 2 });
});

test("a sweep that was asked for and fails is one failure: thresholds hold", async () => {
  const settings = { host: "swept.example", failureThreshold: 2 };
  await put(settings);
  const rights = { targets: ["swept.example"], installation: "test" };
  const resolving = (answer: Awaited<ReturnType<SweepTools["resolve"]>>) =>
    startProbe({ resolve: async () => answer, rights });
  const found = resolving({ addresses: [{ address: HOST, family: "ipv4" }] } as never);
  for (const step of [0, 1, 2]) await run(step, { probe: found });
  const isUp = { health: "up", tick: TICK };
  expect(await view()).toMatchObject(isUp);
  const broken = resolving({ state: "unresolved", reason: "name-not-found", message: "it does not exist" } as never);
  for (const step of [0, 2]) await run(step, { tick: TICK + 600, probe: broken, more: { isAsked: true } });
  expect(await sweeps().sweep(monitor, TICK + 600)).toMatchObject({ reason: "name-not-found" });
  expect(await view()).toMatchObject(isUp);
});
