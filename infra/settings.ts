/**
 * Everything a deployment can set, read from the CDK context (`cdk.json`, `-c name=value`, or the environment variable
 * CDK_CONTEXT_JSON): parsed once, with defaults, refused with the name of the field when it makes no sense.
 */
import { readFileSync } from "node:fs";
import { InvalidContext, type LocationSpec, parseControlTargets, parseLocations } from "./locations.ts";

export interface Settings {
  /** Prefix of every physical name; a second installation in one account needs another. Default `harborlight`. */
  readonly appId: string;
  /** Where tables, API and alerts live. Default: the region of the AWS credentials, else `us-east-1`. */
  readonly region: string;
  /** Whether this template is for the one-machine stack. Default false. */
  readonly local: boolean;
  readonly locations: readonly LocationSpec[];
  /** Address that alert mails come from. Absent: no mail is sent. */
  readonly alertSender?: string;
  /** Whether SES knows the sender or its domain already; then the stack makes no identity of its own. Default false. */
  readonly alertSenderIsVerified: boolean;
  /** Whether to add a CloudWatch dashboard ($3 a month beyond an account's first three). Default false. */
  readonly dashboard: boolean;
  /** Requests per second and burst of the API as a whole. Default 20 and 40. */
  readonly apiThrottle: { readonly ratePerSecond: number; readonly burst: number };
  /** Probe invocations at once per location, 2 to 1000. Default: what the account allows. */
  readonly maximumConcurrency?: number;
  readonly retention: {
    readonly blockDays: number;
    readonly rosterDays: number;
    readonly chunkDays: number;
    readonly dayMonths: number;
  };
  /** Days that logs are kept: one of the periods CloudWatch Logs knows. Default 14. */
  readonly logRetentionDays: number;
  /** Of package.json. */
  readonly version: string;
}

const LOG_RETENTION_DAYS = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];
const NAMES = [
  "appId",
  "region",
  "local",
  "locations",
  "alertSender",
  "alertSenderIsVerified",
  "dashboard",
  "controlTargets",
  "apiThrottle",
  "maximumConcurrency",
  "retention",
  "logRetentionDays",
];

const show = (value: unknown) => JSON.stringify(value);

/**
 * @param context the app's whole context; CDK's own keys (they hold a `:` or start with `@` or `cdk`) are passed over
 * @param defaultRegion used when the context names none
 * @throws {InvalidContext}
 */
export const parseSettings = (context: Readonly<Record<string, unknown>>, defaultRegion: string): Settings => {
  for (const name of Object.keys(context)) {
    if (!NAMES.includes(name) && !name.includes(":") && !/^(@|cdk|cli)/.test(name)) {
      throw new InvalidContext(`${name} is not a setting; those are ${NAMES.join(", ")}`);
    }
  }
  const value = (name: string): unknown => structured(context[name]);
  const region = pattern(value("region") ?? defaultRegion, /^[a-z]{2}(-[a-z]+)+-\d$/, "region", "an AWS region");
  const controlTargets =
    value("controlTargets") === undefined ? undefined : parseControlTargets(value("controlTargets"), "controlTargets");
  const alertSender = value("alertSender");
  const concurrency = value("maximumConcurrency");
  return {
    appId: pattern(
      value("appId") ?? "harborlight",
      /^[a-z][a-z0-9-]{0,22}[a-z0-9]$/,
      "appId",
      "2 to 24 lower-case letters, digits and inner hyphens, a letter first",
    ),
    region,
    local: boolean(value("local") ?? false, "local"),
    locations: parseLocations(context.locations, region, controlTargets),
    ...(alertSender === undefined || alertSender === ""
      ? {}
      : { alertSender: pattern(alertSender, /^[^\s@<>"]+@[a-z0-9.-]+$/i, "alertSender", "a mail address") }),
    alertSenderIsVerified: boolean(value("alertSenderIsVerified") ?? false, "alertSenderIsVerified"),
    dashboard: boolean(value("dashboard") ?? false, "dashboard"),
    apiThrottle: integers(value("apiThrottle"), { ratePerSecond: 20, burst: 40 }, "apiThrottle"),
    // Two is the least that an event source mapping accepts.
    ...(concurrency === undefined ? {} : { maximumConcurrency: integer(concurrency, 2, 1000, "maximumConcurrency") }),
    retention: integers(
      value("retention"),
      { blockDays: 14, rosterDays: 15, chunkDays: 400, dayMonths: 25 },
      "retention",
    ),
    logRetentionDays: logRetention(value("logRetentionDays") ?? 14),
    version: JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")).version,
  };
};

/** `-c name=value` on the command line always arrives as text. */
const structured = (value: unknown): unknown => {
  if (typeof value !== "string" || !/^([[{\d]|true$|false$)/.test(value)) return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
};

const pattern = (value: unknown, expected: RegExp, path: string, description: string): string => {
  if (typeof value === "string" && expected.test(value)) return value;
  throw new InvalidContext(`${path} must be ${description}, got ${show(value)}`);
};

const boolean = (value: unknown, path: string): boolean => {
  if (typeof value === "boolean") return value;
  throw new InvalidContext(`${path} must be true or false, got ${show(value)}`);
};

const integer = (value: unknown, min: number, max: number, path: string): number => {
  if (Number.isInteger(value) && (value as number) >= min && (value as number) <= max) return value as number;
  throw new InvalidContext(`${path} must be an integer from ${min} to ${max}, got ${show(value)}`);
};

const integers = <T extends Record<string, number>>(value: unknown, defaults: T, path: string): T => {
  if (value === undefined) return defaults;
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new InvalidContext(`${path} must be an object with ${Object.keys(defaults).join(", ")}, got ${show(value)}`);
  }
  for (const [name, number] of Object.entries(value)) {
    if (!(name in defaults)) {
      throw new InvalidContext(`${path}.${name} is unknown; ${path} has ${Object.keys(defaults).join(", ")}`);
    }
    integer(number, 1, 10_000, `${path}.${name}`);
  }
  return { ...defaults, ...value };
};

const logRetention = (value: unknown): number => {
  if (LOG_RETENTION_DAYS.includes(value as number)) return value as number;
  throw new InvalidContext(`logRetentionDays must be one of ${LOG_RETENTION_DAYS.join(", ")}, got ${show(value)}`);
};
