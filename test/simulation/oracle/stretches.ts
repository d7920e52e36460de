/** Each status that a monitor had is recorded once, with the moment it began; the summaries of hours say the same. */
import { HOUR_SECONDS } from "../../../shared/durations.ts";
import type { RecordedStretch } from "../../../shared/history/status-time.ts";
import { constantRow, NO_DATA, rowFrom } from "../../../shared/history/summary.ts";
import { SUMMARY_BUCKETS, summaryBucketOf } from "../../../shared/store/keys.ts";
import { createStretchStore } from "../../../shared/store/stretches.ts";
import { createSummaryStore } from "../../../shared/store/summaries.ts";
import { type Case, s1 } from "./case.ts";

/** A change is recorded within this, where it has been calm for so long. */
const RECORDED_SECONDS = 1_000;
/** More than any scenario lasts. */
const LONG_SECONDS = 100 * 86_400;

export async function judgeStretches(run: Case): Promise<void> {
  const { client, tables, scenario, journal } = run;
  const end = Math.ceil(scenario.startMs / 1000 + scenario.seconds);
  const stretches = createStretchStore(client, tables.history);
  const recorded = new Map<string, RecordedStretch[]>();
  for (const [id, had] of Map.groupBy(journal.stretches, (one) => one.id)) {
    const found = await stretches.within(id, end - LONG_SECONDS, end + LONG_SECONDS);
    recorded.set(id, found);
    judgeSequence(run, id, had, found);
  }
  const summaries = createSummaryStore(client, tables.history, { now: () => end * 1000 });
  for (const bucket of SUMMARY_BUCKETS) {
    const { hours, changes } = await summaries.newest(bucket, end - LONG_SECONDS);
    const waiting = new Set(changes.map(({ monitorId }) => monitorId));
    const own = [...recorded].filter(([id]) => summaryBucketOf(id) === bucket && !waiting.has(id));
    for (const { start, ids, rows } of hours)
      for (const [id, starts] of own) {
        const row = rows[ids.indexOf(id)] ?? constantRow(NO_DATA);
        const expected = rowFrom(starts, start, start + HOUR_SECONDS);
        if (String([row.end, row.seconds]) !== String([expected.end, expected.seconds]))
          run.say(
            "summary",
            id,
            start - scenario.startMs / 1000,
            `the hour says ${row.end} ${row.seconds}, its stretches ${expected.end} ${expected.seconds}`,
          );
      }
  }
}

interface Had {
  readonly at: number;
  readonly status: string;
  readonly since: string;
}

/** `pending` is left out: of two changes of settings in a row, before any decision, only one is recorded. */
function judgeSequence(run: Case, id: string, all: readonly Had[], found: readonly RecordedStretch[]) {
  const { calm, scenario } = run;
  const had = all.filter(({ status }) => status !== "pending");
  // A deletion by a clock that was ahead takes effect when the decision is made, by that clock.
  const text = ({ status, since }: { readonly status: string; readonly since: string }) =>
    status === "deleted" ? status : `${status} since ${since}`;
  const inOrder = found.toSorted((a, b) => a.sequence - b.sequence).filter(({ status }) => status !== "pending");
  let place = 0;
  for (const one of inOrder) {
    const next = had.findIndex((own, at) => at >= place && text(own) === text(one));
    if (next < 0) return run.say("stretch", id, scenario.seconds, `recorded is ${text(one)}, which it never was then`);
    place = next + 1;
  }
  const isCalm = calm.covers(scenario.seconds - RECORDED_SECONDS, scenario.seconds);
  const recorded = new Set(inOrder.map(text));
  const isDue = ({ at }: Had) => at < scenario.seconds - RECORDED_SECONDS;
  const missing = had.find((one) => isDue(one) && !recorded.has(text(one)));
  if (isCalm && missing) run.say("stretch", id, missing.at, `${text(missing)} of ${s1(missing.at)} is not recorded`);
}
