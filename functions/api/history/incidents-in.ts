/** Reads the incidents of a monitor within a range of time. */
import type { Range } from "../../../shared/history/steps.ts";
import type { RecordedIncident } from "../../../shared/store/incidents.ts";
import type { Deps } from "../deps.ts";

const INCIDENTS_AT_ONCE = 100;

/** Incidents that overlap a range, newest first. Those of one monitor never overlap each other. */
export async function incidentsIn(
  { incidents }: Deps,
  monitorId: string,
  { from, to }: Range,
): Promise<RecordedIncident[]> {
  const found: RecordedIncident[] = [];
  const iso = (seconds: number) => new Date(seconds * 1000).toISOString();
  for (let before: string | null = iso(to); before !== null; ) {
    const { items, next } = await incidents.listOf(monitorId, INCIDENTS_AT_ONCE, before);
    found.push(...items.filter(({ endedAt }) => endedAt === null || endedAt > iso(from)));
    before = items.some(({ startedAt }) => startedAt <= iso(from)) ? null : next;
  }
  return found;
}
