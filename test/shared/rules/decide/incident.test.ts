import { describe, expect, test } from "vitest";
import { withSettings } from "../../../../functions/api/monitors/with-settings.ts";
import type { Monitor, MonitorSettings } from "../../../../shared/model.ts";
import { LEAVING_SECONDS } from "../../../../shared/rules/decide.ts";
import { alertsOf } from "../../../support/monitors.ts";
import { iso, placing, World } from "./fixture.ts";

describe("an incident ends, and whoever was told of it is told, when its monitor", () => {
  const downWorld = (more: Partial<Monitor> = {}) => {
    const world = new World(more);
    world.see(5, "a", "up");
    world.see(60, "a", "down");
    return world;
  };
  const rows: [what: string, endReason: string, act: (world: World) => void, message: string][] = [
    ["is paused", "paused", (world) => world.edit(100, { paused: true }), "tcp db:5432 is not checked any more"],
    ["is deleted", "deleted", (world) => world.delete(100), "tcp db:5432 is not checked any more"],
    ["gets another port", "changed", (world) => world.edit(100, { port: 5433 }), "tcp db:5433 is"],
    ["gets another host", "changed", (world) => world.edit(100, { host: "2001:db8::1" }), "tcp [2001:db8::1]:5432 is"],
    ["gets another protocol", "changed", (world) => world.edit(100, { protocol: "ssh" }), "ssh db:5432 is"],
    [
      "is paused and resumed before anybody looked",
      "paused",
      (world) => {
        world.monitor = withSettings(world.monitor, { ...world.monitor, paused: true }, placing(100));
        world.edit(103, { paused: false });
      },
      "was paused",
    ],
  ];
  test.each(rows)("%s", (_, endReason, act, message) => {
    const world = downWorld();
    act(world);
    for (const receiver of ["sns", "email:ops@example.com"]) expect(world.events(receiver)).toEqual(["down", "closed"]);
    const [down, closed] = world.alerts();
    expect(down).toMatchObject({ incidentState: "open", endReason: null });
    expect(closed).toMatchObject({
      alertId: `${down?.incidentId}.2`,
      incidentId: down?.incidentId,
      severity: "info",
      previousStatus: "down",
      incidentState: "ended",
      endReason,
      startedAt: iso(60),
      endedAt: iso(100),
      durationSeconds: 40,
      monitor: { protocol: "tcp", host: "db", port: 5432 },
    });
    expect(closed?.message).toContain(message);
    expect([...world.incidents.values()]).toMatchObject([{ endReason, endedAt: iso(100), alertCount: 2 }]);
    expect(world.monitor).toMatchObject({ incident: null, lastIncidentEndedAt: iso(100) });
    for (let at = 105; at < 300; at += 40) world.look(at);
    expect(world.events()).toEqual(["down", "closed"]);
  });

  test.each(rows)("%s, unless nobody was told of the beginning", (_, endReason, act) => {
    const world = downWorld({ alerts: alertsOf({ afterSeconds: 600, emails: ["ops@example.com"] }) });
    act(world);
    world.rest(110);
    expect(world.received).toEqual([]);
    expect([...world.incidents.values()]).toMatchObject([{ endReason, alertCount: 0 }]);
  });

  test("has other addresses by then: the new ones hear of it too, and the end goes to all who heard of it", () => {
    const world = downWorld();
    world.edit(80, { alerts: alertsOf({ emails: ["new@example.com"] }) });
    world.see(180, "a", "up");
    expect(world.events("email:ops@example.com")).toEqual(["down", "recovered"]);
    expect(world.events("sns")).toEqual(["down", "recovered"]);
    expect(world.events("email:new@example.com")).toEqual(["escalated", "recovered"]);
    world.see(240, "a", "down");
    expect(world.events("email:new@example.com")).toEqual(["escalated", "recovered", "down"]);
    world.delete(300);
    expect(world.events("email:new@example.com")).toEqual(["escalated", "recovered", "down", "closed"]);
    expect(world.events("email:ops@example.com")).toEqual(["down", "recovered"]);
  });

  test("and the new target has incidents of its own, later than those of the one before", () => {
    const world = downWorld();
    world.edit(100.5, { port: 5433 });
    // A spot check is stamped with the second it ran in, which may begin before the change.
    world.see(100, "a", "down");
    for (let i = 0; i < 3; i++) world.look(102 + i);
    expect(world.monitor.incident).toMatchObject({ target: { port: 5433 }, endedAt: null });
    const [first, second] = [...world.incidents.values()];
    expect(second!.startedAt > first!.endedAt!).toBe(true);
    expect(second!.id).not.toBe(first!.id);
    expect(world.events()).toEqual(["down", "closed", "down"]);
    expect(world.alerts().map((alert) => alert.monitor.port)).toEqual([5432, 5432, 5433]);
  });

  test("a deleted monitor is removed once everybody was told; what is left after a minute moves out", () => {
    const world = new World();
    world.refusing.add("email:ops@example.com");
    world.see(60, "a", "down");
    world.delete(100);
    expect(world.events()).toEqual(["down", "closed"]);
    expect(world.verdict(102).kind).toBe("nothing");
    expect(world.monitor.nextEvaluationAt! <= iso(100 + LEAVING_SECONDS)).toBe(true);
    expect(world.verdict(100 + LEAVING_SECONDS).kind).toBe("leave");
    world.refusing.clear();
    world.deliver(103);
    expect(world.events("email:ops@example.com")).toEqual(["down", "closed"]);
    expect(world.verdict(103).kind).toBe("remove");
  });
});

describe("an incident goes on through a change of how its target is looked at:", () => {
  const changes: [what: string, settings: Partial<MonitorSettings>][] = [
    ["thresholds", { failureThreshold: 3, recoveryThreshold: 2 }],
    ["time-out", { timeoutMs: 4_000 }],
    ["retries", { retries: { count: 2, delayMs: 500 } }],
    ["interval", { intervalSeconds: 30 }],
    ["locations", { locations: ["a", "b"], quorum: "any" }],
    ["expected state", { expectedState: "closed" }],
    ["latency", { degradedAboveMs: 100 }],
    ["settings of the protocol", { settings: { send: "x" } }],
    ["family", { family: "ipv4" }],
    ["name, tags and alerts", { name: "Other", tags: {}, alerts: alertsOf({ afterSeconds: 60 }) }],
  ];
  test.each(changes)("%s", (_, settings) => {
    for (const last of ["down", "up"] as const) {
      const world = new World();
      world.see(5, "a", "up");
      world.see(60, "a", "down");
      const { id } = world.monitor.incident!;
      world.edit(100, settings);
      expect(world.monitor.incident).toMatchObject({ id, endedAt: null, announced: "down" });
      for (const name of world.monitor.locations) world.see(120, name, last);
      world.rest(130);
      expect(world.events()).toEqual(last === "down" ? ["down"] : ["down", "recovered"]);
      expect(world.events("email:ops@example.com")).toEqual(world.events());
      expect([...world.incidents.keys()]).toEqual([id]);
      expect(world.monitor.incident?.id ?? null).toBe(last === "down" ? id : null);
    }
  });

  test("what was seen before a change of what is checked is pending until the first view", () => {
    const world = new World();
    world.see(60, "a", "down");
    world.edit(100, { timeoutMs: 4_000 });
    expect(world.monitor).toMatchObject({ status: "pending", views: {}, incident: { startedAt: iso(60) } });
  });
});
