/**
 * Tallies of a monitor over time. Without a location, time by status comes from the recorded stretches, which bars and
 * incidents come from too; before the first of them it comes from outcomes, like checks and latencies always do.
 */
import { DAY_SECONDS } from "../../../shared/durations.ts";
import { oldestRawDay } from "../../../shared/history/retention.ts";
import { tallySteps } from "../../../shared/history/stats.ts";
import { timeOf } from "../../../shared/history/status-time.ts";
import type { Range } from "../../../shared/history/steps.ts";
import { Tally } from "../../../shared/history/tally.ts";
import type { HistoryReader, Watched } from "../../../shared/store/history-reader.ts";
import type { Deps } from "../deps.ts";

/**
 * One tally per step.
 * @param steps adjoining, oldest first
 */
export async function talliesOf(
  { stretches, retention, now }: Pick<Deps, "stretches" | "retention" | "now">,
  reader: HistoryReader,
  monitor: Watched,
  steps: readonly Range[],
  location?: string,
): Promise<Tally[]> {
  const recorded = location ? undefined : await stretches.firstSecond(monitor.id);
  if (recorded === undefined) return tallySteps(reader, monitor, steps, location);
  // Of days whose outcomes have expired only whole ones are known, so the stretches begin with the next.
  const isRaw = recorded >= oldestRawDay(now().getTime() / 1000, retention);
  const begin = isRaw ? recorded : Math.ceil(recorded / DAY_SECONDS) * DAY_SECONDS;
  const parts = steps.flatMap(({ from, to }, step) =>
    begin > from && begin < to
      ? [
          { from, to: begin, step },
          { from: begin, to, step },
        ]
      : [{ from, to, step }],
  );
  const [outcomes, starts] = await Promise.all([
    tallySteps(reader, monitor, parts),
    stretches.within(monitor.id, Math.max(begin, steps[0]?.from ?? 0), steps.at(-1)?.to ?? 0),
  ]);
  const tallies = steps.map(() => new Tally());
  parts.forEach(({ from, to, step }, place) => {
    const isRecorded = from >= begin;
    tallies[step]!.merge(outcomes[place]!, { seconds: !isRecorded });
    if (isRecorded) for (const stretch of timeOf(starts, from, to)) tallies[step]!.addStretch(stretch);
  });
  return tallies;
}
