/**
 * Settings of a deployment, read from the CDK context (`cdk.json`, `-c name=value`, or the environment variable
 * CDK_CONTEXT_JSON): parsed once, with defaults; an error names every wrong field.
 */
import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { z } from "zod";
import { FUNCTION_ARN } from "../shared/function-arn.ts";
import { DEFAULT_RETENTION, type Retention } from "../shared/history/retention.ts";
import { controlTargets, InvalidContext, type LocationSpec, locationsSchema, REGION } from "./locations.ts";
import { matching, must, problemsOf, senderAddress, show } from "./validation.ts";

export interface Settings {
  /** Prefix of every name; a second installation in one account needs another. Default `harborlight`. */
  readonly appId: string;
  /**
   * Region of tables, API and alerts. It cannot be changed later, because tables do not move. `cdk.json` names it, so that
   * credentials of another region cannot start a second installation. Default: the region of the AWS credentials, else `us-east-1`.
   */
  readonly region: string;
  /** Whether this template is for the one-machine stack. Default false. */
  readonly local: boolean;
  readonly locations: readonly LocationSpec[];
  /** Address that alert mails come from. Absent: no mail is sent. */
  readonly alertSender?: string;
  /** Whether SES knows the sender or its domain already; then the stack makes no identity of its own. Default false. */
  readonly alertSenderIsVerified: boolean;
  /** Whether channels may send SMS to any phone number, which costs per message. Default false. */
  readonly smsAlerts: boolean;
  /** ARNs of the Lambda functions that channels may invoke. Default: none. */
  readonly alertFunctions: readonly string[];
  /** What monitors of the protocol `ports` may sweep: addresses, networks and names, `*.example.com` for all below one. Default: none. */
  readonly sweepTargets: readonly string[];
  /** Tells this installation from others in the DNS record that allows it to sweep a name. Default: app, region and account. */
  readonly installation?: string;
  /** Whether to add a CloudWatch dashboard ($3 a month beyond an account's first three). Default false. */
  readonly dashboard: boolean;
  /**
   * Requests per second and burst of all calls that need a token, together. Default 100 and 40: API Gateway counts calls
   * with a bad token too, so the rate has to be far above what one stranger sends.
   */
  readonly apiThrottle: { readonly ratePerSecond: number; readonly burst: number };
  /** Requests per second and burst of each route without a token. Default 10 and 10. */
  readonly publicThrottle: { readonly ratePerSecond: number; readonly burst: number };
  /** Probe invocations at once per location, 2 to 1000. Default: what the account allows. */
  readonly maximumConcurrency?: number;
  /** Memory of each probe, 128 to 10240 MB, and with it its share of a processor. Default 128. */
  readonly probeMemoryMb: number;
  /** Whether the context sets `probeMemoryMb`; otherwise synthesis warns that the default may not be the cheapest. */
  readonly probeMemoryIsChosen: boolean;
  /** Memory of the API, 128 to 10240 MB. Default 512. */
  readonly apiMemoryMb: number;
  /** Whether tables, topics and dead letters are encrypted with a KMS key of the account ($1 a month and calls). Default false. */
  readonly customerManagedKey: boolean;
  /** Name or ARN of the IAM policy that is the permissions boundary of every role. Absent: none. */
  readonly permissionsBoundary?: string;
  /** Tags of every resource beside `Application`, which is the app id. */
  readonly tags: Readonly<Record<string, string>>;
  readonly retention: Retention;
  /** Days that logs are kept: one of the periods CloudWatch Logs knows. Default 14. */
  readonly logRetentionDays: number;
  /** Version in package.json. */
  readonly version: string;
}

const LOG_RETENTION_DAYS = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];
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

const integer = (min: number, max: number) =>
  z.custom<number>(
    (value) => Number.isInteger(value) && (value as number) >= min && (value as number) <= max,
    must(`an integer from ${min} to ${max}`),
  );
const flag = () => z.boolean(must("true or false")).default(false);

const count = (byDefault: number) => integer(1, 10_000).default(byDefault);

/** Schema of an object whose fields are all counts. @param path name of the setting, for messages */
const counts = <Shape extends Record<string, ReturnType<typeof count>>>(path: string, shape: Shape) => {
  const names = Object.keys(shape).join(", ");
  const { error } = must(`an object with ${names}`);
  return z.strictObject(shape, {
    error: (issue) => (issue.code === "unrecognized_keys" ? `is unknown; ${path} has ${names}` : error(issue)),
  });
};

/**
 * Refuses `-probe` and `-jobs` inside an app id, because names of two installations would collide: location `b` of
 * `a-probe` and location `probe-b` of `a` both have the function `a-probe-probe-b`.
 */
const appId = matching(
  /^[a-z][a-z0-9-]{0,22}[a-z0-9]$/,
  "2 to 24 lower-case letters, digits and inner hyphens, a letter first",
).refine((id) => !/-(probe|jobs)(-|$)/.test(id), {
  error: ({ input }) =>
    `must not have "-probe" or "-jobs" in it: another installation's names have them, got ${show(input)}`,
});

const tags = z.record(
  matching(/^(?!aws:)[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,128}$/u, "named by up to 128 characters that AWS allows, not aws:…"),
  matching(/^[\p{L}\p{Z}\p{N}_.:/=+\-@]{0,256}$/u, "text of up to 256 characters that AWS allows"),
  must('an object such as {"team": "ops"}'),
);

/** A name, or `*.` before it for all names below. At least one letter, so that half an address is none. */
const SWEPT_NAME = /^(?=.*[a-z])(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*$/i;
const isNetwork = (text: string) => {
  const [address = "", bits = "", ...more] = text.split("/");
  return (
    more.length === 0 &&
    /^\d{1,3}$/.test(bits) &&
    Number(bits) <= (isIP(address) === 4 ? 32 : 128) &&
    isIP(address) !== 0
  );
};
const isSweepTarget = (text: unknown): text is string =>
  typeof text === "string" && (isIP(text) !== 0 || isNetwork(text) || SWEPT_NAME.test(text));
export const sweepTargets = z
  .array(
    z.custom<string>(
      isSweepTarget,
      must("an address, a network such as 203.0.113.0/28, or a name such as *.example.com"),
    ),
    must('a list such as ["203.0.113.0/28"]'),
  )
  .max(50, must("a list of at most 50"));

const SETTINGS = {
  appId: appId.default("harborlight"),
  region: matching(REGION, "an AWS region"),
  local: flag(),
  /** Parsed separately: their defaults depend on `region` and `controlTargets`. */
  locations: z.unknown().optional(),
  alertSender: z.preprocess((address) => (address === "" ? undefined : address), senderAddress().optional()),
  alertSenderIsVerified: flag(),
  smsAlerts: flag(),
  alertFunctions: z
    .array(matching(FUNCTION_ARN, "the ARN of a Lambda function"), must("a list of ARNs of Lambda functions"))
    .default([]),
  sweepTargets: sweepTargets.default([]),
  installation: matching(/^[\w.-]{1,64}$/, "a name of letters, digits, _ . -").optional(),
  dashboard: flag(),
  controlTargets: controlTargets.optional(),
  apiThrottle: counts("apiThrottle", { ratePerSecond: count(100), burst: count(40) }).prefault({}),
  publicThrottle: counts("publicThrottle", { ratePerSecond: count(10), burst: count(10) }).prefault({}),
  // Two is the least that an event source mapping accepts.
  maximumConcurrency: integer(2, 1000).optional(),
  probeMemoryMb: integer(...MEMORY_MB).default(128),
  apiMemoryMb: integer(...MEMORY_MB).default(512),
  customerManagedKey: flag(),
  permissionsBoundary: matching(POLICY, "the name or ARN of an IAM policy").optional(),
  tags: tags.default({}),
  retention: counts("retention", {
    blockDays: count(DEFAULT_RETENTION.blockDays),
    rosterDays: count(DEFAULT_RETENTION.rosterDays),
    chunkDays: count(DEFAULT_RETENTION.chunkDays),
    dayMonths: count(DEFAULT_RETENTION.dayMonths),
  } satisfies Record<keyof Retention, unknown>).prefault({}),
  logRetentionDays: z.literal(LOG_RETENTION_DAYS, must(`one of ${LOG_RETENTION_DAYS.join(", ")}`)).default(14),
};

const notASetting = `is not a setting; those are ${Object.keys(SETTINGS).join(", ")}`;
const settingsSchema = z.strictObject(SETTINGS, {
  error: ({ code }) => (code === "unrecognized_keys" ? notASetting : undefined),
});

/**
 * @param context the app's whole context; CDK's own keys (they hold a `:` or start with `@` or `cdk`) are ignored, and null
 *   counts as not set
 * @param defaultRegion used when the context names none
 * @throws {InvalidContext}
 */
export const parseSettings = (context: Readonly<Record<string, unknown>>, defaultRegion: string): Settings => {
  const isOurs = (name: string) => !name.includes(":") && !/^(@|cdk|cli)/.test(name);
  const given: Record<string, unknown> = { region: defaultRegion };
  for (const [name, text] of Object.entries(context).filter(([name]) => isOurs(name)))
    if (!(name in SETTINGS && (text === null || text === undefined))) given[name] = structured(text);

  const { data: settings, error } = settingsSchema.safeParse(given);
  const region = SETTINGS.region.safeParse(given.region).data ?? defaultRegion;
  const targets = SETTINGS.controlTargets.safeParse(given.controlTargets).data;
  const { data: locations, error: locationsError } = locationsSchema(region, targets).safeParse(context.locations);
  const problems = [...problemsOf(error), ...problemsOf(locationsError, "locations")];
  if (given.alertSender && given.alertSenderIsVerified !== true && WITHOUT_SES_IDENTITY.includes(region)) {
    problems.push(
      `alertSender cannot be set in ${region}: CloudFormation makes no SES identity there; leave it out, or choose another region`,
    );
  }
  if (!settings || !locations || problems.length > 0) throw new InvalidContext(problems.join("\n"));

  const { controlTargets: _, ...others } = settings;
  return {
    ...others,
    locations,
    probeMemoryIsChosen: given.probeMemoryMb !== undefined,
    version: JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")).version,
  };
};

/** Parses JSON in a context value: `-c name=value` on the command line always arrives as text. */
const structured = (value: unknown): unknown => {
  if (typeof value !== "string" || !/^([[{\d]|true$|false$)/.test(value)) return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
};
