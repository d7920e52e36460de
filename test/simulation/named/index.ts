/** All scenarios by hand, and what each of them has to show. */

import { idOfKey } from "../api-client.ts";
import { type Judgement, judge } from "../oracle/judge.ts";
import { tellingsOf } from "../oracle/tellings.ts";
import type { Run } from "../world.ts";
import { changes } from "./changes.ts";
import { clocks } from "./clocks.ts";
import { decisions } from "./decisions.ts";
import { delivery } from "./delivery.ts";
import { dependencies } from "./dependencies.ts";
import { flapping } from "./flapping.ts";
import { history } from "./history.ts";
import { locations } from "./locations.ts";
import { mailboxes } from "./mailboxes.ts";
import { minority } from "./minority.ts";
import type { Named } from "./named.ts";
import { schedule } from "./schedule.ts";
import { sweeps } from "./sweeps.ts";
import { views } from "./views.ts";

export const NAMED: readonly Named[] = [
  ...views,
  ...decisions,
  ...locations,
  ...delivery,
  ...mailboxes,
  ...dependencies,
  ...schedule,
  ...clocks,
  ...history,
  ...flapping,
  ...minority,
  ...changes,
  ...sweeps,
];

/** What a run of a named scenario shows that it should not, or fails to show; empty when all is well. */
export async function faultsOf(
  { told, of = "m", status = "up", views, system = [], incidents, excused = {} }: Named,
  run: Run,
): Promise<string[]> {
  const { violations }: Judgement = await judge(run);
  const id = idOfKey(of);
  const faults = violations
    .filter(({ kind }) => !(kind in excused))
    .map(({ kind, at, text }) => `${kind} @${at}: ${text}`);

  const own = tellingsOf(run.journal).firsts.filter(
    ({ receiver, monitorId }) => receiver === "sns" && monitorId === id,
  );
  const isAsExpected =
    own.length === told.length &&
    told.every(
      ([event, from, to], place) => own[place]!.event === event && own[place]!.at >= from && own[place]!.at <= to,
    );
  if (!isAsExpected) {
    const expected = told.map(([event, from, to]) => `${event} ${from}-${to}`).join(", ") || "nothing";
    const heard = own.map(({ event, at }) => `${event} ${at.toFixed(1)}`).join(", ") || "nothing";
    faults.push(`told ${heard}; expected ${expected}`);
  }

  const subjects = run.journal.system.map(({ subject }) => subject);
  if (!isMatch(subjects, system))
    faults.push(`system was told ${JSON.stringify(subjects)}; expected ${JSON.stringify(system)}`);

  const monitor = run.monitors.find(({ sk, id: other }) => sk === "MONITOR" && other === id);
  const found = monitor ? String(monitor.status) : "gone";
  if (found !== status) faults.push(`the status is ${found}; expected ${status}`);
  type Views = Readonly<Record<string, { readonly health: string } | undefined>>;
  for (const [location, health] of Object.entries(views ?? {})) {
    const view = ((monitor?.views ?? {}) as Views)[location]?.health;
    if (view !== health) faults.push(`the view of ${location} is ${view}; expected ${health}`);
  }

  const ends = run.monitors
    .filter(({ sk, monitorId }) => sk.startsWith("INCIDENT#") && monitorId === id)
    .toSorted((a, b) => String(a.startedAt).localeCompare(String(b.startedAt)))
    .map(({ endReason }) => endReason as string | null);
  if (incidents && JSON.stringify(ends) !== JSON.stringify(incidents))
    faults.push(`incidents ended ${JSON.stringify(ends)}; expected ${JSON.stringify(incidents)}`);
  return faults;
}

/** Whether each subject has words of its own that it contains, and none are left. */
function isMatch(subjects: readonly string[], system: readonly string[]): boolean {
  const left = [...system];
  for (const subject of subjects) {
    const place = left.findIndex((words) => subject.includes(words));
    if (place < 0) return false;
    left.splice(place, 1);
  }
  return left.length === 0;
}
