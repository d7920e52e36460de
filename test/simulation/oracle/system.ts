/** Topic `system` hears of each location that falls silent, once, and of nothing over and over. */
import { type Case, s1 } from "./case.ts";

/** Silent after three minutes, noticed within two, told within one. */
const NOTICED_SECONDS = 180 + 120 + 60;
/** A lost reply or a death may repeat a message, a few times. */
const MOST_REPEATS = 4;

export function judgeSystem(run: Case): void {
  const { journal, scenario, calm, say } = run;
  for (const { location, from, to, how } of scenario.cuts) {
    if (how !== "all" || to - from < NOTICED_SECONDS || !calm.covers(Math.max(0, from - 300), from + NOTICED_SECONDS))
      continue;
    const told = journal.system.filter(
      ({ at, subject }) =>
        at >= from &&
        at <= from + NOTICED_SECONDS &&
        subject.includes(`Location ${location}`) &&
        subject.includes("silent"),
    );
    const text = `location ${location} is cut off from ${s1(from)} to ${s1(to)}, and system was told ${told.length} times by ${s1(from + NOTICED_SECONDS)}`;
    if (told.length !== 1) say(told.length === 0 ? "silence-lost" : "silence-double", location, from, text);
  }
  const same = Map.groupBy(journal.system, ({ subject, message }) => `${subject}: ${message}`);
  for (const [text, all] of same) {
    const minutes = all.map(({ at }) => at / 60);
    const isRush = minutes.some(
      (minute, place) => (minutes[place + MOST_REPEATS] ?? Number.POSITIVE_INFINITY) - minute < 10,
    );
    if (isRush) say("storm", "system", all[0]!.at, `system was told ${all.length} times: ${text}`);
  }
}
