/** Schemas of answers, for the OpenAPI document. `present.ts` makes the answers. */
import { z } from "zod";
import { FAMILIES, HEALTHS, LOCATION_KINDS, PORT_STATES } from "../../../shared/model.ts";
import { protocolName } from "../../../shared/monitor/fields.ts";
import { completed, MONITOR_EXAMPLE, storedFields } from "../../../shared/monitor/settings.ts";
import { REASONS } from "../../../shared/reasons.ts";
import { oneOf } from "../../../shared/schema.ts";
import { type ProblemCode, STATUS } from "./problem.ts";

export const moment = z
  .string()
  .meta({ format: "date-time", description: "ISO 8601 in UTC.", example: "2026-11-22T10:00:00.000Z" });
const reasonCode = z.enum(REASONS).meta({
  id: "Reason",
  description: "Stable code of why a check, a view or an incident is what it is.",
  example: "connection-refused",
});
export const reason = reasonCode.nullable().describe("Null when there is nothing to say.");
export const health = z
  .enum(HEALTHS)
  .meta({ id: "Health", description: "Judgement of a check, or of a location after thresholds.", example: "up" });
export const state = z
  .enum(PORT_STATES)
  .meta({ id: "PortState", description: "What a check found the port to be.", example: "open" });
export const STATUSES = ["pending", ...HEALTHS, "paused", "maintenance"] as const;
export const status = oneOf(STATUSES).meta({
  id: "Status",
  description: "What a monitor is after the quorum; `pending` until enough locations have checked it.",
  example: "up",
});
const evidence = z
  .record(z.string(), z.unknown())
  .meta({ description: "Facts about what answered; at most 1 KB.", example: { banner: "SSH-2.0-OpenSSH_9.2p1" } });
export const monitorId = z.string().meta({ description: "Id of the monitor.", example: "7ca139c8bbaa9b19b116" });
export const monitorName = z.string().meta({ description: "Display name of the monitor.", example: "Orders" });
export const locationKind = z.enum(LOCATION_KINDS).meta({
  id: "LocationKind",
  description: "`public` network, within a `vpc`, or `local`: this machine.",
  example: "public",
});
export const addressFamily = z.enum(FAMILIES).meta({ id: "AddressFamily", description: "IPv4 or IPv6." });
export const condition = z.enum(["working", "silent", "offline"]).meta({
  id: "LocationCondition",
  description: "How a location does: only checks from one that works count.",
  example: "working",
});
export const transport = z
  .enum(["tcp", "udp"])
  .meta({ id: "Transport", description: "How it is carried.", example: "tcp" });
export const locationName = z.string().meta({ description: "Name of the location.", example: "eu-west-1" });
export const milliseconds = z.number().meta({ description: "Milliseconds.", example: 12.4 });
export const percentage = z.number().min(0).max(100).meta({ description: "Per cent.", example: 99.95 });
export const message = z
  .string()
  .meta({ description: "For people.", example: "db.example.com:5432 refused the connection" });

const pages = new Map<z.ZodType, z.ZodType>();
const makePage = (item: z.ZodType, more: z.ZodRawShape): z.ZodType => {
  const made = pages.get(item);
  if (made) return made;
  const name = z.globalRegistry.get(item)?.id;
  const page = z
    .object({
      items: z.array(item).describe("The items of this page."),
      nextCursor: z
        .string()
        .nullable()
        .meta({ description: "Send it as `cursor` for the next page; null: this was the last.", example: null }),
      ...more,
    })
    .meta({ ...(name && { id: `${name}Page` }), description: `A page of a list${name ? ` of \`${name}\`` : ""}.` });
  pages.set(item, page);
  return page;
};

/** Schema of a page of items; `MonitorPage` for items whose schema has the id `Monitor`. */
export const pageOf = <S extends z.ZodType>(item: S): z.ZodType => makePage(item, {});

/** A page of a list that counts what matches. */
export const countedPageOf = <S extends z.ZodType>(item: S): z.ZodType =>
  makePage(item, {
    total: z
      .int()
      .nullable()
      .meta({ description: "How many match, on all pages together; null where counting would take long.", example: 3 }),
  });

const view = z
  .object({
    health,
    state,
    since: moment.describe("Since when its health is this."),
    reason,
    message,
    address: z.string().nullable().meta({ description: "The address that was checked last.", example: "192.0.2.7" }),
    facts: z.record(z.string(), z.array(z.string())).meta({
      description:
        "What the service says of itself: software, keys, issuer. Several values of a key: its servers differ. An empty one: the key is missing.",
      example: { "http.server": ["nginx"] },
    }),
    evidence,
  })
  .meta({
    id: "View",
    description: "The state as one location sees it, after thresholds.",
    example: { reason: null, message: "HTTP/1.1 200 OK", evidence: { status: 200 } },
  });

export const severity = oneOf(["degraded", "down"]).meta({
  id: "Severity",
  description: "Worst status so far.",
  example: "down",
});
export const acknowledgementView = z
  .object({
    at: moment.describe("When."),
    by: z.string().meta({ description: "Name of the token that was used.", example: "Grafana" }),
    note: z.string().nullable().meta({ description: "What was said; null for nothing.", example: null }),
  })
  .meta({ id: "Acknowledgement", description: "Somebody has taken an incident on." });
export const endReason = z
  .enum(["recovered", "changed", "paused", "deleted"])
  .meta({ id: "EndReason", description: "Why an incident ended.", example: "recovered" })
  .nullable();
const incidentFields = {
  id: z.string().meta({ description: "Id of the incident.", example: "7ca139c8bbaa9b19b116.1795341600000" }),
  startedAt: moment.describe("When the monitor left the status `up`."),
  endedAt: moment.nullable().describe("Null while it is open."),
  durationSeconds: z.int().nullable().meta({ description: "Null while it is open.", example: null }),
  severity,
  reason,
  message,
  evidence,
  locations: z
    .record(
      z.string(),
      z.object({ health, state, reason, message }).meta({ id: "IncidentView", description: "What one location saw." }),
    )
    .describe("What each location saw, by its name."),
  acknowledged: acknowledgementView.nullable().describe("Who has taken it on; null while nobody has."),
  alertCount: z.int().meta({ description: "Alerts sent so far.", example: 1 }),
  heldBy: z
    .array(
      z
        .object({
          monitorId: monitorId.describe("Id of the monitor that is down."),
          incidentId: z
            .string()
            .meta({ description: "Id of its incident.", example: "0a1b2c3d4e5f6a7b8c9d.1795341600000" }),
        })
        .meta({ id: "HeldBy", description: "A monitor that is down, on which another one depends." }),
    )
    .meta({
      description: "What its monitor depends on and is down: nobody is told of this incident meanwhile.",
      example: [],
    }),
  endReason: endReason.describe("Null while it is open."),
};
const incidentView = z
  .object(incidentFields)
  .meta({ id: "Incident", description: "One stretch of time in which a monitor was not up." });

export const incidentItem = z
  .object({
    ...incidentFields,
    undeliverable: z
      .array(
        z
          .object({
            delivery: z
              .string()
              .meta({ description: "The delivery, by its receiver.", example: "email:ops@example.com" }),
            error: z.string().meta({ description: "Why it was refused.", example: "550 no such user" }),
            at: moment.describe("When it was given up."),
          })
          .meta({ id: "Undeliverable", description: "A delivery that was given up." }),
      )
      .describe("Deliveries that were given up, with the error."),
    monitor: z
      .object({
        id: monitorId,
        name: monitorName,
        protocol: protocolName(),
        host: z.string().meta({ description: "Host name or address.", example: "shop.example.com" }),
        port: z.int().meta({ description: "Port.", example: 443 }),
      })
      .meta({ id: "IncidentMonitor", description: "The monitor as it was when the incident began." }),
  })
  .meta({ id: "IncidentItem", description: "An incident with its monitor." });

export const author = z
  .object({
    id: z.string().meta({ description: "Id of the token.", example: "a1b2c3d4e5f6a7b8c9d0" }),
    name: z.string().meta({ description: "Its name at the time.", example: "deployment" }),
  })
  .meta({ id: "Author", description: "Token with which somebody made a change." });

/** Fields that the server adds to the settings. */
const standing = {
  id: monitorId,
  status,
  since: moment.describe("Since when its status is this."),
  lastCheckedAt: moment.nullable().describe("When its newest check was due; null before the first one."),
  latencyMs: milliseconds.nullable().describe("Of the newest check; null where there is none."),
  timeToAlertSeconds: z.int().meta({
    description:
      "Longest possible time from the failure of the port to the sending of the alert, with these settings. It is longer only while what the monitor depends on is down.",
    example: 74,
  }),
  views: z.record(z.string(), view).describe("What each location sees, by its name."),
  incident: incidentView.nullable().describe("The incident in progress; null while there is none."),
  flappingSince: moment.nullable().describe("Since when it has been flapping; null while it is not."),
  maintenance: z
    .object({
      windowId: z.string().meta({
        description: "Id of the window; of several, the one that ends last.",
        example: "0a1b2c3d4e5f6a7b8c9d",
      }),
      until: moment.describe(
        "When it ends; with windows that follow without a pause, the last one's end, at most a day ahead.",
      ),
    })
    .meta({ id: "PresentMaintenance", description: "The maintenance that a monitor is in: nobody is told of trouble." })
    .nullable()
    .meta({ description: "The maintenance window that it is in; null for none.", example: null }),
  reachesNobody: z.boolean().nullable().meta({
    description:
      "Whether its alerts reach nobody: no policy or setting of it names a channel, a mail address, or topic `alerts` while that has a confirmed subscription. Null if SNS does not say. Not in lists.",
    example: false,
  }),
  createdAt: moment.describe("When it was created."),
  updatedAt: moment.describe("When the settings last changed."),
  updatedBy: author.nullable().meta({
    description: "Token that changed the settings last; null for a change from before this was noted.",
    example: null,
  }),
  etag: z.string().meta({
    description: "Send it as `If-Match` to change the monitor only if its settings are still these.",
    example: '"mi4vm0ao"',
  }),
};
/** Names of fields that are set by the server. Callers may send them back with what they read: they are ignored. */
export const SERVER_FIELDS: ReadonlySet<string> = new Set(Object.keys(standing));

export const monitorView = z.object({ ...storedFields, ...standing }).meta({
  id: "Monitor",
  description: "A monitor: its settings, and how it stands.",
  example: { ...completed(MONITOR_EXAMPLE, MONITOR_EXAMPLE.locations), incident: null },
});

export const listedMonitor = monitorView
  .omit({ reachesNobody: true })
  .partial()
  .required({ id: true })
  .meta({ id: "ListedMonitor", description: "A monitor; with `fields` only those." });

const outcomeView = z
  .object({
    location: locationName,
    state: state.optional(),
    health: health.optional(),
    reason: reason.optional(),
    message: message.optional(),
    address: z.string().optional().meta({ description: "The address that was checked.", example: "192.0.2.7" }),
    timings: z
      .record(z.string(), milliseconds)
      .optional()
      .meta({ description: "Milliseconds by stage.", example: { connectMs: 3.1, latencyMs: 12.4 } }),
    traffic: z
      .record(z.string(), z.int())
      .optional()
      .meta({ description: "Packets and bytes, sent and received.", example: { bytesSent: 0, bytesReceived: 42 } }),
    lossPercent: percentage.optional().meta({ description: "Share of lost datagrams.", example: 0 }),
    evidence: evidence.optional(),
    facts: z
      .record(z.string(), z.string())
      .optional()
      .meta({
        description: "What the service says of itself; a new value at a monitor is a change that people may hear of.",
        example: { "http.server": "nginx" },
      }),
    attempts: z.int().optional().meta({ description: "Attempts that the check made.", example: 1 }),
    error: z.string().optional().meta({
      description: "Why this location gave no outcome; then all other fields are missing.",
      example: "no answer within 20 s",
    }),
  })
  .meta({
    id: "Outcome",
    description: "What one check from one location saw.",
    example: {
      location: "eu-west-1",
      state: "open",
      health: "up",
      reason: null,
      message: "HTTP/1.1 200 OK",
      address: "192.0.2.7",
      timings: { connectMs: 3.1, latencyMs: 12.4 },
      traffic: { bytesSent: 74, bytesReceived: 420 },
      evidence: { status: 200 },
      attempts: 1,
    },
  });
export const outcomes = z
  .object({ outcomes: z.array(outcomeView).describe("One for each location.") })
  .meta({ id: "Outcomes", description: "What each location saw." });

export const problemCode = z
  .enum(Object.keys(STATUS) as [ProblemCode, ...ProblemCode[]])
  .meta({ id: "ProblemCode", description: "Stable; for programs.", example: "invalid-input" });
export const fieldError = z
  .object({
    path: z.string().meta({ description: "Path of the field.", example: "alerts.emails[0]" }),
    message: z.string().meta({ description: "What was expected.", example: "must be a mail address" }),
  })
  .meta({ id: "FieldError", description: "A field that is wrong." });
export const problemView = z
  .object({
    type: z.string().meta({ description: "URI of the kind.", example: "urn:harborlight:problem:invalid-input" }),
    title: z.string().meta({ description: "The kind in words.", example: "Some input is wrong" }),
    status: z.int().meta({ description: "The HTTP status.", example: 422 }),
    code: problemCode,
    detail: z.string().meta({ description: "What is wrong this time.", example: "port: must be a whole number" }),
    errors: z.array(fieldError).optional().describe("Every field that is wrong."),
    requestId: z.string().meta({ description: "Finds the request in the log.", example: "f2000d5e-5ed5-4d6c" }),
  })
  .meta({ id: "Problem", description: "An error (RFC 9457)." });

/** API Gateway's own answers, which it gives before or instead of the function. */
export const gatewayView = z
  .object({ message: z.string().meta({ description: "For people.", example: "Too Many Requests" }) })
  .meta({ id: "GatewayMessage", description: "An error that the gateway answers by itself." });
