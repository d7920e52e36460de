/** Which monitors the overview shows, and in which order. Pure. */

import { uptimeOf } from "../../../shared/history/bars.ts";
import type { Status } from "../../../shared/model.ts";
import type { MonitorRow } from "../../../shared/store/monitor-row.ts";
import type { Times } from "../../../shared/store/status-reader.ts";
import { STATUSES } from "../http/representations.ts";
import { sinceOf, statusOf } from "../monitors/present.ts";
import { STATUS_RANKS } from "../monitors/select.ts";

export const SORTS = ["status", "name", "uptime"] as const;
export type Sort = (typeof SORTS)[number];

/** A row with where it stands in the list, which is where the next page continues. */
interface Placed {
  readonly row: MonitorRow;
  readonly place: string;
}

/** @param times by monitor; needed only to sort by uptime */
function placeOf(row: MonitorRow, sort: Sort, times: ReadonlyMap<string, Times> | undefined): string {
  switch (sort) {
    case "name":
      return row.listKey;
    case "status":
      return `${STATUS_RANKS[statusOf(row)]}#${sinceOf(row)}#${row.listKey}`;
    case "uptime": {
      const percent = uptimeOf(times?.get(row.id));
      return `${percent === null ? "9" : percent.toFixed(4).padStart(8, "0")}#${row.listKey}`;
    }
  }
}

/** A page of rows. @param after place of the last one seen */
export function pageOf(
  rows: readonly MonitorRow[],
  { sort, after, limit }: { readonly sort: Sort; readonly after: string; readonly limit: number },
  times?: ReadonlyMap<string, Times>,
): { readonly page: readonly MonitorRow[]; readonly next: string | null } {
  const following = rows
    .map((row): Placed => ({ row, place: placeOf(row, sort, times) }))
    .filter(({ place }) => place > after)
    .sort((a, b) => (a.place < b.place ? -1 : 1));
  const page = following.slice(0, limit);
  return { page: page.map(({ row }) => row), next: following.length > limit ? page.at(-1)!.place : null };
}

/** How many monitors have each status; statuses that none has are absent. */
export function countsOf(rows: readonly MonitorRow[]): Partial<Record<Status, number>> {
  const groups = Map.groupBy(rows, statusOf);
  return Object.fromEntries(
    STATUSES.toSorted((a, b) => STATUS_RANKS[a] - STATUS_RANKS[b]).flatMap((status) => {
      const count = groups.get(status)?.length ?? 0;
      return count > 0 ? [[status, count]] : [];
    }),
  );
}
