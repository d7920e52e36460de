/** Topic `system` hears of each location that falls silent, once, and of nothing over and over. */
import { type Case, s1 } from "./case.ts";

/** Silent after three minutes, noticed within two, told within one. */
const NOTICED_SECONDS = 180 + 120 + 60;
const MOST_REPEATS = 15;

export function judgeSystem(run: Case): void {
  const { journal, scenario, calm, say } = run;
  const whole = scenario.cuts.filter(({ how }) => how === "all");
  for (const { location, from, to } of whole) {
    if (to - from < NOTICED_SECONDS || !calm.covers(Math.max(0, from - 300), from + NOTICED_SECONDS)) continue;
    const isSilentAlready = whole.some(
      (other) => other.location === location && other.from < from && other.to > from - NOTICED_SECONDS,
    );
    if (isSilentAlready) continue;
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
  // A lost reply or a death repeats a message; each change of a location's condition has one of its own.
  const changes = Math.max(1, journal.conditions.length);
  for (const [text, all] of Map.groupBy(journal.system, ({ subject, message }) => `${subject}: ${message}`))
    if (all.length > (1 + MOST_REPEATS) * changes)
      say("storm", "system", all[0]!.at, `system was told ${all.length} times: ${text}`);
}
