/**
 * Declares each field of a monitor once. Everything else is derived from here (see `settings.ts`): types, what the API
 * accepts and shows, its OpenAPI components, defaults, what the table stores, and whether a change restarts the views.
 * A new field is one row; it needs a default, for monitors that were stored before it existed.
 */
import { z } from "zod";
import { expecting } from "../issues.ts";
import { FAMILIES, LANES, type Lane } from "../model.ts";
import { protocols } from "../protocols/index.ts";
import { isSweep } from "../protocols/sweeps.ts";
import { flag, idOf, list, ONE_LINE, oneOf, portNumber, text, whole } from "../schema.ts";
import { ALERT_DEFAULTS, CHANGE_WATCH_DEFAULTS } from "./alert-defaults.ts";
import { changeWatchShape } from "./change-watch.ts";
import { alertSteps, email, MAX_EMAILS, REMINDERS } from "./escalation.ts";
import { type Field, optional, partial, partialOrNull, required } from "./field.ts";
import { flappingMarks, flappingShape } from "./flapping.ts";
import {
  DEFAULT_RETRY_DELAY_MS,
  defaultIntervalSeconds,
  defaultRetries,
  defaultTimeoutMs,
  MAX_TIMEOUT_MS,
} from "./timing.ts";
import { UNUSUAL_OFF, unusualShape } from "./unusual.ts";

const protocolNames = Object.keys(protocols).toSorted() as [string, ...string[]];

const anyProtocol = z.enum(protocolNames, { error: expecting(`one of ${protocolNames.join(", ")}`) }).meta({
  id: "ProtocolName",
  description: "How to speak to the port: see `GET /v1/protocols`.",
  example: "https",
});
/** Schema of a protocol's name. */
export const protocolName = () => anyProtocol;

/**
 * Limits that keep a monitor's item below 200 KB, half of DynamoDB's limit. The item holds a view of up to 3 KB for
 * each location; the incident, its copy in the outbox and each pending alert hold a summary of all locations, and an
 * alert all tags and addresses. Counted with the two alerts of an outage.
 */
export const MAX_LOCATIONS = 16;
const MAX_POLICIES = 10;
const MAX_PARENTS = 5;
export const MAX_TAGS = 20;
/** Total of names and values. */
export const MAX_TAG_BYTES = 2_048;

const tagBytes = (value: Readonly<Record<string, string>>) =>
  Object.entries(value)
    .flat()
    .reduce((sum, one) => sum + Buffer.byteLength(one), 0);

const TAG = /^[A-Za-z0-9][A-Za-z0-9 ._:/@-]{0,63}$/;
export const tagName = z
  .string()
  .regex(TAG, { error: expecting("a tag's name: 1 to 64 of A-Z a-z 0-9 and ._:/@- or spaces") });
export const tagValue = z
  .string({ error: expecting("text") })
  .max(128, { error: expecting("text of at most 128 characters") })
  .regex(...ONE_LINE);
const tags = z
  .record(tagName, tagValue, { error: expecting('an object of names and texts, such as {"team": "orders"}') })
  .refine((value) => Object.keys(value).length <= MAX_TAGS, { error: `must be at most ${MAX_TAGS} tags` })
  .refine((value) => tagBytes(value) <= MAX_TAG_BYTES, {
    error: ({ input }) =>
      `must be at most ${MAX_TAG_BYTES} bytes of names and values together, got ${tagBytes(input as Record<string, string>)}`,
  });

const host = z
  .string({ error: expecting("a host name or an IP address") })
  .trim()
  .min(1, { error: expecting("a host name or an IP address") })
  .max(253, { error: expecting("a host name of at most 253 characters") });

const lane = z
  .literal([...LANES], { error: expecting(`one of ${LANES.join(", ")} (seconds)`) })
  .meta({ id: "Lane", description: "Seconds between two checks.", example: 60 }) as z.ZodType<Lane, Lane>;

/** What is checked, how, and from where. A change of any of these resets the views. */
export const CHECK_FIELDS = {
  protocol: required(protocolName(), "How to speak to the port: see `GET /v1/protocols`.", "https"),
  host: required(
    host,
    "Host name (one with other letters than ASCII is kept in its xn-- form) or IP address, without scheme, port or brackets; a link-local IPv6 address with its zone, on a location that is this machine. For `ports` also a network such as `203.0.113.0/28`.",
    "shop.example.com",
  ),
  port: optional(
    portNumber(),
    ({ protocol }) => protocols[protocol]?.defaultPort ?? 0,
    "Default: the protocol's; `tcp` and `udp` have none. 0 for `ports`, which looks at those of its settings.",
    8443,
  ),
  settings: optional(
    z.record(z.string(), z.unknown(), { error: expecting("an object") }),
    {},
    "The protocol's own settings; `GET /v1/protocols` has the schema of each.",
    { path: "/health" },
  ),
  family: optional(
    oneOf(["auto", ...FAMILIES]).meta({ id: "Family", description: "Address family." }),
    "auto",
    "Address family to use. Default `auto`: what the location has.",
    "ipv4",
  ),
  addresses: optional(
    oneOf(["first", "all"]).meta({ id: "Addresses", description: "Which addresses of a name are checked." }),
    "first",
    "Check the first address of the name, or all of them. Default `first`.",
    "all",
  ),
  expectedState: optional(
    oneOf(["open", "closed"]).meta({ id: "ExpectedState", description: "State that counts as up." }),
    "open",
    "The state that counts as up. Default `open`; `closed` accepts closed and filtered ports.",
    "closed",
  ),
  intervalSeconds: optional(
    lane,
    ({ protocol }) => defaultIntervalSeconds(isSweep({ protocol })),
    "Seconds between two checks. Default 60; for `ports` 3600.",
    30,
  ),
  timeoutMs: optional(
    whole(100, MAX_TIMEOUT_MS, " milliseconds"),
    ({ intervalSeconds }) => defaultTimeoutMs(intervalSeconds),
    "Deadline of one attempt. Default 5000, or 2000 at 10 s; at most the interval less 3 s.",
    3_000,
  ),
  retries: partial(
    "Retries",
    {
      count: whole(0, 5).describe("Default 2, or as many as fit the interval."),
      delayMs: whole(0, 10_000, " milliseconds").describe(`Default ${DEFAULT_RETRY_DELAY_MS}.`),
    },
    (sent, { intervalSeconds, timeoutMs }) => ({
      ...defaultRetries(intervalSeconds, timeoutMs, sent.delayMs),
      ...sent,
    }),
    "Further attempts within a check when the first result contradicts the location's view.",
    { count: 1, delayMs: 500 },
    { follows: true },
  ),
  degradedAboveMs: optional(
    whole(1, MAX_TIMEOUT_MS, " milliseconds").nullable(),
    null,
    "Latency above which it is degraded. Default null: never.",
    800,
  ),
  degradedAboveMsByLocation: optional(
    z.record(z.string(), whole(1, MAX_TIMEOUT_MS, " milliseconds"), {
      error: expecting('an object of locations and milliseconds, such as {"eu-west-1": 800}'),
    }),
    {},
    "Latency above which it is degraded as seen from single locations, by their names, in place of `degradedAboveMs`: a far location is slower. Default none.",
    { "eu-west-1": 1_200 },
  ),
  errorRate: partialOrNull(
    "ErrorRate",
    {
      percentAbove: whole(1, 99, " percent").describe(
        "Share of the last 32 checks that may fail; it is normal again below half of that. Default 20.",
      ),
    },
    ({ percentAbove = 20 }) => ({ percentAbove }),
    "High error rate: it is degraded while more of the last 32 checks of a location failed than this, at least 8 checks, even where no failures in a row reach `failureThreshold`. Default null: off.",
    { percentAbove: 20 },
  ),
  unusual: partialOrNull(
    "UnusualWatch",
    unusualShape,
    (sent) => ({ ...UNUSUAL_OFF, ...sent }),
    "Usual range: it is degraded while a measure has been far outside of what it was at the same hour of the week in the last six weeks, for 15 minutes. Needs two weeks of history, and an interval of at most 300 s. Default null: off.",
    { ...UNUSUAL_OFF, latency: "normal" },
  ),
  failureThreshold: optional(whole(1, 20), 1, "Failed checks in a row before a location says down. Default 1.", 2),
  recoveryThreshold: optional(whole(1, 20), 1, "Good checks in a row before a location says up. Default 1.", 3),
  locations: optional(
    list(z.string({ error: expecting("the name of a location") }), MAX_LOCATIONS, "names of locations").min(1, {
      error: "must name at least one location; leave it out for the first one configured",
    }),
    ({ available }) => available.slice(0, 1),
    "Where it is checked from. Default: the first location configured.",
    ["eu-west-1"],
  ),
} as const satisfies Readonly<Record<string, Field>>;

const KEY = /^[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}$/;

/** The other settings. A change of these keeps the views. */
export const OTHER_FIELDS = {
  name: required(text(200, "a name"), "Display name.", "Orders"),
  key: optional(
    z
      .string({ error: expecting("text or null") })
      .regex(KEY, { error: expecting("1 to 128 of A-Z a-z 0-9 and ._:/-, starting with a letter or digit") })
      .nullable(),
    null,
    "Your own name for it, for `PUT /v1/monitors`; unique, and fixed once given.",
    "orders/db",
  ),
  quorum: optional(
    z
      .union(
        [
          z.enum(["majority", "any", "all"]).meta({ id: "QuorumRule", description: "Share of the locations." }),
          z.int().min(1).max(MAX_LOCATIONS),
        ],
        { error: expecting('"majority", "any", "all" or a number of locations') },
      )
      .meta({ id: "Quorum", description: "How many locations must agree." }),
    "majority",
    "How many locations must agree that it is down. Default `majority`.",
    "any",
  ),
  alerts: partial(
    "Alerts",
    {
      afterSeconds: whole(0, 86_400, " seconds").describe(
        "How long a change must last before people are alerted. Default 0.",
      ),
      emails: list(email(), MAX_EMAILS, "mail addresses").describe("Mailed beside the topic `alerts`. Default none."),
      degraded: flag().describe(
        "Whether people are alerted when it is degraded, and not only when it is down. Default true.",
      ),
      minorityAfterSeconds: whole(0, 86_400, " seconds")
        .nullable()
        .describe(
          "How long fewer locations than the quorum must see it down before people are told so, once, with severity `info`; at least a check interval. Default null: never.",
        ),
      policies: list(idOf("policy"), MAX_POLICIES, "ids of policies").describe(
        "Alert policies, beside those that take it by its tags. A monitor that no policy takes, and that has no steps, tells the topic `alerts`.",
      ),
      steps: alertSteps().describe(
        "Escalation of its own, beside `emails` and policies: each step is told if nobody has acknowledged and nothing has recovered by then. Default none.",
      ),
      ...REMINDERS,
    },
    (sent) => ({ ...ALERT_DEFAULTS, ...sent }),
    "Who is alerted, and when. Reminders are for those whom `emails` and `steps` name.",
    {
      afterSeconds: 60,
      emails: ["ops@example.com"],
      degraded: false,
      minorityAfterSeconds: 900,
      policies: [],
      steps: [{ afterSeconds: 900, channels: ["sns"], emails: ["boss@example.com"] }],
      remindEverySeconds: 3600,
      remindAtMost: 5,
      until: "recovered",
    },
  ),
  flapping: partialOrNull(
    "Flapping",
    flappingShape,
    flappingMarks,
    "Flap detection: while its status changes very often, people are told so once, and once when it has settled, in place of each change. Default null: off, each change is told.",
    { highPercent: 50, lowPercent: 25 },
  ),
  changeWatch: partial(
    "ChangeWatch",
    changeWatchShape,
    ({ expect = {}, mode = Object.keys(expect).length > 0 ? "expect" : "learn", ...others }) => ({
      ...CHANGE_WATCH_DEFAULTS,
      ...others,
      mode,
      expect,
    }),
    "Changes of what the service says of itself: its keys, issuer, software. Each is told once, until it is accepted or reverts.",
    {
      mode: "expect",
      expect: { "ssh.software": ["OpenSSH_9.2p1"] },
      severity: "critical",
      rules: { "http.*": "record" },
    },
  ),
  dependsOn: optional(
    list(
      z
        .string({ error: expecting("the id of a monitor") })
        .min(1)
        .max(100),
      MAX_PARENTS,
      "ids of monitors",
    ),
    [],
    `Monitors without which it cannot be up, such as a router; at most ${MAX_PARENTS}. Nobody is told of trouble with it while all of these are down.`,
    ["7ca139c8bbaa9b19b116"],
  ),
  tags: optional(
    tags,
    {},
    `For filters and for subscriptions; at most ${MAX_TAGS}, of ${MAX_TAG_BYTES} bytes together.`,
    { team: "orders" },
  ),
  maintenanceCountsAsDowntime: optional(
    flag(),
    false,
    "Count what is seen during maintenance windows in the uptime like any other time. Default false: that time is left out.",
    true,
  ),
  paused: optional(flag(), false, "Keep it without checking it. Default false.", true),
  badge: optional(
    flag(),
    false,
    "Let anybody see its name, status and uptime at `/v1/badges/{id}.svg`, without a token. Default false.",
    true,
  ),
} as const satisfies Readonly<Record<string, Field>>;

type DeepReadonly<T> = T extends readonly (infer E)[]
  ? readonly DeepReadonly<E>[]
  : T extends object
    ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
    : T;
type Stored<F extends Readonly<Record<string, Field>>> = DeepReadonly<{ [K in keyof F]: z.output<F[K]["stored"]> }>;

/** All settings of a monitor. */
export type MonitorSettings = Stored<typeof CHECK_FIELDS> & Stored<typeof OTHER_FIELDS>;

/** The settings that decide how one check runs and is judged. */
export type CheckSettings = Omit<Stored<typeof CHECK_FIELDS>, "locations">;
