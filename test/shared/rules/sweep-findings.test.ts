import { describe, expect, test } from "vitest";
import { addressesOf, parseCidr } from "../../../shared/cidr.ts";
import type { SweepProbe } from "../../../shared/contract/protocol.ts";
import { confirm } from "../../../shared/rules/facts.ts";
import {
  confirmedHosts,
  describeHosts,
  differences,
  factsOf,
  putTogether,
  putUdpTogether,
  type SweepPart,
  type SweepRecord,
  suspects,
  sweepOutcome,
  udpFactsOf,
} from "../../../shared/rules/sweep-findings.ts";

const A = "192.0.2.1";
const part = (slice: number, open: Record<string, string>, more: Partial<SweepPart> = {}): SweepPart => ({
  slice,
  settingsVersion: 1,
  startedAt: "2026-11-27T10:00:00.000Z",
  endedAt: "2026-11-27T10:00:50.000Z",
  addresses: slice === 0 ? [A] : [],
  open,
  unmeasured: {},
  closedCount: 10,
  filteredCount: 1,
  ...more,
});
const host = (open: string, services: Record<string, string> = {}) => ({ open, services });
const WATCHED = [22, 80, 443, 8080];
const NONE = { opened: [], closed: [] };

test("slices are put together", () => {
  const swept = putTogether([part(1, { [A]: "80" }), part(0, { [A]: "22" })], WATCHED);
  expect(swept).toMatchObject({ addresses: [A], closedCount: 20, filteredCount: 2 });
  expect([...swept.open.get(A)!]).toEqual([80, 22]);
});

describe("what differs from the sweep before", () => {
  const swept = putTogether([part(0, { [A]: "22,8080" }, { unmeasured: { [A]: "443" } })], WATCHED);

  test("ports that opened, and those that closed; one that could not be measured is neither", () => {
    expect(differences({ [A]: host("22,80,443") }, swept)).toEqual({
      opened: [{ address: A, port: 8080 }],
      closed: [{ address: A, port: 80 }],
    });
  });

  test("nothing at the first sweep", () => {
    expect(differences(undefined, swept)).toEqual(NONE);
  });

  test("not a port that is no longer looked at", () => {
    expect(differences({ [A]: host("22,9999") }, swept).closed).toEqual([]);
  });

  test("what further looks do not confirm stays as it was", () => {
    const before = { [A]: host("22,80,443", { 22: "ssh", 80: "http" }) };
    const found = differences(before, swept);
    expect(confirmedHosts(before, swept, NONE, found)).toEqual({ [A]: host("22,80,443", { 22: "ssh", 80: "http" }) });
    expect(confirmedHosts(before, swept, found, found)).toEqual({ [A]: host("22,443,8080", { 22: "ssh" }) });
  });
});

test("an address is suspected of answering everywhere when very many of its ports are open", () => {
  const watching = (count: number) => Array.from({ length: count }, (_, port) => port + 1);
  const suspected = (open: string, watched: number) =>
    suspects(putTogether([part(0, { [A]: open })], watching(watched)));
  expect(suspected("1-40", 1_000)).toEqual([A]);
  expect(suspected("1-10", 1_000)).toEqual([]);
  expect(suspected("1-3", 3)).toEqual([]);
  expect(suspected("1-20", 20)).toEqual([A]);
});

test("what is open is said in words", () => {
  expect(describeHosts("192.0.2.0/29", { [A]: host("22,80"), "192.0.2.2": host("22") }, 8)).toBe(
    "3 ports are open on 2 of the 8 addresses of 192.0.2.0/29",
  );
  expect(describeHosts("192.0.2.0/29", {}, 8)).toBe("no port is open on any of the 8 addresses of 192.0.2.0/29");
  expect(describeHosts(A, { [A]: host("22", { 22: "ssh" }) }, 1)).toBe("1 port is open on 192.0.2.1: 22 (ssh)");
  expect(describeHosts(A, {}, 1)).toBe("no port is open on 192.0.2.1");
});

describe("facts", () => {
  const free = { mayBe: [], expected: null };

  test("of a host: its open ports and their services", () => {
    expect(factsOf(A, { [A]: host("22,80", { 22: "ssh" }) }, free)).toEqual({
      "ports.tcp": "22,80",
      "service.22": "ssh",
    });
    expect(factsOf(A, {}, free)).toEqual({ "ports.tcp": "" });
  });

  test("of a name: the ports of all its addresses", () => {
    expect(factsOf("shop.example.com", { [A]: host("22"), "192.0.2.2": host("80") }, free)).toEqual({
      "ports.tcp": "22,80",
    });
  });

  test("of a network: by address, or by sixteenths of it", () => {
    expect(factsOf("192.0.2.0/28", { [A]: host("22"), "192.0.2.2": host("") }, free)).toEqual({
      "ports.tcp.192.0.2.1": "22",
    });
    expect(factsOf("2001:db8::/126", { "2001:db8::1": host("80") }, free)).toEqual({ "ports.tcp.2001-db8--1": "80" });
    expect(factsOf("192.0.2.0/24", { [A]: host("22,80"), "192.0.2.3": host("443") }, free)).toEqual({
      "ports.tcp.192.0.2.0-28": "192.0.2.1 22,80; 192.0.2.3 443",
    });
    expect(factsOf("192.0.2.0/24", {}, free)).toEqual({ "ports.tcp": "" });
  });

  test("of a network: whatever is open at one address changes the facts of its own sixteenth alone, and all fit", () => {
    const addresses = addressesOf(parseCidr("10.0.0.0/22")!);
    const hosts: Record<string, ReturnType<typeof host>> = {};
    let before = factsOf("10.0.0.0/22", hosts, free);
    for (const address of addresses.filter((_, at) => at % 7 === 0)) {
      hosts[address] = host("22,80,443,8000-8010");
      const after = factsOf("10.0.0.0/22", hosts, free);
      const changed = Object.keys({ ...before, ...after }).filter((key) => before[key] !== after[key]);
      expect(changed.filter((key) => key !== "ports.tcp")).toHaveLength(1);
      before = after;
    }
    expect(before["ports.tcp.10.0.0.0-26"]).toMatch(/^140 ports of 10 addresses #[0-9a-f]{10}/);
    expect(Buffer.byteLength(JSON.stringify(confirm(null, before).values))).toBeLessThanOrEqual(1_536);
  });

  test("of UDP ports: one, of a network too", () => {
    expect(udpFactsOf(A, { [A]: host("53,123") })).toEqual({ "ports.udp": "53,123" });
    expect(udpFactsOf(A, {})).toEqual({ "ports.udp": "" });
    expect(udpFactsOf("192.0.2.0/24", { [A]: host("53"), "192.0.2.3": host("53,161") })).toEqual({
      "ports.udp": "192.0.2.1 53; 192.0.2.3 53,161",
    });
    const many = Object.fromEntries(Array.from({ length: 200 }, (_, at) => [`192.0.2.${at}`, host("53")]));
    expect(udpFactsOf("192.0.2.0/24", many)["ports.udp"]).toMatch(/^200 ports of 200 addresses #[0-9a-f]{10}: /);
  });

  test("ports that may be open are left out, unless they are expected", () => {
    const hosts = { [A]: host("22,80,8080", { 8080: "http" }) };
    expect(factsOf(A, hosts, { mayBe: [80, 8080], expected: [80] })).toEqual({ "ports.tcp": "22,80" });
  });

  test("a long list is shown in part, and still told from others", () => {
    const ports = Array.from({ length: 300 }, (_, at) => 2 * at + 1);
    const [one, other] = [ports, [...ports, 9_999]].map(
      (open) => factsOf(A, { [A]: host(open.join(",")) }, free)["ports.tcp"]!,
    );
    expect(one!.length).toBeLessThan(200);
    expect(one).not.toBe(other);
  });
});

test("UDP ports are named as such, beside those of TCP", () => {
  const udp = { [A]: host("53", { 53: "dns" }) };
  expect(describeHosts(A, { [A]: host("22,53") }, 1, udp)).toBe(`3 ports are open on ${A}: 22, 53, 53/udp (dns)`);
  expect(describeHosts("192.0.2.0/28", {}, 16, udp)).toBe("1 port is open on 1 of the 16 addresses of 192.0.2.0/28");
});

test("what slices found over UDP is apart from what they found over TCP", () => {
  const parts = [part(0, { [A]: "22" }, { udp: { open: { [A]: "53" }, unmeasured: { [A]: "123" } } }), part(1, {})];
  const udp = putUdpTogether(parts, [53, 123, 161]);
  expect(differences({ [A]: host("123,161") }, udp)).toEqual({
    opened: [{ address: A, port: 53 }],
    closed: [{ address: A, port: 161 }],
  });
  expect([...putTogether(parts, WATCHED).open.get(A)!]).toEqual([22]);
});

describe("outcome", () => {
  const probe: SweepProbe = {
    transport: "sweep",
    ports: WATCHED,
    udp: [],
    perSecond: null,
    expected: [22, 443],
    mayBe: [],
    isDownWithoutExpected: true,
    identify: true,
  };
  const record = (more: Partial<SweepRecord>): SweepRecord => ({
    tick: 1,
    startedAt: "",
    endedAt: "",
    settingsVersion: 1,
    state: "open",
    reason: null,
    message: "1 port is open",
    addressCount: 1,
    openCount: 1,
    closedCount: 3,
    filteredCount: 0,
    unmeasuredCount: 0,
    answersEverywhere: [],
    ...more,
  });

  test("down where an expected port is not open, if that is wanted", () => {
    const sweep = record({ hosts: { [A]: host("22") } });
    expect(sweepOutcome(A, probe, sweep)).toMatchObject({ health: "down", reason: "port-closed", isConfirmed: true });
    expect(sweepOutcome(A, { ...probe, isDownWithoutExpected: false }, sweep)).toMatchObject({
      health: "up",
      reason: null,
    });
  });

  test("facts of UDP are there where UDP ports are asked, also when none answers", () => {
    const udp = { hosts: {}, closedPorts: [] };
    expect(sweepOutcome(A, probe, record({ hosts: {}, udp })).facts).toEqual({ "ports.tcp": "", "ports.udp": "" });
  });

  test("a sweep that measured nothing says nothing, and has no facts", () => {
    const outcome = sweepOutcome(A, probe, record({ state: "unmeasured", reason: "cut-short" }));
    expect(outcome).toMatchObject({ health: "unknown", reason: "cut-short" });
    expect(outcome.facts).toBeUndefined();
    expect(sweepOutcome(A, probe, record({ state: "unresolved", reason: "name-not-found" })).health).toBe("down");
  });
});
