/** Schemas of input other than monitors, for validation and the OpenAPI document. */
import { z } from "zod";
import { expecting } from "../../../shared/issues.ts";
import { protocolName } from "../../../shared/monitor/fields.ts";
import { monitorInput } from "../../../shared/monitor/settings.ts";
import { fields, list, oneOf, text } from "../../../shared/schema.ts";

/** Monitors are validated one by one later, so that a message can say which one is wrong. */
export const applyInput = fields({
  monitors: z
    .array(z.unknown().meta({ override: { $ref: "#/components/schemas/MonitorInput" } }), {
      error: expecting("a list of monitors"),
    })
    .max(10_000, { error: "must be at most 10000 monitors" }),
});
export const checkInput = monitorInput.partial({ name: true }).meta({ id: "CheckInput" });

export const limit = (max: number, standard: number) => {
  const error = expecting(`a whole number from 1 to ${max} (for more, send nextCursor as cursor)`);
  return z
    .string()
    .regex(/^\d{1,6}$/, { error, abort: true })
    .refine((text) => Number(text) >= 1 && Number(text) <= max, { error })
    .transform(Number)
    .default(standard)
    .describe(`Items per page, 1 to ${max}; default ${standard}.`);
};
export const cursor = z.string().max(2000).optional().describe("`nextCursor` of the page before.");
export const page = { limit: limit(200, 50), cursor };
export const yes = () =>
  oneOf(["true", "false"])
    .transform((value) => value === "true")
    .default(false);

export const TOPICS = ["alerts", "system"] as const;
export type Topic = (typeof TOPICS)[number];
export const KINDS = ["email", "sms", "http", "https", "sqs", "lambda"] as const;
export type Kind = (typeof KINDS)[number];

const some = <S extends z.ZodType>(item: S, what: string) =>
  list(item, 100, what)
    .min(1, { error: `must name at least one; leave it out for all ${what}` })
    .optional();
const line = (expected: string) => z.string({ error: expecting(expected) }).min(1, { error: expecting(expected) });

/** Filter of a subscription: values of a field are alternatives, and all fields must match. */
export const subscriptionFilter = fields({
  events: some(oneOf(["down", "degraded", "recovered", "closed"]), "events"),
  incidentStates: some(oneOf(["open", "ended"]), "states").describe(
    "`open` while the incident lasts, `ended` with its last alert: for services that open and close a page.",
  ),
  severities: some(oneOf(["critical", "warning", "info"]), "severities"),
  tags: some(line("name=value").regex(/^[^=]+=/, { error: expecting("name=value") }), "tags"),
  monitorIds: some(line("the id of a monitor"), "monitors"),
  protocols: some(protocolName(), "protocols"),
});

export const subscriptionInput = fields({
  topic: oneOf(TOPICS).default("alerts").describe("`system` is about the monitoring itself."),
  kind: oneOf(KINDS),
  endpoint: text(2048, "text").describe("Mail address, phone number, URL or ARN, depending on `kind`."),
  filter: subscriptionFilter.optional(),
});
