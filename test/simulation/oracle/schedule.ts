/** Every tick of calm time has its block, each is queued once, and nobody checks what is paused, deleted or elsewhere. */
import { type Case, s1 } from "./case.ts";
import type { Epoch } from "./epochs.ts";

/** A new shard or location is planned within this. */
const PLANNED_SECONDS = 70;
/** Late messages, retries and backoff after faults. */
const HEALED_SECONDS = 300;
/** An index shows a change within a moment. */
const INDEX_SECONDS = 2;
/** How long a shard or its location is new. */
const NEW_SECONDS = 180;

export function judgeSchedule(run: Case): void {
  const phases = new Map(run.monitors.filter(({ pk }) => pk === "SHARD").map(({ sk, phase }) => [sk, Number(phase)]));
  for (const [place, epoch] of run.epochs.entries()) {
    if (!epoch.paused) judgeGaps(run, epoch, run.epochs[place - 1], phases);
    judgeChecks(run, epoch, run.epochs[place - 1]);
  }
  judgeChecksOfNobody(run);
  judgeQueue(run);
}

/** A shard that is new, or new to a location, is planned by whoever found that and by the next minute: its ticks may be queued twice. */
function judgeQueue({ journal: { queued }, calm, scenario, say }: Case) {
  if (!calm.isWhole || scenario.cuts.length > 0) return;
  /** By shard: first ticks of locations that were new to it, or that all its monitors had left for a while. */
  const beginnings = new Map<string, number[]>();
  const newest = new Map<string, number>();
  for (const key of queued.keys()) {
    const [shard = "", location, tick] = key.split(" ");
    const place = `${shard} ${location}`;
    const before = newest.get(place) ?? Number.NEGATIVE_INFINITY;
    if (Number(tick) - before > 2 * Number.parseInt(shard, 10))
      beginnings.set(shard, [...(beginnings.get(shard) ?? []), Number(tick)]);
    newest.set(place, Math.max(before, Number(tick)));
  }
  const isNew = (shard: string, tick: number) =>
    beginnings.get(shard)?.some((first) => Math.abs(tick - first) <= NEW_SECONDS) ?? false;
  const twice: string[] = [];
  for (const [key, times] of queued) {
    const [shard = "", , tick] = key.split(" ");
    if (times > 1 && !isNew(shard, Number(tick))) twice.push(key);
  }
  if (twice.length > 0)
    say(
      "queued-twice",
      "",
      0,
      `${twice.length} of ${queued.size} ticks were queued more than once, the first ${twice[0]}`,
    );
}

function judgeGaps(run: Case, epoch: Epoch, before: Epoch | undefined, phases: ReadonlyMap<string, number>) {
  const { settings, shard, id } = epoch;
  const lane = settings.intervalSeconds;
  const startSeconds = run.journal.startMs / 1000;
  const isKnownShard = before?.id === id && before.life === epoch.life && before.shard === shard;
  for (const location of settings.locations) {
    const isKnown = isKnownShard && before.settings.locations.includes(location);
    const gaps: number[] = [];
    for (const calm of run.calm.stretches) {
      const from = Math.max(
        epoch.from + (isKnown ? lane + INDEX_SECONDS : lane + PLANNED_SECONDS),
        calm.from + (calm.from === 0 ? 30 : HEALED_SECONDS + lane),
      );
      const to = Math.min(epoch.to, calm.to) - Math.min(lane, 60) - 10;
      const phase = phases.get(shard) ?? 0;
      const first = Math.ceil((startSeconds + from - phase) / lane) * lane + phase;
      for (let tick = first; tick < startSeconds + to; tick += lane) {
        const at = tick - startSeconds;
        const isAway = run.scenario.cuts.some(
          (cut) =>
            cut.how === "all" && cut.location === location && cut.from < at + 60 && cut.to > at - HEALED_SECONDS - lane,
        );
        if (!isAway && !run.blockOf(id, location, tick)) gaps.push(at);
      }
    }
    if (gaps.length > 0)
      run.say(
        "gap",
        id,
        gaps[0]!,
        `${gaps.length} ticks at ${location} have no block, the first at ${s1(gaps[0]!)}, in calm time`,
      );
  }
}

/** Pause, resume and locations are in force at the next tick. */
function judgeChecks(run: Case, epoch: Epoch, before: Epoch | undefined) {
  const { id, settings, paused } = epoch;
  const isSame = before?.id === id && before.life === epoch.life;
  const wrong = run.outcomesOf(id).filter(({ spot, at, tick, location }) => {
    const tickAt = tick - run.journal.startMs / 1000;
    const isWatched = !paused && settings.locations.includes(location);
    return (
      !spot &&
      !isWatched &&
      at < epoch.to &&
      tickAt > epoch.from + (isSame ? before.settings.intervalSeconds : 0) + INDEX_SECONDS &&
      run.calm.covers(epoch.from, at)
    );
  });
  if (wrong.length === 0) return;
  const { location, at } = wrong[0]!;
  const why = paused ? "paused" : `not checked from ${location}`;
  run.say(
    "checked-anyway",
    id,
    at,
    `${why} since ${s1(epoch.from)}, and checked ${wrong.length} times after that, first at ${s1(at)}`,
  );
}

/** Checks of a monitor that was deleted. */
function judgeChecksOfNobody(run: Case) {
  for (const [id, epochs] of Map.groupBy(run.epochs, ({ id }) => id))
    for (const [place, { to, settings, life }] of epochs.entries()) {
      const next = epochs[place + 1];
      if (next?.life === life || to >= run.scenario.seconds) continue;
      const until = next?.from ?? run.scenario.seconds;
      const wrong = run
        .outcomesOf(id)
        .filter(
          ({ at, tick, spot }) =>
            !spot &&
            at < until &&
            tick - run.journal.startMs / 1000 > to + settings.intervalSeconds + INDEX_SECONDS &&
            run.calm.covers(to, at),
        );
      if (wrong.length > 0)
        run.say(
          "checked-anyway",
          id,
          wrong[0]!.at,
          `deleted at ${s1(to)}, and checked ${wrong.length} times after that`,
        );
    }
}
