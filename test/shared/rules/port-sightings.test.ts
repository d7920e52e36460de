/** When ports were first and last seen open, carried on from one sweep's record to the next. */
import { describe, expect, test } from "vitest";
import { sightingsIn, withSightings } from "../../../shared/rules/port-sightings.ts";

const A = "192.0.2.1";
const host = (open: string, services: Record<string, string> = {}) => ({ open, services });
const ALL = { isSeen: () => true, isWatched: () => true };
type Before = Parameters<typeof withSightings>[1];

/** The records of sweeps one after another, at the ticks 1, 2, ... Each says what is open at one address. */
const recordsOf = (opens: readonly string[], looked = ALL) => {
  let before: Before;
  return opens.map((open, at) => {
    const tick = at + 1;
    const hosts: Parameters<typeof withSightings>[0]["hosts"] = open === "" ? {} : { [A]: host(open) };
    const record = { tick, ...withSightings({ tick, hosts }, before, looked) };
    before = record;
    return record;
  });
};

test("a port keeps the sweep that first saw it, and has the present one as its last", () => {
  const [, , last] = recordsOf(["22", "22,80", "22,80,443"]);
  expect(last!.hosts[A]!.firstSeen).toEqual({ 1: "22", 2: "80", 3: "443" });
  expect(sightingsIn(last!.hosts[A]!, 3)).toEqual([
    { port: 22, firstSeen: 1, lastSeen: 3 },
    { port: 80, firstSeen: 2, lastSeen: 3 },
    { port: 443, firstSeen: 3, lastSeen: 3 },
  ]);
});

describe("a port that closed", () => {
  test("is remembered with the sweeps that saw it, those that closed last first", () => {
    const last = recordsOf(["22,80", "22", "", ""]).at(-1)!;
    expect(last.closedPorts).toEqual([
      { address: A, port: 22, firstSeen: 1, lastSeen: 2 },
      { address: A, port: 80, firstSeen: 1, lastSeen: 1 },
    ]);
  });

  test("and opens again is the same one, first seen long ago", () => {
    const last = recordsOf(["22,80", "22", "22", "22,80"]).at(-1)!;
    expect(last.hosts[A]!.firstSeen).toEqual({ 1: "22,80" });
    expect(last.closedPorts).toEqual([]);
  });

  test("says what answered there", () => {
    const before = { tick: 1, hosts: { [A]: host("22", { 22: "ssh" }) } };
    expect(withSightings({ tick: 2, hosts: {} }, before, ALL).closedPorts).toEqual([
      { address: A, port: 22, service: "ssh", firstSeen: 1, lastSeen: 1 },
    ]);
  });

  test("is not one that is no longer watched", () => {
    const before = { tick: 1, hosts: { [A]: host("22,80") } };
    const looked = { ...ALL, isWatched: (_address: string, port: number) => port === 22 };
    expect(withSightings({ tick: 2, hosts: {} }, before, looked).closedPorts.map(({ port }) => port)).toEqual([22]);
  });

  test("is forgotten after 400 days, and behind 50 others", () => {
    const old = { address: A, port: 1, firstSeen: 1, lastSeen: 1 };
    const tick = 400 * 86_400 + 1;
    expect(withSightings({ tick, hosts: {} }, { tick: 2, closedPorts: [old] }, ALL).closedPorts).toEqual([]);
    const many = recordsOf(["1-80", ""]).at(-1)!;
    expect(many.closedPorts).toHaveLength(50);
  });
});

test("a port that a sweep could not see keeps the last one that did, however many follow", () => {
  const blind = { ...ALL, isSeen: () => false };
  const first = { tick: 1, ...withSightings({ tick: 1, hosts: { [A]: host("22") } }, undefined, ALL) };
  const second = { tick: 2, ...withSightings({ tick: 2, hosts: { [A]: host("22") } }, first, blind) };
  const third = withSightings({ tick: 3, hosts: { [A]: host("22") } }, second, blind);
  expect(sightingsIn(third.hosts[A]!, 3)).toEqual([{ port: 22, firstSeen: 1, lastSeen: 1 }]);
});

test("of a record of an earlier version, its own sweep is the first that is known", () => {
  expect(sightingsIn(host("22"), 7)).toEqual([{ port: 22, firstSeen: undefined, lastSeen: 7 }]);
  const after = withSightings({ tick: 8, hosts: { [A]: host("22") } }, { tick: 7, hosts: { [A]: host("22") } }, ALL);
  expect(after.hosts[A]?.firstSeen).toEqual({ 7: "22" });
});
