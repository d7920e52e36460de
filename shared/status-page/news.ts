/**
 * What subscribers of a status page are told. News is an alert with content of its own, so that it takes the way of all
 * alerts: into the mailbox of the page, from there into that of each subscriber. Pure.
 */
import type { Alert, Timestamp } from "../model.ts";
import type { NoteState } from "../store/notes.ts";
import type { PageEntry, PageNotice, StatusPage } from "../store/status-pages.ts";

/** A monitor as far as a page may know it. */
export interface NewsMonitor {
  readonly id: string;
  readonly name: string;
  readonly tags: Readonly<Record<string, string>>;
}

interface NewsIncident {
  readonly id: string;
  readonly severity: "degraded" | "down";
  readonly startedAt: Timestamp;
  readonly endedAt: Timestamp | null;
}

export type PageNews =
  | { readonly kind: "confirm" }
  | { readonly kind: "incident"; readonly monitor: NewsMonitor; readonly incident: NewsIncident }
  | {
      readonly kind: "note";
      readonly monitor: NewsMonitor;
      readonly incident: NewsIncident;
      readonly state: NoteState | null;
      readonly text: string;
    }
  /** Under public names. */
  | {
      readonly kind: "maintenance";
      readonly names: readonly string[];
      readonly startsAt: Timestamp;
      readonly endsAt: Timestamp;
    }
  | { readonly kind: "notice"; readonly notice: Pick<PageNotice, "kind" | "title" | "text" | "startsAt" | "endsAt"> };

/** Receivers of news, as text: the page, which passes it on, and each subscriber. */
export const pageReceiver = (pageId: string) => `page:${pageId}`;
export const subscriberReceiver = (pageId: string, subscriberId: string) => `subscriber:${pageId}:${subscriberId}`;

const hasTags = (tags: Readonly<Record<string, string>>, wanted: Readonly<Record<string, string>>) =>
  Object.entries(wanted).every(([name, value]) => tags[name] === value);

const shows = ({ monitorId, tags }: PageEntry, monitor: NewsMonitor) =>
  tags ? hasTags(monitor.tags, tags) : monitorId === monitor.id;

/** Under which name a page shows a monitor; undefined if it does not. */
export function publicNameOf({ groups }: Pick<StatusPage, "groups">, monitor: NewsMonitor): string | undefined {
  const entry = groups.flatMap(({ entries }) => entries).find((one) => shows(one, monitor));
  return entry && (entry.name ?? monitor.name);
}

/**
 * Makes an alert that nothing but its `page` is read of.
 * @param id what makes it the same news when it is posted again
 * @param at when it became true; the same when it is posted again
 */
export const newsAlert = (id: string, at: Timestamp, page: PageNews): Alert => ({
  alertId: id,
  event: "reminder",
  severity: "info",
  // One order for all news of a page.
  monitor: { id: "page", name: "", protocol: "", host: "", port: 0, tags: {} },
  status: "unknown",
  previousStatus: "unknown",
  reason: null,
  message: "",
  locations: {},
  startedAt: at,
  endedAt: null,
  durationSeconds: null,
  incidentId: "page",
  incidentState: "open",
  endReason: null,
  url: null,
  page,
});
