import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { revised } from "../../../functions/api/monitors/revise.ts";
import { DEFAULT_RETENTION } from "../../../shared/history/retention.ts";
import type { Alert, Health, Incident, Monitor, MonitorSettings, ViewCondition } from "../../../shared/model.ts";
import { type Context, decide, LEAVING_SECONDS } from "../../../shared/rules/decide.ts";
import { MAX_PENDING, OVERFLOW, pending } from "../../../shared/rules/outbox.ts";
import type { StoredMonitor } from "../../../shared/store/monitors.ts";
import { monitorOf, viewOf } from "../../support/monitors.ts";

const START = Date.parse("2026-11-23T10:00:00.000Z");
const iso = (seconds: number) => new Date(START + seconds * 1000).toISOString();
const date = (seconds: number) => new Date(START + seconds * 1000);

/** A change at that moment, of a monitor that stays where it is. */
const placing = (at: number) => ({ shard: "60#0", now: date(at), retention: DEFAULT_RETENTION });

const monitor = (more: Partial<Monitor> = {}) =>
  monitorOf({
    host: "db",
    intervalSeconds: 60,
    shard: "60#0",
    alerts: { afterSeconds: 0, emails: ["ops@example.com"] },
    tags: { team: "orders" },
    ...more,
  });

/** @param since seconds after `START` */
const view = (health: Health, since: number) => viewOf(health, START / 1000 + since);

const ALL_WORKING: Readonly<Record<string, ViewCondition>> = { a: "working", b: "working", c: "working" };

/** A monitor with everything around it that decides, delivers and changes settings, in memory. */
class World {
  monitor: StoredMonitor;
  conditions: Record<string, ViewCondition> = { ...ALL_WORKING };
  /** Every delivery as the receiver got it. */
  readonly received: { at: number; receiver: string; alert: Alert }[] = [];
  readonly system: string[] = [];
  readonly incidents = new Map<string, Incident>();
  refusing = new Set<string>();
  /** Seconds that the clock of whoever decides is ahead. */
  skew = 0;
  writes = 0;
  isGone = false;
  constructor(more: Partial<Monitor> = {}) {
    this.monitor = monitor(more);
  }
  context(): Context {
    return { conditions: this.conditions, url: (id) => `https://x/${id}`, channels: ["email", "sns"] };
  }
  verdict(at: number) {
    return decide(this.monitor, this.context(), date(at + this.skew));
  }
  write(more: Partial<StoredMonitor>): void {
    this.monitor = { ...this.monitor, ...more, revision: this.monitor.revision + 1 };
  }
  /** What one stream record leads to. */
  look(at: number, { deliver = true } = {}): void {
    if (this.isGone) return;
    const verdict = this.verdict(at);
    if (verdict.kind === "store") {
      this.writes++;
      this.write({ ...verdict.decision, lookBy: null });
      if (!this.monitor.unsettledSince) expect(this.verdict(at).kind).not.toBe("store");
    }
    this.isGone = verdict.kind === "remove" || verdict.kind === "leave";
    // What is left when a monitor leaves is delivered from an item of its own.
    if (verdict.kind === "leave") this.refusing.clear();
    if (deliver || this.isGone) this.deliver(at);
  }
  deliver(at: number): void {
    const outbox: Record<string, Monitor["pendingAlerts"][string]> = {};
    const inOrder = Object.entries(this.monitor.pendingAlerts).toSorted(([, a], [, b]) => a.sequence - b.sequence);
    for (const [key, entry] of inOrder) {
      const left = Object.entries(entry.deliveries).filter(([receiver]) => this.refusing.has(receiver));
      for (const receiver of Object.keys(entry.deliveries)) {
        if (this.refusing.has(receiver)) continue;
        if (entry.content.kind === "alert") this.received.push({ at, receiver, alert: entry.content.alert });
        else if (entry.content.kind === "incident")
          this.incidents.set(entry.content.incident.id, entry.content.incident);
        else this.system.push(entry.content.subject);
      }
      if (left.length > 0) outbox[key] = { ...entry, deliveries: Object.fromEntries(left) };
    }
    this.write({ pendingAlerts: outbox });
  }
  see(at: number, location: string, health: Health): void {
    if (this.monitor.paused || this.monitor.deletedAt || !this.monitor.locations.includes(location)) return;
    this.write({ views: { ...this.monitor.views, [location]: view(health, at) }, lookBy: iso(at + 90) });
    this.look(at + 1);
  }
  /** A change of settings, as the API makes it. */
  edit(at: number, settings: Partial<MonitorSettings>): void {
    if (this.monitor.deletedAt) return;
    const after = revised(this.monitor, { ...this.monitor, ...settings }, placing(at));
    this.write({ ...after, lookBy: iso(at + 90) });
    this.look(at + 1);
  }
  delete(at: number): void {
    if (this.monitor.deletedAt) return;
    this.write({ deletedAt: iso(at), lookBy: iso(at + 90) });
    this.look(at + 1);
  }
  /** Lets time pass until nothing is planned any more. @returns when that was */
  rest(from: number): number {
    let at = from;
    for (let rings = 0; this.monitor.nextEvaluationAt !== null && !this.isGone; rings++) {
      if (rings > 50) throw new Error(`timers never end: ${this.monitor.nextEvaluationAt}`);
      at = Math.max(at, (Date.parse(this.monitor.nextEvaluationAt) - START) / 1000);
      this.look(at);
    }
    return at;
  }
  events(receiver = "sns"): string[] {
    return this.received.filter((one) => one.receiver === receiver).map(({ alert }) => alert.event);
  }
  alerts(receiver = "sns"): Alert[] {
    return this.received.filter((one) => one.receiver === receiver).map(({ alert }) => alert);
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

describe("afterSeconds while it changes between down and degraded", () => {
  const HOLD = 300;
  /** d(own), g(degraded), u(p), by the minute; what people hear, as `<minute>:<event>`. */
  const live = (minutes: string) => {
    const world = new World({ alerts: { afterSeconds: HOLD, emails: [] } });
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
        world.monitor = revised(world.monitor, { ...world.monitor, paused: true }, placing(100));
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
    const world = downWorld({ alerts: { afterSeconds: 600, emails: ["ops@example.com"] } });
    act(world);
    world.rest(110);
    expect(world.received).toEqual([]);
    expect([...world.incidents.values()]).toMatchObject([{ endReason, alertCount: 0 }]);
  });

  test("has other addresses by then: the end goes to those who heard the beginning, and to nobody else", () => {
    const world = downWorld();
    world.edit(80, { alerts: { afterSeconds: 0, emails: ["new@example.com"] } });
    world.see(180, "a", "up");
    expect(world.events("email:ops@example.com")).toEqual(["down", "recovered"]);
    expect(world.events("sns")).toEqual(["down", "recovered"]);
    expect(world.events("email:new@example.com")).toEqual([]);
    world.see(240, "a", "down");
    expect(world.events("email:new@example.com")).toEqual(["down"]);
    world.delete(300);
    expect(world.events("email:new@example.com")).toEqual(["down", "closed"]);
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
    ["name, tags and alerts", { name: "Other", tags: {}, alerts: { afterSeconds: 60, emails: [] } }],
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
    world.write(revised(world.monitor, { ...world.monitor, paused: true }, placing(100 + ahead)));
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
  const patient = () => new World({ alerts: { afterSeconds: 60, emails: [] } });

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
  const world = new World({ alerts: { afterSeconds: 0, emails: [] } });
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
          { alerts: { afterSeconds: 0, emails: ["one@example.com"] } },
          { alerts: { afterSeconds: 90, emails: ["two@example.com"] } },
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
          const alerts = { afterSeconds, emails: ["one@example.com"] };
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
              expect(["down", "degraded"]).toContain(events[0]);
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
