import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Health, MonitorSettings, ViewCondition } from "../../../../shared/model.ts";
import { alertsOf } from "../../../support/monitors.ts";
import { iso, World } from "./fixture.ts";

describe("whatever happens in whatever order", () => {
  const LOCATIONS = ["a", "b", "c"];
  const location = fc.constantFrom(...LOCATIONS);
  const step = fc.oneof(
    {
      weight: 60,
      arbitrary: fc.record({
        kind: fc.constant("see" as const),
        location,
        health: fc.constantFrom<Health>("up", "down", "degraded", "unknown"),
      }),
    },
    { weight: 20, arbitrary: fc.record({ kind: fc.constant("look" as const), times: fc.integer({ min: 1, max: 3 }) }) },
    {
      weight: 10,
      arbitrary: fc.record({
        kind: fc.constant("condition" as const),
        location,
        condition: fc.constantFrom<ViewCondition>("working", "silent", "offline", "stalled", "unproven"),
      }),
    },
    { weight: 10, arbitrary: fc.constant({ kind: "crash" as const }) }, // stored, and not delivered
    {
      weight: 20,
      arbitrary: fc.record({
        kind: fc.constant("edit" as const),
        settings: fc.constantFrom<Partial<MonitorSettings>>(
          { failureThreshold: 2 },
          { failureThreshold: 1 },
          { locations: ["a"] },
          { locations: LOCATIONS },
          { quorum: "any" },
          { port: 1 },
          { port: 2 },
          { paused: true },
          { paused: false },
          { paused: false },
          { alerts: alertsOf({ emails: ["one@example.com"] }) },
          { alerts: alertsOf({ afterSeconds: 90, emails: ["two@example.com"] }) },
        ),
      }),
    },
    {
      weight: 10,
      arbitrary: fc.record({ kind: fc.constant("clock" as const), skew: fc.integer({ min: -50, max: 50 }) }),
    },
    { weight: 1, arbitrary: fc.constant({ kind: "delete" as const }) },
  );
  type Step = readonly [typeof step extends fc.Arbitrary<infer S> ? S : never, number];

  /** @param rings whether timers ring in time, or only at the very end */
  const play = (world: World, steps: readonly Step[], rings: boolean) => {
    let at = 10;
    for (const [one, pause] of steps) {
      at += pause;
      if (rings && (world.monitor.nextEvaluationAt ?? iso(at)) < iso(at)) world.look(at - 1);
      if (one.kind === "see") world.see(at, one.location, one.health);
      else if (one.kind === "look") for (let i = 0; i < one.times; i++) world.look(at);
      else if (one.kind === "condition") world.conditions[one.location] = one.condition;
      else if (one.kind === "edit") world.edit(at, one.settings);
      else if (one.kind === "clock") world.skew = one.skew;
      else if (one.kind === "delete") world.delete(at);
      else world.look(at, { deliver: false });
    }
    return at;
  };

  test("every beginning that is told gets exactly one end, in turn; incidents neither overlap nor share an id", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(step, fc.integer({ min: 1, max: 200 })), { maxLength: 60 }),
        fc.constantFrom(0, 60),
        fc.constantFrom("majority" as const, "any" as const, "all" as const),
        fc.boolean(),
        (steps, afterSeconds, quorum, rings) => {
          const alerts = alertsOf({ afterSeconds, emails: ["one@example.com"] });
          const world = new World({ locations: LOCATIONS, quorum, alerts });
          world.look(1);
          const played = play(world, steps, rings);
          world.skew = 0;
          for (const name of LOCATIONS) if (world.conditions[name] === "unproven") world.conditions[name] = "working";
          world.look(played + 60);
          const end = world.rest(played + 60);
          const { received, incidents } = world;
          expect(world.system).toEqual([]); // everything settles
          const told = received.map(({ alert, receiver }) => `${alert.alertId} ${receiver}`);
          expect(new Set(told).size).toBe(told.length);

          for (const [, own] of Map.groupBy(received, ({ receiver }) => receiver)) {
            const groups = Map.groupBy(own, ({ alert }) => alert.incidentId);
            // Each incident's messages in one piece: what ended is never spoken of again.
            expect(own.map(({ alert }) => alert.incidentId)).toEqual(
              [...groups.values()].flat().map(({ alert }) => alert.incidentId),
            );
            for (const [id, messages] of groups) {
              const events = messages.map(({ alert }) => alert.event);
              const ends = events.filter((event) => event === "recovered" || event === "closed");
              const isOpen = world.monitor.incident?.id === id && !world.isGone;
              expect(ends.length, `${id}: ${events}`).toBe(isOpen ? 0 : 1);
              if (!isOpen) expect(["recovered", "closed"]).toContain(events.at(-1));
              // Who is named while it lasts hears of it as an escalation.
              expect(["down", "degraded", "escalated"]).toContain(events[0]);
              for (const [i, event] of events.entries()) expect(event).not.toBe(events[i - 1]);
              const states = messages.map(({ alert }) => alert.incidentState);
              expect(states).toEqual(events.map((_, i) => (!isOpen && i === events.length - 1 ? "ended" : "open")));
            }
          }

          const { status, incident } = world.monitor;
          if (!world.isGone && (status === "down" || status === "degraded")) {
            expect(incident).toMatchObject({ endedAt: null, announced: status });
          }
          if (status === "up" || status === "paused") expect(incident).toBeNull();
          const all = [...incidents.values()].toSorted((x, y) => x.startedAt.localeCompare(y.startedAt));
          expect(new Set(all.map(({ startedAt }) => startedAt)).size).toBe(all.length);
          for (const [i, one] of all.entries()) {
            const next = all[i + 1];
            if (one.endedAt) expect(one.endedAt >= one.startedAt).toBe(true);
            expect(one.startedAt <= iso(end + 51)).toBe(true);
            if (next) expect(one.endedAt !== null && one.endedAt < next.startedAt).toBe(true);
          }
        },
      ),
      { numRuns: 1000 },
    );
  });
});
