/**
 * Tallies of a monitor over time. Without a location, time by status comes from the recorded stretches, which bars and
 * incidents come from too; before the first of them it comes from outcomes, like checks and latencies always do.
 */
import { DAY_SECONDS } from "../../../shared/durations.ts";
import { markMaintenance } from "../../../shared/history/maintenance-time.ts";
import { oldestRawDay } from "../../../shared/history/retention.ts";
import { tallySteps } from "../../../shared/history/stats.ts";
import { timeOf } from "../../../shared/history/status-time.ts";
import type { Range } from "../../../shared/history/steps.ts";
import { Tally } from "../../../shared/history/tally.ts";
import type { HistoryReader, Watched } from "../../../shared/store/history-reader.ts";
import type { Deps } from "../deps.ts";

interface Question {
  /** Adjoining, oldest first. */
  readonly steps: readonly Range[];
  /** Of the monitor, within the steps. */
  readonly maintenance: readonly Range[];
  /** Default: all of them, by the monitor's quorum. */
  readonly location?: string | undefined;
}

/** One tally per step. */
export async function talliesOf(
  { stretches, retention, now }: Pick<Deps, "stretches" | "retention" | "now">,
  reader: HistoryReader,
  monitor: Watched,
  { steps, maintenance, location }: Question,
): Promise<Tally[]> {
  const rawFrom = oldestRawDay(now().getTime() / 1000, retention);
  const recorded = location ? undefined : await stretches.firstSecond(monitor.id);
  if (recorded === undefined) return tallySteps(reader, monitor, steps, { location, maintenance, rawFrom });
  // Of days whose outcomes have expired only whole ones are known, so the stretches begin with the next.
  const begin = recorded >= rawFrom ? recorded : Math.ceil(recorded / DAY_SECONDS) * DAY_SECONDS;
  const parts = steps.flatMap(({ from, to }, step) =>
    begin > from && begin < to
      ? [
          { from, to: begin, step },
          { from: begin, to, step },
        ]
      : [{ from, to, step }],
  );
  const [outcomes, starts] = await Promise.all([
    // The time of what follows is taken from the stretches, so its days need not be read from raw outcomes.
    tallySteps(reader, monitor, parts, { maintenance: maintenance.filter(({ from }) => from < begin), rawFrom }),
    stretches.within(monitor.id, Math.max(begin, steps[0]?.from ?? 0), steps.at(-1)?.to ?? 0),
  ]);
  const tallies = steps.map(() => new Tally());
  parts.forEach(({ from, to, step }, place) => {
    const isRecorded = from >= begin;
    tallies[step]!.merge(outcomes[place]!, { seconds: !isRecorded });
    if (!isRecorded) return;
    for (const stretch of markMaintenance(timeOf(starts, from, to), maintenance)) tallies[step]!.addStretch(stretch);
  });
  return tallies;
}
