/**
 * Seeded traffic of all stores on a client: what the product really asks of its tables, with lost races, missing items
 * and pages, in an order that no product would have.
 */
import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { pausedEntry, rosterHash } from "../../shared/history/block.ts";
import type { PastOutcome } from "../../shared/history/outcome.ts";
import { Tally } from "../../shared/history/tally.ts";
import type { Incident, PendingAlert } from "../../shared/model.ts";
import { unlessRaced } from "../../shared/store/condition.ts";
import { createDecisionStore } from "../../shared/store/decisions.ts";
import { createDueStore } from "../../shared/store/due.ts";
import { createFormerStore } from "../../shared/store/former.ts";
import { createFreshness } from "../../shared/store/freshness.ts";
import { createHistoryStore } from "../../shared/store/history.ts";
import { createIncidentStore } from "../../shared/store/incidents.ts";
import { leftKey, locationStateKey, monitorKey } from "../../shared/store/keys.ts";
import { namePlace } from "../../shared/store/listing.ts";
import { createLocationStore } from "../../shared/store/locations.ts";
import { createMailboxStore } from "../../shared/store/mailbox.ts";
import type { StoredMonitor } from "../../shared/store/monitor-item.ts";
import { createMonitorStore } from "../../shared/store/monitors.ts";
import { createPlanningStore } from "../../shared/store/planning.ts";
import { createSessionStore } from "../../shared/store/sessions.ts";
import { createShardStore } from "../../shared/store/shards.ts";
import { createStandingReader } from "../../shared/store/standing.ts";
import { createTokenStore } from "../../shared/store/tokens.ts";
import { createUpkeepStore } from "../../shared/store/upkeep.ts";
import { createViewStore } from "../../shared/store/views.ts";
import { monitorOf, viewOf } from "../support/monitors.ts";
import { answerTraffic } from "./answer-traffic.ts";
import type { Chance } from "./clock.ts";
import { mailboxTraffic } from "./mailbox-traffic.ts";
import { tokenSteps } from "./token-traffic.ts";

const IDS = ["m1", "m2", "m3", "m4", "m5", "m6"];
const LOCATIONS = ["a", "b", "eu-west-1"];
const SHARDS = ["10#0", "10#1", "60#0"];
/** 2026-12-01T23:00:00Z: an hour before a midnight. */
const START = 1_796_166_000;

const LEFT_EMPTY = {
  lastIncidentEndedAt: null,
  lastStretch: null,
  undecidedSince: null,
  unsettledSince: null,
  ...{ flapState: null, minority: null, baseline: null },
} as const;

export interface Traffic {
  /** One method of one store, whatever it takes. */
  step(): Promise<unknown>;
  /** Methods of stores that no step has called yet: traffic that leaves one out proves nothing about it. */
  uncalled(): string[];
}

export function storeTraffic(
  client: DynamoDBDocumentClient,
  tables: { readonly monitors: string; readonly history: string },
  chance: Chance,
): Traffic {
  let now = START;
  let writes = 0;
  const methods = new Map<string, boolean>();
  /** The same store, which notes what is called. */
  const watched = <Store extends object>(name: string, store: Store): Store =>
    Object.fromEntries(
      Object.entries(store).map(([method, call]) => {
        const path = `${name}.${method}`;
        methods.set(path, methods.get(path) ?? false);
        const noted = (...given: unknown[]) => {
          methods.set(path, true);
          return call(...given);
        };
        return [method, noted];
      }),
    ) as Store;
  const monitors = watched(
    "monitors",
    createMonitorStore(client, tables.monitors, { newId: () => `write ${writes++}` }),
  );
  const views = watched("views", createViewStore(client, tables.monitors));
  const decisions = watched("decisions", createDecisionStore(client, tables.monitors));
  const due = watched("due", createDueStore(client, tables.monitors));
  const locations = watched("locations", createLocationStore(client, tables.monitors));
  const planning = watched("planning", createPlanningStore(client, tables.monitors));
  const shards = watched("shards", createShardStore(client, tables.monitors));
  const incidents = watched("incidents", createIncidentStore(client, tables.monitors));
  const tokens = watched("tokens", createTokenStore(client, tables.monitors));
  const sessions = watched("sessions", createSessionStore(client, tables.monitors));
  const upkeep = watched("upkeep", createUpkeepStore(client, tables.monitors));
  const former = watched("former", createFormerStore(client, tables.monitors));
  const freshness = watched("freshness", createFreshness(client, tables.history));
  const mailbox = watched("mailbox", createMailboxStore(client, tables.monitors));
  const standing = createStandingReader(client, tables.monitors);
  const historyOf = () => watched("history", createHistoryStore(client, tables.history, { now: () => now * 1000 }));
  let history = historyOf();

  const iso = (seconds: number) => new Date(seconds * 1000).toISOString();
  const nowMs = () => now * 1000;
  const date = () => new Date(now * 1000);
  const tick = () => now - (now % 10) - 10 * chance.int(40);
  const id = () => chance.pick(IDS);
  const location = () => chance.pick(LOCATIONS);
  const shard = () => chance.pick(SHARDS);
  const some = <T>(list: readonly T[]) => list.filter(() => chance.chance(0.6));
  /** What was read of a monitor some time ago, so that races are lost as well as won. */
  const read = new Map<string, StoredMonitor>();
  const known = (): StoredMonitor => read.get(id()) ?? monitorOf({ id: id() });

  const pending = (): PendingAlert => ({
    content: { kind: "system", subject: "Größe ✓", message: "text" },
    createdAt: iso(now),
    sequence: chance.int(3),
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
      target: { protocol: "tcp", host: "h", port: 1 },
      targetVersion: 1,
      downSince: startedAt,
      told: {},
      acknowledged: null,
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
      return monitors.create({ ...monitor, creation: chance.chance(0.5) ? null : "hash" }, nowMs());
    },
    get: async () => {
      const monitor = await monitors.get(id());
      if (monitor) read.set(monitor.id, monitor);
    },
    getMany: () => monitors.getMany([...some(IDS), "none"]),
    saveSettings: () => {
      const before = known();
      const isMoved = chance.chance(0.3);
      return monitors.saveSettings(
        before,
        {
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
            target: { ...before.target, version: before.target.version + 1 },
          }),
        },
        nowMs(),
      );
    },
    markDeleted: () => monitors.markDeleted(known(), date()),
    list: async () => {
      const { next } = await monitors.list(1 + chance.int(4));
      await monitors.list(2, next ?? namePlace(known()).listKey);
    },
    rows: () => monitors.rows(date()),
    rowsWithStatus: () => monitors.rowsWithStatus([chance.pick(["down", "paused"])], date()),
    rowsOf: () => monitors.rowsOf(some(IDS)),
    changedAfter: () => monitors.changedAfter(iso(now - chance.int(600))),
    countMonitors: () => monitors.count(),
    notUp: async () => [await Array.fromAsync(monitors.notUp()), await Array.fromAsync(upkeep.notUp())],
    ...answerTraffic({ monitors, decisions, id, incidentOf, rest: LEFT_EMPTY }, chance, date),
    members: () => views.members(shard()),
    membersById: () => views.membersById(some(IDS)),
    views: () => views.views(some(IDS), location()),
    fence: () => views.fence(some(IDS), location(), tick()),
    previousOf: () => history.previousOf({ shard: shard(), location: location(), tick: tick() }, nowMs()),
    standing: () => Array.fromAsync(standing(some(IDS))),
    remember: () => former.remember(known(), date()),
    recall: () => former.recall(some(IDS)),
    former: () => former.get(id(), date()),
    formerNames: () => former.names(some(IDS)),
    saveView: () => {
      const { id, settingsVersion } = known();
      const view = viewOf(chance.pick(["up", "down", "degraded"]), tick());
      return views.save(id, settingsVersion, location(), view, nowMs(), { onlyIfEmpty: chance.chance(0.2) });
    },
    decisionMonitor: async () => {
      const monitor = await decisions.monitor(id());
      if (monitor) read.set(monitor.id, monitor as StoredMonitor);
    },
    outbox: () => decisions.outbox(chance.chance(0.5) ? monitorKey(id()) : locationStateKey(location())),
    saveDecision: () => {
      const monitor = known();
      const waiting = Object.fromEntries(some(["x1", "x2", "incident#1"]).map((key) => [key, pending()]));
      return decisions.save(
        monitor,
        {
          status: chance.pick(["up", "down", "unknown"]),
          since: iso(now),
          incident: chance.chance(0.5) ? null : incidentOf(monitor.id),
          pendingAlerts: waiting,
          nextEvaluationAt: chance.chance(0.5) ? null : iso(now + chance.int(300)),
          ...LEFT_EMPTY,
        },
        date(),
      );
    },
    settle: () => {
      const monitor = known();
      const [first, ...others] = ["x1", "x2", "incident#1"];
      const updates = [first!, ...some(others)].flatMap((key) =>
        ["sns", ...some(["email:ops@example.com"])].map((receiver) => ({
          key,
          receiver,
          sequence: chance.int(3),
          next: chance.chance(0.5) ? null : { attempts: 2, nextAttemptAt: iso(now + 60) },
        })),
      );
      return decisions.settle(monitorKey(monitor.id), monitor, updates, chance.chance(0.5) ? null : { at: null });
    },
    remove: () => decisions.remove(known()),
    keepTimer: async () => {
      const key = chance.chance(0.5) ? monitorKey(id()) : leftKey(id(), iso(START));
      const item = await decisions.outbox(key);
      if (item) await decisions.keepTimer(key, item, chance.chance(0.5) ? null : iso(now + 30));
    },
    moveOutbox: () => decisions.moveOutbox({ ...known(), deletedAt: iso(START) }, date()),
    projectIncident: () => unlessRaced(decisions.projectIncident(known(), incidentOf(id()), chance.int(5))),
    noteUndeliverable: () => {
      const note = { error: "refused", at: iso(now) };
      return decisions.noteUndeliverable(id(), iso(START + chance.int(5)), "x1/sns", note);
    },
    ...mailboxTraffic(mailbox, chance, date),
    listIncidents: async () => {
      const { next } = await incidents.list({ state: chance.pick(["open", "closed", "all"]) }, 1 + chance.int(3));
      if (next) await incidents.list({ state: "all" }, 2, next);
    },
    incidentsOf: async () => {
      const one = id();
      const { next } = await incidents.listOf(one, 1 + chance.int(3));
      if (next) await incidents.listOf(one, 2, next);
    },
    incidentStarts: () => incidents.startsAfter(iso(now - chance.int(600))),
    countIncidents: () => incidents.count({ state: chance.pick(["open", "closed", "all"]) }),
    incidentsById: () => incidents.getMany(some(IDS).map((one) => `${one}.${START * 1000}`)),
    incident: () => incidents.get(id(), iso(START + chance.int(5))),
    due: async () => {
      const moment = new Date((now + chance.int(300)) * 1000);
      const timers = await Array.fromAsync(chance.chance(0.5) ? due.before(moment) : due.overdueLooks(moment));
      const [timer] = timers.flat();
      if (timer) await due.touch(chance.chance(0.8) ? timer : { ...timer, dueAt: iso(START) }, nowMs());
    },
    nudge: () => due.nudge(chance.chance(0.8) ? monitorKey(id()) : locationStateKey(location()), nowMs()),
    nudgeUnrecorded: () => due.nudgeUnrecorded(monitorKey(id()), nowMs()),
    locations: () => locations.all(),
    location: () => locations.get(location()),
    ask: () => locations.ask(location(), date(), chance.pick([0, 150])),
    beat: () =>
      locations.beat(location(), new Date((now - chance.int(100)) * 1000), date(), async () => chance.chance(0.5)),
    setOffline: () => locations.setOffline(location(), iso(now)),
    setStalled: () => locations.setStalled(location(), {}),
    announce: async () => {
      const read = await locations.state(location());
      const state = chance.chance(0.8) ? read : { ...read, revision: 1 };
      const news = {
        ...(chance.chance(0.5) && { condition: chance.pick(["silent", "offline"] as const) }),
        ...(chance.chance(0.5) && { message: { key: "system#1", content: pending().content } }),
        toNudge: some(SHARDS),
        isCounted: chance.chance(0.5),
      };
      await locations.announce(state, news, date());
      return locations.nudged(read, shard());
    },
    shards: () => Array.fromAsync(planning.shards()),
    advance: async () => {
      const one = await planning.shard(shard());
      if (one)
        await planning.advance(chance.chance(0.8) ? one : { ...one, plannedUntil: 1 }, now, {
          planned: { a: now, b: now - 10 },
          plannedSince: { a: START },
        });
    },
    askSweep: () =>
      shards.askSweep(shard(), chance.pick([now, now - 60]), { settingsVersion: chance.pick([1, 2]), seconds: 115 }),
    advanceAsked: () => planning.advanceAsked(shard(), chance.pick([now, now - 60]), now + 179),
    settingsRevision: () => planning.settingsRevision(shard()),
    settingsChanged: () => shards.settingsChanged(shard(), [location()]),
    place: () => shards.place(chance.pick([10, 60]), [location()], chance.pick([1, 100, 250])),
    putBlock: async () => {
      const place = { shard: shard(), location: location(), tick: tick() };
      const { replaces } = await history.tickState(place, nowMs());
      const run = chance.pick(["run 1", "run 2"]);
      const claim = {
        run,
        untilMs: nowMs() + 10_000,
        expiresAtSeconds: place.tick + chance.pick([60, 86_400]),
        replaces,
      };
      if (!(await history.claimTick(place, claim, nowMs())) || chance.chance(0.3)) return;
      const block = { ...place, offline: false, entries: [pausedEntry(1)], roster: rosterHash(IDS) };
      await history.putBlock(block, claim, nowMs());
    },
    newestTick: () => freshness.newestTick(shard(), location(), tick()),
    setBack: async () => {
      const one = shard();
      await history.setBack(one, await history.progress(one));
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
    ...tokenSteps({ tokens, sessions }, chance, date),
    allMonitors: () => Array.fromAsync(upkeep.monitors()),
    seated: () => upkeep.seated(shard()),
    setMembers: () => upkeep.setMembers(shard(), chance.pick([1, 100, 250]), chance.int(250)),
    // Of a shard that there is, or it throws.
    addLocations: () => unlessRaced(upkeep.addLocations(shard(), [location()])),
  };
  const names = Object.keys(steps);

  return {
    step() {
      now += chance.int(8);
      return steps[chance.pick(names)]!();
    },
    uncalled: () =>
      [...methods].filter(([path, isCalled]) => !isCalled && path !== "history.unreadable").map(([path]) => path),
  };
}
