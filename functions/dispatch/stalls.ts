/**
 * Watches whether a shard's checks still store blocks. A location may send heartbeats while the checks of a shard fail,
 * for example out of memory or because of corrupt history. Each shard is examined every third minute; only stalls are
 * stored.
 */
import type { LocationHealth, Stall } from "../../shared/model.ts";
import { inParallel } from "../../shared/parallel.ts";
import { firstTick, isPlausible } from "../../shared/rules/clock-skew.ts";
import { locationCondition } from "../../shared/rules/quorum.ts";
import type { Freshness } from "../../shared/store/freshness.ts";
import { placeOf } from "../../shared/store/keys.ts";
import type { LocationStore, News } from "../../shared/store/locations.ts";
import type { Shard } from "../../shared/store/planning.ts";
import type { StandingReader } from "../../shared/store/standing.ts";
import type { ViewStore } from "../../shared/store/views.ts";
import { isCheckedFrom } from "./locations.ts";

const EVERY_MINUTES = 3;
/** Greatest age of a shard's newest block: this many intervals, but at least `FRESH_SECONDS`. */
const FRESH_INTERVALS = 3;
const FRESH_SECONDS = 180;
/**
 * A location must have sent a heartbeat within this time to be examined: one that just failed is silent, not stalled.
 */
const HEARD_MS = 90_000;
/** How long a stall that is over is kept (at least two intervals), for views that no check has confirmed since. */
const KEPT_SECONDS = 7_200;
const READS_AT_ONCE = 32;

interface Dependencies {
  readonly locations: readonly string[];
  readonly store: LocationStore;
  readonly views: ViewStore;
  readonly standing: StandingReader;
  readonly freshness: Freshness;
  readonly now: () => Date;
  /** Makes a unique id. */
  readonly newId: () => string;
}

/** Result of examining a location's shards. */
interface Findings {
  /** Newly stalled shards, with the number of monitors checked in each. */
  readonly stalled: Map<string, number>;
  /** Shards that store blocks again, with the newest tick of each. */
  readonly back: Map<string, number>;
}

const freshMs = ({ intervalSeconds }: Shard) => Math.max(FRESH_INTERVALS * intervalSeconds, FRESH_SECONDS) * 1000;
const ms = (moment: string | null) => (moment ? Date.parse(moment) : Number.NEGATIVE_INFINITY);
const isOpen = (stall: Stall | undefined) => stall?.backSince === null;

export const createStallWatch = (dependencies: Dependencies) => {
  const { locations, store, views, standing, freshness, now, newId } = dependencies;

  /**
   * Whether a fresh block must exist: every tick of that time had a job, and the location worked.
   */
  const isExpected = (shard: Shard, { name, backSince, askingSince }: LocationHealth, nowMs: number): boolean => {
    const since = shard.plannedSince[name];
    const until = shard.planned[name];
    if (shard.members === 0 || since === undefined || until === undefined) return false;
    const from = Math.max(since * 1000, ms(backSince), ms(askingSince)); // heartbeats correct moments in the future
    return from <= nowMs - freshMs(shard) && (until + shard.intervalSeconds) * 1000 >= nowMs;
  };

  /** Counts the monitors that the shard has been checking from a location, unchanged, since `fromMs`. */
  const countChecked = async (shard: Shard, location: string, fromMs: number): Promise<number> => {
    const members = (await views.members(shard.name)).filter(
      (member) =>
        isCheckedFrom(location, member) &&
        !member.paused &&
        member.placements.some(
          (one) => one.shard === shard.name && one.toTick === null && firstTick(one, now()) * 1000 <= fromMs,
        ),
    );
    let count = 0;
    for await (const page of standing(members.map(({ id }) => id)))
      count += page.filter(({ checkedSince }) => Date.parse(checkedSince) <= fromMs).length;
    return count;
  };

  const examine = async (shards: readonly Shard[], health: LocationHealth): Promise<Findings> => {
    const findings: Findings = { stalled: new Map(), back: new Map() };
    const nowMs = now().getTime();
    await inParallel(shards, READS_AT_ONCE, async (shard) => {
      const fromMs = nowMs - freshMs(shard);
      const newest = await freshness.newestTick(shard.name, health.name, Math.ceil(fromMs / 1000));
      if (isOpen(health.stalled[shard.name])) {
        if (newest !== undefined) findings.back.set(shard.name, newest);
      } else if (newest === undefined) {
        const monitors = await countChecked(shard, health.name, fromMs);
        if (monitors > 0) findings.stalled.set(shard.name, monitors);
      }
    });
    return findings;
  };

  /** Examines this minute's third of the shards; if one has news, the others too, so that there is one message. */
  const lookAt = async (shards: readonly Shard[], health: LocationHealth): Promise<Findings> => {
    const nowMs = now().getTime();
    const expected = shards.filter((shard) => isOpen(health.stalled[shard.name]) || isExpected(shard, health, nowMs));
    const turn = Math.floor(nowMs / 60_000) % EVERY_MINUTES;
    const [own = [], others = []] = [true, false].map((isTurn) =>
      expected.filter(({ name }) => (placeOf(name, EVERY_MINUTES) === turn) === isTurn),
    );
    const first = await examine(own, health);
    if (first.stalled.size + first.back.size === 0) return first;
    const rest = await examine(others, health);
    return {
      stalled: new Map([...first.stalled, ...rest.stalled]),
      back: new Map([...first.back, ...rest.back]),
    };
  };

  /**
   * The stalls to store: open ones and recently ended ones. Undefined if nothing has changed.
   */
  const update = (health: LocationHealth, { stalled, back }: Findings, shards: ReadonlyMap<string, Shard>) => {
    const kept = Object.entries(health.stalled).filter(([name, { backSince }]) => {
      const shard = shards.get(name);
      if (!shard || shard.members === 0) return false;
      const keptMs = Math.max(KEPT_SECONDS, 2 * shard.intervalSeconds) * 1000;
      return backSince === null || now().getTime() - Date.parse(backSince) < keptMs;
    });
    const after: Record<string, Stall> = Object.fromEntries(kept);
    for (const [name, tick] of back)
      after[name] = { since: health.stalled[name]!.since, backSince: new Date(tick * 1000).toISOString() };
    for (const name of stalled.keys()) after[name] = { since: now().toISOString(), backSince: null };
    const isSame = stalled.size + back.size === 0 && kept.length === Object.keys(health.stalled).length;
    return isSame ? undefined : after;
  };

  /** Stores news, and retries if the location's state was changed concurrently. */
  const announce = async (name: string, news: News): Promise<void> => {
    while (!(await store.announce(await store.state(name), news, now())));
  };

  /** @returns whether there is news */
  const watch = async (shards: ReadonlyMap<string, Shard>, health: LocationHealth): Promise<boolean> => {
    const own = [...shards.values()].filter((shard) => shard.locations.includes(health.name));
    const findings = await lookAt(own, health);
    const after = update(health, findings, shards);
    if (!after) return false;
    // The message goes first: a run that is killed in between sends it twice rather than never.
    const message = newsOf(health.name, findings, own.length, Object.values(after).filter(isOpen).length);
    if (message)
      await announce(health.name, {
        message: { key: `system#${newId()}`, content: { kind: "system", ...message } },
        toNudge: [...findings.stalled.keys(), ...findings.back.keys()],
      });
    await store.setStalled(health.name, after);
    return message !== undefined;
  };

  /** @returns the locations that had news */
  return async (all: readonly Shard[], healths: readonly LocationHealth[]): Promise<string[]> => {
    const shards = new Map(all.map((shard) => [shard.name, shard]));
    const heard = now().getTime() - HEARD_MS;
    const working = healths.filter(
      (health) =>
        locations.includes(health.name) &&
        locationCondition(health, now()) === "working" &&
        ms(health.lastHeartbeatAt) >= heard &&
        isPlausible(ms(health.lastHeartbeatAt), now()),
    );
    const news: string[] = [];
    for (const health of working) if (await watch(shards, health)) news.push(health.name);
    return news;
  };
};

function newsOf(name: string, { stalled, back }: Findings, shards: number, open: number) {
  const sentences: string[] = [];
  if (stalled.size > 0) {
    const monitors = [...stalled.values()].reduce((sum, count) => sum + count, 0);
    sentences.push(
      `Location ${name} sends heartbeats, but ${stalled.size} of its ${shards} shards with ${monitors} monitors stored no outcomes ` +
        "for three intervals and more. Their views from there do not count until they do; its probe's log says why.",
    );
  }
  if (back.size > 0)
    sentences.push(
      `${back.size} shards of location ${name} store outcomes again; their views count. ${open} do not yet.`,
    );
  if (sentences.length === 0) return undefined;
  const subject = stalled.size > 0 ? `Location ${name}: checks stand still` : `Location ${name}: checks run again`;
  const event = open > 0 ? ("system.checks-stalled" as const) : ("system.checks-resumed" as const);
  return { event, about: `checks.${name}`, subject, message: sentences.join(" ") };
}
