/** Which ports of which addresses a sweep of a network connects to, and that addresses which are silent cost no change. */
import { describe, expect, test } from "vitest";
import type { Ports } from "../../../shared/port-list.ts";
import {
  confirmedHosts,
  differences,
  putTogether,
  type SweepPart,
  silentPlaces,
  suspects,
} from "../../../shared/rules/sweep-findings.ts";
import { paceOf, planSweep, sliceOf } from "../../../shared/rules/sweep-plan.ts";
import { type Before, NO_SHORT_SHARE, shortShareAfter, targetsOf } from "../../../shared/rules/sweep-targets.ts";

const [A, B, C] = ["192.0.2.0", "192.0.2.1", "192.0.2.2"] as const;
const NETWORK = [A, B, C];
const WATCHED: Ports = [22, 80, 7_000, 7_001, 7_002];
const host = (open: string) => ({ open, services: {} });
const lastOf = (more: Partial<Before> = {}): Before => ({ tick: 1, settingsVersion: 1, silent: "2-3", ...more });
const SHORT = { silent: "2-3", ports: "22,80", sinceFull: 1 };

describe("addresses that did not answer", () => {
  test("get common ports, and those that are or were open anywhere in the network", () => {
    expect(shortShareAfter(lastOf(), 1, WATCHED)).toEqual(SHORT);
    const closedPorts = [{ address: B, port: 7_002, firstSeen: 1, lastSeen: 1 }];
    const known = lastOf({ hosts: { [A]: host("7000") }, closedPorts });
    expect(shortShareAfter(known, 1, WATCHED).ports).toBe("22,80,7000,7002");
  });

  test.each([
    ["at the first sweep", undefined],
    ["when all answered", lastOf({ silent: "" })],
    ["after other settings", lastOf({ settingsVersion: 2 })],
    ["after a record of an earlier version", { tick: 1, settingsVersion: 1 }],
  ])("get all ports %s", (_, last) => {
    expect(shortShareAfter(last, 1, WATCHED)).toEqual(NO_SHORT_SHARE);
  });

  test("get all ports with every seventh sweep", () => {
    let last = lastOf({ sinceFull: 0 });
    const full: number[] = [];
    for (let sweep = 1; sweep <= 21; sweep++) {
      const { sinceFull } = shortShareAfter(last, 1, WATCHED);
      if (sinceFull === 0) full.push(sweep);
      last = lastOf({ sinceFull });
    }
    expect(full).toEqual([7, 14, 21]);
  });
});

test("every attempt is made once, whatever the slices", () => {
  const targets = targetsOf(NETWORK, WATCHED, SHORT);
  expect(targets.count).toBe(5 + 2 + 2);
  const made = [0, 1].flatMap((slice) =>
    [...sliceOf("m", 1, targets.count, slice, 2)].map((place) => Object.values(targets.at(place)).join(" ")),
  );
  expect(made.toSorted()).toEqual(
    [...WATCHED.map((port) => `${A} ${port}`), `${B} 22`, `${B} 80`, `${C} 22`, `${C} 80`].toSorted(),
  );
  expect([targets.isTried(B, 7_000), targets.isSkipped(B, 7_000), targets.isSkipped(B, 9)]).toEqual([
    false,
    true,
    false,
  ]);
});

test.each([
  ["public", 16, 65_535, 1],
  ["public", 6, 1_000, 5],
  ["vpc", 256, 1_000, 200],
  ["local", 1_024, 50, 0],
  ["public", 2, 1_000, 0],
] as const)(
  "%s, %i addresses, %i ports: the %i that answer get no more a second than ever, and slices have time",
  (kind, addresses, ports, full) => {
    const load = { addresses, ports, perSecond: null };
    const plan = planSweep(load, kind);
    const [shortPorts, each] = [19, planSweep({ ...load, addresses: 1 }, kind).perSecond];
    const count = full * ports + (addresses - full) * shortPorts;
    const mostAtOne = full > 0 ? ports : shortPorts;
    const pace = paceOf(load, kind, { count, mostAtOne });
    expect((pace * mostAtOne) / count).toBeLessThanOrEqual(each + 1e-9);
    expect(count / plan.slices / pace).toBeLessThanOrEqual(50);
    expect(paceOf(load, kind, { count: addresses * ports, mostAtOne: ports })).toBe(plan.perSecond);
  },
);

describe("what a sweep with a short share says", () => {
  const part = (more: Partial<SweepPart> = {}): SweepPart => ({
    slice: 0,
    settingsVersion: 1,
    startedAt: "",
    endedAt: "",
    addresses: NETWORK,
    open: { [A]: "22" },
    unmeasured: {},
    closedCount: 4,
    filteredCount: 4,
    answering: "1",
    short: SHORT,
    ...more,
  });
  const swept = (more: Partial<SweepPart> = {}) => putTogether([part(more)], WATCHED);

  test("of a port that it did not try: nothing; it stays as it was", () => {
    const known = { [A]: host("22"), [B]: host("22,7000") };
    const found = differences(known, swept());
    expect(found).toEqual({ opened: [], closed: [{ address: B, port: 22 }] });
    expect(confirmedHosts(known, swept(), found, found)).toEqual({ [A]: host("22"), [B]: host("7000") });
  });

  test("a port that is no longer watched is not kept for that", () => {
    const known = { [A]: host("22"), [B]: host("9") };
    const found = differences(known, swept());
    expect([found, confirmedHosts(known, swept(), found, found)[B]]).toEqual([{ opened: [], closed: [] }, undefined]);
  });

  test("the addresses that are silent still, but none that could not be measured or is open", () => {
    expect(silentPlaces(swept(), { [A]: host("22") })).toBe("2-3");
    expect(silentPlaces(swept({ unmeasured: { [B]: "22" } }), {})).toBe("3");
    expect(silentPlaces(swept(), { [C]: host("7000") })).toBe("2");
    expect(silentPlaces(swept({ answering: "1,3" }), {})).toBe("2");
  });

  test("one that is silent no more is suspected of answering everywhere, however few ports were tried", () => {
    expect(suspects(swept({ open: { [A]: "22", [B]: "22" } }))).toEqual([B]);
  });
});
