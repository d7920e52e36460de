/** Monitors that sweep ports: who may have them, what is refused, and what was found. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { SweepRecord } from "../../../shared/rules/sweep-findings.ts";
import { createPlanningStore } from "../../../shared/store/planning.ts";
import { createSweepStore } from "../../../shared/store/sweeps.ts";
import { startEdge } from "./edge.ts";

let edge: Awaited<ReturnType<typeof startEdge>>;
const TICK = 1_795_809_600;
/** All calls are made at one moment. */
const NOW_SECONDS = TICK + 100_000;
beforeAll(async () => {
  edge = await startEdge();
  edge.clock.now = () => new Date(NOW_SECONDS * 1000);
});
afterAll(() => edge.stop());

const EDGE = { name: "Edge exposure", protocol: "ports", host: "93.184.216.0/28", locations: ["eu-west-1"] };
const create = (more: object = {}, token?: string) =>
  edge.call("POST", "/v1/monitors", { body: { ...EDGE, ...more }, ...(token !== undefined && { token }) });
const stored = () => edge.stored("monitors", "MONITOR#");

describe("creating one", () => {
  test("it has no port, a shard for itself, and is swept at once", async () => {
    const { status, body } = await create({ tags: { team: "a" } });
    expect([status, body.port, body.intervalSeconds]).toEqual([201, 0, 3_600]);
    // An interval, a minute of slices, the end, and the sending.
    expect(body.timeToAlertSeconds).toBe(3_600 + 60 + 55 + 3);
    const other = await create();
    const monitors = await Promise.all([body.id, other.body.id].map((id) => edge.stores.monitors.get(id)));
    expect(monitors.map((monitor) => monitor?.shard)).toEqual(["3600#s0", "3600#s1"]);
    const shard = await createPlanningStore(edge.client, edge.tables.monitors).shard("3600#s0");
    expect(shard?.askedTick).toBe(NOW_SECONDS);
    expect(shard!.phase % 60).toBe(0);
  });

  test.each([
    ["a network too wide", { host: "93.184.216.0/20" }, "host", /at most 1024 addresses .* got 4096/],
    ["half an address", { host: "93.184.216/24" }, "host", /not a URL/],
    [
      "ports that do not fit half the interval",
      { host: "93.184.216.5", settings: { ports: "1-65535", perSecond: 20 } },
      "intervalSeconds",
      /takes 66 min, and must fit into half the interval of 60 min/,
    ],
    [
      "an interval too short",
      { intervalSeconds: 60, settings: { ports: "22" } },
      "intervalSeconds",
      /at least 300 for a sweep of 16 attempts/,
    ],
    ["a port of its own", { port: 22 }, "port", /must be left out: ports has its ports in settings.ports/],
    ["ports that are none", { settings: { ports: "22-" } }, "settings.ports", /"22-" is neither a port nor a range/],
    [
      "an expected port that is not looked at",
      { settings: { ports: "22", expected: "23" } },
      "settings.expected",
      /must be among the ports: 23/,
    ],
    [
      "UDP ports that nothing here can ask",
      { settings: { ports: "22", udp: "53,514" } },
      "settings.udp",
      /no protocol in which to ask 514 over UDP; there is for 53 \(dns\), 69 \(tftp\), 123 \(ntp\)/,
    ],
    ["many UDP ports", { settings: { udp: "1-51" } }, "settings.udp", /must be at most 50 ports/],
    ["down without what is expected", { settings: { expectedDown: true } }, "settings.expectedDown", /needs expected/],
    [
      "an address that the location may not reach",
      { host: "10.0.0.0/28" },
      "host",
      /private address, which the public location eu-west-1 may not reach/,
    ],
  ])("%s is refused with what is wrong, and nothing is stored", async (_what, more, path, message) => {
    const before = await stored();
    const { status, body } = await create(more);
    expect([status, body.code, body.errors?.[0]?.path]).toEqual([422, "invalid-input", path]);
    expect(body.errors[0].message).toMatch(message);
    expect(await stored()).toEqual(before);
  });

  test("a network is no host of other protocols, and port 0 no port of theirs", async () => {
    const { body } = await create({ protocol: "tcp", port: 0 });
    expect(body.errors.map(({ path }: { path: string }) => path)).toEqual(["port", "host"]);
  });

  test.each(["deploy", "write"] as const)("a token with %s may not, whatever is to be swept", async (scope) => {
    const before = await stored();
    const { status, body } = await create({}, await edge.tokenWith(scope));
    expect([status, body.code]).toEqual([403, "missing-scope"]);
    expect(await stored()).toEqual(before);
  });

  test("a target without permission is refused, and the answer says which record would allow it", async () => {
    const { status, body } = await create({ host: "nothing.invalid" });
    expect([status, body.code]).toEqual([403, "sweep-not-allowed"]);
    expect(body.detail).toMatch(/the TXT record _harborlight\.nothing\.invalid is not "harborlight=[0-9a-f]{32}"/);
    expect((await create({ host: "93.184.216.16" })).body.code).toBe("sweep-not-allowed");
  });

  test("more than one probe has time for is refused with the figures, and a pause makes room", async () => {
    const busy = { host: "93.184.216.0/29", settings: { ports: "1-65535" }, locations: ["inside"] };
    const first = () =>
      edge.call("POST", "/v1/monitors", { body: { ...EDGE, ...busy }, headers: { "idempotency-key": "busy" } });
    const made: string[] = [(await first()).body.id];
    let refused: Awaited<ReturnType<typeof create>> | undefined;
    for (let at = 0; at < 9 && !refused; at++) {
      const answer = await create(busy);
      if (answer.status === 201) made.push(answer.body.id);
      else refused = answer;
    }
    expect([refused?.status, refused?.body.code]).toEqual([403, "sweep-not-allowed"]);
    expect(refused?.body.detail).toMatch(
      /^sweeps take \d+ % of the time of one probe at inside, and this one would take \d+ % more/,
    );
    // What is sent again makes nothing.
    expect(await first()).toMatchObject({ status: 201, body: { id: made[0] } });
    await edge.call("POST", `/v1/monitors/${made[0]}/pause`);
    const filled = await create(busy);
    expect(filled.status).toBe(201);
    // What was paused has no room any more.
    expect((await edge.call("POST", `/v1/monitors/${made[0]}/resume`)).body.code).toBe("sweep-not-allowed");
    for (const id of [...made, filled.body.id]) await edge.call("DELETE", `/v1/monitors/${id}`);
  });

  test("settings cannot be tried: a sweep takes minutes", async () => {
    const { status, body } = await edge.call("POST", "/v1/checks", { body: EDGE });
    expect([status, body.errors[0].path]).toEqual([422, "protocol"]);
  });
});

describe("changing one", () => {
  test("what is swept, and how often, needs the scope admin; names and pauses do not", async () => {
    const { id } = (await create({ intervalSeconds: 21_600 })).body;
    const token = await edge.tokenWith("deploy");
    const patch = (body: object, as?: string) =>
      edge.call("PATCH", `/v1/monitors/${id}`, { body, ...(as !== undefined && { token: as }) });
    expect((await patch({ settings: { ports: "1-2000" } }, token)).body.code).toBe("missing-scope");
    expect((await patch({ intervalSeconds: 3_600 }, token)).body.code).toBe("missing-scope");
    expect((await patch({ name: "Other" }, token)).status).toBe(200);
    expect((await edge.call("POST", `/v1/monitors/${id}/pause`, { token })).status).toBe(200);
    const bulk = { action: "update", ids: [id], change: { settings: { ports: "1-2000" } } };
    expect((await edge.call("POST", "/v1/monitors/bulk", { body: bulk, token })).body.failed[0].code).toBe(
      "missing-scope",
    );
    expect((await patch({ host: "93.184.217.1" })).body.code).toBe("sweep-not-allowed");
    expect((await patch({ settings: { ports: "1-2000" } })).status).toBe(200);
  });

  test("a list with one needs it too", async () => {
    const body = { monitors: [{ ...EDGE, key: "edge" }] };
    const token = await edge.tokenWith("deploy");
    expect((await edge.call("PUT", "/v1/monitors", { body, token })).body.code).toBe("missing-scope");
    const applied = await edge.call("PUT", "/v1/monitors", { body });
    expect(applied.body.created).toHaveLength(1);
    expect((await edge.stores.monitors.get(applied.body.created[0].id))?.shard).toMatch(/^3600#s\d+$/);
    expect((await edge.call("PUT", "/v1/monitors", { body, token })).body.unchanged).toHaveLength(1);
  });
});

test("the monitors of a list count together", async () => {
  const before = await stored();
  const listed = (count: number, more: object) =>
    edge.call("PUT", "/v1/monitors", {
      body: { monitors: Array.from({ length: count }, (_, at) => ({ ...EDGE, ...more, key: `many-${at}` })) },
    });
  expect((await listed(101, { intervalSeconds: 86_400, settings: { ports: "22" } })).body.code).toBe(
    "sweep-not-allowed",
  );
  const busy = { host: "93.184.216.0/29", settings: { ports: "1-65535" } };
  expect((await listed(9, busy)).body.detail).toMatch(/^sweeps take \d+ % of the time of one probe at eu-west-1/);
  expect(await stored()).toEqual(before);
});

test("a check begins a sweep, unless the monitor is paused", async () => {
  const { id } = (await create()).body;
  const started = await edge.call("POST", `/v1/monitors/${id}/check`);
  expect([started.status, started.body]).toEqual([202, { tick: NOW_SECONDS }]);
  await edge.call("POST", `/v1/monitors/${id}/pause`);
  expect((await edge.call("POST", `/v1/monitors/${id}/check`)).body.code).toBe("paused");
});

const record = (tick: number, open: string): SweepRecord => ({
  tick,
  startedAt: new Date(tick * 1000).toISOString(),
  endedAt: new Date((tick + 70) * 1000).toISOString(),
  settingsVersion: 1,
  state: "open",
  reason: null,
  message: `open: ${open}`,
  hosts: { "93.184.216.5": { open, services: { 22: "ssh" } } },
  addressCount: 16,
  openCount: open.split(",").length,
  closedCount: 100,
  filteredCount: 7,
  unmeasuredCount: 0,
  answersEverywhere: [],
});

describe("what was found", () => {
  let id: string;
  beforeAll(async () => {
    ({ id } = (await create({ locations: ["eu-west-1"], tags: { team: "a" } })).body);
    const sweeps = createSweepStore(edge.client, edge.tables.history);
    for (const [at, open] of ["22", "22,80", "22,80,443", "443"].entries())
      await sweeps.putSweep({ id, location: "eu-west-1" }, record(TICK + at * 3_600, open));
  });

  test("sweeps are listed, newest first, page by page", async () => {
    const first = await edge.call("GET", `/v1/monitors/${id}/sweeps?limit=3`);
    expect(first.body.items.map(({ message }: { message: string }) => message)).toEqual([
      "open: 443",
      "open: 22,80,443",
      "open: 22,80",
    ]);
    expect(first.body.items[0]).toMatchObject({
      location: "eu-west-1",
      addresses: 16,
      open: 1,
      closed: 100,
      filtered: 7,
    });
    const second = await edge.call("GET", `/v1/monitors/${id}/sweeps?limit=3&cursor=${first.body.nextCursor}`);
    expect([second.body.items.length, second.body.nextCursor]).toEqual([1, null]);
  });

  test("one sweep has its open ports, with what answered there", async () => {
    const { body } = await edge.call("GET", `/v1/monitors/${id}/sweeps/${TICK + 3_600}`);
    expect(body).toMatchObject({
      openPorts: [
        { address: "93.184.216.5", port: 22, service: "ssh" },
        { address: "93.184.216.5", port: 80, service: null },
      ],
      closedPorts: [],
    });
  });

  test("each port has when it was first and last seen, closed ones too; a sweep of an earlier version does not know", async () => {
    const at = (tick: number) => new Date(tick * 1000).toISOString();
    const tick = TICK + 5 * 3_600;
    const address = "93.184.216.5";
    await createSweepStore(edge.client, edge.tables.history).putSweep(
      { id, location: "eu-west-1" },
      {
        ...record(tick, "22,80"),
        hosts: {
          [address]: { open: "22,80", services: {}, firstSeen: { [TICK]: "22,80" }, lastSeen: { [TICK + 60]: "80" } },
        },
        closedPorts: [{ address, port: 443, service: "https", firstSeen: TICK, lastSeen: TICK + 7_200 }],
        udp: {
          hosts: { [address]: { open: "53", services: { 53: "dns" }, firstSeen: { [TICK]: "53" } } },
          closedPorts: [{ address, port: 161, service: "snmp", firstSeen: TICK, lastSeen: TICK + 9_000 }],
        },
      },
    );
    const { body } = await edge.call("GET", `/v1/monitors/${id}/sweeps/${tick}`);
    const seen = (one: { port: number; firstSeenAt: string; lastSeenAt: string }) => [
      one.port,
      one.firstSeenAt,
      one.lastSeenAt,
    ];
    expect(body.openPorts.map(seen)).toEqual([
      [22, at(TICK), at(tick)],
      [80, at(TICK), at(TICK + 60)],
      [53, at(TICK), at(tick)],
    ]);
    expect(body.openPorts.at(-1)).toMatchObject({ transport: "udp", service: "dns" });
    expect(body.closedPorts.map(seen)).toEqual([
      [161, at(TICK), at(TICK + 9_000)],
      [443, at(TICK), at(TICK + 7_200)],
    ]);
    const { body: diff } = await edge.call("GET", `/v1/monitors/${id}/sweeps/${TICK}/diff/${tick}`);
    expect(diff.opened.map(({ port, transport }: { port: number; transport: string }) => [port, transport])).toEqual([
      [80, "tcp"],
      [53, "udp"],
    ]);
    const earlier = await edge.call("GET", `/v1/monitors/${id}/sweeps/${TICK}`);
    expect(earlier.body.openPorts.map(seen)).toEqual([[22, null, at(TICK)]]);
  });

  test("two are compared", async () => {
    const { body } = await edge.call("GET", `/v1/monitors/${id}/sweeps/${TICK + 3_600}/diff/${TICK + 3 * 3_600}`);
    expect([body.opened, body.closed].map((ports) => ports.map(({ port }: { port: number }) => port))).toEqual([
      [443],
      [22, 80],
    ]);
  });

  test("a sweep that measured nothing is not compared: its ports are not closed", async () => {
    const { id: other } = (await create({ locations: ["eu-west-1"] })).body;
    const { hosts: _none, ...unmeasured } = record(TICK + 3_600, "");
    const sweeps = createSweepStore(edge.client, edge.tables.history);
    await sweeps.putSweep({ id: other, location: "eu-west-1" }, record(TICK, "22"));
    await sweeps.putSweep({ id: other, location: "eu-west-1" }, { ...unmeasured, state: "unmeasured" });
    const answer = await edge.call("GET", `/v1/monitors/${other}/sweeps/${TICK}/diff/${TICK + 3_600}`);
    expect([answer.status, answer.body.code]).toEqual([409, "not-active"]);
  });

  test.each(["123", "nothing", String(TICK + 1)])("there is no sweep %s", async (tick) => {
    expect((await edge.call("GET", `/v1/monitors/${id}/sweeps/${tick}`)).status).toBe(404);
    expect((await edge.call("GET", `/v1/monitors/${id}/sweeps/${TICK}/diff/${tick}`)).status).toBe(404);
  });

  test("a token limited to other tags sees none of it", async () => {
    const limited = await edge.call("POST", "/v1/tokens", {
      body: { name: "b", scopes: ["read"], monitorTags: ["team=b"] },
    });
    for (const path of ["", `/${TICK}`, `/${TICK}/diff/${TICK + 3_600}`])
      expect((await edge.call("GET", `/v1/monitors/${id}/sweeps${path}`, { token: limited.body.token })).status).toBe(
        404,
      );
  });
});

test("a check while one is under way begins none beside it, which would connect twice as fast", async () => {
  const { id } = (await create()).body;
  const check = async (seconds: number) => {
    edge.clock.now = () => new Date((NOW_SECONDS + seconds) * 1000);
    return (await edge.call("POST", `/v1/monitors/${id}/check`)).body.tick - NOW_SECONDS;
  };
  // A minute of slices, and the end.
  expect([await check(10), await check(110), await check(120), await check(130)]).toEqual([0, 0, 120, 120]);
  const sweeps = createSweepStore(edge.client, edge.tables.history);
  await sweeps.putSweep({ id, location: "eu-west-1" }, record(NOW_SECONDS + 120, "22"));
  expect([await check(135), await check(136)]).toEqual([135, 135]);
  // With other settings, the one under way ends without a result.
  await edge.call("PATCH", `/v1/monitors/${id}`, { body: { settings: { ports: "1-100" } } });
  expect(await check(140)).toBe(136);
});
