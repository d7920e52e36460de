import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Alert, Health, LocationCondition, Monitor, View } from "../../../shared/model.ts";
import { type Context, decide } from "../../../shared/rules/decide.ts";

const START = Date.parse("2026-11-23T10:00:00.000Z");
const iso = (seconds: number) => new Date(START + seconds * 1000).toISOString();

const monitor = (more: Partial<Monitor> = {}): Monitor => ({
  id: "m1",
  name: "Orders",
  key: null,
  protocol: "tcp",
  host: "db",
  port: 5432,
  settings: {},
  family: "auto",
  addresses: "first",
  expectedState: "open",
  timeoutMs: 5000,
  retries: { count: 0, delayMs: 0 },
  degradedAboveMs: null,
  failureThreshold: 1,
  recoveryThreshold: 1,
  intervalSeconds: 60,
  locations: ["a"],
  quorum: "majority",
  alerts: { afterSeconds: 0, emails: ["ops@example.com"] },
  tags: { team: "orders" },
  paused: false,
  badge: false,
  settingsVersion: 1,
  revision: 1,
  shard: "60#0",
  placements: [],
  views: {},
  status: "pending",
  since: iso(0),
  incident: null,
  pendingAlerts: {},
  nextEvaluationAt: null,
  undecidedSince: null,
  createdAt: iso(0),
  updatedAt: iso(0),
  settingsChangedAt: iso(0),
  deletedAt: null,
  ...more,
});

const view = (health: Health, since: number): View => ({
  health,
  state: health === "down" ? "closed" : "open",
  reason: health === "down" ? "connection-refused" : health === "degraded" ? "slow" : null,
  message: `it is ${health}`,
  evidence: {},
  fingerprint: null,
  address: null,
  since: iso(since),
  tick: Math.floor(START / 1000) + since,
});

/** A monitor with everything around it that decides and delivers, in memory. */
class World {
  monitor: Monitor;
  conditions: Record<string, LocationCondition> = { a: "working", b: "working", c: "working" };
  /** Every delivery as the receiver got it. */
  readonly received: { at: number; receiver: string; alert: Alert }[] = [];
  readonly incidents = new Map<string, unknown>();
  refusing = new Set<string>();
  writes = 0;
  constructor(more: Partial<Monitor> = {}) {
    this.monitor = monitor(more);
  }
  context(): Context {
    return { conditions: this.conditions, url: (id) => `https://x/${id}`, mail: true };
  }
  /** What one stream record leads to. */
  look(at: number, { deliver = true } = {}): void {
    const verdict = decide(this.monitor, this.context(), new Date(START + at * 1000));
    if (verdict.kind === "store") {
      this.writes++;
      this.monitor = { ...this.monitor, ...verdict.decision, revision: this.monitor.revision + 1 };
    }
    if (!deliver) return;
    const outbox: Record<string, Monitor["pendingAlerts"][string]> = {};
    for (const [key, entry] of Object.entries(this.monitor.pendingAlerts)) {
      const left = Object.entries(entry.deliveries).filter(([receiver]) => this.refusing.has(receiver));
      for (const [receiver] of Object.entries(entry.deliveries)) {
        if (this.refusing.has(receiver)) continue;
        if (entry.content.kind === "alert") this.received.push({ at, receiver, alert: entry.content.alert });
        if (entry.content.kind === "incident") this.incidents.set(entry.content.incident.id, entry.content.incident);
      }
      if (left.length > 0) outbox[key] = { ...entry, deliveries: Object.fromEntries(left) };
    }
    this.monitor = { ...this.monitor, pendingAlerts: outbox };
  }
  see(at: number, location: string, health: Health): void {
    this.monitor = { ...this.monitor, views: { ...this.monitor.views, [location]: view(health, at) } };
    this.look(at + 1);
  }
  events(receiver = "sns"): string[] {
    return this.received.filter((one) => one.receiver === receiver).map(({ alert }) => alert.event);
  }
}

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
  const patient = () => new World({ alerts: { afterSeconds: 60, emails: [] } });

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

describe("an incident ends without an alert when its monitor", () => {
  const downWorld = () => {
    const world = new World();
    world.see(60, "a", "down");
    return world;
  };
  test("is paused", () => {
    const world = downWorld();
    world.monitor = { ...world.monitor, paused: true, views: {} };
    world.look(100);
    expect(world.monitor).toMatchObject({ status: "paused", incident: null });
    expect([...world.incidents.values()]).toMatchObject([{ endReason: "paused", endedAt: iso(100) }]);
    world.monitor = { ...world.monitor, paused: false };
    world.look(200);
    expect(world.monitor).toMatchObject({ status: "pending", since: iso(200) });
    expect(world.events()).toEqual(["down"]);
  });
  test("checks something else", () => {
    const world = downWorld();
    world.monitor = {
      ...world.monitor,
      views: {},
      status: "pending",
      since: iso(100.5),
      settingsChangedAt: iso(100.5),
    };
    world.look(101);
    expect([...world.incidents.values()]).toMatchObject([{ endReason: "changed" }]);
    // A spot check is stamped with the second it ran in, which may begin before the change.
    world.see(100, "a", "down");
    for (let i = 0; i < 3; i++) world.look(102 + i);
    expect(world.monitor.incident).toMatchObject({ startedAt: iso(100.5), endedAt: null });
    expect(world.events()).toEqual(["down", "down"]);
  });
  test("is deleted; it is removed once everybody was told", () => {
    const world = new World();
    world.refusing.add("email:ops@example.com");
    world.see(60, "a", "down");
    world.monitor = { ...world.monitor, deletedAt: iso(100) };
    world.look(100);
    expect([...world.incidents.values()]).toMatchObject([{ endReason: "deleted" }]);
    const verdict = (at: number) => decide(world.monitor, world.context(), new Date(START + at * 1000)).kind;
    expect(verdict(101)).not.toBe("remove"); // a mail is still waiting
    world.refusing.clear();
    world.look(102);
    expect(verdict(103)).toBe("remove");
    expect(world.events()).toEqual(["down"]);
    expect(world.events("email:ops@example.com")).toEqual(["down"]);
  });
});

test("whatever happens in whatever order, every change is told once, in turn, and incidents never overlap", () => {
  const step = fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        kind: fc.constant("see" as const),
        location: fc.constantFrom("a", "b", "c"),
        health: fc.constantFrom<Health>("up", "down", "degraded", "unknown"),
      }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant("look" as const), times: fc.integer({ min: 1, max: 3 }) }) },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant("condition" as const),
        location: fc.constantFrom("a", "b", "c"),
        condition: fc.constantFrom<LocationCondition>("working", "silent", "offline"),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("crash" as const) }) }, // stored, and not delivered
  );
  fc.assert(
    fc.property(
      fc.array(fc.tuple(step, fc.integer({ min: 1, max: 200 })), { maxLength: 60 }),
      fc.constantFrom(0, 60),
      fc.constantFrom("majority" as const, "any" as const, "all" as const),
      (steps, afterSeconds, quorum) => {
        const world = new World({ locations: ["a", "b", "c"], quorum, alerts: { afterSeconds, emails: [] } });
        let at = 10;
        for (const [one, pause] of steps) {
          at += pause;
          if (one.kind === "see") world.see(at, one.location, one.health);
          else if (one.kind === "look") for (let i = 0; i < one.times; i++) world.look(at);
          else if (one.kind === "condition") world.conditions[one.location] = one.condition;
          else world.look(at, { deliver: false });
        }
        world.look(at + 1);
        const { received } = world;
        expect(new Set(received.map(({ alert }) => alert.alertId)).size).toBe(received.length);
        let told: string | null = null; // what people believe now
        for (const { alert } of received) {
          expect(alert.event).not.toBe(told);
          if (alert.event === "recovered") expect(told).not.toBeNull();
          told = alert.event === "recovered" ? null : alert.event;
        }
        const { status, incident } = world.monitor;
        if (status === "up") expect(told).toBeNull();
        if (afterSeconds === 0 && (status === "down" || status === "degraded")) expect(told).toBe(status);
        expect((status === "down" || status === "degraded") && incident === null).toBe(false);
        const all = ([...world.incidents.values()] as { startedAt: string; endedAt: string | null }[]).toSorted(
          (x, y) => x.startedAt.localeCompare(y.startedAt),
        );
        for (const [i, one] of all.entries()) {
          const next = all[i + 1];
          if (one.endedAt) expect(one.endedAt >= one.startedAt).toBe(true);
          if (next) expect(one.endedAt !== null && one.endedAt <= next.startedAt).toBe(true);
        }
        expect(decide(world.monitor, world.context(), new Date(START + (at + 1) * 1000)).kind).not.toBe("remove");
      },
    ),
    { numRuns: 1000 },
  );
});
