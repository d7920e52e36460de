import { describe, expect, test } from "vitest";
import type { Health, Monitor } from "../../../../shared/model.ts";
import { alertsOf } from "../../../support/monitors.ts";
import { iso, START, World } from "./fixture.ts";

describe("one location", () => {
  test("a first view up tells nobody", () => {
    const world = new World();
    world.see(5, "a", "up");
    expect(world.monitor).toMatchObject({ status: "up", since: iso(5), incident: null, nextEvaluationAt: null });
    expect(world.received).toEqual([]);
  });

  test("down and back: one alert each, to the topic and to every address, with the downtime's length", () => {
    const world = new World();
    world.see(5, "a", "up");
    world.see(60, "a", "down");
    world.see(180, "a", "up");
    for (const receiver of ["sns", "email:ops@example.com"])
      expect(world.events(receiver)).toEqual(["down", "recovered"]);
    const [down, recovered] = world.received.filter(({ receiver }) => receiver === "sns").map(({ alert }) => alert);
    expect(down).toMatchObject({
      alertId: `m1.${START + 60_000}.1`,
      severity: "critical",
      status: "down",
      previousStatus: "up",
      reason: "connection-refused",
      message: "it is down",
      startedAt: iso(60),
      endedAt: null,
      durationSeconds: null,
      url: "https://x/m1",
      monitor: { id: "m1", name: "Orders", protocol: "tcp", host: "db", port: 5432, tags: { team: "orders" } },
      locations: { a: { health: "down", state: "closed", reason: "connection-refused", message: "it is down" } },
    });
    expect(recovered).toMatchObject({
      alertId: `m1.${START + 60_000}.2`,
      severity: "info",
      status: "up",
      previousStatus: "down",
      startedAt: iso(60),
      endedAt: iso(180),
      durationSeconds: 120,
      incidentId: down?.incidentId,
    });
    expect([...world.incidents.values()]).toMatchObject([
      { startedAt: iso(60), endedAt: iso(180), severity: "down", endReason: "recovered", alertCount: 2 },
    ]);
  });

  test("looking again changes nothing and tells nobody", () => {
    const world = new World();
    world.see(60, "a", "down");
    const { writes } = world;
    for (let i = 0; i < 5; i++) world.look(61 + i);
    expect(world.writes - writes).toBeLessThanOrEqual(1); // the timer of the outbox is taken away once
    expect(world.events()).toEqual(["down"]);
  });

  test("degraded, then down, then degraded, then up: a message for each, one incident", () => {
    const world = new World();
    world.see(5, "a", "up");
    world.see(60, "a", "degraded");
    world.see(120, "a", "down");
    world.see(180, "a", "degraded");
    world.see(240, "a", "up");
    expect(world.events()).toEqual(["degraded", "down", "degraded", "recovered"]);
    expect(world.incidents.size).toBe(1);
    expect([...world.incidents.values()]).toMatchObject([{ severity: "down", startedAt: iso(60), endedAt: iso(240) }]);
    const previous = world.received
      .filter(({ receiver }) => receiver === "sns")
      .map(({ alert }) => alert.previousStatus);
    expect(previous).toEqual(["up", "degraded", "down", "degraded"]);
  });
});

describe("alerts.afterSeconds", () => {
  const patient = () => new World({ alerts: alertsOf({ afterSeconds: 60 }) });

  test("a short outage is an incident that nobody is told of", () => {
    const world = patient();
    world.see(5, "a", "up");
    world.see(60, "a", "down");
    expect(world.monitor).toMatchObject({ status: "down", nextEvaluationAt: iso(120) });
    world.see(100, "a", "up");
    expect(world.events()).toEqual([]);
    expect([...world.incidents.values()]).toMatchObject([{ endReason: "recovered", alertCount: 0 }]);
  });

  test("a longer one is told when its time has come, and its end", () => {
    const world = patient();
    world.see(5, "a", "up");
    world.see(60, "a", "down");
    world.look(119);
    expect(world.events()).toEqual([]);
    world.look(120);
    expect(world.events()).toEqual(["down"]);
    expect(world.received[0]?.alert.previousStatus).toBe("up");
    world.see(300, "a", "up");
    expect(world.events()).toEqual(["down", "recovered"]);
  });
});

describe("afterSeconds while it changes between down and degraded", () => {
  const HOLD = 300;
  /** d(own), g(degraded), u(p), by the minute; what people hear, as `<minute>:<event>`. */
  const live = (minutes: string) => {
    const world = new World({ alerts: alertsOf({ afterSeconds: HOLD }) });
    const healths: Record<string, Health> = { d: "down", g: "degraded", u: "up" };
    world.see(0, "a", "up");
    let before = "u";
    for (const [i, letter] of [...minutes].entries()) {
      const at = (i + 1) * 60;
      const ring = world.monitor.nextEvaluationAt;
      if (ring && ring <= iso(at)) world.look((Date.parse(ring) - START) / 1000);
      if (letter !== before) world.see(at, "a", healths[letter]!);
      before = letter;
    }
    world.rest((minutes.length + 1) * 60);
    return world.received.map(({ at, alert }) => `${Math.floor(at / 60)}:${alert.event}`);
  };
  test.each([
    ["down for as long", "dddddddd", ["6:down"]],
    ["degraded for as long", "gggggggg", ["6:degraded"]],
    ["back before", "dddduu", []],
    ["six hours of turns are trouble, from the first on", "dgdgdgdgdgdu", ["6:degraded", "12:recovered"]],
    [
      "down when the time is over, for less: degraded first, down in its time",
      "gggddddddddd",
      ["6:degraded", "9:down"],
    ],
    ["down counts anew after it was any better", "dddgddddddddddd", ["6:degraded", "10:down"]],
    ["down, then better for as long", "ddddddddgggggggggg", ["6:down", "14:degraded"]],
    ["down, better for a while, down: told once", "dddddddgggddddddddd", ["6:down"]],
  ])("%s", (_, minutes, expected) => {
    expect(live(minutes)).toEqual(expected);
  });
});

describe("several locations", () => {
  const three = (more: Partial<Monitor> = {}) => new World({ locations: ["a", "b", "c"], ...more });

  test("one of three is no outage, two are, from the moment of the second", () => {
    const world = three();
    for (const name of ["a", "b", "c"]) world.see(5, name, "up");
    world.see(60, "a", "down");
    expect(world.monitor.status).toBe("up");
    world.see(75, "b", "down");
    expect(world.monitor).toMatchObject({ status: "down", since: iso(75) });
    world.see(180, "b", "up");
    expect(world.monitor.status).toBe("up");
    expect(world.events()).toEqual(["down", "recovered"]);
  });

  test("the views of a silent location do not count; without enough others the status becomes unknown, after a grace", () => {
    const world = three();
    for (const name of ["a", "b", "c"]) world.see(5, name, "up");
    world.conditions = { a: "working", b: "silent", c: "offline" };
    world.look(300);
    expect(world.monitor).toMatchObject({ status: "up", undecidedSince: iso(300), nextEvaluationAt: iso(480) });
    world.look(480);
    expect(world.monitor).toMatchObject({ status: "unknown", since: iso(480), nextEvaluationAt: null });
    world.conditions = { a: "working", b: "working", c: "offline" };
    world.look(500);
    expect(world.monitor).toMatchObject({ status: "up", since: iso(500), undecidedSince: null });
    expect(world.events()).toEqual([]);
  });

  test("a view that counts though its location is silent, for it is young, is looked at again when it is not", () => {
    const world = new World();
    world.see(60, "a", "down");
    world.conditions = { a: "silent" };
    world.look(200);
    expect(world.monitor.status).toBe("down");
    world.rest(200);
    expect(world.monitor.status).toBe("unknown");
  });

  test("unknown neither opens nor closes an incident; recovered comes with a later up", () => {
    const world = three({ quorum: "all" });
    for (const name of ["a", "b", "c"]) world.see(60, name, "down");
    expect(world.events()).toEqual(["down"]);
    world.conditions.c = "silent";
    world.look(300);
    world.look(900);
    expect(world.monitor).toMatchObject({ status: "unknown", incident: { endedAt: null } });
    world.conditions.c = "working";
    world.look(910);
    expect(world.monitor.status).toBe("down");
    expect(world.events()).toEqual(["down"]); // the same outage, told once
    world.see(1000, "a", "up");
    expect(world.events()).toEqual(["down", "recovered"]);
  });
});
