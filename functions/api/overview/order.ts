/** Which monitors the overview shows, and in which order; read from indexes, without the monitors themselves. */
import type { Status } from "../../../shared/model.ts";
import { compareText } from "../../../shared/store/listing.ts";
import type { Times } from "../../../shared/store/status-reader.ts";
import type { Deps } from "../deps.ts";
import { hasTags } from "../monitors/select.ts";
import { uptimeOf } from "./bars.ts";

export const SORTS = ["status", "name", "uptime"] as const;
export type Sort = (typeof SORTS)[number];

/** What needs attention comes first. */
const STATUS_ORDER: readonly Status[] = ["down", "degraded", "unknown", "pending", "maintenance", "paused", "up"];

export interface Candidate {
  readonly id: string;
  readonly status: Status;
  /** Sorts the list, and is where the next page continues. */
  readonly place: string;
}

interface Question {
  readonly tag: readonly string[];
  readonly sort: Sort;
  /** Needed only to sort by uptime. */
  readonly times: () => Promise<ReadonlyMap<string, Times>>;
}

/** All monitors that have the tags, in order. */
export async function candidates(
  { entries }: Pick<Deps, "entries">,
  { tag, sort, times }: Question,
): Promise<Candidate[]> {
  const [names, attention, uptimes] = await Promise.all([
    entries.names(),
    entries.attention(),
    sort === "uptime" ? times() : undefined,
  ]);
  const tagged = tag.length > 0 ? await entries.entries(names.keys()) : undefined;
  const placeOf = (id: string, status: Status, since: string, name: string) => {
    switch (sort) {
      case "name":
        return name;
      case "status":
        return `${STATUS_ORDER.indexOf(status)}#${since}#${name}`;
      case "uptime": {
        const percent = uptimeOf(uptimes?.get(id));
        return `${percent === null ? "9" : percent.toFixed(4).padStart(8, "0")}#${name}`;
      }
    }
  };
  return [...names]
    .filter(([id]) => !tagged || hasTags(tagged.get(id)?.tags ?? {}, tag))
    .map(([id, name]) => {
      const { status, since } = attention.get(id) ?? { status: "up" as const, since: "" };
      return { id, status, place: placeOf(id, status, since, name) };
    })
    .sort((a, b) => compareText(a.place, b.place));
}

/** How many monitors have each status; statuses that none has are absent. */
export function countsOf(all: readonly Pick<Candidate, "status">[]): Partial<Record<Status, number>> {
  const groups = Map.groupBy(all, ({ status }) => status);
  return Object.fromEntries(
    STATUS_ORDER.flatMap((status) => {
      const count = groups.get(status)?.length ?? 0;
      return count > 0 ? [[status, count]] : [];
    }),
  );
}
