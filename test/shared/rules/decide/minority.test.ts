import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Health } from "../../../../shared/model.ts";
import { plansOf } from "../../../../shared/rules/policies.ts";
import { alertsOf } from "../../../support/monitors.ts";
import { iso, START, World } from "./fixture.ts";

const LOCATIONS = ["a", "b", "c"];
/** Seen up from three locations at first; two have to agree. */
const worldOf = (more: ConstructorParameters<typeof World>[0] = {}) => {
  const world = new World({ locations: LOCATIONS, alerts: alertsOf({ minorityAfterSeconds: 300 }), ...more });
  for (const name of LOCATIONS) world.see(10, name, "up");
  return world;
};
const heard = ({ received }: World) => received.map(({ at, alert }) => `${at} ${alert.event}`);

test("a location that stays down below the quorum is told once, and once that it is over", () => {
  const world = worldOf();
  world.see(60, "b", "down");
  world.pass(61, 5_000);
  world.see(6_000, "b", "up");
  world.rest(6_001);
  expect(heard(world)).toEqual(["360 minority", "6001 minority-ended"]);
  const [begun, ended] = world.alerts();
  expect(begun).toMatchObject({
    alertId: `m1.minority.${START + 360_000}.1`,
    severity: "info",
    status: "up",
    previousStatus: "up",
    reason: "connection-refused",
    message: "only b of 3 locations: it is down",
    startedAt: iso(60),
    endedAt: null,
    incidentState: "open",
  });
  expect(ended).toMatchObject({
    severity: "info",
    startedAt: iso(60),
    endedAt: iso(6_000),
    incidentId: begun!.incidentId,
    incidentState: "ended",
    endReason: "recovered",
    message: "no location sees it down any more",
  });
  // No incident, and the status stays up.
  expect([world.incidents.size, world.stretches.map(({ status }) => status)]).toEqual([0, ["pending", "up"]]);
});

test("asked for at once, it waits for the next tick, in which the other locations may see the same", () => {
  const world = worldOf({ alerts: alertsOf({ minorityAfterSeconds: 0 }), intervalSeconds: 10 });
  world.see(60, "b", "down");
  world.see(61, "a", "down");
  world.see(100, "b", "up");
  world.see(101, "c", "up");
  world.see(102, "a", "up");
  world.rest(103);
  world.see(200, "b", "down");
  world.pass(201, 300);
  expect(heard(world)).toEqual(["62 down", "101 recovered", "215 minority"]);
});

describe("nobody is told", () => {
  test.each<readonly [string, Parameters<typeof worldOf>[0], (world: World) => void]>([
    ["where nobody asked for it", { alerts: alertsOf() }, () => {}],
    ["of one that ends before", {}, (world) => world.see(300, "b", "up")],
    ["in maintenance", {}, (world) => (world.maintenanceUntil = () => START + 100_000_000)],
    [
      "of what an offline location saw last",
      {},
      (world) => {
        world.conditions.b = "offline";
      },
    ],
    [
      "of what a silent location saw last",
      {},
      (world) => {
        world.conditions.b = "silent";
      },
    ],
    [
      "by a policy for `down` alone",
      {},
      (world) => {
        const policy = {
          match: { tags: {} },
          severities: ["critical"],
          steps: [{ afterSeconds: 0, channels: ["sns"], emails: [] }],
        };
        world.plans = plansOf(world.monitor, [policy as never]);
      },
    ],
  ])("%s", (_, more, act) => {
    const world = worldOf(more);
    world.see(60, "b", "down");
    act(world);
    world.look(301);
    world.pass(302, 5_000);
    world.look(5_000);
    expect(heard(world)).toEqual([]);
  });
});

test("what becomes an incident is told as one, and no more as a minority", () => {
  const world = worldOf();
  world.see(60, "b", "down");
  world.pass(61, 1_000);
  world.see(1_020, "c", "down");
  world.pass(1_021, 3_000);
  expect(heard(world)).toEqual(["360 minority", "1021 minority-ended", "1021 down"]);
  expect(world.alerts()[1]).toMatchObject({
    status: "down",
    message: "enough locations see it now: it is an incident",
  });
  // What is left of the incident is a minority anew, after its own time.
  world.see(3_060, "c", "up");
  world.pass(3_061, 6_000);
  expect(heard(world).slice(3)).toEqual(["3061 recovered", "3360 minority"]);
});

test("a second location below the quorum is no further advisory; it ends with the last one", () => {
  const world = worldOf({ quorum: "all" });
  world.see(60, "b", "down");
  world.pass(61, 1_000);
  world.see(1_020, "c", "down");
  world.see(1_080, "b", "up");
  world.pass(1_081, 2_000);
  world.see(2_040, "c", "up");
  expect(heard(world)).toEqual(["360 minority", "2041 minority-ended"]);
});

test.each<readonly [string, string, (world: World) => void]>([
  ["a pause", "the monitor was paused", (world) => world.edit(1_000, { paused: true })],
  ["another target", "the monitor was changed", (world) => world.edit(1_000, { host: "other" })],
  ["a deletion", "the monitor was deleted", (world) => world.delete(1_000)],
  ["turning it off", "alerts of it were turned off", (world) => world.edit(1_000, { alerts: alertsOf() })],
])("%s ends it", (_, message, act) => {
  const world = worldOf();
  world.see(60, "b", "down");
  world.pass(61, 900);
  act(world);
  expect(heard(world)).toEqual(["360 minority", "1001 minority-ended"]);
  expect(world.alerts()[1]).toMatchObject({ message, endReason: null, incidentState: "ended" });
});

test("another advisory about the same trouble has another id", () => {
  const world = worldOf();
  world.see(60, "b", "down");
  world.pass(61, 900);
  world.edit(1_000, { alerts: alertsOf() });
  world.edit(1_100, { alerts: alertsOf({ minorityAfterSeconds: 300 }) });
  expect(heard(world)).toEqual(["360 minority", "1001 minority-ended", "1101 minority"]);
  const ids = world.alerts().map(({ alertId }) => alertId);
  expect(new Set(ids).size).toBe(3);
});

test("changed thresholds, which reset the views, leave it as it is until something is known", () => {
  const world = worldOf();
  world.see(60, "b", "down");
  world.pass(61, 900);
  world.edit(1_000, { failureThreshold: 2 });
  expect(heard(world)).toEqual(["360 minority"]);
  for (const name of LOCATIONS) world.see(1_060, name, "up");
  expect(heard(world)).toEqual(["360 minority", "1061 minority-ended"]);
});

test("over random histories: begin and end alternate, and no incident is told between them", () => {
  const step = fc.tuple(
    fc.constantFrom(...LOCATIONS),
    fc.oneof(
      { weight: 20, arbitrary: fc.constantFrom<Health>("up", "up", "up", "down", "down", "degraded") },
      { weight: 1, arbitrary: fc.constantFrom("offline" as const, "pause" as const) },
    ),
    fc.constantFrom(1, 5, 200, 400, 1_000),
  );
  let begun = 0;
  fc.assert(
    fc.property(fc.array(step, { minLength: 20, maxLength: 60 }), (steps) => {
      const world = worldOf({ alerts: alertsOf({ minorityAfterSeconds: 60 }) });
      let at = 60;
      for (const [name, what, pause] of steps) {
        if (what === "pause") world.edit(at, { paused: !world.monitor.paused });
        else if (what === "offline") {
          world.conditions[name] = world.conditions[name] === "offline" ? "working" : "offline";
          world.look(at + 1);
        } else world.see(at, name, what);
        world.pass(at + 2, at + pause);
        at += pause + 2;
      }
      let isOpen = false;
      for (const { event } of world.alerts()) {
        if (event === "minority") begun++;
        if (event === "minority" || event === "minority-ended") {
          expect(isOpen).toBe(event === "minority-ended");
          isOpen = !isOpen;
        } else expect(isOpen).toBe(false);
      }
      expect(world.monitor.minority !== null).toBe(isOpen);
    }),
  );
  expect(begun).toBeGreaterThan(20);
});
