/** Schemas of answers, for the OpenAPI document. `present.ts` makes the answers. */
import { z } from "zod";
import { HEALTHS, PORT_STATES } from "../../../shared/model.ts";
import { storedFields } from "../../../shared/monitor/settings.ts";
import { REASONS } from "../../../shared/reasons.ts";

export const moment = z.string().meta({ format: "date-time", example: "2026-11-22T10:00:00.000Z" });
const reason = z.enum(REASONS).nullable().describe("Stable code; null when there is nothing to say.");
const evidence = z.record(z.string(), z.unknown()).describe("Facts about what answered; at most 1 KB.");
const health = z.enum(HEALTHS);
const state = z.enum(PORT_STATES);

export const pageOf = <S extends z.ZodType>(item: S) =>
  z.object({
    items: z.array(item),
    nextCursor: z.string().nullable().describe("Send it as `cursor` for the next page; null: this was the last."),
  });

/** A page of a list that counts what matches. */
export const countedPageOf = <S extends z.ZodType>(item: S) =>
  pageOf(item).extend({
    total: z.int().nullable().describe("How many match, on all pages together; null where counting would take long."),
  });

const view = z
  .object({
    health,
    state,
    since: moment,
    reason,
    message: z.string(),
    address: z.string().nullable(),
    fingerprint: z.string().nullable(),
    evidence,
  })
  .meta({ id: "View", description: "The state as one location sees it, after thresholds." });

const incidentView = z
  .object({
    id: z.string(),
    startedAt: moment,
    endedAt: moment.nullable(),
    durationSeconds: z.int().nullable().describe("Null while it is open."),
    severity: z.enum(["degraded", "down"]).describe("Worst status so far."),
    reason,
    message: z.string(),
    evidence,
    locations: z.record(z.string(), z.object({ health, state, reason, message: z.string() })),
    alertCount: z.int(),
    endReason: z.enum(["recovered", "changed", "paused", "deleted"]).nullable(),
  })
  .meta({ id: "Incident" });

export const incidentItem = incidentView
  .extend({
    undeliverable: z
      .array(z.object({ delivery: z.string(), error: z.string(), at: moment }))
      .describe("Deliveries that were given up, with the error."),
    monitor: z.object({ id: z.string(), name: z.string(), protocol: z.string(), host: z.string(), port: z.int() }),
  })
  .meta({ id: "IncidentItem", description: "An incident with its monitor." });

/** Fields that the server adds to the settings. */
const standing = {
  id: z.string(),
  status: z.enum(["pending", ...HEALTHS, "paused", "maintenance"]),
  since: moment,
  lastCheckedAt: moment.nullable(),
  latencyMs: z.number().nullable(),
  timeToAlertSeconds: z
    .int()
    .describe("Longest possible time from the failure of the port to the sending of the alert, with these settings."),
  views: z.record(z.string(), view),
  incident: incidentView.nullable(),
  flapping: z.literal(false),
  createdAt: moment,
  updatedAt: moment.describe("When the settings last changed."),
  etag: z.string().describe("Send it as `If-Match` to change the monitor only if its settings are still these."),
};
/** Names of fields that are set by the server; callers may send them by mistake when they edit what they read. */
export const SERVER_FIELDS: ReadonlySet<string> = new Set(Object.keys(standing));

export const monitorView = z.object({ ...storedFields, ...standing }).meta({ id: "Monitor" });

export const listedMonitor = monitorView
  .partial()
  .required({ id: true })
  .meta({ id: "ListedMonitor", description: "A monitor; with `fields` only those." });

const outcomeView = z
  .object({
    location: z.string(),
    state: state.optional(),
    health: health.optional(),
    reason: reason.optional(),
    message: z.string().optional(),
    address: z.string().optional(),
    timings: z.record(z.string(), z.number()).optional().describe("Milliseconds by stage."),
    traffic: z.record(z.string(), z.number()).optional().describe("Packets and bytes, sent and received."),
    lossPercent: z.number().optional(),
    evidence: evidence.optional(),
    attempts: z.int().optional(),
    error: z.string().optional().describe("Why this location gave no outcome; then all other fields are missing."),
  })
  .meta({ id: "Outcome" });
export const outcomes = z.object({ outcomes: z.array(outcomeView) }).meta({ id: "Outcomes" });

export const problemView = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    code: z.string().describe("Stable; for programs."),
    detail: z.string(),
    errors: z
      .array(z.object({ path: z.string().meta({ example: "alerts.emails[0]" }), message: z.string() }))
      .optional()
      .describe("Every field that is wrong."),
    requestId: z.string(),
  })
  .meta({ id: "Problem", description: "RFC 9457." });
