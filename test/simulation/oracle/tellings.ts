/** Alerts as people got them: each once for each receiver, in the order in which they came. */
import type { Journal, Told } from "../journal.ts";

const ENDS = new Set(["recovered", "closed"]);
/** Whether an alert tells the end of its incident; one that it has stopped flapping may. */
export const isEnd = ({ event, endedAt }: Pick<Told, "event" | "endedAt">) =>
  ENDS.has(event) || (event === "flapping-stopped" && endedAt !== null);

/** The alert's number within its incident. */
const numberOf = ({ alertId }: Pick<Told, "alertId">) => Number(alertId.slice(alertId.lastIndexOf(".") + 1));
export const byNumber = (one: Told, other: Told) => numberOf(one) - numberOf(other);

export interface Tellings {
  /** The first delivery of each alert to each receiver, refused ones included; oldest first. */
  readonly firsts: readonly Told[];
  /** All further deliveries. */
  readonly repeats: readonly Told[];
}

export function tellingsOf({ told }: Pick<Journal, "told">): Tellings {
  const seen = new Set<string>();
  const [firsts, repeats]: [Told[], Told[]] = [[], []];
  for (const one of told.toSorted((a, b) => a.at - b.at)) {
    const key = `${one.alertId} ${one.receiver}`;
    (seen.has(key) ? repeats : firsts).push(one);
    seen.add(key);
  }
  return { firsts, repeats };
}

const ADVISORIES = new Set(["minority", "minority-ended"]);
export const isAdvisory = ({ event }: Pick<Told, "event">) => ADVISORIES.has(event);

/** Whether it tells what a service says of itself: the advisory's id says so. */
export const isAboutChange = ({ incidentId }: Pick<Told, "incidentId">) => incidentId.includes(".changes.");

/** Whether it tells what the first sweep of ports found. */
export const isAboutBaseline = ({ event }: Pick<Told, "event">) => event === "baseline-learned";

/** Without what tells of no incident. */
export const withoutAdvisories = ({ firsts, repeats }: Tellings): Tellings => {
  const isOfIncident = (one: Told) => !isAdvisory(one) && !isAboutChange(one) && !isAboutBaseline(one);
  return { firsts: firsts.filter(isOfIncident), repeats: repeats.filter(isOfIncident) };
};

/** What a reader of topic `alerts` believes of one monitor. @param told to that reader, oldest first */
export function beliefAt(told: readonly Told[], at: number): string | null {
  const open = new Map<string, Told>();
  const ended = new Set<string>();
  for (const one of told) {
    if (one.at > at) break;
    const { incidentId } = one;
    if (isEnd(one)) {
      ended.add(incidentId);
      open.delete(incidentId);
    } else if (!ended.has(incidentId)) {
      const known = open.get(incidentId);
      if (!known || numberOf(known) < numberOf(one)) open.set(incidentId, one);
    }
  }
  const newest = [...open.values()].toSorted((a, b) => a.startedAt - b.startedAt).at(-1);
  return newest?.event ?? null;
}
