/** What happened in an incident, in the order of time. Pure; `routes/timeline.ts` reads what it is made from. */
import { z } from "zod";
import type { RecordedStretch } from "../../../shared/history/status-time.ts";
import type { Status, Timestamp } from "../../../shared/model.ts";
import { oneOf } from "../../../shared/schema.ts";
import type { AlertDelivery, IncidentAlert } from "../../../shared/store/incident-alerts.ts";
import type { RecordedIncident } from "../../../shared/store/incidents.ts";
import type { IncidentNote } from "../../../shared/store/notes.ts";
import { acknowledgementView, endReason, moment, reason, status } from "../http/representations.ts";
import { alertEvent, alertSeverity } from "../http/schemas.ts";
import { noteView } from "./note.ts";

/** In the order of things that happen at the same moment. */
const KINDS = ["opened", "status", "ended", "alert", "undeliverable", "acknowledged", "note"] as const;

const receiver = z.string().meta({
  description: "Whom it is for: `sns`, a mail address, or the id of a channel.",
  example: "email:ops@example.com",
});
const alertId = z.string().meta({ description: "Id of the alert.", example: "7ca139c8bbaa9b19b116.1795341600000.1" });

const alertView = z
  .object({
    id: alertId,
    event: alertEvent,
    severity: alertSeverity,
    reason,
    message: z.string().meta({ description: "For people.", example: "db.example.com:5432 refused the connection" }),
    deliveries: z
      .array(
        z
          .object({
            receiver,
            state: oneOf(["waiting", "sent", "undeliverable"])
              .meta({
                id: "AlertDeliveryState",
                description: "What became of an alert for one receiver.",
                example: "sent",
              })
              .nullable()
              .describe("What became of it; null where that is not known any more, after 30 days."),
            attempts: z.int().meta({ description: "How often it was tried.", example: 1 }),
            attemptedAt: moment.nullable().describe("When it was tried last; null before the first attempt."),
            answer: z
              .string()
              .nullable()
              .meta({ description: "What the receiver said last; null before that.", example: "HTTP 200 ok" }),
          })
          .meta({ id: "AlertDelivery", description: "An alert for one receiver, and what became of it." }),
      )
      .describe("To whom it went, and what became of it."),
  })
  .meta({ id: "IncidentAlert", description: "An alert about an incident." });

export const eventView = z
  .object({
    at: moment.describe("When it happened."),
    kind: oneOf(KINDS).meta({
      id: "IncidentEventKind",
      description: "What happened; the field that belongs to it says more.",
      example: "alert",
    }),
    status: status.optional().describe("Of `status`: what the monitor became."),
    alert: alertView.optional().describe("Of `alert`: what was told to whom."),
    undeliverable: z
      .object({ alertId, receiver, error: z.string().meta({ description: "Why.", example: "550 no such user" }) })
      .meta({ id: "UndeliverableAlert", description: "An alert that was given up for one receiver." })
      .optional()
      .describe("Of `undeliverable`: whom it could not be told."),
    acknowledgement: acknowledgementView.optional().describe("Of `acknowledged`: who has taken it on."),
    note: noteView.optional().describe("Of `note`: what somebody wrote."),
    endReason: endReason.optional().describe("Of `ended`: why."),
  })
  .meta({ id: "IncidentEvent", description: "Something that happened in an incident." });

interface Base {
  readonly at: Timestamp;
  /** Tells apart what happened at the same moment. */
  readonly key: string;
}
/** Something that happened, before it is presented. */
export type TimelineEntry = Base &
  (
    | { readonly kind: "opened" | "ended" }
    | { readonly kind: "status"; readonly status: Status }
    | { readonly kind: "alert"; readonly told: IncidentAlert }
    | { readonly kind: "undeliverable"; readonly alertId: string; readonly receiver: string; readonly error: string }
    | { readonly kind: "acknowledged" }
    | { readonly kind: "note"; readonly note: IncidentNote }
  );

/** Orders what happened, as text: also the position of a page. */
export const positionOf = ({ at, kind, key }: TimelineEntry) => `${at}#${KINDS.indexOf(kind)}#${key}`;

/** Everything that is known of an incident, the oldest first. */
export function entriesOf(
  incident: RecordedIncident,
  stretches: readonly RecordedStretch[],
  alerts: readonly IncidentAlert[],
  notes: readonly IncidentNote[],
): TimelineEntry[] {
  const { startedAt, endedAt, acknowledged, undeliverable = {} } = incident;
  const isWithin = (since: Timestamp) => since >= startedAt && (endedAt === null || since <= endedAt);
  const found: TimelineEntry[] = [
    { kind: "opened", at: startedAt, key: "" },
    ...stretches.flatMap(({ status, since, sequence }) =>
      isWithin(since) && status !== "deleted"
        ? [{ kind: "status", status, at: since, key: String(sequence) } as const]
        : [],
    ),
    ...alerts.map((told) => ({ kind: "alert", told, at: told.createdAt, key: told.alert.alertId }) as const),
    ...Object.entries(undeliverable).map(([key, { error, at }]) => {
      const [id = "", ...rest] = key.split(" ");
      return { kind: "undeliverable", alertId: id, receiver: rest.join(" "), error, at, key } as const;
    }),
    ...(acknowledged ? [{ kind: "acknowledged", at: acknowledged.at, key: "" } as const] : []),
    ...notes.map((note) => ({ kind: "note", note, at: note.at, key: note.id }) as const),
    ...(endedAt ? [{ kind: "ended", at: endedAt, key: "" } as const] : []),
  ];
  return found.toSorted((a, b) => (positionOf(a) < positionOf(b) ? -1 : 1));
}

export type Deliveries = ReadonlyMap<string, readonly AlertDelivery[]>;
