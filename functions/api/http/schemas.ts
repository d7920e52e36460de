/** Schemas of input other than monitors, for validation and the OpenAPI document. */
import { z } from "zod";
import { expecting } from "../../../shared/issues.ts";
import { ALERT_EVENTS } from "../../../shared/model.ts";
import { protocolName } from "../../../shared/monitor/fields.ts";
import { monitorInput } from "../../../shared/monitor/settings.ts";
import { fields, list, oneOf, text } from "../../../shared/schema.ts";
import { SYSTEM_EVENTS } from "../../../shared/system-events.ts";

/** Describes a query parameter as the type that its text stands for, not as text. */
export const inDocument =
  (schema: Readonly<Record<string, unknown>>) =>
  ({ jsonSchema }: { jsonSchema: { description?: string } }): void => {
    const { description } = jsonSchema;
    for (const name of Object.keys(jsonSchema)) delete (jsonSchema as Record<string, unknown>)[name];
    Object.assign(jsonSchema, schema, description !== undefined && { description });
  };

/** Monitors are validated one by one later, so that a message can say which one is wrong. */
export const applyInput = fields({
  monitors: z
    .array(z.unknown().meta({ override: { $ref: "#/components/schemas/MonitorInput" } }), {
      error: expecting("a list of monitors"),
    })
    .max(10_000, { error: "must be at most 10000 monitors" })
    .meta({
      description: "All of them, each with a `key`.",
      example: [{ key: "orders/db", name: "Orders", protocol: "postgresql", host: "db.example.com" }],
    }),
}).meta({ id: "ApplyInput", description: "The monitors that there shall be." });
export const checkInput = monitorInput.partial({ name: true }).meta({
  id: "CheckInput",
  description: "Settings to try: those of a monitor, whose name may be missing.",
  example: { protocol: "https", host: "shop.example.com", settings: { path: "/health" } },
});

/** @param advice what to do for more */
export const count = (max: number, standard: number, description: string, advice = "") => {
  const error = expecting(`a whole number from 1 to ${max}${advice}`);
  return z
    .string()
    .regex(/^\d{1,6}$/, { error, abort: true })
    .refine((text) => Number(text) >= 1 && Number(text) <= max, { error })
    .transform(Number)
    .default(standard)
    .meta({
      description: `${description}, 1 to ${max}; default ${standard}.`,
      override: inDocument({ type: "integer", minimum: 1, maximum: max, default: standard, example: standard }),
    });
};
export const limit = (max: number, standard: number) =>
  count(max, standard, "Items per page", " (for more, send nextCursor as cursor)");
export const cursor = z
  .string()
  .max(2000)
  .optional()
  .meta({ description: "`nextCursor` of the page before, with the same filters.", example: "eyJ" });
export const page = { limit: limit(200, 50), cursor };
export const yes = () =>
  oneOf(["true", "false"])
    .transform((value) => value === "true")
    .default(false)
    .meta({ override: inDocument({ type: "boolean", default: false, example: true }) });

export const TOPICS = ["alerts", "people", "system"] as const;
export type Topic = (typeof TOPICS)[number];
const KINDS = ["email", "sms", "http", "https", "sqs", "lambda"] as const;
export type Kind = (typeof KINDS)[number];
export const topicName = oneOf(TOPICS).meta({
  id: "Topic",
  description:
    "`alerts` is about monitors and for programs, `people` the same for mail and SMS, `system` about the monitoring itself.",
  example: "alerts",
});
export const kindName = oneOf(KINDS).meta({
  id: "ReceiverKind",
  description: "Kind of the receiver.",
  example: "email",
});

const some = <S extends z.ZodType>(item: S, what: string) =>
  list(item, 100, what)
    .min(1, { error: `must name at least one; leave it out for all ${what}` })
    .optional();
const line = (expected: string) => z.string({ error: expecting(expected) }).min(1, { error: expecting(expected) });

export const alertEvent = oneOf(ALERT_EVENTS).meta({
  id: "AlertEvent",
  description: "What an alert tells of.",
  example: "down",
});

export const deliveredEvent = oneOf([...ALERT_EVENTS, ...SYSTEM_EVENTS]).meta({
  id: "DeliveredEvent",
  description: "What an alert tells of; `system.` events are about the monitoring itself.",
  example: "down",
});

export const alertSeverity = oneOf(["critical", "warning", "info"]).meta({
  id: "AlertSeverity",
  description: "Severity of an alert.",
  example: "critical",
});

/** Filter of a subscription: values of a field are alternatives, and all fields must match. */
export const subscriptionFilter = fields({
  events: some(deliveredEvent, "events").describe("Kinds of alerts."),
  incidentStates: some(
    oneOf(["open", "ended"]).meta({ id: "IncidentState", description: "State of an incident." }),
    "states",
  ).describe("`open` while the incident lasts, `ended` with its last alert: for services that open and close a page."),
  severities: some(alertSeverity, "severities").describe("Severities of alerts."),
  tags: some(line("name=value").regex(/^[^=]+=/, { error: expecting("name=value") }), "tags").meta({
    description: "Tags of the monitor, as `name=value`.",
    example: ["team=orders"],
  }),
  monitorIds: some(line("the id of a monitor"), "monitors").meta({
    description: "Ids of monitors.",
    example: ["7ca139c8bbaa9b19b116"],
  }),
  protocols: some(protocolName(), "protocols").describe("Protocols of the monitor."),
}).meta({
  id: "SubscriptionFilter",
  description: "Which alerts are sent: values of a field are alternatives, and all fields must match.",
  example: { events: ["down", "recovered"] },
});

export const subscriptionPatch = fields({
  filter: subscriptionFilter.nullable().describe("Replaces the present filter; null: everything."),
}).meta({ id: "SubscriptionPatch", description: "What to change of a subscription." });

export const subscriptionInput = fields({
  topic: topicName
    .default("alerts")
    .describe("What it is about. `alerts` and `people` mean the same here: mail and SMS are subscribed to `people`."),
  kind: kindName,
  endpoint: text(2048, "text").meta({
    description: "Mail address, phone number, URL or ARN, depending on `kind`.",
    example: "ops@example.com",
  }),
  filter: subscriptionFilter.optional(),
}).meta({ id: "SubscriptionInput", description: "A receiver to subscribe." });
