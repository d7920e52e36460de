import { describe, expect, test } from "vitest";
import type { ViewCondition } from "../../../../shared/model.ts";
import { MAX_PENDING, OVERFLOW, pending } from "../../../../shared/rules/outbox.ts";
import { alertsOf } from "../../../support/monitors.ts";
import { ALL_WORKING, iso, START, view, World } from "./fixture.ts";

describe("decisions that do not settle", () => {
  /** A location that is another one at each second question; a decision asks twice, and once more about its result. */
  const wavering = (): World["conditions"] => {
    let asked = 0;
    return {
      get a(): ViewCondition {
        return asked++ % 4 < 2 ? "working" : "offline";
      },
    };
  };

  test("are not stored; topic system is told once, and again decided once they settle", () => {
    const world = new World();
    world.see(5, "a", "up");
    const { status, since } = world.monitor;
    const { writes } = world;
    world.write({ views: { a: view("down", 60) } });
    for (let at = 61; at < 3_000; at += 20) {
      world.conditions = wavering();
      world.look(at);
    }
    expect(world.monitor).toMatchObject({ status, since, unsettledSince: iso(61), incident: null });
    expect(world.system).toEqual(["A monitor cannot be decided"]);
    expect(world.writes - writes).toBeLessThanOrEqual(5); // each quarter of an hour
    expect(world.received).toEqual([]);
    world.conditions = { ...ALL_WORKING };
    world.look(3_001);
    expect(world.monitor).toMatchObject({ status: "down", unsettledSince: null });
    expect(world.events()).toEqual(["down"]);
    expect(world.system).toHaveLength(1);
  });

  test("wait for their timer also after something changed", () => {
    const world = new World({ views: { a: view("down", 5) } });
    world.conditions = wavering();
    world.look(10);
    world.write({ lookBy: iso(100) });
    world.conditions = wavering();
    world.look(20);
    expect(world.monitor).toMatchObject({ lookBy: null, nextEvaluationAt: iso(920), unsettledSince: iso(10) });
    expect(world.system).toHaveLength(1);
  });
});

test("an outbox that overflows drops the oldest alerts, says which, and keeps the incidents", () => {
  const world = new World({ alerts: alertsOf() });
  world.refusing = new Set(["sns", "incident", "system"]);
  for (let n = 0; n < MAX_PENDING; n++) world.see(60 + n * 60, "a", n % 2 ? "up" : "down");
  const alerts = () =>
    Object.values(world.monitor.pendingAlerts).filter(({ content }) => content.kind === "alert").length;
  expect(alerts()).toBe(MAX_PENDING);
  world.see(3_000, "a", "down");
  world.see(3_060, "a", "up");
  expect(alerts()).toBe(MAX_PENDING);
  expect(world.monitor.pendingAlerts[`m1.${START + 60_000}.1`]).toBeUndefined();
  expect(world.monitor.pendingAlerts[OVERFLOW]?.content).toMatchObject({
    kind: "system",
    event: "system.alerts-dropped",
    about: "monitor.m1",
    subject: "Alerts were dropped",
  });
  const { writes } = world;
  for (let i = 0; i < 5; i++) world.look(3_061);
  expect(world.writes - writes).toBe(0);
  world.refusing.clear();
  world.look(3_062);
  expect(world.incidents.size).toBe(MAX_PENDING / 2 + 1);
  expect(world.events().at(-1)).toBe("recovered");
});

test("entries that came in from elsewhere stand before those of the decision that follows", () => {
  const world = new World();
  const news = pending({ kind: "system", subject: "x", message: "" }, ["system"], 150, iso(86_400));
  world.write({ pendingAlerts: { news } });
  world.refusing = new Set(["sns", "incident", "system", "email:ops@example.com"]);
  world.see(60, "a", "down");
  const order = Object.entries(world.monitor.pendingAlerts).toSorted(([, a], [, b]) => a.sequence - b.sequence);
  expect(order.map(([, { content }]) => content.kind)).toEqual(["system", "alert", "incident"]);
});
