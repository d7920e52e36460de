/**
 * One tick of one shard from this location: check every monitor, store the views that change, then the block. All of it
 * ends by the tick's deadline, and of several runs of one tick only one writes.
 */
import type { CheckRequest, Engine } from "../../shared/engine/run.ts";
import { type BlockEntry, pausedEntry } from "../../shared/history/block.ts";
import type { Health, Outcome, View } from "../../shared/model.ts";
import type { Reason } from "../../shared/reasons.ts";
import { holdsTick } from "../../shared/rules/believe.ts";
import { type History, nextHealth, remember } from "../../shared/rules/judge.ts";
import { tickDeadlineMs } from "../../shared/rules/plan.ts";
import type { HistoryStore } from "../../shared/store/history.ts";
import { laneOf } from "../../shared/store/keys.ts";
import type { Member, ViewStore } from "../../shared/store/views.ts";
import { type Belief, createBeliefs, fullDoubt } from "./beliefs.ts";
import type { Control } from "./control.ts";
import { createViewWriter, type WrittenViews } from "./view-writer.ts";

/** Kept free at the end of a tick for the control targets and the writes. */
const WRITE_RESERVE_MS = 700;
/**
 * An early job waits for its tick. One that is much earlier shows that our clock is behind: it runs at once, or a process
 * whose clock was set back would never run one. Jobs are planned three minutes ahead at most: what is earlier than the
 * second limit was planned by a clock that was ahead, and is planned again.
 */
const WAITED_FOR_MS = 20_000;
const EARLIEST_MS = 150_000;
/**
 * Waiting for the dead is what costs money: a target known to be silent gets this, unless it took longer than a second to
 * answer before, and its full timeout every ten minutes, so that nobody who has become slow is taken for dead for longer.
 * On slow lanes it costs next to nothing.
 */
const DEAD_TIMEOUT_MS = 2_000;
const FULL_TIMEOUT_EVERY_SECONDS = 600;
const SLOW_LANE_SECONDS = 300;
const SLOW_MS = 1_000;
/** Silence by TCP, by UDP and in mid-answer: all were waited for to the end. */
const SILENCE: ReadonlySet<Reason | null> = new Set<Reason | null>(["timeout", "no-answer", "incomplete-answer"]);
/**
 * The queue gives a failed job back after 450 s: from this lane on there is time for a whole run then, and it is sooner
 * than the next tick, which may be a day away.
 */
const REPEATED_FROM_SECONDS = 600;
/** After so long a remembered fingerprint is read again from the view. */
const FINGERPRINT_MAX_AGE_MS = 3_600_000;

interface Dependencies {
  readonly location: string;
  readonly engine: Engine;
  readonly members: (shard: string) => Promise<readonly Member[]>;
  readonly views: ViewStore;
  readonly history: HistoryStore;
  readonly control: Control;
  /** Told when the control targets failed. */
  readonly wentOffline: (since: string) => Promise<void>;
  readonly blockSeconds: number;
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<unknown>;
  /** A name that nobody used before. */
  readonly newId: () => string;
}

export interface TickReport {
  /** `done`: somebody else has finished this tick, or is at it. `late`: there was no time for it, or it is not due. */
  readonly result: "checked" | "done" | "late" | "empty";
  readonly outcomes: ReadonlyMap<string, Outcome>;
  /** How long after the tick its checks began. */
  readonly lagMs: number;
  /** Checks that did not fit before the deadline. */
  readonly late: number;
  readonly offline: boolean;
  readonly crashes: readonly { readonly id: string; readonly error: unknown }[];
}

/** What follows from a member's outcome. */
interface After {
  readonly member: Member;
  readonly outcome: Outcome;
  readonly before: Belief;
  readonly history: History;
  readonly health: Health | null;
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
  const { location, engine, members: loadMembers, views, history, control, now, sleep, newId } = dependencies;
  const believe = createBeliefs({ location, views, history, now });
  const writeViews = createViewWriter({ location, views, control, now });
  const fingerprints = new Map<string, { readonly value: string | null; readonly readAt: number }>();

  /** Ids of those whose newest answer took long, as far as this process has seen it. */
  const slow = new Set<string>();
  const rememberSlowness = (id: string, { state, timings }: Outcome) => {
    if (state !== "open") return;
    if ((timings.latencyMs ?? 0) > SLOW_MS) slow.add(id);
    else slow.delete(id);
  };

  const requestFor = (member: Member, before: Belief | undefined, tick: number): CheckRequest => {
    const { intervalSeconds } = member;
    const isSilent = before?.present === "down" && SILENCE.has(before.entry?.reason ?? null);
    const ticks = intervalSeconds >= SLOW_LANE_SECONDS ? 1 : Math.floor(FULL_TIMEOUT_EVERY_SECONDS / intervalSeconds);
    const isFull = slow.has(member.id) || Math.floor(tick / intervalSeconds) % ticks === 0;
    return {
      id: member.id,
      check: member,
      first: isSilent,
      ...(isSilent && !isFull && { effectiveTimeoutMs: Math.min(member.timeoutMs, DEAD_TIMEOUT_MS) }),
    };
  };

  const afterOf = (member: Member, outcome: Outcome, before: Belief): After => {
    const streaks = remember(before.history, outcome.health);
    const health = nextHealth(before.present, streaks, outcome, member);
    return { member, outcome, before, history: streaks, health };
  };

  /** Whether the view may have to change; only these views are read. */
  const mayChange = ({ member, outcome, before, health }: After): boolean => {
    if (health === null) return false;
    if (health !== before.present) return true;
    if (health !== outcome.health) return false; // below a threshold
    if (outcome.state !== before.entry?.state || outcome.reason !== before.entry?.reason) return true;
    if (outcome.fingerprint === undefined) return false;
    const known = fingerprints.get(member.id);
    return !known || known.value !== outcome.fingerprint || now() - known.readAt > FINGERPRINT_MAX_AGE_MS;
  };

  const keepFingerprints = (seen: Iterable<readonly [string, View | null | undefined]>) => {
    for (const [id, view] of seen)
      if (view !== undefined) fingerprints.set(id, { value: view?.fingerprint ?? null, readAt: now() });
  };

  return async (shard: string, tick: number): Promise<TickReport> => {
    const lane = laneOf(shard);
    const earlyMs = tick * 1000 - now();
    const isWaitedFor = earlyMs <= WAITED_FOR_MS;
    const deadlineMs = tickDeadlineMs(tick, lane, now()) - (isWaitedFor ? 0 : earlyMs);
    const report = { outcomes: new Map<string, Outcome>(), lagMs: 0, late: 0, offline: false, crashes: [] };
    const isTime = now() < deadlineMs - WRITE_RESERVE_MS && earlyMs <= EARLIEST_MS;
    if (!isTime) return { ...report, result: "late", lagMs: now() - tick * 1000 };
    const all = (await loadMembers(shard)).filter((member) => isDue(member, location, shard, tick, new Date(now())));
    if (all.length === 0) return { ...report, result: "empty" };

    const place = { shard, location, tick };
    const stand = await history.standOf(place, now());
    if (stand.state !== "free") return { ...report, result: "done" };
    const members = all.filter(({ paused }) => !paused);
    let previous = stand.previous;
    let beliefs = await believe(shard, tick, members, previous, stand.isBegun);
    /** With a gap before it a tick waits to the end: the tick before may just be ending. */
    const isEarly = previous?.tick === tick - lane;

    const claim = {
      run: newId(),
      untilMs: deadlineMs,
      expiresAtSeconds: tick + dependencies.blockSeconds,
      replaces: stand.replaces,
    };
    const writer = writeViews(tick, deadlineMs, () => history.claimTick(place, claim, now()));
    const added = new Set<string>();
    const add = (after: After) => {
      if (added.has(after.member.id) || !mayChange(after)) return;
      added.add(after.member.id);
      writer.add({ ...after, view: after.before.view });
    };

    if (isWaitedFor && now() < tick * 1000) await sleep(tick * 1000 - now());
    const lagMs = Math.max(0, now() - tick * 1000);
    const byId = new Map(members.map((member) => [member.id, member]));
    const { outcomes, late, crashes } = await engine.runBatch(
      members.map((member) => requestFor(member, beliefs.get(member.id), tick)),
      {
        deadlineAtMs: deadlineMs - WRITE_RESERVE_MS,
        presentHealth: (id) => beliefs.get(id)?.present ?? null,
        onFailure: writer.doubtNetwork,
        onOutcome: (id, outcome) => {
          rememberSlowness(id, outcome);
          if (isEarly) add(afterOf(byId.get(id)!, outcome, beliefs.get(id)!));
        },
      },
    );

    if (!isEarly) {
      const newest = await history.latestBlock(shard, location, tick - 1);
      if (newest && newest.tick !== previous?.tick) {
        previous = newest;
        beliefs = await believe(shard, tick, members, previous, stand.isBegun);
      }
    }
    const after = members.map((member) => afterOf(member, outcomes.get(member.id) ?? NOT_RUN, beliefs.get(member.id)!));
    for (const one of after) add(one);
    const written = await writer.end();
    const failed = () => new AggregateError(written.errors, `${written.errors.length} views could not be stored`);
    if (written.errors.length > 0 && lane >= REPEATED_FROM_SECONDS && !stand.isBegun) {
      // Without a block the job's repetition does this tick again, once: by the claim it knows that it is one.
      await history.claimTick(place, claim, now());
      throw failed();
    }
    keepFingerprints(written.stored);
    const offline = writer.isOffline();
    if (offline) await dependencies.wentOffline(new Date(tick * 1000).toISOString());

    const entries = new Map(all.map(({ id, settingsVersion }) => [id, pausedEntry(settingsVersion)]));
    for (const one of after) entries.set(one.member.id, entryOf(one, offline, written, fullDoubt(lane)));
    const ids = [...entries.keys()].toSorted();
    const block = {
      ...place,
      offline,
      roster: await history.putRoster(ids),
      entries: ids.map((id) => entries.get(id)!),
    };
    const isStored = await history.putBlock(block, claim, now());
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
  // Checks that were lost to our own network count for nothing.
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
