/** Blocks: written once, say what the engine saw, and hold the same view as the table. */
import { type Case, s1 } from "./case.ts";

/** A block may be behind the table's view for a few ticks, where two runs of one tick met; not for longer. */
const MOST_TICKS_APART = 4;
/** What an entry says that stands for no outcome of the engine. */
const NOT_SEEN = new Set(["paused", "cut-short"]);

export function judgeBlocks(run: Case): void {
  for (const { at, key } of run.journal.rewritten)
    run.say("block-rewritten", "", at, `${key} changed after it was stored`);
  judgeViews(run);
  judgeEntries(run);
}

function judgeViews({ journal, say }: Case) {
  const writes = Map.groupBy(journal.views, ({ id, location }) => `${id} ${location}`);
  const reached = new Map<string, number>();
  const apart = new Map<string, { count: number; from: number }>();
  for (const { at, location, offline, entries } of journal.blocks)
    for (const [id, entry] of entries) {
      const place = `${id} ${location}`;
      const own = writes.get(place) ?? [];
      let next = reached.get(place) ?? 0;
      while (next < own.length && own[next]!.at <= at) next++;
      reached.set(place, next);
      const view = own[next - 1];
      const isOther =
        !offline &&
        entry.view !== null &&
        view?.health &&
        (view.version & 0xff) === entry.settingsByte &&
        view.health !== entry.view;
      if (!isOther) {
        apart.delete(place);
        continue;
      }
      const since = apart.get(place) ?? { count: 0, from: at };
      since.count++;
      apart.set(place, since);
      if (since.count === MOST_TICKS_APART) {
        const text = `at ${location} the table's view says ${view.health}, the blocks ${entry.view}, ${MOST_TICKS_APART} ticks on end`;
        say("view-stuck", id, since.from, text);
      }
    }
}

function judgeEntries({ journal, sweptEpochs, say }: Case) {
  const seen = new Map<string, Set<string>>();
  for (const { id, location, tick, health, spot } of journal.outcomes) {
    if (spot) continue;
    const key = `${id} ${location} ${tick}`;
    const healths = seen.get(key) ?? new Set();
    seen.set(key, healths.add(health));
  }
  const swept = new Set(sweptEpochs.map(({ id }) => id));
  for (const { at, location, tick, entries } of journal.blocks)
    for (const [id, { reason, health }] of entries) {
      if (swept.has(id)) continue;
      if (NOT_SEEN.has(reason ?? "")) continue;
      const healths = seen.get(`${id} ${location} ${tick}`);
      if (healths?.has(health)) continue;
      const saw = healths ? [...healths].join(" and ") : "nothing";
      say(
        "block-invented",
        id,
        at,
        `the block of ${location} at ${s1(tick - journal.startMs / 1000)} says ${health}, the engine saw ${saw}`,
      );
    }
}
