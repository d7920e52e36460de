/**
 * What the public reads. Everything that leaves the function is made from these types, field by field: nothing of a monitor
 * gets out because somebody forgot to leave it out.
 */
import type { PublicStatus } from "../../shared/status-page/words.ts";
import type { NoteState } from "../../shared/store/notes.ts";
import type { PageNotice } from "../../shared/store/status-pages.ts";

export interface PublicEntry {
  readonly name: string;
  readonly text: string | null;
  readonly status: PublicStatus;
  /** A letter for each day, oldest first: see `shared/history/bars.ts`. */
  readonly bars: string;
  /** Seconds down by the number of the day. */
  readonly downSeconds: Readonly<Record<string, number>>;
  /** Rounded down to two digits; null if nothing is known; absent if the page does not show it. */
  readonly uptimePercent?: number | null;
  /** Of the newest check; absent if the page does not show it. */
  readonly latencyMs?: number | null;
}

export interface PublicGroup {
  readonly name: string | null;
  readonly text: string | null;
  readonly entries: readonly PublicEntry[];
}

/** A public note. */
export interface PublicUpdate {
  readonly at: string;
  readonly state: NoteState | null;
  readonly text: string;
}

export interface PublicIncident {
  readonly id: string;
  /** Public name of what it is about. */
  readonly name: string;
  readonly severity: "degraded" | "down";
  readonly startedAt: string;
  readonly endedAt: string | null;
  /** Oldest first. */
  readonly updates: readonly PublicUpdate[];
}

export type PublicNotice = Pick<PageNotice, "id" | "kind" | "title" | "text" | "startsAt" | "endsAt">;

/** A time in which these are in maintenance. */
export interface PublicMaintenance {
  readonly names: readonly string[];
  readonly startsAt: string;
  readonly endsAt: string;
}

/** How many entries are what. */
export type PublicCounts = Readonly<Record<PublicStatus, number>>;

export interface PublicPage {
  readonly title: string;
  /** Of the worst entry. */
  readonly status: PublicStatus;
  readonly counts: PublicCounts;
  /** First day of the bars. */
  readonly from: string;
  readonly days: number;
  readonly groups: readonly PublicGroup[];
  /** Newest first. */
  readonly incidents: readonly PublicIncident[];
  /** Those that last or will come, and those of the period; latest first. */
  readonly notices: readonly PublicNotice[];
  /** Present and coming ones, earliest first. */
  readonly maintenance: readonly PublicMaintenance[];
  /** When this was made. */
  readonly at: string;
}
