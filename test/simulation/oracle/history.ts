/** Each outcome of each block is read exactly once, unchanged, from blocks or chunks; days and uptime say the same. */

import { DAY_SECONDS as DAY } from "../../../shared/durations.ts";
import { tallySteps } from "../../../shared/history/stats.ts";
import type { Monitor } from "../../../shared/model.ts";
import { createHistoryStore } from "../../../shared/store/history.ts";
import { createHistoryReader } from "../../../shared/store/history-reader.ts";
import { LOCATIONS } from "../scenario.ts";
import { type Case, type Item, s1 } from "./case.ts";

/** Compaction of a day is through two hours after its end. */
const DAY_MADE_SECONDS = 7_200;

type Entry = NonNullable<ReturnType<Case["journal"]["blocks"][number]["entries"]["get"]>>;
type Expected = Entry & { readonly offline: boolean; readonly shard: string };

const REMEMBERED_SECONDS = 630;

const laneOf = (shard: string) => Number(shard.split("#")[0]);

export async function judgeHistory(run: Case): Promise<void> {
  for (const item of run.monitors) {
    if (item.sk !== "MONITOR" || item.deletedAt) continue;
    const expected = new Map(LOCATIONS.map((location) => [location, expectedOf(run, String(item.id), location)]));
    for (const [location, outcomes] of expected) await judgeOutcomes(run, item, location, outcomes);
    await judgeDay(run, item, expected);
    await judgeUptime(run, item);
  }
}

const reader = ({ client, tables, scenario }: Case) =>
  createHistoryReader(
    createHistoryStore(client, tables.history, { now: () => scenario.startMs + scenario.seconds * 1000 }),
    LOCATIONS,
  );

/** What blocks say of a monitor, by tick. One that just moved may stand in two shards' blocks: the faster lane counts. */
function expectedOf({ journal }: Case, id: string, location: string): Map<number, Expected> {
  const expected = new Map<number, Expected>();
  for (const block of journal.blocks) {
    const entry = block.location === location ? block.entries.get(id) : undefined;
    if (!entry) continue;
    const known = expected.get(block.tick);
    if (known && laneOf(known.shard) <= laneOf(block.shard)) continue;
    expected.set(block.tick, { ...entry, offline: block.offline, shard: block.shard });
  }
  return expected;
}

async function judgeOutcomes(run: Case, item: Item, location: string, expected: ReadonlyMap<number, Expected>) {
  const { scenario, journal, say } = run;
  const id = String(item.id);
  const startSeconds = Math.floor(scenario.startMs / 1000);
  const at = (tick: number) => tick - scenario.startMs / 1000;
  const monitor = item as unknown as Monitor;
  const found = await reader(run).outcomesFrom(
    monitor,
    location,
    startSeconds - 100,
    startSeconds + scenario.seconds + 100,
  );
  const read = new Set<number>();
  for (const { tick, health, state, view, offline } of found) {
    if (read.has(tick))
      say("outcome-double", id, at(tick), `the outcome of ${location} at ${s1(at(tick))} is read twice`);
    read.add(tick);
    const block = expected.get(tick);
    if (!block) say("outcome-invented", id, at(tick), `${location} at ${s1(at(tick))}: no block has this outcome`);
    else if (block.health !== health || block.state !== state || block.view !== view || block.offline !== offline)
      say(
        "outcome-changed",
        id,
        at(tick),
        `${location} at ${s1(at(tick))}: the block says ${block.health}, view ${block.view}; read ${health}, view ${view}`,
      );
  }
  const bornAt = journal.sinceStart(String(item.createdAt));
  const missing = [...expected.keys()].filter((tick) => !read.has(tick)).toSorted((a, b) => a - b);
  // Placements are dated by the clock of the API: a tick at the moment of a move may lie beyond.
  const slack = (2 * scenario.skewMs) / 1000;
  const isPlaced = (tick: number) =>
    monitor.placements.some(
      ({ shard, fromTick, toTick }) =>
        shard === expected.get(tick)!.shard && fromTick <= tick && (toTick === null || tick < toTick),
    );
  const isAtMove = (tick: number) =>
    monitor.placements.some(({ fromTick, toTick }) =>
      [fromTick, toTick].some((border) => border !== null && Math.abs(border - tick) <= slack),
    );
  /** A tick that began before a deletion and ended after it is nobody's. */
  const isLived = (moment: number) =>
    run.epochs.some((epoch) => epoch.id === id && moment >= epoch.from - slack && moment <= epoch.to - slack);
  /** Where nobody could tell the probes of a move, they know the members of before for ten minutes. */
  const isRemembered = (tick: number) => !run.calm.covers(at(tick) - REMEMBERED_SECONDS, at(tick));
  const groups = {
    "outcome-former-life": missing.filter((tick) => at(tick) < bornAt && isLived(at(tick)) && !isRemembered(tick)),
    "outcome-misplaced": missing.filter(
      (tick) => at(tick) >= bornAt && !isPlaced(tick) && !isAtMove(tick) && !isRemembered(tick),
    ),
    "outcome-lost": missing.filter((tick) => at(tick) >= bornAt && isPlaced(tick)),
  };
  for (const [kind, ticks] of Object.entries(groups))
    if (ticks.length > 0)
      say(
        kind,
        id,
        at(ticks[0]!),
        `${ticks.length} of ${expected.size} outcomes of ${location} cannot be read, the first at ${s1(at(ticks[0]!))} in ${expected.get(ticks[0]!)!.shard}`,
      );
}

/** A day that ended long ago counts what its blocks say. */
async function judgeDay(run: Case, item: Item, expected: ReadonlyMap<string, ReadonlyMap<number, Expected>>) {
  const startSeconds = run.scenario.startMs / 1000;
  const from = Math.floor(startSeconds / DAY) * DAY;
  const [to, end] = [from + DAY, startSeconds + run.scenario.seconds];
  if (end < to + DAY_MADE_SECONDS || run.journal.sinceStart(String(item.createdAt)) + startSeconds > to) return;
  const [tally] = await tallySteps(reader(run), item as unknown as Monitor, [{ from, to }]);
  const own = [...expected.values()].flatMap((outcomes) => [...outcomes]);
  const counted = own.filter(([tick, { reason }]) => tick >= from && tick < to && reason !== "paused");
  const failed = counted.filter(([, { health, offline }]) => health === "down" && !offline).length;
  if (tally && (tally.checks !== counted.length || tally.failed !== failed))
    run.say(
      "day",
      String(item.id),
      to - startSeconds,
      `the day says ${tally.checks} checks, ${tally.failed} failed; its blocks ${counted.length}, ${failed}`,
    );
}

/** Uptime is the script's, but for what thresholds and intervals take at each edge. */
async function judgeUptime(run: Case, item: Item) {
  const id = String(item.id);
  const own = run.epochs.filter((epoch) => epoch.id === id);
  const [epoch] = own;
  if (!epoch || own.length > 1 || epoch.paused || !run.calm.isWhole || run.scenario.cuts.length > 0) return;
  const { settings } = epoch;
  const startSeconds = run.scenario.startMs / 1000;
  const from = Math.ceil(startSeconds + epoch.from + 300);
  const to = Math.floor(startSeconds + run.scenario.seconds - 30);
  const stretches = run.script.stretches(settings, from - startSeconds, to - startSeconds);
  if (to - from < 3_600 || stretches.some(({ status }) => status === "?")) return;
  const [tally] = await tallySteps(reader(run), item as unknown as Monitor, [{ from, to }]);
  const { up, degraded, down } = tally!.seconds;
  const known = up + degraded + down;
  const downs = stretches.filter(({ status }) => status === "down");
  const truly = downs.reduce((sum, stretch) => sum + stretch.to - stretch.from, 0) / (to - from);
  const edge =
    settings.intervalSeconds * Math.max(settings.failureThreshold, settings.recoveryThreshold) +
    (settings.timeoutMs * (settings.retries.count + 1)) / 1000 +
    settings.retries.count;
  const allowed = ((2 * downs.length + 2) * edge) / (to - from) + 0.002;
  const error = Math.abs(down / known - truly);
  if (known > 0 && error > allowed)
    run.say(
      "uptime",
      id,
      run.scenario.seconds,
      `down for ${(100 * down) / known} %, by the script ${100 * truly} %, and ${100 * allowed} points are allowed`,
    );
}
