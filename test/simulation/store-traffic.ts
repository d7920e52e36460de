/**
 * Seeded traffic of all stores on a client: what the product really asks of its tables, with lost races, missing items
 * and pages, in an order that no product would have.
 */
import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { pausedEntry, rosterHash } from "../../shared/history/block.ts";
import type { PastOutcome } from "../../shared/history/outcome.ts";
import { Tally } from "../../shared/history/tally.ts";
import type { Incident, Monitor, PendingAlert } from "../../shared/model.ts";
import { unlessRaced } from "../../shared/store/condition.ts";
import { createDecisionStore } from "../../shared/store/decisions.ts";
import { createDueStore } from "../../shared/store/due.ts";
import { createHistoryStore } from "../../shared/store/history.ts";
import { createIncidentStore } from "../../shared/store/incidents.ts";
import { locationStateKey, monitorKey } from "../../shared/store/keys.ts";
import { createLocationStore } from "../../shared/store/locations.ts";
import { createMonitorStore } from "../../shared/store/monitors.ts";
import { createPlanningStore } from "../../shared/store/planning.ts";
import { createShardStore } from "../../shared/store/shards.ts";
import { createTokenStore } from "../../shared/store/tokens.ts";
import { createUpkeepStore } from "../../shared/store/upkeep.ts";
import { createViewStore } from "../../shared/store/views.ts";
import { monitorOf, viewOf } from "../support/monitors.ts";
import type { Chance } from "./clock.ts";

const IDS = ["m1", "m2", "m3", "m4", "m5", "m6"];
const LOCATIONS = ["a", "b", "eu-west-1"];
const SHARDS = ["10#0", "10#1", "60#0"];
const TOKENS = ["t1", "t2", "t3"];
/** 2026-12-01T23:00:00Z: an hour before a midnight. */
const START = 1_796_166_000;

/** @returns one more step at each call: one method of one store, whatever it takes */
export function storeTraffic(
  client: DynamoDBDocumentClient,
  tables: { readonly monitors: string; readonly history: string },
  chance: Chance,
): () => Promise<unknown> {
  let now = START;
  const monitors = createMonitorStore(client, tables.monitors);
  const views = createViewStore(client, tables.monitors);
  const decisions = createDecisionStore(client, tables.monitors);
  const due = createDueStore(client, tables.monitors);
  const locations = createLocationStore(client, tables.monitors);
  const planning = createPlanningStore(client, tables.monitors);
  const shards = createShardStore(client, tables.monitors);
  const incidents = createIncidentStore(client, tables.monitors);
  const tokens = createTokenStore(client, tables.monitors);
  const upkeep = createUpkeepStore(client, tables.monitors);
  const historyOf = () => createHistoryStore(client, tables.history, { now: () => now * 1000 });
  let history = historyOf();

  const iso = (seconds: number) => new Date(seconds * 1000).toISOString();
  const date = () => new Date(now * 1000);
  const tick = () => now - (now % 10) - 10 * chance.int(40);
  const id = () => chance.pick(IDS);
  const location = () => chance.pick(LOCATIONS);
  const shard = () => chance.pick(SHARDS);
  const some = <T>(list: readonly T[]) => list.filter(() => chance.chance(0.6));
  /** What was read of a monitor some time ago, so that races are lost as well as won. */
  const read = new Map<string, Monitor>();
  const known = () => read.get(id()) ?? monitorOf({ id: id() });

  const pending = (): PendingAlert => ({
    content: { kind: "system", subject: "Größe ✓", message: "text" },
    createdAt: iso(now),
    deliveries: {
      sns: { attempts: 0, nextAttemptAt: iso(now) },
      "email:ops@example.com": { attempts: 1, nextAttemptAt: iso(now) },
    },
  });
  const incidentOf = (monitorId: string): Incident => {
    const startedAt = iso(START + chance.int(5));
    return {
      id: `${monitorId}.${startedAt}`,
      startedAt,
      endedAt: chance.chance(0.5) ? null : iso(now),
      severity: "down",
      reason: "timeout",
      message: "silent",
      evidence: {},
      locations: {},
      announced: null,
      alertCount: chance.int(3),
      endReason: null,
    };
  };
  const outcomes = (): PastOutcome[] => {
    const first = tick();
    const about = {
      intervalSeconds: 10,
      state: "open",
      reason: null,
      health: "up",
      view: "up",
      offline: false,
    } as const;
    return Array.from({ length: 1 + chance.int(5) }, (_, n) => ({
      ...about,
      tick: first + 10 * n,
      latencyMs: 1 + chance.int(100),
      lossPercent: null,
    }));
  };

  const steps: Record<string, () => Promise<unknown>> = {
    create: () => {
      const one = shard();
      const monitor = monitorOf({
        id: id(),
        name: chance.pick(["Orders", "orders", "Ärger", "Zoo"]),
        shard: one,
        placements: [{ shard: one, fromTick: 0, toTick: null }],
        locations: some(LOCATIONS),
        tags: { team: "x" },
      });
      return monitors.create({ ...monitor, creation: chance.chance(0.5) ? null : "hash" });
    },
    get: async () => {
      const monitor = await monitors.get(id());
      if (monitor) read.set(monitor.id, monitor);
    },
    getMany: () => monitors.getMany([...some(IDS), "none"]),
    saveSettings: () => {
      const before = known();
      const isMoved = chance.chance(0.3);
      return monitors.saveSettings(before, {
        ...before,
        name: chance.pick(["Orders", "Payments"]),
        paused: chance.chance(0.5),
        settingsVersion: before.settingsVersion + chance.int(2),
        settingsChangedAt: iso(now),
        views: {},
        updatedAt: iso(now),
        ...(isMoved && {
          shard: "60#0",
          placements: [...before.placements, { shard: "60#0", fromTick: now, toTick: null }],
        }),
      });
    },
    markDeleted: () => monitors.markDeleted(known(), date()),
    list: async () => {
      const { next } = await monitors.list(1 + chance.int(4));
      if (next) await monitors.list(2, next);
    },
    members: () => views.members(shard()),
    membersById: () => views.membersById(some(IDS)),
    views: () => views.views(some(IDS), location()),
    saveView: () => {
      const { id, settingsVersion } = known();
      const view = viewOf(chance.pick(["up", "down", "degraded"]), tick());
      return views.save(id, settingsVersion, location(), view, { onlyIfEmpty: chance.chance(0.2) });
    },
    decisionMonitor: async () => {
      const monitor = await decisions.monitor(id());
      if (monitor) read.set(monitor.id, monitor);
    },
    outbox: () => decisions.outbox(chance.chance(0.5) ? monitorKey(id()) : locationStateKey(location())),
    saveDecision: () => {
      const monitor = known();
      const waiting = Object.fromEntries(some(["x1", "x2", "incident#1"]).map((key) => [key, pending()]));
      return decisions.save(monitor, {
        status: chance.pick(["up", "down", "unknown"]),
        since: iso(now),
        incident: chance.chance(0.5) ? null : incidentOf(monitor.id),
        pendingAlerts: waiting,
        nextEvaluationAt: chance.chance(0.5) ? null : iso(now + chance.int(300)),
        undecidedSince: null,
      });
    },
    settle: () => {
      const monitor = known();
      const [first, ...others] = ["x1", "x2", "incident#1"];
      const updates = [first!, ...some(others)].flatMap((key) =>
        ["sns", ...some(["email:ops@example.com"])].map((receiver) => ({
          key,
          receiver,
          next: chance.chance(0.5) ? null : { attempts: 2, nextAttemptAt: iso(now + 60) },
        })),
      );
      const added = chance.chance(0.3) ? { [`system#${chance.int(3)}`]: pending() } : {};
      const next = chance.chance(0.5) ? null : iso(now + 30);
      return decisions.settle(monitorKey(monitor.id), monitor, updates, added, next);
    },
    remove: () => decisions.remove(known()),
    projectIncident: () => decisions.projectIncident(known(), incidentOf(id())),
    noteUndeliverable: () => {
      const note = { error: "refused", at: iso(now) };
      return decisions.noteUndeliverable(id(), iso(START + chance.int(5)), "x1/sns", note);
    },
    listIncidents: async () => {
      const { next } = await incidents.list(chance.pick(["open", "closed", "all"]), 1 + chance.int(3));
      if (next) await incidents.list("all", 2, next);
    },
    incidentsOf: async () => {
      const one = id();
      const { next } = await incidents.listOf(one, 1 + chance.int(3));
      if (next) await incidents.listOf(one, 2, next);
    },
    incident: () => incidents.get(id(), iso(START + chance.int(5))),
    due: () => Array.fromAsync(due.before(new Date((now + chance.int(300)) * 1000))),
    touch: () => due.touch(chance.chance(0.8) ? monitorKey(id()) : locationStateKey(location())),
    locations: () => locations.all(),
    location: () => locations.get(location()),
    ask: () => locations.ask(location(), date(), chance.pick([0, 150])),
    beat: () => locations.beat(location(), iso(now - chance.int(100))),
    setOffline: () => locations.setOffline(location(), chance.chance(0.5) ? null : iso(now)),
    announce: async () => {
      const name = location();
      const previous = chance.chance(0.7) ? await locations.announced(name) : "silent";
      const outbox: Record<string, PendingAlert> = chance.chance(0.5) ? {} : { "system#1": pending() };
      return locations.announce(name, previous, chance.pick(["silent", "offline", "ok"]) as never, outbox, date());
    },
    shards: () => Array.fromAsync(planning.shards()),
    advance: async () => {
      const one = await planning.shard(shard());
      if (one)
        await planning.advance(chance.chance(0.8) ? one : { ...one, plannedUntil: 1 }, now, { a: now, b: now - 10 });
    },
    settingsRevision: () => planning.settingsRevision(shard()),
    settingsChanged: () => shards.settingsChanged(shard(), [location()]),
    place: () => shards.place(chance.pick([10, 60]), [location()], chance.pick([1, 100, 250])),
    putBlock: () => {
      const block = {
        version: 1,
        tick: tick(),
        offline: false,
        entries: [pausedEntry(1)],
        roster: rosterHash(IDS),
      } as const;
      const [name, place] = [shard(), location()];
      return history.putBlock(
        name,
        place,
        { ...block, shard: name, location: place },
        block.tick + chance.pick([60, 86_400]),
      );
    },
    latestBlock: () => history.latestBlock(shard(), location(), tick()),
    blocks: () => Array.fromAsync(history.blocks(shard(), location(), tick(), now + 10)),
    firstTick: () => history.firstTick(shard(), location(), tick(), now + 10),
    roster: async () => {
      const hash = await history.putRoster(some(IDS));
      if (chance.chance(0.5)) history = historyOf(); // a new process remembers nothing
      return history.roster(hash);
    },
    putChunks: () =>
      history.putChunks(
        [...new Set([id(), id()])].map((monitorId) => ({
          monitorId,
          location: location(),
          shard: shard(),
          outcomes: outcomes(),
        })),
      ),
    chunks: () => Array.fromAsync(history.chunks(id(), location(), tick(), now)),
    putDays: () => {
      const tally = new Tally();
      for (const outcome of outcomes()) tally.addOutcome(outcome);
      return history.putDays([{ monitorId: id(), location: location(), date: iso(now).slice(0, 10), tally }]);
    },
    days: () => history.days(id(), location(), START - 86_400, now + 86_400),
    progress: () => history.progress(shard()),
    advanceChunks: () => history.advanceChunks(shard(), location(), tick(), "2026-12-01", new Set(some(["r1", "r2"]))),
    advanceDays: () =>
      history.advanceDays(shard(), START + 86_400 * chance.int(3), some(["2026-12-01#a", "2026-12-01#b"])),
    rememberDrift: () => history.rememberDrift(shard(), chance.int(3)),
    putToken: () =>
      tokens.put({
        id: chance.pick(TOKENS),
        secretHash: "hash",
        name: "token",
        scopes: ["read", "write"],
        createdAt: iso(now),
        lastUsedAt: null,
        revokedAt: null,
      }),
    token: () => tokens.get(chance.pick(TOKENS)),
    tokens: async () => {
      const { next } = await tokens.list(1 + chance.int(3));
      if (next) await tokens.list(2, next);
    },
    revoke: () => tokens.revoke(chance.pick(TOKENS), date()),
    markUsed: () => tokens.markUsed(chance.pick(TOKENS), date()),
    spend: () => tokens.spend(chance.pick(TOKENS), 2, date()),
    allMonitors: () => Array.fromAsync(upkeep.monitors()),
    seated: () => upkeep.seated(shard()),
    setMembers: () => upkeep.setMembers(shard(), chance.pick([1, 100, 250]), chance.int(250)),
    // Of a shard that there is, or it throws.
    addLocations: () => unlessRaced(upkeep.addLocations(shard(), [location()])),
  };
  const names = Object.keys(steps);

  return () => {
    now += chance.int(8);
    return steps[chance.pick(names)]!();
  };
}
