import { expect } from "vitest";
import { withSettings } from "../../../../functions/api/monitors/with-settings.ts";
import { DEFAULT_RETENTION } from "../../../../shared/history/retention.ts";
import type {
  Alert,
  Facts,
  Health,
  Incident,
  Monitor,
  MonitorSettings,
  StretchStart,
  View,
  ViewCondition,
} from "../../../../shared/model.ts";
import type { RecordedChange } from "../../../../shared/rules/changes.ts";
import { type Context, decide } from "../../../../shared/rules/decide.ts";
import { observe } from "../../../../shared/rules/facts.ts";
import type { Plan } from "../../../../shared/rules/telling.ts";
import { nextEvaluation } from "../../../../shared/rules/timer.ts";
import type { StoredMonitor } from "../../../../shared/store/monitor-item.ts";
import { alertsOf, monitorOf, viewOf } from "../../../support/monitors.ts";

export const START = Date.parse("2026-11-23T10:00:00.000Z");
export const iso = (seconds: number) => new Date(START + seconds * 1000).toISOString();
const date = (seconds: number) => new Date(START + seconds * 1000);

/** A change at that moment, of a monitor that stays where it is. */
export const placing = (at: number) => ({ shard: "60#0", now: date(at), retention: DEFAULT_RETENTION });

const monitor = (more: Partial<Monitor> = {}) =>
  monitorOf({
    host: "db",
    intervalSeconds: 60,
    shard: "60#0",
    alerts: alertsOf({ emails: ["ops@example.com"] }),
    tags: { team: "orders" },
    ...more,
  });

/** @param since seconds after `START` */
export const view = (health: Health, since: number) => viewOf(health, START / 1000 + since);

export const ALL_WORKING: Readonly<Record<string, ViewCondition>> = { a: "working", b: "working", c: "working" };

/** A monitor with everything around it that decides, delivers and changes settings, in memory. */
export class World {
  monitor: StoredMonitor;
  conditions: Record<string, ViewCondition> = { ...ALL_WORKING };
  /** Every delivery as the receiver got it. */
  readonly received: { at: number; receiver: string; alert: Alert }[] = [];
  readonly system: string[] = [];
  readonly incidents = new Map<string, Incident>();
  readonly stretches: StretchStart[] = [];
  readonly changes: RecordedChange[] = [];
  refusing = new Set<string>();
  /** Seconds that the clock of whoever decides is ahead. */
  skew = 0;
  writes = 0;
  ownTimerAt: string | null = null;
  isGone = false;
  plans: readonly Plan[] = [];
  maintenanceUntil: NonNullable<Context["maintenanceUntil"]> = () => null;
  dependencies: () => Context["dependencies"] = () => undefined;
  constructor(more: Partial<Monitor> = {}) {
    this.monitor = monitor(more);
  }
  context(): Context {
    const { conditions, plans, maintenanceUntil } = this;
    return {
      conditions,
      url: (id) => `https://x/${id}`,
      channels: ["email", "sns"],
      plansOf: () => plans,
      maintenanceUntil,
      dependencies: this.dependencies(),
    };
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
    this.ownTimerAt = "ownTimerAt" in verdict ? verdict.ownTimerAt : null;
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
        else if (entry.content.kind === "status") this.stretches.push(entry.content.stretch);
        else if (entry.content.kind === "change") this.changes.push(entry.content.change);
        else this.system.push(entry.content.subject);
      }
      if (left.length > 0) outbox[key] = { ...entry, deliveries: Object.fromEntries(left) };
    }
    if (inOrder.length === 0) return;
    const nextEvaluationAt = nextEvaluation(this.ownTimerAt, outbox, date(at + this.skew));
    this.write({ pendingAlerts: outbox, nextEvaluationAt });
  }
  see(at: number, location: string, health: Health): void {
    if (this.monitor.paused || this.monitor.deletedAt || !this.monitor.locations.includes(location)) return;
    const { facts = null } = this.monitor.views[location] ?? {};
    this.write({ views: { ...this.monitor.views, [location]: { ...view(health, at), facts } }, lookBy: iso(at + 90) });
    this.look(at + 1);
  }
  /** A good check finds these facts; `times` of them, ten seconds apart. @returns when the last one was */
  hear(at: number, location: string, facts: Facts, times = 1): number {
    for (let check = 0; check < times; check++) {
      const tick = at + 10 * check;
      const { views, paused, deletedAt, locations } = this.monitor;
      if (paused || deletedAt || !locations.includes(location)) return tick;
      const before = views[location] ?? view("up", tick);
      const known = observe(before.facts ?? null, facts, tick);
      if (before.health === "up" && known === before.facts) continue;
      const since = before.health === "up" ? before.since : iso(tick);
      const after: View = { ...view("up", tick), since, facts: known };
      this.write({ views: { ...views, [location]: after }, lookBy: iso(tick + 90) });
      this.look(tick + 1);
    }
    return at + 10 * (times - 1);
  }
  /** As a click on "accept" does it. */
  accept(at: number, id = Object.keys(this.monitor.baseline?.changes ?? {})[0]!, note: string | null = null): void {
    const { baseline } = this.monitor;
    const change = baseline!.changes[id]!;
    const accepted = { at: iso(at), by: "ann", note };
    this.write({
      baseline: { ...baseline!, changes: { ...baseline!.changes, [id]: { ...change, accepted } } },
      lookBy: iso(at + 90),
    });
    this.look(at + 1);
  }
  /** A change of settings, as the API makes it. */
  edit(at: number, settings: Partial<MonitorSettings>): void {
    if (this.monitor.deletedAt) return;
    const after = withSettings(this.monitor, { ...this.monitor, ...settings }, placing(at));
    this.write({ ...after, lookBy: iso(at + 90) });
    this.look(at + 1);
  }
  delete(at: number): void {
    if (this.monitor.deletedAt) return;
    this.write({ deletedAt: iso(at), lookBy: iso(at + 90) });
    this.look(at + 1);
  }
  /** As a click on "acknowledge" does it. */
  acknowledge(at: number): void {
    const { incident } = this.monitor;
    if (!incident) throw new Error("there is no incident");
    const acknowledged = { at: iso(at), by: "ann", note: null, severity: incident.severity, isAnnounced: false };
    this.write({ incident: { ...incident, acknowledged }, lookBy: iso(at + 90) });
    this.look(at + 1);
  }
  /** Lets time pass, timers included. */
  pass(from: number, until: number): void {
    const due = () => {
      const { nextEvaluationAt } = this.monitor;
      return nextEvaluationAt === null ? Number.POSITIVE_INFINITY : (Date.parse(nextEvaluationAt) - START) / 1000;
    };
    for (let at = from; due() <= until && !this.isGone; ) {
      at = Math.max(at, due());
      this.look(at);
    }
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
