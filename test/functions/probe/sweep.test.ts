/** Sweeps of one location on real tables and real sockets: slices, their loss and repetition, and how a sweep ends. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { SweepTools } from "../../../functions/probe/sweep-slice.ts";
import { withSightings } from "../../../shared/rules/port-sightings.ts";
import { beyondRoom, MOST_SERVICES, putTogether } from "../../../shared/rules/sweep-findings.ts";
import { HOST, SWEPT as monitor, type Sweeping, startSweeping, TICK } from "./sweeping.ts";

let at: Sweeping;
beforeEach(async () => {
  at = await startSweeping();
});
afterEach(() => at.stop());

test("slices find what is open together; the end makes view, facts, block and record of it", async () => {
  for (const port of [2301, 2302, 2330]) await at.listen(port);
  await at.run(0);
  await at.run(1);
  expect((await at.sweeps.parts(monitor, TICK)).map(({ closedCount }) => closedCount).reduce((a, b) => a + b)).toBe(37);
  expect(await at.view()).toBeUndefined();
  await at.run(2);
  expect(await at.view()).toMatchObject({
    health: "up",
    state: "open",
    tick: TICK,
    message: `3 ports are open on ${HOST}: 2301 (ssh), 2302 (ssh), 2330 (ssh)`,
    facts: { checks: 3, values: { "ports.tcp": [{ value: "2301-2302,2330" }], "service.2301": [{ value: "ssh" }] } },
  });
  expect((await at.block())?.tick).toBe(TICK);
  expect(await at.sweeps.sweep(monitor, TICK)).toMatchObject({ openCount: 3, closedCount: 37, unmeasuredCount: 0 });
});

describe("no order, loss or repetition of steps does harm", () => {
  test("a slice that comes twice is run once, and the last look changes nothing", async () => {
    await at.listen(2301);
    await at.wholeSweep();
    const before = [await at.view(), await at.sweeps.sweep(monitor, TICK), await at.sweeps.parts(monitor, TICK)];
    const late = await at.listen(2302);
    await at.wholeSweep();
    expect([await at.view(), await at.sweeps.sweep(monitor, TICK), await at.sweeps.parts(monitor, TICK)]).toEqual(
      before,
    );
    late.close();
  });

  test.each([0, 1])(
    "without slice %i the first look waits; the last one ends the sweep, and no fact moves",
    async (lost) => {
      await at.listen(2301);
      await at.wholeSweep();
      const known = (await at.view())?.facts;
      await at.listen(2302);
      const next = TICK + 3_600;
      for (const step of [0, 1].filter((one) => one !== lost)) await at.run(step, { tick: next });
      await at.run(2, { tick: next });
      expect(await at.sweeps.sweep(monitor, next)).toBeUndefined();
      await at.run(4, { tick: next });
      expect(await at.sweeps.sweep(monitor, next)).toMatchObject({ state: "unmeasured", reason: "cut-short" });
      expect((await at.view())?.facts).toEqual(known);
      expect((await at.block(next))?.tick).toBe(next);
      await at.wholeSweep(next + 3_600);
      expect(await at.openPorts()).toEqual([{ value: "2301-2302" }]);
    },
  );

  test("a slice that is more than 40 s late is lost: it would run beside the next one", async () => {
    await at.run(0, { late: 41 });
    expect(await at.sweeps.parts(monitor, TICK)).toEqual([]);
  });

  test("a run that died between the record and the view is made up for by the last look", async () => {
    await at.listen(2301);
    await at.run(0);
    await at.run(1);
    await at.sweeps.putSweep(monitor, {
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
    await at.run(4);
    expect(await at.view()).toMatchObject({ health: "up", message: "kept" });
  });

  test.each([
    ["changed", { settingsVersion: 2 }],
    ["paused", { paused: true }],
    ["deleted", { deletedAt: "2026-11-27T10:00:00.000Z" }],
  ])("nothing is swept for a monitor that was %s meanwhile", async (_what, more) => {
    await at.put(more);
    await at.wholeSweep();
    expect(await at.sweeps.parts(monitor, TICK)).toEqual([]);
    expect(await at.sweeps.sweep(monitor, TICK)).toBeUndefined();
  });
});

describe("ports that differ are looked at again", () => {
  test("one that opened for a moment is no change", async () => {
    await at.listen(2301);
    await at.wholeSweep();
    const short = await at.listen(2310);
    at.pauses.meanwhile = () => short.close();
    await at.wholeSweep(TICK + 3_600);
    expect(await at.openPorts()).toEqual([{ value: "2301" }]);
  });

  test("also after many sweeps that measured nothing", async () => {
    await at.listen(2301);
    await at.wholeSweep();
    for (let hour = 1; hour <= 12; hour++) await at.run(4, { tick: TICK + hour * 3_600 });
    const short = await at.listen(2310);
    at.pauses.meanwhile = () => short.close();
    await at.wholeSweep(TICK + 13 * 3_600);
    expect(await at.openPorts()).toEqual([{ value: "2301" }]);
  });

  test("one that was closed for a moment is no change", async () => {
    const server = await at.listen(2301);
    await at.wholeSweep();
    await new Promise((resolve) => server.close(resolve));
    at.pauses.meanwhile = () => void (server.listening || server.listen(2301, HOST));
    await at.wholeSweep(TICK + 3_600);
    expect(await at.openPorts()).toEqual([{ value: "2301" }]);
  });

  test("one that stays open, or closed, is", async () => {
    const server = await at.listen(2301);
    await at.wholeSweep();
    server.close();
    await at.listen(2310);
    await at.wholeSweep(TICK + 3_600);
    expect(await at.openPorts()).toEqual([{ value: "2310" }]);
    expect(await at.sweeps.sweep(monitor, TICK + 3_600)).toMatchObject({
      hosts: { [HOST]: { firstSeen: { [TICK + 3_600]: "2310" } } },
      closedPorts: [{ port: 2301, service: "ssh", firstSeen: TICK, lastSeen: TICK }],
    });
  });
});

test("a sweep that was asked for stores the view, and no block", async () => {
  await at.listen(2301);
  for (const step of [0, 1, 2]) await at.run(step, { more: { isAsked: true } });
  expect(await at.openPorts()).toEqual([{ value: "2301" }]);
  expect(await at.block()).toBeUndefined();
});

describe("permission is asked at every sweep", () => {
  test("what is not allowed is unmeasured, and nothing connects to it", async () => {
    await at.put({ host: "203.0.113.9" });
    for (const step of [0, 2]) await at.run(step);
    expect(await at.sweeps.sweep(monitor, TICK)).toMatchObject({
      state: "unmeasured",
      reason: "address-not-allowed",
      message: "203.0.113.9 may not be swept: it is not in sweepTargets of this installation",
    });
    expect((await at.view())?.facts).toBeUndefined();
  });

  test("the guard of addresses stands before it", async () => {
    const probe = at.startProbe({ kind: "public", rights: { targets: ["127.0.0.0/8"], installation: "test" } });
    for (const step of [0, 2]) await at.run(step, { probe });
    expect(await at.sweeps.sweep(monitor, TICK)).toMatchObject({
      reason: "address-not-allowed",
      message: `${HOST} not swept: ${HOST} is a loopback address, which this location does not connect to`,
    });
  });
});

test("a location that can connect to nothing has swept nothing, and learns no baseline from it", async () => {
  const probe = at.startProbe({
    sweep: async (targets, { found }) => {
      for (const target of targets) found(target, "unmeasured");
    },
  });
  for (const step of [0, 1, 2]) await at.run(step, { probe });
  expect(await at.sweeps.sweep(monitor, TICK)).toMatchObject({
    state: "unmeasured",
    reason: "no-route",
    message: "not swept: 40 of 40 attempts could not be made from here",
  });
  expect(await at.view()).toBeUndefined();
});

test("a host that accepts connections on every port shows nothing, and what was known of it stays", async () => {
  await at.put({ settings: { ports: "2300-2339", identify: false } });
  await at.listen(2301);
  await at.wholeSweep();
  const probe = at.startProbe({
    sweep: async (targets, { found }) => {
      for (const target of targets) found(target, "open");
    },
  });
  for (const step of [0, 1, 2]) await at.run(step, { tick: TICK + 3_600, probe });
  expect(await at.sweeps.sweep(monitor, TICK + 3_600)).toMatchObject({
    state: "unmeasured",
    reason: "answers-everywhere",
    answersEverywhere: [HOST],
  });
  expect(await at.openPorts()).toEqual([{ value: "2301" }]);
});

/** Ports that these connections find open; all others are closed, or filtered. */
const finding =
  (isOpen: (port: number) => boolean, otherwise: "closed" | "filtered" = "closed"): SweepTools["sweep"] =>
  async (targets, { found }) => {
    for (const target of targets) found(target, isOpen(target.port) ? "open" : otherwise);
  };

test("what a slice saw while this location's own network was down is no baseline", async () => {
  await at.listen(2301);
  const offline = at.startProbe({ sweep: finding(() => false, "filtered") }, ["name.invalid:1"]);
  await at.run(0, { probe: offline });
  for (const step of [1, 2]) await at.run(step);
  expect(await at.sweeps.sweep(monitor, TICK)).toMatchObject({ state: "unmeasured", reason: "no-route" });
  expect(await at.view()).toBeUndefined();
});

test.each([
  ["the first sweep", {}, {}],
  ["a sweep of ports that nobody had looked at", { settings: { ports: "2330-2339" } }, { settingsVersion: 2 }],
])("a port that %s misses because of a lost packet is not told as newly open by the next", async (_, before, after) => {
  await at.put(before);
  if (Object.keys(before).length > 0) await at.wholeSweep(TICK - 3_600);
  await at.put(after);
  const usual = at.startProbe({ sweep: finding((port) => port === 2_301) });
  const lost = at.startProbe({ sweep: finding(() => false, "filtered") });
  for (const [step, probe] of [lost, lost, usual].entries()) await at.run(step, { probe, more: after });
  expect(await at.openPorts()).toEqual([{ value: "2301" }]);
});

test("of more differences than there is time to look at, the others wait for the next sweep", async () => {
  await at.put({ settings: { ports: "2000-3999", identify: false } });
  const usual = at.startProbe({ sweep: finding((port) => port >= 2_000 && port < 4_000 && port % 3 === 0) });
  const lost = at.startProbe({ sweep: finding(() => false, "filtered") });
  for (const step of [0, 1, 2]) await at.run(step, { probe: usual });
  const known = await at.openPorts();
  for (const [step, probe] of [lost, lost, usual].entries()) await at.run(step, { tick: TICK + 3_600, probe });
  expect(await at.sweeps.sweep(monitor, TICK + 3_600)).toMatchObject({ openCount: 667 });
  expect(await at.openPorts()).toEqual(known);
});

test("the largest network's record has room too, with what answers and when each port was seen", async () => {
  const addresses = Array.from({ length: 1_024 }, (_, place) => `100.64.${100 + (place >> 8)}.${place & 255}`);
  // As many as raise no suspicion, and no two in a row.
  const ports = Array.from({ length: 31 }, (_, place) => 50_001 + 2 * place);
  const open = new Map(addresses.map((address) => [address, new Set(ports)]));
  const parts = { slice: 0, settingsVersion: 1, startedAt: "", endedAt: "", addresses, open: {}, unmeasured: {} };
  const swept = { ...putTogether([{ ...parts, closedCount: 0, filteredCount: 0 }], ports), open };
  const leftOut = new Set(beyondRoom(swept));
  let room = MOST_SERVICES;
  const hosts = Object.fromEntries(
    addresses
      .filter((address) => !leftOut.has(address))
      .map((address) => {
        const known = ports.slice(0, Math.max(0, room));
        room -= known.length;
        return [
          address,
          { open: ports.join(","), services: Object.fromEntries(known.map((port) => [port, "closes-at-once"])) },
        ];
      }),
  );
  const look = { isSeen: () => false, isWatched: () => true };
  const first = withSightings({ tick: TICK - 3_600, hosts }, undefined, look);
  const later = withSightings({ tick: TICK, hosts }, { tick: TICK - 3_600, ...first }, look);
  expect(room).toBe(0);
  expect(
    await at.sweeps.putSweep(monitor, {
      tick: TICK,
      startedAt: new Date().toISOString(),
      endedAt: new Date().toISOString(),
      settingsVersion: 1,
      state: "open",
      reason: null,
      message: "x".repeat(500),
      ...later,
      silent: "",
      sinceFull: 6,
      addressCount: 1_024,
      openCount: 15_000,
      closedCount: 65_535,
      filteredCount: 65_535,
      unmeasuredCount: 65_535,
      answersEverywhere: [...leftOut],
    }),
  ).toBe(true);
});

test("once it is known of as many ports as have room what answers, no further ones are asked", async () => {
  await at.listen(2301);
  const last = 9_999 + MOST_SERVICES;
  await at.put({ settings: { ports: `2300-2339,10000-${last}` } });
  const probe = at.startProbe({ sweep: finding((port) => port === 2_301 || (port >= 10_000 && port <= last)) });
  const known = Object.fromEntries(Array.from({ length: MOST_SERVICES }, (_, place) => [10_000 + place, "http"]));
  await at.sweeps.putSweep(monitor, {
    tick: TICK - 3_600,
    startedAt: "",
    endedAt: "",
    settingsVersion: 1,
    state: "open",
    reason: null,
    message: "",
    hosts: { [HOST]: { open: `10000-${last}`, services: known } },
    addressCount: 1,
    openCount: MOST_SERVICES,
    closedCount: 40,
    filteredCount: 0,
    unmeasuredCount: 0,
    answersEverywhere: [],
  });
  for (const step of [0, 1, 2, 3, 4]) await at.run(step, { probe, more: { slices: 4 } });
  const host = (await at.sweeps.sweep(monitor, TICK))?.hosts?.[HOST];
  expect(host?.open).toBe(`2301,10000-${last}`);
  expect(host?.services).toEqual(known);
});

test("a network of hostile addresses, each with thousands of ports, leaves a record that has room", async () => {
  await at.put({ host: "127.77.1.0/28", settings: { ports: "1-65535", identify: false } });
  const probe = at.startProbe({ sweep: finding((port) => port % 3 === 0) });
  const more = { slices: 4 };
  for (const step of [0, 1, 2, 3, 4]) await at.run(step, { probe, more });
  const record = await at.sweeps.sweep(monitor, TICK);
  expect(record).toMatchObject({ state: "open", addressCount: 16 });
  expect(record!.answersEverywhere.length).toBeGreaterThan(10);
});

test("suspected addresses that there is no time to try show nothing", async () => {
  await at.put({ settings: { ports: "2300-2339", identify: false } });
  await at.listen(2301);
  await at.wholeSweep();
  const probe = at.startProbe({
    sweep: async (targets, { found }) => {
      for (const target of targets) found(target, target.port >= 2_300 && target.port < 2_340 ? "open" : "unmeasured");
    },
  });
  for (const step of [0, 1, 2]) await at.run(step, { tick: TICK + 3_600, probe });
  expect(await at.sweeps.sweep(monitor, TICK + 3_600)).toMatchObject({ reason: "answers-everywhere" });
  expect(await at.openPorts()).toEqual([{ value: "2301" }]);
});

test("slices of former settings are none of the sweep", async () => {
  await at.listen(2301);
  for (const step of [0, 1]) await at.run(step);
  await at.put({ settings: { ports: "2302" }, settingsVersion: 2 });
  await at.run(4, { more: { settingsVersion: 2 } });
  expect(await at.sweeps.sweep(monitor, TICK)).toMatchObject({ reason: "cut-short", settingsVersion: 2 });
});

test("a sweep that was asked for and fails is one failure: thresholds hold", async () => {
  const settings = { host: "swept.example", failureThreshold: 2 };
  await at.put(settings);
  const rights = { targets: ["swept.example"], installation: "test" };
  const resolving = (answer: Awaited<ReturnType<SweepTools["resolve"]>>) =>
    at.startProbe({ resolve: async () => answer, rights });
  const found = resolving({ addresses: [{ address: HOST, family: "ipv4" }] } as never);
  for (const step of [0, 1, 2]) await at.run(step, { probe: found });
  const isUp = { health: "up", tick: TICK };
  expect(await at.view()).toMatchObject(isUp);
  const broken = resolving({ state: "unresolved", reason: "name-not-found", message: "it does not exist" } as never);
  for (const step of [0, 2]) await at.run(step, { tick: TICK + 600, probe: broken, more: { isAsked: true } });
  expect(await at.sweeps.sweep(monitor, TICK + 600)).toMatchObject({ reason: "name-not-found" });
  expect(await at.view()).toMatchObject(isUp);
});
