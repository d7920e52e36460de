/**
 * Everything a deployment can set, read from the CDK context (`cdk.json`, `-c name=value`, or the environment variable
 * CDK_CONTEXT_JSON): parsed once, with defaults, refused with the name of the field when it makes no sense.
 */
import { readFileSync } from "node:fs";
import { InvalidContext, type LocationSpec, parseControlTargets, parseLocations } from "./locations.ts";

export interface Settings {
  /** Prefix of every name; a second installation in one account needs another. Default `harborlight`. */
  readonly appId: string;
  /**
   * Where tables, API and alerts live; for good, because the tables do not move. `cdk.json` names it, so that credentials
   * of another region cannot start a second installation. Default: the region of the AWS credentials, else `us-east-1`.
   */
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
  /** Memory of each probe, 128 to 10240 MB, and with it its share of a processor. Default 128. */
  readonly probeMemoryMb: number;
  /** Whether the context names `probeMemoryMb`: then nothing is said about it. */
  readonly probeMemoryIsChosen: boolean;
  /** Memory of the API, 128 to 10240 MB. Default 512. */
  readonly apiMemoryMb: number;
  /** Whether tables, topics and dead letters are encrypted with a KMS key of the account ($1 a month and calls). Default false. */
  readonly customerManagedKey: boolean;
  /** Name or ARN of the IAM policy that bounds every role. Absent: none. */
  readonly permissionsBoundary?: string;
  /** Tags of every resource beside `Application`, which is the app id. */
  readonly tags: Readonly<Record<string, string>>;
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
const NAMES = Object.keys({
  appId: true,
  region: true,
  local: true,
  locations: true,
  alertSender: true,
  alertSenderIsVerified: true,
  dashboard: true,
  controlTargets: true,
  apiThrottle: true,
  maximumConcurrency: true,
  probeMemoryMb: true,
  apiMemoryMb: true,
  customerManagedKey: true,
  permissionsBoundary: true,
  tags: true,
  retention: true,
  logRetentionDays: true,
} satisfies Record<Exclude<keyof Settings, "probeMemoryIsChosen" | "version"> | "controlTargets", true>);

/** Regions whose CloudFormation has no `AWS::SES::EmailIdentity` (its resource specification, November 2026). */
const WITHOUT_SES_IDENTITY = [
  "ap-east-1",
  "ap-east-2",
  "ap-southeast-4",
  "ap-southeast-6",
  "ap-southeast-7",
  "cn-north-1",
  "cn-northwest-1",
  "eu-south-2",
  "mx-central-1",
];
/** What IAM takes as the name or ARN of a customer's policy, paths included. */
const POLICY = /^(arn:aws[a-z-]*:iam::(\d{12}|aws):policy\/)?[\w+=,.@/-]{1,512}$/;
/** Lambda's smallest and largest memory, in MB. */
const MEMORY_MB = [128, 10_240] as const;

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
  const boundary = value("permissionsBoundary");
  const probeMemory = value("probeMemoryMb");
  const alertSenderIsVerified = boolean(value("alertSenderIsVerified") ?? false, "alertSenderIsVerified");
  if (alertSender && !alertSenderIsVerified) checkSenderRegion(region);
  return {
    appId: appIdOf(value("appId") ?? "harborlight"),
    region,
    local: boolean(value("local") ?? false, "local"),
    locations: parseLocations(context.locations, region, controlTargets),
    ...(alertSender === undefined || alertSender === ""
      ? {}
      : { alertSender: pattern(alertSender, /^[^\s@<>"]+@[a-z0-9.-]+$/i, "alertSender", "a mail address") }),
    alertSenderIsVerified,
    dashboard: boolean(value("dashboard") ?? false, "dashboard"),
    apiThrottle: integers(value("apiThrottle"), { ratePerSecond: 20, burst: 40 }, "apiThrottle"),
    // Two is the least that an event source mapping accepts.
    ...(concurrency === undefined ? {} : { maximumConcurrency: integer(concurrency, 2, 1000, "maximumConcurrency") }),
    probeMemoryMb: integer(probeMemory ?? 128, ...MEMORY_MB, "probeMemoryMb"),
    probeMemoryIsChosen: probeMemory !== undefined,
    apiMemoryMb: integer(value("apiMemoryMb") ?? 512, ...MEMORY_MB, "apiMemoryMb"),
    customerManagedKey: boolean(value("customerManagedKey") ?? false, "customerManagedKey"),
    ...(boundary === undefined
      ? {}
      : { permissionsBoundary: pattern(boundary, POLICY, "permissionsBoundary", "the name or ARN of an IAM policy") }),
    tags: tagsOf(value("tags") ?? {}),
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

/**
 * The words `probe` and `jobs` inside would make names of one installation that another has too: location `b` of
 * `a-probe` and location `probe-b` of `a` both have the function `a-probe-probe-b`.
 */
const appIdOf = (value: unknown): string => {
  const appId = pattern(
    value,
    /^[a-z][a-z0-9-]{0,22}[a-z0-9]$/,
    "appId",
    "2 to 24 lower-case letters, digits and inner hyphens, a letter first",
  );
  if (!/-(probe|jobs)(-|$)/.test(appId)) return appId;
  throw new InvalidContext(
    `appId must not have "-probe" or "-jobs" in it: another installation's names have them, got ${show(appId)}`,
  );
};

const checkSenderRegion = (region: string): void => {
  if (!WITHOUT_SES_IDENTITY.includes(region)) return;
  throw new InvalidContext(
    `alertSender cannot be set in ${region}: CloudFormation makes no SES identity there; leave it out, or choose another region`,
  );
};

const tagsOf = (value: unknown): Readonly<Record<string, string>> => {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new InvalidContext(`tags must be an object such as {"team": "ops"}, got ${show(value)}`);
  }
  const tags = Object.entries(value).map(([key, text]) => [
    pattern(
      key,
      /^(?!aws:)[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,128}$/u,
      "tags",
      "named by up to 128 characters that AWS allows, not aws:…",
    ),
    pattern(
      text,
      /^[\p{L}\p{Z}\p{N}_.:/=+\-@]{0,256}$/u,
      `tags.${key}`,
      "text of up to 256 characters that AWS allows",
    ),
  ]);
  return Object.fromEntries(tags);
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
