/** Reads how the monitors of a status page are, and makes of it what the public may read. */
import { DAY_SECONDS } from "../../shared/durations.ts";
import { barSteps, barsOf } from "../../shared/history/bars.ts";
import { maintenanceTime } from "../../shared/history/maintenance-time.ts";
import { inParallel } from "../../shared/parallel.ts";
import {
  LONGEST_SECONDS,
  type MaintenanceWindow,
  maintenanceWithin,
  type Stretch,
} from "../../shared/rules/maintenance.ts";
import type { PublicStatus } from "../../shared/status-page/words.ts";
import type { WindowStore } from "../../shared/store/alerting.ts";
import type { HistoryStore } from "../../shared/store/history.ts";
import type { IncidentStore, RecordedIncident } from "../../shared/store/incidents.ts";
import type { MonitorRow } from "../../shared/store/monitor-row.ts";
import type { MonitorRows } from "../../shared/store/monitor-rows.ts";
import { newestOf } from "../../shared/store/newest.ts";
import type { NoteStore } from "../../shared/store/notes.ts";
import type { PageEntry, PageGroup, PageNotice, StatusPage, StatusPageStore } from "../../shared/store/status-pages.ts";
import type { StatusReader } from "../../shared/store/status-reader.ts";
import type {
  PublicCounts,
  PublicEntry,
  PublicIncident,
  PublicMaintenance,
  PublicNotice,
  PublicPage,
} from "./public.ts";

export interface Reading {
  readonly rows: Pick<MonitorRows, "rows" | "rowsOf">;
  readonly statusReader: StatusReader;
  readonly history: HistoryStore;
  readonly windows: Pick<WindowStore, "all">;
  readonly incidents: Pick<IncidentStore, "startsAfter" | "getMany" | "get">;
  readonly notes: Pick<NoteStore, "of">;
  readonly pages: Pick<StatusPageStore, "notices">;
  readonly now: () => Date;
}

/** Most entries that one page draws. */
const MOST_ENTRIES = 500;
/** Most incidents of one answer; the history has the others, by month. */
const MOST_INCIDENTS = 50;
const MOST_OF_MONTH = 200;
const READS_AT_ONCE = 16;
/** How far ahead maintenance is announced. */
const ANNOUNCED_SECONDS = 14 * DAY_SECONDS;
const MOST_ANNOUNCED = 20;
const DIGITS = 2;

const WORST_FIRST: readonly PublicStatus[] = ["down", "degraded", "maintenance", "unknown", "up"];
const rankOf = (status: PublicStatus) => WORST_FIRST.indexOf(status);

/** A monitor under its public name. */
interface Shown {
  readonly row: MonitorRow;
  readonly name: string;
  readonly text: string | null;
}

/** Paused and deleted monitors are left out. */
const isShown = ({ paused, deletedAt }: MonitorRow) => !paused && deletedAt === null;

const hasTags = ({ tags }: MonitorRow, wanted: Readonly<Record<string, string>>) =>
  Object.entries(wanted).every(([name, value]) => tags[name] === value);

function shownBy(entry: PageEntry, rows: ReadonlyMap<string, MonitorRow>): Shown[] {
  const { monitorId, tags, text = null } = entry;
  if (tags) {
    const own = [...rows.values()].filter((row) => isShown(row) && hasTags(row, tags));
    return own.map((row) => ({ row, name: row.name, text }));
  }
  const row = rows.get(monitorId ?? "");
  return row && isShown(row) ? [{ row, name: entry.name ?? "", text }] : [];
}

/** All monitors only where tags select them. */
async function rowsOf({ groups }: StatusPage, { rows, now }: Reading): Promise<ReadonlyMap<string, MonitorRow>> {
  const entries = groups.flatMap((group) => group.entries);
  const found = entries.some(({ tags }) => tags)
    ? await rows.rows(now())
    : await rows.rowsOf(entries.flatMap(({ monitorId }) => monitorId ?? []));
  return new Map(found.map((row) => [row.id, row]));
}

interface ShownGroup extends Omit<PageGroup, "entries"> {
  readonly shown: readonly Shown[];
}

async function groupsOf(page: StatusPage, reading: Reading): Promise<ShownGroup[]> {
  const rows = await rowsOf(page, reading);
  let left = MOST_ENTRIES;
  return page.groups.map(({ name, text, entries }) => {
    const shown = entries.flatMap((entry) => shownBy(entry, rows)).slice(0, left);
    left -= shown.length;
    return { name, text, shown };
  });
}

/** Public names by monitor; the first of several. */
const namesOf = (groups: readonly ShownGroup[]): ReadonlyMap<string, Shown> => {
  const names = new Map<string, Shown>();
  for (const one of groups.flatMap(({ shown }) => shown)) if (!names.has(one.row.id)) names.set(one.row.id, one);
  return names;
};

const statusOf = ({ status }: MonitorRow, isMaintained: boolean): PublicStatus => {
  if (isMaintained) return "maintenance";
  return status === "up" || status === "degraded" || status === "down" ? status : "unknown";
};

const iso = (ms: number) => new Date(ms).toISOString();

/** What is in maintenance, and what will be. Windows' own names may be internal, and stay so. */
function announced(
  windows: readonly MaintenanceWindow[],
  shown: ReadonlyMap<string, Shown>,
  nowMs: number,
): PublicMaintenance[] {
  const announcedMs = nowMs + ANNOUNCED_SECONDS * 1000;
  // Wide enough to know of each when it begins and ends.
  const within = maintenanceWithin(windows, nowMs - LONGEST_SECONDS * 1000, announcedMs + LONGEST_SECONDS * 1000);
  const times = new Map<string, { names: string[]; startMs: number; endMs: number }>();
  for (const { row, name } of shown.values())
    for (const { startMs, endMs } of within(row)) {
      if (endMs <= nowMs || startMs > announcedMs) continue;
      const key = `${startMs} ${endMs}`;
      const known = times.get(key) ?? { names: [], startMs, endMs };
      known.names.push(name);
      times.set(key, known);
    }
  return [...times.values()]
    .toSorted((a, b) => a.startMs - b.startMs)
    .slice(0, MOST_ANNOUNCED)
    .map(({ names, startMs, endMs }) => ({ names, startsAt: iso(startMs), endsAt: iso(endMs) }));
}

/** Whether an incident lies in maintenance from its begin to its end: nobody was to be told. */
const isMaintained = ({ startedAt, endedAt }: RecordedIncident, maintenance: readonly Stretch[], nowMs: number) => {
  const [from, to] = [Date.parse(startedAt), endedAt === null ? nowMs : Date.parse(endedAt)];
  return maintenance.some(({ startMs, endMs }) => startMs <= from && endMs >= to);
};

const publicNotice = ({ id, kind, title, text, startsAt, endsAt }: PageNotice): PublicNotice => ({
  ...{ id, kind, title, text, startsAt, endsAt },
});

const countsOf = (entries: readonly PublicEntry[]): PublicCounts => {
  const counts = { up: 0, degraded: 0, down: 0, maintenance: 0, unknown: 0 };
  for (const { status } of entries) counts[status]++;
  return counts;
};

/** Whether a notice lasts at a moment. */
export const isPresent = ({ startsAt, endsAt }: PublicNotice, at: string) =>
  startsAt <= at && (endsAt === null || endsAt > at);

/** By the worst entry; a problem that only people see makes it at least degraded. */
function overall(counts: PublicCounts, notices: readonly PublicNotice[], at: string): PublicStatus {
  const worst = WORST_FIRST.find((status) => counts[status] > 0) ?? "unknown";
  const hasProblem = notices.some((notice) => notice.kind === "problem" && isPresent(notice, at));
  return hasProblem && rankOf(worst) > rankOf("degraded") ? "degraded" : worst;
}

/** What is not up comes first; what is alike stays in its order. */
const worstFirst = (entries: readonly PublicEntry[]) => entries.toSorted((a, b) => rankOf(a.status) - rankOf(b.status));
const worstOf = (entries: readonly PublicEntry[]) => Math.min(...entries.map(({ status }) => rankOf(status)));

export function createPageReader(reading: Reading) {
  const { statusReader, history, windows, incidents, notes, pages, now } = reading;

  const present = async (recorded: readonly RecordedIncident[], shown: ReadonlyMap<string, Shown>) => {
    const found = new Map<string, PublicIncident>();
    await inParallel(recorded, READS_AT_ONCE, async ({ id, monitorId, severity, startedAt, endedAt }) => {
      const own = (await notes.of(id)).filter((note) => note.public);
      const updates = own.map(({ at, state, text }) => ({ at, state, text }));
      const { name } = shown.get(monitorId)!;
      found.set(id, { id, name, severity, startedAt, endedAt, updates });
    });
    return recorded.map(({ id }) => found.get(id)!);
  };

  /** Incidents that began within a time, newest first. */
  const incidentsIn = async (
    shown: ReadonlyMap<string, Shown>,
    { from, to, most }: { readonly from: string; readonly to: string; readonly most: number },
  ) => {
    const [began, all] = await Promise.all([incidents.startsAfter(from), windows.all()]);
    const newest = began
      .filter(({ monitorId, startedAt }) => shown.has(monitorId) && startedAt < to)
      .toSorted((a, b) => (a.startedAt < b.startedAt ? 1 : -1))
      .slice(0, most)
      .map(({ monitorId, startedAt }) => `${monitorId}.${Date.parse(startedAt)}`);
    const within = maintenanceWithin(all, Date.parse(from), now().getTime() + 1);
    const recorded = (await incidents.getMany(newest)).filter(
      (incident) => !isMaintained(incident, within(shown.get(incident.monitorId)!.row), now().getTime()),
    );
    return present(recorded, shown);
  };

  const entriesOf = async (page: StatusPage, groups: readonly ShownGroup[], all: readonly MaintenanceWindow[]) => {
    const at = now();
    const steps = barSteps(page.days === 30 ? "30d" : "90d", at);
    const rows = new Map(groups.flatMap(({ shown }) => shown.map(({ row }) => [row.id, row] as const)));
    const range = { from: steps[0]!.from, to: steps.at(-1)!.to };
    const within = maintenanceTime(all, range);
    const [times, newest] = await Promise.all([
      statusReader.times({
        steps,
        ids: new Set(rows.keys()),
        present: rows,
        maintenance: (id) => within(rows.get(id)!),
      }),
      page.showLatency ? newestOf([...rows.values()], history, at) : undefined,
    ]);
    const nowMs = at.getTime();
    const presentMaintenance = maintenanceWithin(all, nowMs, nowMs + 1);
    const entryOf = ({ row, name, text }: Shown): PublicEntry => {
      const { uptimePercent, ...bars } = barsOf(times.get(row.id), steps.length, DIGITS);
      const status = statusOf(row, presentMaintenance(row).length > 0);
      return {
        ...{ name, text, status, ...bars },
        ...(page.showPercent && { uptimePercent }),
        ...(newest && { latencyMs: newest.get(row.id)?.latencyMs ?? null }),
      };
    };
    return { from: range.from, of: ({ shown }: ShownGroup) => worstFirst(shown.map(entryOf)) };
  };

  return {
    async page(page: StatusPage): Promise<PublicPage> {
      const at = now().toISOString();
      const [groups, all, written] = await Promise.all([
        groupsOf(page, reading),
        windows.all(),
        pages.notices(page.id).all(),
      ]);
      const shown = namesOf(groups);
      const entries = await entriesOf(page, groups, all);
      const from = iso(entries.from * 1000);
      const drawn = groups
        .map((group) => ({ name: group.name, text: group.text, entries: entries.of(group) }))
        .filter((group) => group.entries.length > 0)
        .toSorted((a, b) => worstOf(a.entries) - worstOf(b.entries));
      const notices = written
        .filter(({ startsAt, endsAt }) => startsAt >= from || endsAt === null || endsAt > at)
        .toSorted((a, b) => b.startsAt.localeCompare(a.startsAt))
        .map(publicNotice);
      const counts = countsOf(drawn.flatMap((group) => group.entries));
      return {
        title: page.title,
        status: overall(counts, notices, at),
        counts,
        from,
        days: page.days,
        groups: drawn,
        incidents: await incidentsIn(shown, { from, to: at, most: MOST_INCIDENTS }),
        notices,
        maintenance: announced(all, shown, Date.parse(at)),
        at,
      };
    },

    /** Incidents and notices of a month. @param from, to its begin and end */
    async month(page: StatusPage, from: string, to: string) {
      const [groups, written] = await Promise.all([groupsOf(page, reading), pages.notices(page.id).all()]);
      const began = await incidentsIn(namesOf(groups), { from, to, most: MOST_OF_MONTH });
      const notices = written.filter(({ startsAt }) => startsAt >= from && startsAt < to).map(publicNotice);
      return { incidents: began, notices };
    },

    /** One incident of something that the page shows. */
    async incident(page: StatusPage, id: string): Promise<PublicIncident | undefined> {
      const [recorded] = await incidents.getMany([id]);
      const shown = namesOf(await groupsOf(page, reading));
      if (!recorded || !shown.has(recorded.monitorId)) return undefined;
      const from = Date.parse(recorded.startedAt);
      const nowMs = now().getTime();
      const { row } = shown.get(recorded.monitorId)!;
      const maintenance = maintenanceWithin(await windows.all(), from, nowMs + 1)(row);
      if (isMaintained(recorded, maintenance, nowMs)) return undefined;
      return (await present([recorded], shown))[0];
    },
  };
}
export type PageReader = ReturnType<typeof createPageReader>;
