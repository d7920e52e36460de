/**
 * One tick of one shard from this location: check every monitor, store the views that changed, then the block. All of
 * it ends by the tick's deadline, and running it twice changes nothing.
 */
import type { CheckRequest, Engine } from "../../shared/engine/run.ts";
import { type Block, type BlockEntry, pausedEntry } from "../../shared/history/block.ts";
import type { Health, Outcome, View } from "../../shared/model.ts";
import type { Reason } from "../../shared/reasons.ts";
import { EMPTY_HISTORY, type History, judge, judgeHealth, remember } from "../../shared/rules/judge.ts";
import { tickDeadlineMs } from "../../shared/rules/plan.ts";
import type { HistoryStore } from "../../shared/store/history.ts";
import { laneOf } from "../../shared/store/keys.ts";
import type { Member, ViewStore } from "../../shared/store/views.ts";

/** Kept free at the end of a tick for the control targets and the writes. */
const WRITE_RESERVE_MS = 700;
/** Waiting for the dead is what costs money: a target known to be silent gets this, and its full timeout every tenth tick. */
const DEAD_TIMEOUT_MS = 2_000;
/** Silence by TCP, by UDP and in mid-answer: all were waited for to the end. */
const SILENCE: ReadonlySet<Reason | null> = new Set<Reason | null>(["timeout", "no-answer", "incomplete-answer"]);
const WRITES_AT_ONCE = 32;
/** After so long a remembered fingerprint is read again from the view. */
const FINGERPRINT_MAX_AGE_MS = 3_600_000;

interface Dependencies {
  readonly location: string;
  readonly engine: Engine;
  readonly members: (shard: string) => Promise<readonly Member[]>;
  readonly views: ViewStore;
  readonly history: HistoryStore;
  readonly control: () => Promise<"online" | "offline">;
  /** Told when the control targets failed. */
  readonly wentOffline: (since: string) => Promise<void>;
  readonly blockSeconds: number;
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<unknown>;
}

export interface TickReport {
  /** `done`: somebody else had finished this tick before. */
  readonly result: "checked" | "done" | "late" | "empty";
  readonly outcomes: ReadonlyMap<string, Outcome>;
  /** How long after the tick its checks began. */
  readonly lagMs: number;
  /** Checks that did not fit before the deadline. */
  readonly late: number;
  readonly offline: boolean;
  readonly crashes: readonly { readonly id: string; readonly error: unknown }[];
}

/** What is known of a member before its outcome. */
interface Before {
  readonly history: History;
  readonly present: Health | null;
  readonly entry: BlockEntry | undefined;
}

/** What follows from its outcome. */
interface After {
  readonly member: Member;
  readonly outcome: Outcome;
  readonly before: Before;
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

export const createTick = ({
  location,
  engine,
  members: loadMembers,
  views,
  history,
  control,
  wentOffline,
  blockSeconds,
  now,
  sleep,
}: Dependencies) => {
  const fingerprints = new Map<string, { readonly value: string | null; readonly readAt: number }>();
  const keepFingerprint = (id: string, value: string | null) => fingerprints.set(id, { value, readAt: now() });

  /** What the newest block before this tick, and where it says nothing the views themselves, know of each member. */
  const recall = async (members: readonly Member[], block: Block | undefined): Promise<Map<string, Before>> => {
    const ids = block ? ((await history.roster(block.roster)) ?? []) : [];
    const entries = new Map(ids.map((id, place) => [id, block?.entries[place]]));
    const known = new Map<string, Before>();
    for (const { id, settingsVersion } of members) {
      const entry = entries.get(id);
      if (entry && entry.settingsByte === (settingsVersion & 0xff))
        known.set(id, { history: entry, present: entry.view, entry });
      else known.set(id, { history: EMPTY_HISTORY, present: null, entry: undefined });
    }
    // Without a view in the block there may be one by now: a spot check fills the empty place.
    const empty = members.filter(({ id }) => known.get(id)?.present === null).map(({ id }) => id);
    const found = empty.length > 0 ? await views.views(empty, location) : new Map<string, View>();
    for (const [id, view] of found) {
      known.set(id, { ...known.get(id)!, present: view.health });
      keepFingerprint(id, view.fingerprint);
    }
    return known;
  };

  const requestFor = (member: Member, before: Before | undefined, tick: number): CheckRequest => {
    const { intervalSeconds } = member;
    const isSilent = before?.present === "down" && SILENCE.has(before.entry?.reason ?? null);
    const everyTenth = Math.floor(tick / intervalSeconds) % 10 === 0;
    return {
      id: member.id,
      check: member,
      first: isSilent,
      ...(isSilent && !everyTenth && { effectiveTimeoutMs: Math.min(member.timeoutMs, DEAD_TIMEOUT_MS) }),
    };
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

  /**
   * Stores the views that changed.
   * @returns what each candidate's view says now, and the errors of writes that failed
   */
  const storeViews = async (candidates: readonly After[], tick: number) => {
    const stored = new Map<string, Health | null>();
    const errors: unknown[] = [];
    const present = await views.views(
      candidates.map(({ member }) => member.id),
      location,
    );
    const queue = [...candidates];
    const work = async () => {
      for (let one = queue.pop(); one; one = queue.pop()) {
        const { member, outcome, history: streaks } = one;
        const view = present.get(member.id) ?? null;
        const next = judge(view, streaks, outcome, member, tick);
        try {
          const isKept = !next || (await views.save(member.id, member.settingsVersion, location, next));
          // Refused: the monitor checks something else by now, or has a newer view. The next tick reads which.
          stored.set(member.id, isKept ? ((next ?? view)?.health ?? null) : null);
          keepFingerprint(member.id, (next ?? view)?.fingerprint ?? null);
        } catch (error) {
          // The block keeps the old health, so the next tick sees the difference and tries again.
          stored.set(member.id, view?.health ?? null);
          errors.push(error);
        }
      }
    };
    await Promise.all(Array.from({ length: WRITES_AT_ONCE }, work));
    return { stored, errors };
  };

  return async (shard: string, tick: number): Promise<TickReport> => {
    const deadlineMs = tickDeadlineMs(tick, laneOf(shard));
    const report = { outcomes: new Map<string, Outcome>(), lagMs: 0, late: 0, offline: false, crashes: [] };
    if (now() >= deadlineMs - WRITE_RESERVE_MS) return { ...report, result: "late", lagMs: now() - tick * 1000 };
    const all = (await loadMembers(shard)).filter(
      ({ locations, deletedAt, placements }) =>
        locations.includes(location) &&
        deletedAt === null &&
        placements.some(
          (one) => one.shard === shard && one.fromTick <= tick && (one.toTick === null || tick < one.toTick),
        ),
    );
    if (all.length === 0) return { ...report, result: "empty" };
    let previous = await history.latestBlock(shard, location, tick);
    if (previous?.tick === tick) return { ...report, result: "done" };
    const members = all.filter(({ paused }) => !paused);
    let before = await recall(members, previous);

    if (now() < tick * 1000) await sleep(tick * 1000 - now());
    const lagMs = now() - tick * 1000;
    const { outcomes, late, crashes } = await engine.runBatch(
      members.map((member) => requestFor(member, before.get(member.id), tick)),
      { deadlineAtMs: deadlineMs - WRITE_RESERVE_MS, presentHealth: (id) => before.get(id)?.present ?? null },
    );

    // The tick before may have ended while this one ran.
    if (previous?.tick !== tick - laneOf(shard)) {
      const newest = await history.latestBlock(shard, location, tick - 1);
      if (newest && newest.tick !== previous?.tick) {
        previous = newest;
        before = await recall(members, previous);
      }
    }

    const after = members.map((member): After => {
      const outcome = outcomes.get(member.id) ?? NOT_RUN;
      const was = before.get(member.id)!;
      const streaks = remember(was.history, outcome.health);
      return {
        member,
        outcome,
        before: was,
        history: streaks,
        health: judgeHealth(was.present, streaks, outcome, member),
      };
    });
    const turnsDown = after.some(({ health, before: { present } }) => health === "down" && present !== "down");
    const offline = turnsDown && (await control()) === "offline";
    if (offline) await wentOffline(new Date(tick * 1000).toISOString());
    const { stored, errors } = offline
      ? { stored: new Map<string, Health | null>(), errors: [] }
      : await storeViews(after.filter(mayChange), tick);

    const entries = new Map(all.map(({ id, settingsVersion }) => [id, pausedEntry(settingsVersion)]));
    for (const { member, outcome, before: was, history: streaks } of after) {
      const view = stored.has(member.id) ? (stored.get(member.id) ?? null) : was.present;
      entries.set(member.id, entryOf(member, outcome, offline ? was.history : streaks, view));
    }
    const ids = [...entries.keys()].toSorted();
    const roster = await history.putRoster(ids);
    const block: Block = {
      version: 1,
      shard,
      location,
      tick,
      offline,
      roster,
      entries: ids.map((id) => entries.get(id)!),
    };
    await history.putBlock(shard, location, block, tick + blockSeconds);
    if (errors.length > 0) throw new AggregateError(errors, `${errors.length} views could not be stored`);
    return { result: "checked", outcomes, lagMs, late: late.length, offline, crashes };
  };
};

function entryOf(
  member: Member,
  outcome: Outcome,
  { bits, bitCount, unmeasuredStreak }: History,
  view: Health | null,
): BlockEntry {
  return {
    state: outcome.state,
    reason: outcome.reason,
    health: outcome.health,
    latencyMs: outcome.stalled ? null : (outcome.timings.latencyMs ?? null),
    lossPercent: outcome.lossPercent ?? null,
    bits,
    bitCount,
    settingsByte: member.settingsVersion & 0xff,
    view,
    unmeasuredStreak,
  };
}
