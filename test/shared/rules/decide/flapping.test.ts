import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Health } from "../../../../shared/model.ts";
import type { Receiver } from "../../../../shared/receiver.ts";
import { flapPercent } from "../../../../shared/rules/flapping.ts";
import type { Plan } from "../../../../shared/rules/telling.ts";
import { alertsOf } from "../../../support/monitors.ts";
import { iso, START, World } from "./fixture.ts";

const MARKS = { highPercent: 30, lowPercent: 20 };
/** A monitor checked each minute, up at first. */
const worldOf = (more: ConstructorParameters<typeof World>[0] = {}) => {
  const world = new World({ alerts: alertsOf(), flapping: MARKS, ...more });
  world.see(60, "a", "up");
  return world;
};
const heard = ({ received }: World) => received.map(({ at, alert }) => `${at} ${alert.event}`);
/** Down and up by turns, a check each. @returns when the last change was */
const flap = (world: World, from: number, changes: number, other: Health = "down") => {
  let at = from;
  for (let n = 0; n < changes; n++) {
    world.pass(at - 59, at - 1);
    world.see(at, "a", n % 2 === 0 ? other : "up");
    at += 60;
  }
  return at - 60;
};

describe("the share of checks with a change", () => {
  const percent = (minutes: readonly number[], now: number) =>
    Math.round(
      flapPercent(
        minutes.map((minute) => iso(minute * 60)),
        60,
        new Date(START + now * 60_000),
      ) * 10,
    ) / 10;
  test.each([
    ["no change", [], 20, 0],
    ["a change at each of the last 20 checks", Array.from({ length: 20 }, (_, n) => n + 1), 20, 100],
    ["the newest change counts 1.2", [20], 20, 6],
    ["the oldest counts 0.8", [1], 20, 4],
    ["what is older counts nothing", [0], 20, 0],
    ["two changes within one check count once", [20, 20.4], 20.5, 6],
    ["seven in a row", [14, 15, 16, 17, 18, 19, 20], 20, 39.8],
    ["a change from a clock that was ahead by two minutes", [22], 20, 0],
    ["a change from a clock that was ahead by half a minute", [20.5], 20, 6],
  ] as const)("%s", (_, minutes, now, expected) => {
    expect(percent(minutes, now)).toBe(expected);
  });
});

describe("while it flaps", () => {
  test("people are told once when it starts, with the change that reached the mark, and once when it has settled", () => {
    const world = worldOf();
    const last = flap(world, 300, 10);
    world.pass(last, 10_000);
    expect(heard(world)).toEqual([
      "301 down",
      "361 recovered",
      "421 down",
      "481 recovered",
      "541 down",
      "601 recovered",
      "661 flapping-started",
      "1800 flapping-stopped",
    ]);
    const [started, stopped] = world.alerts().slice(-2);
    expect(started).toMatchObject({
      severity: "critical",
      status: "down",
      incidentState: "open",
      message: "its status changed 7 times within the last 20 checks, one each 60 s; it is down",
    });
    expect(stopped).toMatchObject({
      severity: "info",
      status: "up",
      previousStatus: "down",
      incidentId: started!.incidentId,
      incidentState: "ended",
      endReason: "recovered",
      message: "it stays up; it is up",
    });
    // Each outage is in the history all the same, and so is each stretch of status.
    expect([...world.incidents.values()].map(({ endReason }) => endReason)).toEqual(Array(5).fill("recovered"));
    expect(world.stretches).toHaveLength(12);
  });

  test("an outage that stays is told when it has settled: that it stopped, and that it is down", () => {
    const world = worldOf();
    const last = flap(world, 300, 9);
    world.pass(last, 10_000);
    expect(heard(world).slice(6)).toEqual(["661 flapping-started", "1740 flapping-stopped", "1740 down"]);
    const [started, stopped, down] = world.alerts().slice(-3);
    expect(stopped).toMatchObject({ status: "down", incidentId: started!.incidentId, incidentState: "ended" });
    expect(down).toMatchObject({ startedAt: iso(last), incidentState: "open", severity: "critical" });
    world.see(12_000, "a", "up");
    expect(heard(world).slice(-1)).toEqual(["12001 recovered"]);
  });

  test("an outage that begins with it and stays is told in one incident", () => {
    const world = worldOf();
    const last = flap(world, 300, 7);
    world.pass(last, 10_000);
    world.see(12_000, "a", "up");
    const own = world.alerts().slice(6);
    expect(own.map(({ event }) => event)).toEqual(["flapping-started", "flapping-stopped", "down", "recovered"]);
    expect(new Set(own.map(({ incidentId }) => incidentId)).size).toBe(1);
    expect(own[1]).toMatchObject({ incidentState: "open", message: "it stays down; it is down" });
  });

  test("outages shorter than `afterSeconds` are told to nobody, nor that it flaps; a longer one is told as flapping", () => {
    const world = worldOf({ alerts: alertsOf({ afterSeconds: 90 }) });
    const last = flap(world, 300, 8);
    expect(world.monitor.flapState?.since).toBe(iso(660));
    world.pass(last, last + 59);
    world.see(last + 60, "a", "down");
    world.pass(last + 61, 10_000);
    expect(heard(world)).toEqual(["870 flapping-started", "1740 flapping-stopped", "1740 down"]);
  });

  test("a pause ends it: what is open for people is closed", () => {
    const [down, up] = [worldOf(), worldOf()];
    flap(down, 300, 9);
    down.edit(800, { paused: true });
    flap(up, 300, 10);
    up.edit(860, { paused: true });
    for (const [world, at] of [
      [down, 801],
      [up, 861],
    ] as const) {
      expect(heard(world).slice(6)).toEqual(["661 flapping-started", `${at} flapping-stopped`]);
      expect(world.alerts().at(-1)).toMatchObject({ status: "paused", incidentState: "ended" });
      expect(world.monitor.flapState).toBeNull();
    }
  });

  test("another target ends the incident that flapping was told in as `closed`", () => {
    const world = worldOf();
    flap(world, 300, 7);
    world.edit(690, { host: "other" });
    expect(heard(world).slice(6)).toEqual(["661 flapping-started", "691 closed"]);
  });

  test("flap detection that is turned off tells what is so", () => {
    const world = worldOf();
    flap(world, 300, 9);
    world.edit(800, { flapping: null });
    expect(heard(world).slice(6)).toEqual(["661 flapping-started", "801 flapping-stopped", "801 down"]);
  });

  test("nothing is told in maintenance; what still flaps at the end is told then", () => {
    const world = worldOf();
    world.maintenanceUntil = (_, now) => (now.getTime() < START + 860_000 ? START + 860_000 : null);
    const last = flap(world, 300, 10);
    expect(heard(world)).toEqual([]);
    flap(world, last + 60, 3);
    expect(heard(world)).toEqual(["901 flapping-started"]);
  });

  test("views that prove nothing neither start nor end it", () => {
    const world = worldOf();
    const last = flap(world, 300, 9);
    world.conditions.a = "offline";
    world.look(last + 30);
    world.pass(last + 31, 10_000);
    expect(heard(world).slice(6)).toEqual(["661 flapping-started"]);
    world.conditions.a = "working";
    world.look(10_000);
    expect(heard(world).slice(7)).toEqual(["10000 flapping-stopped", "10000 down"]);
  });
});

test("degraded counts as up where alerts of it are off", () => {
  const [on, off] = [worldOf(), worldOf({ alerts: alertsOf({ degraded: false }) })];
  for (const world of [on, off]) flap(world, 300, 10, "degraded");
  expect(heard(on).slice(-1)).toEqual(["661 flapping-started"]);
  expect([heard(off), off.monitor.flapState]).toEqual([[], null]);
});

test("a monitor that does not flap is written no more often than without flap detection", () => {
  const writes = ([MARKS, null] as const).map((flapping) => {
    const world = worldOf({ flapping });
    for (const at of [600, 1_200, 3_000, 3_600, 6_000, 6_600]) world.see(at, "a", at % 1_200 === 600 ? "down" : "up");
    world.rest(7_000);
    return [world.writes, world.received.length];
  });
  expect(writes[0]).toEqual(writes[1]);
});

describe("over random histories", () => {
  const BOB: Receiver = "email:bob@example.com";
  const steps: Plan["steps"] = [
    { afterSeconds: 0, receivers: ["sns"] },
    { afterSeconds: 150, receivers: [BOB] },
  ];
  const plan: Plan = {
    steps,
    levels: ["degraded", "down"],
    remindEverySeconds: 300,
    remindAtMost: 2,
    takesAdvisories: true,
    until: "recovered",
  };
  const histories = fc.array(
    fc.tuple(
      fc.constantFrom<Health | "pause" | "offline" | "off" | "acknowledge">(
        ...(["up", "up", "up", "down", "down", "down", "degraded", "offline", "pause", "off", "acknowledge"] as const),
      ),
      fc.constantFrom(1, 1, 1, 2, 5, 30),
    ),
    { maxLength: 80 },
  );
  const play = (history: readonly (readonly [string, number])[], check: (world: World, at: number) => void) => {
    const world = worldOf();
    world.plans = [plan];
    let at = 120;
    for (const [what, checks] of history) {
      if (what === "pause") world.edit(at, { paused: !world.monitor.paused });
      else if (what === "off") world.edit(at, { flapping: world.monitor.flapping ? null : MARKS });
      else if (what === "acknowledge") {
        if (world.monitor.incident) world.acknowledge(at);
      } else if (what === "offline") {
        world.conditions.a = world.conditions.a === "offline" ? "working" : "offline";
        world.look(at);
      } else world.see(at, "a", what as Health);
      check(world, at);
      world.pass(at + 2, at + checks * 60 - 1);
      at += checks * 60;
    }
    world.conditions.a = "working";
    if (world.monitor.paused) world.edit(at, { paused: false });
    world.see(at + 60, "a", "up");
    world.rest(at + 70);
    return world;
  };

  test("flapping-started and flapping-stopped alternate, with nothing but an acknowledgement or a closing between them", () => {
    fc.assert(
      fc.property(histories, (history) => {
        const world = play(history, () => {});
        for (const receiver of ["sns", BOB]) {
          let [isFlapping, incident] = [false, ""];
          for (const { event, incidentId } of world.alerts(receiver)) {
            if (event === "flapping-started") {
              expect(isFlapping).toBe(false);
              [isFlapping, incident] = [true, incidentId];
            } else if (event === "flapping-stopped") {
              expect([isFlapping, incidentId]).toEqual([true, incident]);
              isFlapping = false;
            } else if (isFlapping) {
              expect(["acknowledged", "closed"]).toContain(event);
              if (incidentId === incident && event === "closed") isFlapping = false;
            }
          }
          expect(isFlapping).toBe(false);
        }
      }),
    );
  });

  test("whoever knows of the incident hears that it flaps, and not only who is due an alert then", () => {
    const history = (["down", "up", "down", "up", "down"] as const).map((what) => [what, 1] as const);
    const world = play([...history, ["down", 2], ["degraded", 1]], () => {});
    expect(world.events(BOB)).toEqual(["escalated", "flapping-started", "flapping-stopped"]);
  });

  test("each incident that is told has one end for everybody who was told, before the next one begins", () => {
    fc.assert(
      fc.property(histories, (history) => {
        const world = play(history, () => {});
        for (const receiver of ["sns", BOB]) {
          const told = world.alerts(receiver);
          for (const [place, { incidentId, incidentState, event }] of told.entries()) {
            const later = told.slice(place + 1);
            const own = later.filter((one) => one.incidentId === incidentId);
            if (incidentState === "ended") expect(own).toEqual([]);
            else expect(own.filter((one) => one.incidentState === "ended")).toHaveLength(1);
            const next = later[0];
            if (event !== "flapping-started" && next && next.incidentId !== incidentId)
              expect(incidentState).toBe("ended");
          }
        }
        for (const { endedAt } of world.incidents.values()) expect(endedAt).not.toBeNull();
      }),
    );
  });

  test("an outage that lasts for 25 checks is known to everybody, however much it flapped before", () => {
    fc.assert(
      fc.property(histories, (history) => {
        const world = play(history, () => {});
        const at = (Date.parse(world.monitor.since) - START) / 1000 + 3_600;
        flap(world, at, 15);
        world.pass(at + 15 * 60 - 59, at + 15 * 60 + 25 * 60);
        for (const receiver of ["sns", BOB]) {
          const last = world.alerts(receiver).findLast(({ event }) => event !== "reminder");
          expect([last?.severity, last?.status, last?.incidentState]).toEqual(["critical", "down", "open"]);
        }
      }),
      { numRuns: 40 },
    );
  });
});
