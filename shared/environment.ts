/**
 * Declares the environment variables of each function: `infra` sets them, checked by type, and the function reads them,
 * checked by schema. Uses the small build of zod, because every cold start loads it.
 */
import * as z from "zod/mini";
import type { Retention } from "./history/retention.ts";
import { inOurWords, pathText } from "./issues.ts";
import { FAMILIES, LOCATION_KINDS, type Location } from "./model.ts";

const text = z.string().check(z.minLength(1));

const parsed = z.transform((value: string, context): unknown => {
  try {
    return JSON.parse(value);
  } catch {
    context.issues.push({ code: "custom", message: "must be JSON", input: value });
    return z.NEVER;
  }
});
/** Schema of a variable that holds JSON. */
const json = <Value>(schema: z.core.$ZodType<Value>) => z.pipe(z.pipe(z.string(), parsed), schema);

/** A probe's own location, without the queue, whose URL it does not need. */
const here = z.object({
  name: text,
  region: text,
  kind: z.enum(LOCATION_KINDS),
  families: z.array(z.enum(FAMILIES)),
  port25: z.boolean(),
  probeFunctionName: text,
}) satisfies z.ZodMiniType<Omit<Location, "jobsQueueUrl">>;
const LOCATIONS = json(z.array(z.extend(here, { jobsQueueUrl: text })) satisfies z.ZodMiniType<Location[]>);

const days = z.int().check(z.positive());
const RETENTION = json(
  z.object({ blockDays: days, rosterDays: days, chunkDays: days, dayMonths: days }) satisfies z.ZodMiniType<Retention>,
);

const monitorsTable = {
  MONITORS_TABLE: text,
  /** Set by the one-machine stack only. */
  DYNAMODB_TIMEOUT_MS: z.optional(z.pipe(z.string(), z.pipe(z.transform(Number), z.int().check(z.positive())))),
};
const tables = { ...monitorsTable, HISTORY_TABLE: text };
const topics = { ALERTS_TOPIC_ARN: text, PEOPLE_TOPIC_ARN: text, SYSTEM_TOPIC_ARN: text };

/** ARNs of the topics by their names. */
export const topicsIn = (environment: Readonly<Record<keyof typeof topics, string>>) => ({
  alerts: environment.ALERTS_TOPIC_ARN,
  people: environment.PEOPLE_TOPIC_ARN,
  system: environment.SYSTEM_TOPIC_ARN,
});

/** What channels can send through. */
const channels = {
  /** Absent if mail is off. */
  ALERT_SENDER: z.optional(text),
  /** Whether SMS to phone numbers may be sent. */
  SMS_ALERTS: z.optional(z.literal("true")),
  /** ARNs of the functions that may be invoked. */
  ALERT_FUNCTIONS: z.optional(json(z.array(text))),
};

/** What monitors of the protocol `ports` may sweep (`engine/sweep-permission.ts`). */
const sweeping = {
  /** Addresses, networks and names. */
  SWEEP_TARGETS: json(z.array(text)),
  /** What tells this installation from others, in the proof that the owner of a name publishes. */
  INSTALLATION: text,
};

const ENVIRONMENTS = {
  api: z.object({
    ...tables,
    ...topics,
    LOCATIONS,
    RETENTION,
    SUBSCRIPTION_DEAD_LETTER_ARN: text,
    DISPATCH_FUNCTION_NAME: text,
    ...sweeping,
    ...channels,
    HARBORLIGHT_VERSION: text,
  }),
  compact: z.object({
    ...tables,
    ...topics,
    LOCATIONS,
    RETENTION,
    /** Absent if mail is off. */
    ALERT_SENDER: z.optional(text),
  }),
  deliver: z.object({
    ...monitorsTable,
    ...topics,
    ...channels,
    LOCATIONS,
    API_URL: text,
    HARBORLIGHT_VERSION: text,
  }),
  dispatch: z.object({ ...tables, LOCATIONS }),
  probe: z.object({
    ...tables,
    TABLES_REGION: text,
    LOCATION: json(here),
    /** If empty, the location counts as online. */
    CONTROL_TARGETS: json(z.array(text)),
    ...sweeping,
    RETENTION,
  }),
  "state-change": z.object({
    ...tables,
    ...topics,
    /** Absent if mail is off. */
    ALERT_SENDER: z.optional(text),
    LOCATIONS,
    RETENTION,
    API_URL: text,
  }),
  "status-page": z.object({
    ...tables,
    /** Absent if mail is off. */
    ALERT_SENDER: z.optional(text),
  }),
  web: z.object({}),
};
export type Service = keyof typeof ENVIRONMENTS;

/** Variables that a deployment sets for one function, as text; those that it sets for all are left out. */
export type Deployed<Name extends Service> = Omit<
  z.input<(typeof ENVIRONMENTS)[Name]>,
  "HARBORLIGHT_VERSION" | "DYNAMODB_TIMEOUT_MS"
>;

/**
 * Reads and parses the function's variables; called once, at start.
 * @throws Error that names every missing or malformed variable, without values (they may be secret)
 */
export function readEnvironment<Name extends Service>(
  name: Name,
  environment: Readonly<Record<string, string | undefined>>,
): z.output<(typeof ENVIRONMENTS)[Name]> {
  const { success, data, error } = ENVIRONMENTS[name].safeParse(environment, { error: inOurWords });
  if (success) return data as z.output<(typeof ENVIRONMENTS)[Name]>;
  const wrong = error.issues.map(({ path, message }) => `${pathText(path)} ${message}`);
  throw new Error(`the environment of ${name} is wrong: ${wrong.join("; ")}`);
}
