/** Tells the subscribers of status pages of maintenance that is planned, under the public names of what it is about. */
import { maintenanceWithin } from "../../../shared/rules/maintenance.ts";
import { publicNameOf } from "../../../shared/status-page/news.ts";
import type { StoredWindow } from "../../../shared/store/alerting.ts";
import type { Deps } from "../deps.ts";

/** Most names in one mail. */
const MOST_NAMES = 100;

/** Of one that recurs nobody is told: it is on the page, two weeks ahead. */
export async function tellPages({ pages, pageNews, monitors, now }: Deps, window: StoredWindow): Promise<void> {
  const { schedule } = window.versions.at(-1)!;
  if (schedule.kind !== "once") return;
  const all = await pages.all();
  if (all.length === 0) return;
  const within = maintenanceWithin([window], Date.parse(schedule.startsAt), Date.parse(schedule.endsAt));
  const about = (await monitors.rows(now())).filter((row) => row.deletedAt === null && within(row).length > 0);
  for (const page of all) {
    const names = about.flatMap((row) => publicNameOf(page, row) ?? []).slice(0, MOST_NAMES);
    const content = { kind: "maintenance", names, startsAt: schedule.startsAt, endsAt: schedule.endsAt } as const;
    if (names.length > 0) await pageNews.ofPage(page, { id: `window.${window.id}`, at: window.createdAt, content });
  }
}
