/**
 * Runs one tick of one shard from this location: checks every monitor, stores the views that change, then the block.
 * All of it ends by the tick's deadline, and of several runs of one tick only one writes (it claims a lease on the
 * tick).
 */
import type { Engine } from "../../shared/engine/run.ts";
import { type BlockEntry, type BlockPlace, pausedEntry } from "../../shared/history/block.ts";
import type { Outcome } from "../../shared/model.ts";
import { holdsTick } from "../../shared/rules/clock-skew.ts";
import { tickDeadlineMs } from "../../shared/rules/plan.ts";
import type { Claim, HistoryStore, TickState } from "../../shared/store/history.ts";
import { laneOf } from "../../shared/store/keys.ts";
import type { Member, ViewStore } from "../../shared/store/views.ts";
import { createBeliefs, fullDoubt } from "./beliefs.ts";
import type { Control } from "./control.ts";
import type { LoadedMembers } from "./members.ts";
import { createTimeouts } from "./timeouts.ts";
import type { Usual } from "./usual.ts";
import { type After, afterOf, createViewChanges, expectedHealth, wasDegradedBy } from "./view-changes.ts";
import { createViewWriter, type WrittenViews } from "./view-writer.ts";

/** Time reserved at the end of a tick for the control targets and the writes. */
const WRITE_RESERVE_MS = 700;
/**
 * A job that is early by up to `WAITED_FOR_MS` waits for its tick. A job that is earlier than that shows that our clock
 * is behind, and runs at once: otherwise a process whose clock was set back would never run one. A job that is early by
 * more than `EARLIEST_MS` was planned by a clock that was ahead, since jobs are planned three minutes ahead at most; it
 * is skipped, and planned again.
 */
const WAITED_FOR_MS = 20_000;
const EARLIEST_MS = 150_000;
/**
 * Intervals from which on a tick whose views could not be stored is left to the queue's retry, which comes after 450 s:
 * in time for a whole run, and sooner than the next tick, which may be a day away.
 */
const REPEATED_FROM_SECONDS = 600;
interface Dependencies {
  readonly location: string;
  readonly engine: Pick<Engine, "runBatch">;
  readonly members: (shard: string) => Promise<LoadedMembers>;
  readonly views: ViewStore;
  readonly history: HistoryStore;
  readonly control: Control;
  readonly usual: Usual;
  /** Called when the control targets failed. */
  readonly wentOffline: (since: string) => Promise<void>;
  readonly blockSeconds: number;
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<unknown>;
  /** Makes a unique id. */
  readonly newId: () => string;
}

export interface TickReport {
  /** `done`: another run has finished this tick or claimed it. `late`: no time was left, or it is not due. */
  readonly result: "checked" | "done" | "late" | "empty";
  readonly outcomes: ReadonlyMap<string, Outcome>;
  /** From the tick to the start of its checks. */
  readonly lagMs: number;
  /** Checks that did not fit before the deadline. */
  readonly late: number;
  readonly offline: boolean;
  readonly crashes: readonly { readonly id: string; readonly error: unknown }[];
}

/** A tick that this run has to do. */
interface Run {
  readonly place: BlockPlace;
  readonly lane: number;
  /** Whether the run waits for the tick's time if it is early. */
  readonly isWaitedFor: boolean;
  readonly deadlineMs: number;
  /** Members that the tick checks, and paused ones. */
  readonly all: readonly Member[];
  /** Whether the members were read just now. */
  readonly isFresh: boolean;
  readonly stand: TickState;
}

const NOT_RUN: Outcome = {
  state: "unmeasured",
  reason: "cut-short",
  message: "not checked: it did not fit before the next tick",
  health: "unknown",
  timings: {},
  traffic: { bytesSent: 0, bytesReceived: 0 },
  evidence: {},
  attempts: 0,
};

export const createTick = (dependencies: Dependencies) => {
  const { location, engine, members: loadMembers, views, history, control, usual, now, sleep, newId } = dependencies;
  const believe = createBeliefs({ location, views, history, now });
  const writeViews = createViewWriter({ location, views, control, now });
  const { requestFor, rememberSlowness } = createTimeouts(location);
  const { mayChange, keepFacts } = createViewChanges(now);

  /** Prepares a run. @returns a report if there is nothing to do */
  const begin = async (shard: string, tick: number): Promise<Run | TickReport> => {
    const lane = laneOf(shard);
    const earlyMs = tick * 1000 - now();
    const isWaitedFor = earlyMs <= WAITED_FOR_MS;
    const deadlineMs = tickDeadlineMs(tick, lane, now()) - (isWaitedFor ? 0 : earlyMs);
    const report = { outcomes: new Map<string, Outcome>(), lagMs: 0, late: 0, offline: false, crashes: [] };
    const isTime = now() < deadlineMs - WRITE_RESERVE_MS && earlyMs <= EARLIEST_MS;
    if (!isTime) return { ...report, result: "late", lagMs: now() - tick * 1000 };
    const loaded = await loadMembers(shard);
    const all = loaded.members.filter((member) => isDue(member, location, shard, tick, new Date(now())));
    if (all.length === 0) return { ...report, result: "empty" };
    const place = { shard, location, tick };
    const stand = await history.tickState(place, now());
    if (stand.state !== "free") return { ...report, result: "done" };
    return { place, lane, isWaitedFor, deadlineMs, all, isFresh: loaded.isFresh, stand };
  };

  /** @returns false if another run has written the block */
  const storeBlock = async (
    { place, lane, all }: Run,
    claim: Claim,
    after: readonly After[],
    written: WrittenViews,
    offline: boolean,
  ): Promise<boolean> => {
    const entries = new Map(all.map(({ id, settingsVersion }) => [id, pausedEntry(settingsVersion)]));
    for (const one of after) entries.set(one.member.id, entryOf(one, offline, written, fullDoubt(lane)));
    const ids = [...entries.keys()].toSorted();
    const block = {
      ...place,
      offline,
      roster: await history.putRoster(ids),
      entries: ids.map((id) => entries.get(id)!),
    };
    return history.putBlock(block, claim, now());
  };

  return async (shard: string, tick: number): Promise<TickReport> => {
    const run = await begin(shard, tick);
    if ("result" in run) return run;
    const { place, lane, deadlineMs, isFresh, stand } = run;
    const members = run.all.filter(({ paused }) => !paused);
    let { beliefs, unfenced, fenced } = await believe(place, members, { ...stand, isFresh });
    await usual.prepare(place, members);
    const judged = (member: Member, seen: Outcome): After => {
      const before = beliefs.get(member.id)!;
      return afterOf(member, usual.judged(member, seen, tick, wasDegradedBy("unusual", before)), before);
    };
    /**
     * Whether views are stored as outcomes come. After a gap they wait for the end: the previous tick may be ending
     * now.
     */
    const isEarly = stand.previous?.tick === tick - lane;

    const claim = {
      run: newId(),
      untilMs: deadlineMs,
      expiresAtSeconds: tick + dependencies.blockSeconds,
      replaces: stand.replaces,
    };
    const writer = writeViews(tick, deadlineMs, () => history.claimTick(place, claim, now()));
    const added = new Set<string>();
    const add = (after: After) => {
      if (added.has(after.member.id) || !mayChange(after, { tick, intervalSeconds: lane })) return;
      added.add(after.member.id);
      writer.add({ ...after, view: after.before.view, isFenced: after.before.isFenced });
    };

    if (run.isWaitedFor && now() < tick * 1000) await sleep(tick * 1000 - now());
    const lagMs = Math.max(0, now() - tick * 1000);
    const byId = new Map(members.map((member) => [member.id, member]));
    const { outcomes, late, crashes } = await engine.runBatch(
      members.map((member) => requestFor(member, beliefs.get(member.id), tick)),
      {
        deadlineAtMs: deadlineMs - WRITE_RESERVE_MS,
        presentHealth: (id) => expectedHealth(byId.get(id)!, beliefs.get(id)!),
        onFailure: writer.doubtNetwork,
        onOutcome: (id, outcome) => {
          rememberSlowness(id, outcome);
          if (isEarly) add(judged(byId.get(id)!, outcome));
        },
      },
    );

    if (!isEarly) {
      const before = await history.previousOf(place, now());
      if (before.previous?.tick !== stand.previous?.tick || before.isUnfinished !== stand.isUnfinished)
        ({ beliefs, unfenced, fenced } = await believe(place, members, { ...stand, ...before, isFresh, fenced }));
    }
    const after = members.map((member) => judged(member, outcomes.get(member.id) ?? NOT_RUN));
    for (const one of after) add(one);
    const written = await writer.end();
    const failed = () => new AggregateError(written.errors, `${written.errors.length} views could not be stored`);
    if (written.errors.length > 0 && lane >= REPEATED_FROM_SECONDS && !stand.isBegun) {
      // Without a block, the queue's retry runs this tick again, but only once: it finds the claim.
      await history.claimTick(place, claim, now());
      throw failed();
    }
    keepFacts(written.stored, tick);
    const offline = writer.isOffline();
    if (offline) await dependencies.wentOffline(new Date(tick * 1000).toISOString());

    // Without a block the next tick knows that it has to try again.
    if (unfenced) throw unfenced;
    const isStored = await storeBlock(run, claim, after, written, offline);
    if (written.errors.length > 0) throw failed();
    return { result: isStored ? "checked" : "done", outcomes, lagMs, late: late.length, offline, crashes };
  };
};

/** Whether a tick of a shard checks a member from a location. */
const isDue = (
  { locations, deletedAt, placements }: Member,
  location: string,
  shard: string,
  tick: number,
  now: Date,
) =>
  locations.includes(location) &&
  deletedAt === null &&
  placements.some((one) => one.shard === shard && holdsTick(one, tick, now));

function entryOf(
  { member, outcome, before, history }: After,
  offline: boolean,
  written: WrittenViews,
  full: number,
): BlockEntry {
  // While our own network is down, outcomes do not count.
  const { bits, bitCount, unmeasuredStreak, upStreak, notUpStreak } = offline ? before.history : history;
  const { stored, tried } = written;
  const view = stored.get(member.id);
  const isKnown = view !== undefined || !stored.has(member.id);
  return {
    state: outcome.state,
    reason: outcome.reason,
    health: outcome.health,
    latencyMs: outcome.stalled ? null : (outcome.timings.latencyMs ?? null),
    lossPercent: outcome.lossPercent ?? null,
    bits,
    bitCount,
    upStreak,
    notUpStreak,
    settingsByte: member.settingsVersion & 0xff,
    view: stored.has(member.id) ? (view?.health ?? null) : before.present,
    unmeasuredStreak,
    doubt: tried.has(member.id) || !isKnown ? full : before.doubt,
  };
}
