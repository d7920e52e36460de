import { describe, expect, test } from "vitest";
import { withSettings } from "../../../../functions/api/monitors/with-settings.ts";
import { alertsOf } from "../../../support/monitors.ts";
import { iso, placing, START, view, World } from "./fixture.ts";

describe("a moment in the future, which a clock that was ahead wrote,", () => {
  test("lets a monitor that was changed then be told down once", () => {
    const world = new World();
    world.edit(60, { timeoutMs: 4_000 }); // by a clock a minute ahead
    world.see(2, "a", "down");
    for (let at = 3; at < 120; at++) world.look(at);
    expect(world.events()).toEqual(["down"]);
    expect(world.incidents.size).toBe(1);
    expect(world.writes).toBeLessThan(10);
    world.see(130, "a", "up");
    expect(world.events()).toEqual(["down", "recovered"]);
  });

  test.each([2, 3_600])("%i s ahead, ends an incident by a pause no later than now", (ahead) => {
    const world = new World();
    world.see(60, "a", "down");
    world.write(withSettings(world.monitor, { ...world.monitor, paused: true }, placing(100 + ahead)));
    world.look(100);
    expect([...world.incidents.values()]).toMatchObject([{ endReason: "paused", endedAt: iso(100) }]);
    expect(world.events()).toEqual(["down", "closed"]);
  });

  test("does not keep the key of a deleted monitor", () => {
    const world = new World();
    world.refusing.add("sns");
    world.see(60, "a", "down");
    world.delete(100);
    world.write({ deletedAt: iso(999_999) });
    expect(world.verdict(162).kind).toBe("leave");
  });

  test("does not keep a monitor undecided longer than its grace", () => {
    const world = new World({ locations: ["a", "b", "c"] });
    for (const name of ["a", "b", "c"]) world.see(5, name, "up");
    world.conditions = { a: "working", b: "silent", c: "silent" };
    world.write({ undecidedSince: iso(86_400) });
    world.look(1_000);
    expect(Date.parse(world.monitor.nextEvaluationAt!)).toBeLessThanOrEqual(START + (1_000 + 180) * 1000);
    world.rest(1_000);
    expect(world.monitor.status).toBe("unknown");
  });

  test("as a view's beginning makes no incident of the future", () => {
    const world = new World();
    world.write({ views: { a: view("down", 3_000) } });
    world.look(60);
    expect(world.monitor.incident!.startedAt <= iso(60)).toBe(true);
    expect(world.events()).toEqual(["down"]);
  });
});

describe("an outage that began, or ended, under a clock that was a day ahead", () => {
  const DAY = 86_400;
  const patient = () => new World({ alerts: alertsOf({ afterSeconds: 60 }) });

  test("is told after the clock was set right", () => {
    const world = patient();
    world.see(DAY, "a", "down");
    expect(world.events()).toEqual([]);
    world.look(100);
    world.rest(100);
    expect(world.events()).toEqual(["down"]);
  });

  test("does not keep the next one from being told, nor date it", () => {
    const world = patient();
    world.see(DAY, "a", "down");
    world.see(DAY + 30, "a", "up");
    world.see(200, "a", "down");
    world.rest(201);
    expect(world.received.map(({ at, alert: { event } }) => [event, at < 270])).toEqual([["down", true]]);
    expect(world.alerts()[0]!.startedAt <= iso(201)).toBe(true);
  });
});
