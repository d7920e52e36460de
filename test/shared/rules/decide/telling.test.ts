import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Health } from "../../../../shared/model.ts";
import type { Receiver } from "../../../../shared/receiver.ts";
import type { Plan } from "../../../../shared/rules/telling.ts";
import { START, World } from "./fixture.ts";

const ANN: Receiver = "email:ann@example.com";
const BOB: Receiver = "email:bob@example.com";
const TOPIC: Receiver = "sns";

const plan = (more: Partial<Plan> = {}): Plan => ({
  steps: [{ afterSeconds: 0, receivers: [ANN] }],
  levels: ["degraded", "down"],
  remindEverySeconds: null,
  remindAtMost: 0,
  until: "recovered",
  ...more,
});
const STEPS: Plan["steps"] = [
  { afterSeconds: 0, receivers: [ANN] },
  { afterSeconds: 600, receivers: [BOB] },
];
const worldOf = (...plans: readonly Plan[]) => {
  const world = new World({ alerts: { afterSeconds: 0, emails: [], policies: [] } });
  world.plans = plans;
  world.see(10, "a", "up");
  return world;
};
/** Who heard what, and when. */
const heard = ({ received }: World) =>
  received.map(({ at, receiver, alert }) => `${at} ${alert.event} ${receiver.replace(/^email:|@.*$/g, "")}`);

test("alerts carry the time zone of the first policy, to the end", () => {
  const world = worldOf(plan({ timeZone: "Europe/Zurich" }), plan({ timeZone: "UTC", steps: STEPS }));
  world.see(60, "a", "down");
  world.see(360, "a", "up");
  const zones = world.received.map(({ alert }) => `${alert.event} ${alert.timeZone}`);
  expect(new Set(zones)).toEqual(new Set(["down Europe/Zurich", "recovered Europe/Zurich"]));
});

describe("escalation", () => {
  test("tells the next step once the trouble has lasted, and everybody of the end", () => {
    const world = worldOf(plan({ steps: STEPS }));
    world.see(60, "a", "down");
    world.pass(61, 3_000);
    world.see(3_060, "a", "up");
    expect(heard(world)).toEqual(["61 down ann", "660 escalated bob", "3061 recovered ann", "3061 recovered bob"]);
  });
  test("stops where it recovers first: the next step hears nothing at all", () => {
    const world = worldOf(plan({ steps: STEPS }));
    world.see(60, "a", "down");
    world.see(360, "a", "up");
    world.pass(361, 5_000);
    expect(heard(world)).toEqual(["61 down ann", "361 recovered ann"]);
  });
  test("stops with an acknowledgement", () => {
    const world = worldOf(plan({ steps: STEPS }));
    world.see(60, "a", "down");
    world.acknowledge(120);
    world.pass(121, 5_000);
    world.see(5_040, "a", "up");
    expect(heard(world)).toEqual(["61 down ann", "121 acknowledged ann", "5041 recovered ann"]);
  });
  test("goes on where it becomes worse than what was acknowledged", () => {
    const world = worldOf(plan({ steps: STEPS }));
    world.see(60, "a", "degraded");
    world.acknowledge(120);
    world.pass(121, 1_000);
    world.see(1_020, "a", "down");
    world.pass(1_021, 5_000);
    expect(heard(world)).toEqual([
      "61 degraded ann",
      "121 acknowledged ann",
      "1021 escalated bob",
      "1021 down ann",
      "1620 down bob",
    ]);
    expect(world.alerts(BOB).map(({ severity }) => severity)).toEqual(["warning", "critical"]);
  });
  test("of two policies takes the earlier step of a receiver, once", () => {
    const world = worldOf(
      plan({ steps: [{ afterSeconds: 300, receivers: [ANN, BOB] }] }),
      plan({ steps: [{ afterSeconds: 60, receivers: [BOB] }] }),
    );
    world.see(60, "a", "down");
    world.pass(61, 3_000);
    expect(heard(world)).toEqual(["120 down bob", "360 escalated ann"]);
  });
  test("of a policy that is added while it lasts tells at once what is due", () => {
    const world = worldOf(plan());
    world.see(60, "a", "down");
    world.plans = [plan(), plan({ steps: [{ afterSeconds: 60, receivers: [TOPIC] }] })];
    world.look(200);
    expect(heard(world)).toEqual(["61 down ann", "200 escalated sns"]);
  });
});

test("a policy for `down` alone says nothing of `degraded`", () => {
  const world = worldOf(plan({ levels: ["down"] }));
  world.see(60, "a", "degraded");
  world.see(120, "a", "up");
  world.see(180, "a", "degraded");
  world.see(240, "a", "down");
  world.see(300, "a", "degraded");
  world.see(360, "a", "up");
  expect(heard(world)).toEqual(["241 down ann", "361 recovered ann"]);
});

describe("reminders", () => {
  const reminding = (more: Partial<Plan> = {}) =>
    plan({ steps: STEPS, remindEverySeconds: 900, remindAtMost: 2, ...more });
  test("come as often as asked, each receiver's by its own time, and no more", () => {
    const world = worldOf(reminding());
    world.see(60, "a", "down");
    world.pass(61, 20_000);
    world.see(20_040, "a", "up");
    expect(heard(world)).toEqual([
      "61 down ann",
      "660 escalated bob",
      "961 reminder ann",
      "1560 reminder bob",
      "1861 reminder ann",
      "2460 reminder bob",
      "20041 recovered ann",
      "20041 recovered bob",
    ]);
  });
  test.each([
    ["acknowledged", []],
    ["recovered", ["961 reminder ann", "1861 reminder ann"]],
  ] as const)("until %s", (until, expected) => {
    const world = worldOf(reminding({ until }));
    world.see(60, "a", "down");
    world.acknowledge(120);
    world.pass(121, 20_000);
    expect(heard(world)).toEqual(["61 down ann", "121 acknowledged ann", ...expected]);
  });
});

describe("in maintenance", () => {
  const until = (seconds: number) => (_: unknown, now: Date) =>
    now.getTime() < START + seconds * 1000 ? START + seconds * 1000 : null;
  test("nobody is told; an outage that is still there at the end is", () => {
    const world = worldOf(plan({ steps: STEPS }));
    world.maintenanceUntil = until(1_000);
    world.see(60, "a", "down");
    world.pass(61, 5_000);
    expect(heard(world)).toEqual(["1000 down ann", "1000 down bob"]);
  });
  test("an outage that is over by the end was never told, and is in the history", () => {
    const world = worldOf(plan());
    world.maintenanceUntil = until(1_000);
    world.see(60, "a", "down");
    world.see(600, "a", "up");
    world.pass(601, 5_000);
    expect(world.received).toEqual([]);
    expect([...world.incidents.values()]).toMatchObject([{ endReason: "recovered", alertCount: 0 }]);
  });
  test("who was told before it hears of the end at once", () => {
    const world = worldOf(plan());
    world.see(60, "a", "down");
    world.maintenanceUntil = until(1_000);
    world.see(600, "a", "up");
    expect(heard(world)).toEqual(["61 down ann", "601 recovered ann"]);
  });
});

test("an incident that an earlier version stored is told on without a repetition", () => {
  const world = worldOf();
  world.see(60, "a", "down");
  const { told: _told, acknowledged: _acknowledged, ...old } = world.monitor.incident!;
  world.write({ incident: { ...old, receivers: ["sns"] } as never });
  world.pass(61, 500);
  world.look(500);
  world.see(600, "a", "up");
  expect(heard(world)).toEqual(["61 down sns", "601 recovered sns"]);
});

test("over random histories: order, ends, reminders and acknowledgement hold for every receiver", () => {
  const health = fc.constantFrom<Health>("up", "degraded", "down");
  const moment = fc.oneof(
    { weight: 6, arbitrary: fc.record({ kind: fc.constant("see" as const), health }) },
    { weight: 1, arbitrary: fc.constant({ kind: "acknowledge" as const }) },
    { weight: 2, arbitrary: fc.constant({ kind: "crash" as const }) },
  );
  const plans = fc.array(
    fc.record({
      steps: fc.uniqueArray(
        fc.record({
          afterSeconds: fc.constantFrom(0, 60, 600),
          receivers: fc.uniqueArray(fc.constantFrom(ANN, BOB, TOPIC), { minLength: 1 }),
        }),
        { selector: ({ afterSeconds }) => afterSeconds, minLength: 1, maxLength: 3 },
      ),
      levels: fc.constantFrom<Plan["levels"]>(["down"], ["degraded", "down"]),
      remindEverySeconds: fc.constantFrom(null, 300),
      remindAtMost: fc.integer({ min: 1, max: 3 }),
      until: fc.constantFrom("acknowledged" as const, "recovered" as const),
    }),
    { minLength: 1, maxLength: 2 },
  );
  fc.assert(
    fc.property(
      plans,
      fc.array(fc.tuple(moment, fc.integer({ min: 1, max: 900 })), { maxLength: 40 }),
      (own, moments) => {
        const world = worldOf(...own);
        let at = 20;
        const acknowledged: { incident: string; at: number }[] = [];
        for (const [one, pause] of moments) {
          world.pass(at, at + pause);
          at += pause;
          if (one.kind === "see") world.see(at, "a", one.health);
          else if (one.kind === "crash") world.look(at, { deliver: false });
          else if (world.monitor.incident && !world.monitor.incident.acknowledged) {
            acknowledged.push({ incident: world.monitor.incident.id, at });
            world.acknowledge(at);
          }
        }
        world.pass(at, at + 10_000);
        world.see(at + 10_001, "a", "up");
        world.look(at + 10_003);
        expect(world.system).toEqual([]);
        const most = own.reduce(
          (sum, { remindEverySeconds, remindAtMost }) => sum + (remindEverySeconds ? remindAtMost : 0),
          0,
        );
        for (const [receiver, all] of Map.groupBy(world.received, (one) => one.receiver))
          for (const [incident, messages] of Map.groupBy(all, ({ alert }) => alert.incidentId)) {
            const events = messages.map(({ alert }) => alert.event);
            const what = `${receiver} of ${incident}: ${events}`;
            expect(events.at(-1), what).toBe("recovered");
            expect(
              events.filter((event) => event === "recovered"),
              what,
            ).toHaveLength(1);
            expect(events[0], what).not.toBe("reminder");
            let [reminders, level] = [0, ""];
            for (const { alert } of messages) {
              if (alert.event === "reminder") reminders++;
              else reminders = 0;
              expect(reminders, what).toBeLessThanOrEqual(most);
              if (alert.event !== "reminder" && alert.event !== "recovered" && alert.event !== "acknowledged") {
                expect(alert.severity, what).not.toBe(level);
                level = alert.severity;
              }
            }
            const calm = acknowledged.find((one) => one.incident === incident);
            const isQuiet = own.every(({ until }) => until === "acknowledged");
            if (calm && isQuiet)
              expect(
                messages.filter(({ at: when, alert }) => when > calm.at + 1 && alert.event === "reminder"),
                what,
              ).toEqual([]);
          }
      },
    ),
    { numRuns: 500 },
  );
});
