/**
 * The shapes of what callers send, once: they validate, and the OpenAPI document is made from them. Each says in its
 * message what was expected and what came. Rules between fields are in `monitor-settings.ts`.
 */
import { z } from "zod";
import { FAMILIES, LANES, type Lane } from "../../../shared/model.ts";
import { isMailAddress, MAX_ADDRESS_LENGTH } from "../../../shared/monitor/mail-address.ts";
import { protocols } from "../../../shared/protocols/index.ts";
import { SCOPES } from "../../../shared/store/tokens.ts";
import { expecting, show } from "./input.ts";

const ONE_LINE = [/^\P{Cc}*$/u, { error: "must be one line without control characters" }] as const;

export const whole = (min: number, max: number, unit = "") => {
  const error = expecting(`a whole number from ${min} to ${max}${unit}`);
  return z.int({ error }).min(min, { error }).max(max, { error });
};
export const text = (maxLength: number, what = "text") => {
  const error = expecting(`${what} of 1 to ${maxLength} characters`);
  return z
    .string({ error })
    .trim()
    .min(1, { error })
    .max(maxLength, { error })
    .regex(...ONE_LINE);
};
export const oneOf = <const V extends readonly [string, ...string[]]>(values: V) =>
  z.enum(values, { error: expecting(`one of ${values.join(", ")}`) });
export const flag = () => z.boolean({ error: expecting("true or false") });
export const list = <S extends z.ZodType>(item: S, max: number, what: string) => {
  const error = expecting(`a list of at most ${max} ${what}`);
  return z.array(item, { error }).max(max, { error: `must be a list of at most ${max} ${what}` });
};
export const email = () =>
  z
    .string({ error: expecting("a mail address") })
    .refine(isMailAddress, { error: expecting("a mail address") })
    .meta({ format: "email", maxLength: MAX_ADDRESS_LENGTH });
export const fields = <S extends z.ZodRawShape>(shape: S) => z.strictObject(shape, { error: objectError });
const objectError = (issue: { code?: string; input?: unknown }) =>
  issue.code === "unrecognized_keys" ? undefined : `must be a JSON object, got ${show(issue.input)}`;

const KEY = /^[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}$/;
const TAG = /^[A-Za-z0-9][A-Za-z0-9 ._:/@-]{0,63}$/;

/**
 * A monitor's item holds a view of up to 3 KB for each location; the incident, its projection and each alert on its way
 * hold a summary of all locations, and an alert all tags and addresses. With these limits and the two alerts of an
 * outage it stays below 200 KB, half of what DynamoDB takes.
 */
export const MAX_LOCATIONS = 16;
export const MAX_EMAILS = 20;
export const MAX_TAGS = 20;
/** Of names and values together. */
export const MAX_TAG_BYTES = 2_048;

const tagBytes = (value: Readonly<Record<string, string>>) =>
  Object.entries(value)
    .flat()
    .reduce((sum, one) => sum + Buffer.byteLength(one), 0);

const tags = z
  .record(
    z.string().regex(TAG, { error: expecting("a tag's name: 1 to 64 of A-Z a-z 0-9 and ._:/@- or spaces") }),
    z
      .string({ error: expecting("text") })
      .max(128, { error: expecting("text of at most 128 characters") })
      .regex(...ONE_LINE),
    { error: expecting('an object of names and texts, such as {"team": "orders"}') },
  )
  .refine((value) => Object.keys(value).length <= MAX_TAGS, { error: `must be at most ${MAX_TAGS} tags` })
  .refine((value) => tagBytes(value) <= MAX_TAG_BYTES, {
    error: ({ input }) =>
      `must be at most ${MAX_TAG_BYTES} bytes of names and values together, got ${tagBytes(input as Record<string, string>)}`,
  });

const names = Object.keys(protocols).toSorted();
/** Longest timeout in milliseconds: a tick has at most 60 s, writing included. */
export const MAX_TIMEOUT_MS = 57_000;

/** A monitor's fields, each as it is sent. Missing ones get the defaults of `monitor-settings.ts`. */
export const monitorFields = {
  name: text(200, "a name").describe("What people call it."),
  key: z
    .string({ error: expecting("text or null") })
    .regex(KEY, { error: expecting("1 to 128 of A-Z a-z 0-9 and ._:/-, starting with a letter or digit") })
    .nullable()
    .optional()
    .describe("Your own name for it, for `PUT /v1/monitors`; unique, and fixed once given."),
  protocol: z
    .enum(names as [string, ...string[]], { error: expecting(`one of ${names.join(", ")}`) })
    .describe("How to speak to the port: see `GET /v1/protocols`."),
  host: z
    .string({ error: expecting("a host name or an IP address") })
    .trim()
    .min(1, { error: expecting("a host name or an IP address") })
    .max(253, { error: expecting("a host name of at most 253 characters") })
    .describe(
      "Host name (one with other letters than ASCII is kept in its xn-- form) or IP address, without scheme, port or brackets; a link-local IPv6 address with its zone, on a location that is this machine.",
    ),
  port: whole(1, 65535).optional().describe("Default: the protocol's; `tcp` and `udp` have none."),
  settings: z
    .record(z.string(), z.unknown(), { error: expecting("an object") })
    .optional()
    .describe("The protocol's own settings; `GET /v1/protocols` has the schema of each."),
  family: oneOf(["auto", ...FAMILIES])
    .optional()
    .describe("Address family to use. Default `auto`: what the location has."),
  addresses: oneOf(["first", "all"])
    .optional()
    .describe("Check the first address of the name, or all of them. Default `first`."),
  expectedState: oneOf(["open", "closed"])
    .optional()
    .describe("What is right. Default `open`; `closed` is met by closed and filtered ports."),
  timeoutMs: whole(100, MAX_TIMEOUT_MS, " milliseconds")
    .optional()
    .describe("Deadline of one attempt. Default 5000, or 2000 at 10 s; at most the interval less 3 s."),
  retries: fields({
    count: whole(0, 5).optional().describe("Default 2, or as many as fit the interval."),
    delayMs: whole(0, 10_000, " milliseconds").optional().describe("Default 1000."),
  })
    .optional()
    .describe("Further attempts within a check when the first one contradicts what the location believed."),
  degradedAboveMs: whole(1, MAX_TIMEOUT_MS, " milliseconds")
    .nullable()
    .optional()
    .describe("Latency above which it is degraded. Default null: never."),
  failureThreshold: whole(1, 20).optional().describe("Failed checks in a row before a location says down. Default 1."),
  recoveryThreshold: whole(1, 20).optional().describe("Good checks in a row before a location says up. Default 1."),
  intervalSeconds: z
    .literal([...LANES], { error: expecting(`one of ${LANES.join(", ")} (seconds)`) })
    .optional()
    .describe("Default 60.") as z.ZodOptional<z.ZodType<Lane>>,
  locations: list(z.string({ error: expecting("the name of a location") }), MAX_LOCATIONS, "names of locations")
    .min(1, { error: "must name at least one location; leave it out for the first one configured" })
    .optional()
    .describe("Where it is checked from. Default: the first location configured."),
  quorum: z
    .union([z.enum(["majority", "any", "all"]), z.int().min(1).max(MAX_LOCATIONS)], {
      error: expecting('"majority", "any", "all" or a number of locations'),
    })
    .optional()
    .describe("How many locations must agree that it is down. Default `majority`."),
  alerts: fields({
    afterSeconds: whole(0, 86_400, " seconds")
      .optional()
      .describe("People hear of a change only when it has lasted so long. Default 0."),
    emails: list(email(), MAX_EMAILS, "mail addresses")
      .optional()
      .describe("Mailed beside the topic `alerts`. Default none."),
  })
    .optional()
    .describe("Who hears of changes, and when."),
  tags: tags
    .optional()
    .describe(`For filters and for subscriptions; at most ${MAX_TAGS}, of ${MAX_TAG_BYTES} bytes together.`),
  paused: flag().optional().describe("Keep it without checking it. Default false."),
  badge: flag()
    .optional()
    .describe("Let anybody see its name, status and uptime at `/v1/badges/{id}.svg`, without a token. Default false."),
};
export const monitorInput = fields(monitorFields).meta({ id: "MonitorInput" });

/** `PATCH`: RFC 7396, so every field may also be null, which brings its default back. */
export const monitorPatch = fields(
  Object.fromEntries(
    Object.entries(monitorFields).map(([name, schema]) => [
      name,
      z
        .union([schema, z.null()])
        .optional()
        .describe(schema.description ?? ""),
    ]),
  ) as unknown as Record<keyof typeof monitorFields, z.ZodOptional<z.ZodType>>,
).meta({ id: "MonitorPatch", description: "Merged into the monitor (RFC 7396); null brings a field's default back." });

/** Each monitor is read by itself, so that a message can say which one is wrong. */
export const applyInput = fields({
  monitors: z
    .array(z.unknown().meta({ override: { $ref: "#/components/schemas/MonitorInput" } }), {
      error: expecting("a list of monitors"),
    })
    .max(10_000, { error: "must be at most 10000 monitors" }),
});
export const checkInput = monitorInput.partial({ name: true }).meta({ id: "CheckInput" });

export const limit = (max: number, standard: number) =>
  z
    .string()
    .regex(/^\d{1,6}$/, { error: expecting(`a whole number from 1 to ${max}`) })
    .transform(Number)
    .refine((value) => value >= 1 && value <= max, { error: `must be a whole number from 1 to ${max}` })
    .default(standard)
    .describe(`Items per page, 1 to ${max}; default ${standard}.`);
export const cursor = z.string().max(2000).optional().describe("`nextCursor` of the page before.");
export const page = { limit: limit(200, 50), cursor };
export const yes = () =>
  oneOf(["true", "false"])
    .transform((value) => value === "true")
    .default(false);

export const tokenInput = fields({
  name: text(100, "a name").describe("Who or what uses it."),
  scopes: list(oneOf(SCOPES), 3, "scopes")
    .min(1, { error: `must name at least one of ${SCOPES.join(", ")}` })
    .describe("`admin` includes `write`, `write` includes `read`."),
});

export const TOPICS = ["alerts", "system"] as const;
export type Topic = (typeof TOPICS)[number];
export const KINDS = ["email", "sms", "http", "https", "sqs", "lambda"] as const;
export type Kind = (typeof KINDS)[number];

const some = <S extends z.ZodType>(item: S, what: string) =>
  list(item, 100, what)
    .min(1, { error: `must name at least one; leave it out for all ${what}` })
    .optional();
const line = (expected: string) => z.string({ error: expecting(expected) }).min(1, { error: expecting(expected) });

/** What gets through: any value of a field, and all fields together. */
export const subscriptionFilter = fields({
  events: some(oneOf(["down", "degraded", "recovered", "closed"]), "events"),
  incidentStates: some(oneOf(["open", "ended"]), "states").describe(
    "`open` while the incident goes on, `ended` with its last alert: what opens and closes a page.",
  ),
  severities: some(oneOf(["critical", "warning", "info"]), "severities"),
  tags: some(line("name=value").regex(/^[^=]+=/, { error: expecting("name=value") }), "tags"),
  monitorIds: some(line("the id of a monitor"), "monitors"),
  protocols: some(oneOf(names as [string, ...string[]]), "protocols"),
});

export const subscriptionInput = fields({
  topic: oneOf(TOPICS).default("alerts").describe("`system` is about the monitoring itself."),
  kind: oneOf(KINDS),
  endpoint: text(2048, "text").describe("Mail address, phone number, URL or ARN, as the kind has it."),
  filter: subscriptionFilter.optional(),
});
