/**
 * Validates the settings of a monitor, including rules between fields. Rules use only fields that are valid by
 * themselves, so one answer lists all errors.
 */
import { type FieldError, InvalidInput } from "../../../shared/errors.ts";
import { asciiHost } from "../../../shared/idn.ts";
import { show } from "../../../shared/issues.ts";
import { isTraffic, LONGEST_INTERVAL_SECONDS, watchedIn } from "../../../shared/measures/usual.ts";
import type { Location, MonitorSettings } from "../../../shared/model.ts";
import { MAX_OWN_RECEIVERS } from "../../../shared/monitor/escalation.ts";
import { flappingMarks } from "../../../shared/monitor/flapping.ts";
import { completed, monitorInput, type SentSettings, sentFields } from "../../../shared/monitor/settings.ts";
import {
  attemptsMs,
  budgetMs,
  DEFAULT_RETRY_DELAY_MS,
  defaultIntervalSeconds,
  defaultTimeoutMs,
  longestTimeoutMs,
} from "../../../shared/monitor/timing.ts";
import { protocols } from "../../../shared/protocols/index.ts";
import { HIDDEN, hiddenPaths, restoreSecrets } from "../../../shared/protocols/secrets.ts";
import { sweepOf, udpPorts } from "../../../shared/protocols/sweeps.ts";
import { addressCount, loadFor, refusePlan } from "../../../shared/rules/sweep-plan.ts";
import { stepErrors } from "../alerting/steps.ts";
import { fieldErrors, PARSING } from "../http/input.ts";
import { SERVER_FIELDS } from "../http/representations.ts";
import { hostErrors } from "./target.ts";

/** Limit of a protocol's settings, certificates and keys included, so that a shard's 250 members can be read at once. */
const MAX_SETTINGS_BYTES = 16_384;

type Known = SentSettings;

/** Parses the fields. @returns those that are valid by themselves, and the errors of the others */
const readFields = (input: unknown): { known: Known; errors: FieldError[] } => {
  const whole = monitorInput.safeParse(input, PARSING);
  if (whole.success) return { known: whole.data, errors: [] };
  const known: Record<string, unknown> = {};
  if (typeof input === "object" && input !== null)
    for (const [name, schema] of Object.entries(sentFields)) {
      const field = schema.safeParse((input as Record<string, unknown>)[name]);
      if (field.success) known[name] = field.data;
    }
  return { known, errors: fieldErrors(whole.error.issues) };
};

const protocolErrors = ({ protocol, port, settings = {} }: Known, portIsWrong: boolean): FieldError[] => {
  const row = protocol === undefined ? undefined : protocols[protocol];
  if (!row) return [];
  const errors: FieldError[] = [];
  if (port !== undefined && (port === 0) !== (row.isSweep === true))
    errors.push({
      path: "port",
      message: row.isSweep
        ? `must be left out: ${protocol} has its ports in settings.ports, got ${port}`
        : `must be a whole number from 1 to 65535, got ${port}`,
    });
  if (port === undefined && row.defaultPort === null && !portIsWrong)
    errors.push({ path: "port", message: `is required: ${protocol} has no default port` });
  if (Buffer.byteLength(JSON.stringify(settings)) > MAX_SETTINGS_BYTES)
    return [...errors, { path: "settings", message: `must be at most ${MAX_SETTINGS_BYTES} bytes of JSON` }];
  for (const path of hiddenPaths(protocol ?? "", settings))
    errors.push({
      path: `settings.${path}`,
      message: `${HIDDEN} is only shown in place of a secret, and none is stored here: send the secret itself`,
    });
  try {
    row.prepare(settings);
  } catch (error) {
    if (!(error instanceof InvalidInput)) throw error;
    for (const { path, message } of error.errors)
      errors.push({
        path: path ? (path.startsWith("[") ? `settings${path}` : `settings.${path}`) : "settings",
        message,
      });
  }
  return errors;
};

/** Errors if `settings.packets` would send datagrams after the timeout. */
const packetErrors = ({ protocol, settings, intervalSeconds = 60, timeoutMs }: Known): FieldError[] => {
  const row = protocol === undefined ? undefined : protocols[protocol];
  if (!row || settings?.packets === undefined) return [];
  const probe = row.prepare(settings);
  if (!("packets" in probe)) return [];
  const { count, spacingMs } = probe.packets;
  const lastMs = (count - 1) * spacingMs;
  const withinMs = timeoutMs ?? defaultTimeoutMs(intervalSeconds);
  if (lastMs < withinMs) return [];
  const message = `the last of ${count} datagrams would leave after ${lastMs} ms, and timeoutMs is ${withinMs}`;
  return [{ path: "settings.packets", message }];
};

/** Errors if a sweep does not fit its interval at one of its locations, or a UDP port is not known. */
const sweepErrors = (
  { protocol = "", host, settings, intervalSeconds = defaultIntervalSeconds(true) }: Known,
  locations: readonly Location[],
) => {
  const probe = sweepOf({ protocol, settings });
  if (!probe || host === undefined) return [];
  const known = udpPorts();
  const unknown = probe.udp.filter((port) => !known.has(port));
  if (unknown.length > 0) {
    const names = [...known].toSorted(([a], [b]) => a - b).map(([port, name]) => `${port} (${name})`);
    const message = `there is no protocol in which to ask ${unknown.slice(0, 5).join(", ")} over UDP; there is for ${names.join(", ")}`;
    return [{ path: "settings.udp", message }];
  }
  const load = loadFor(probe, addressCount(host));
  return locations
    .map(({ kind }) => refusePlan(load, kind, intervalSeconds))
    .filter((error) => error !== undefined)
    .slice(0, 1);
};

/** An object with the paths of its properties as their names. */
const prefixed = (path: string, object: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(Object.entries(object).map(([name, value]) => [`${path}.${name}`, value]));

const timingErrors = (known: Known): FieldError[] => {
  const { intervalSeconds = 60, timeoutMs: sent, retries, degradedAboveMs, degradedAboveMsByLocation = {} } = known;
  const errors: FieldError[] = [];
  const timeoutMs = sent ?? defaultTimeoutMs(intervalSeconds);
  const longest = longestTimeoutMs(intervalSeconds);
  if (timeoutMs > longest)
    return [
      {
        path: "timeoutMs",
        message: `must be at most ${longest} at an interval of ${intervalSeconds} s (a check ends 3 s before the next one, and within a minute), got ${timeoutMs}`,
      },
    ];
  if (retries?.count !== undefined) {
    const all = { count: retries.count, delayMs: retries.delayMs ?? DEFAULT_RETRY_DELAY_MS };
    const needed = attemptsMs(timeoutMs, all);
    if (needed > budgetMs(intervalSeconds))
      errors.push({
        path: "retries",
        message: `${all.count + 1} attempts of ${timeoutMs} ms with pauses of ${all.delayMs} ms take up to ${needed} ms, but a check at ${intervalSeconds} s has ${budgetMs(intervalSeconds)} ms: lower retries.count, retries.delayMs or timeoutMs`,
      });
  }
  const limits = { degradedAboveMs, ...prefixed("degradedAboveMsByLocation", degradedAboveMsByLocation) };
  for (const [path, limit] of Object.entries(limits))
    if (typeof limit === "number" && limit >= timeoutMs)
      errors.push({
        path,
        message: `must be less than timeoutMs (${timeoutMs}), or nothing is ever slow, got ${limit}`,
      });
  return errors;
};

const flappingErrors = ({ flapping }: Known): FieldError[] => {
  if (!flapping) return [];
  const { highPercent, lowPercent } = flappingMarks(flapping);
  if (lowPercent < highPercent) return [];
  return [
    { path: "flapping.lowPercent", message: `must be less than highPercent (${highPercent}), got ${lowPercent}` },
  ];
};

/** Errors of measures that are never measured, or not often enough to be compared with their usual range. */
const unusualErrors = ({ unusual, protocol, settings = {}, intervalSeconds = 60 }: Known): FieldError[] => {
  const row = protocol === undefined ? undefined : protocols[protocol];
  if (!unusual || !row) return [];
  const watched = watchedIn(unusual);
  if (watched.length === 0)
    return [
      { path: "unusual", message: 'must name a measure to watch, such as {"latency": "normal"}; null watches none' },
    ];
  if (row.isSweep)
    return [{ path: "unusual", message: `must be left out: ${protocol} measures nothing but open ports` }];
  if (intervalSeconds > LONGEST_INTERVAL_SECONDS)
    return [
      {
        path: "unusual",
        message: `needs a check every ${LONGEST_INTERVAL_SECONDS} s at least, because it compares means of 15 minutes; intervalSeconds is ${intervalSeconds}`,
      },
    ];
  const losesDatagrams = settings.packets !== undefined && "packets" in row.prepare(settings);
  return watched.flatMap(({ measure }): FieldError[] => {
    const path = `unusual.${measure}`;
    if (isTraffic(measure) && !row.readsCounters)
      return [{ path, message: `must be off: ${protocol} counts no traffic, only interfaces does` }];
    if (measure === "loss" && !losesDatagrams)
      return [{ path, message: "must be off: a loss is measured only by UDP protocols with settings.packets" }];
    return [];
  });
};

const changeWatchErrors = ({ changeWatch: { mode, expect } = {} }: Known): FieldError[] => {
  const isNamed = Object.keys(expect ?? {}).length > 0;
  if (isNamed ? mode !== "learn" : mode !== "expect") return [];
  return isNamed
    ? [{ path: "changeWatch.mode", message: 'must be "expect" where changeWatch.expect says what is right' }]
    : [{ path: "changeWatch.expect", message: 'must name what is right where the mode is "expect"' }];
};

const duplicates = (values: readonly string[], path: string): FieldError[] =>
  values.flatMap((value, index) =>
    values.indexOf(value) < index ? [{ path: `${path}[${index}]`, message: `${show(value)} is there twice` }] : [],
  );

const locationErrors = (
  { locations, quorum, degradedAboveMsByLocation = {} }: Known,
  available: readonly Location[],
  kept: readonly string[],
): FieldError[] => {
  const names = available.map(({ name }) => name);
  const errors = (locations ?? []).flatMap((name, index) =>
    names.includes(name) || kept.includes(name)
      ? []
      : [{ path: `locations[${index}]`, message: `must be one of ${names.join(", ")}, got ${show(name)}` }],
  );
  const count = locations?.length ?? 1;
  if (typeof quorum === "number" && quorum > count)
    errors.push({ path: "quorum", message: `must be at most the number of locations (${count}), got ${quorum}` });
  const own = locations ?? names.slice(0, 1);
  for (const name of Object.keys(degradedAboveMsByLocation))
    if (!own.includes(name))
      errors.push({
        path: `degradedAboveMsByLocation.${name}`,
        message: `must be one of the monitor's locations (${own.join(", ")}), got ${show(name)}`,
      });
  return [...errors, ...duplicates(locations ?? [], "locations")];
};

/** Validates settings as they were sent. Without errors they can be completed with defaults. */
const check = (input: unknown, available: readonly Location[], kept: readonly string[]) => {
  const { known: given, errors } = readFields(input);
  const known = given.host === undefined ? given : { ...given, host: asciiHost(given.host) };
  const isWrong = (field: string) => errors.some(({ path }) => path === field || path.startsWith(`${field}.`));
  const names = known.locations ?? available.slice(0, 1).map(({ name }) => name);
  const protocol = known.protocol === undefined ? undefined : protocols[known.protocol];
  const port = known.port ?? (isWrong("port") ? undefined : (protocol?.defaultPort ?? undefined));
  const wrongSettings = protocolErrors(known, isWrong("port"));
  const areSettingsRight = !wrongSettings.some(({ path }) => path.startsWith("settings"));
  const own = available.filter(({ name }) => names.includes(name));
  const isTimed = !isWrong("intervalSeconds") && !isWrong("timeoutMs");
  errors.push(
    ...wrongSettings,
    ...(isTimed ? timingErrors(known) : []),
    ...(isTimed && areSettingsRight
      ? [...packetErrors(known), ...sweepErrors(known, own), ...(isWrong("unusual") ? [] : unusualErrors(known))]
      : []),
    ...(isWrong("locations") ? [] : locationErrors(known, available, kept)),
    ...hostErrors(
      {
        host: known.host,
        port,
        family: known.family ?? "auto",
        protocol,
      },
      own,
    ),
    ...flappingErrors(known),
    ...changeWatchErrors(known),
    ...duplicates(known.alerts?.emails?.map((address) => address.toLowerCase()) ?? [], "alerts.emails"),
    ...stepErrors(known.alerts?.steps ?? [], "alerts.steps", {
      others: known.alerts?.emails ?? [],
      most: MAX_OWN_RECEIVERS,
    }),
    ...duplicates(known.dependsOn ?? [], "dependsOn"),
  );
  return { known, errors };
};

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Leaves out the fields that the server sets, so that what GET answered may be sent back. */
export const withoutServerFields = (input: unknown): unknown =>
  isObject(input) ? Object.fromEntries(Object.entries(input).filter(([name]) => !SERVER_FIELDS.has(name))) : input;

/** Puts mail addresses back where their replacement was sent. */
const withEmailsOf = (stored: { readonly emails: readonly string[] } | undefined, sent: unknown): unknown =>
  isObject(sent) && Array.isArray(sent.emails)
    ? { ...sent, emails: sent.emails.map((one: unknown, i) => (one === HIDDEN ? (stored?.emails[i] ?? one) : one)) }
    : sent;

const withAddressesOf = ({ alerts }: MonitorSettings, sent: unknown): unknown => {
  const known = withEmailsOf(alerts, sent);
  return isObject(known) && Array.isArray(known.steps)
    ? { ...known, steps: known.steps.map((step: unknown, i) => withEmailsOf(alerts.steps[i], step)) }
    : known;
};

/** Puts what was shown masked back from the stored monitor: addresses, and the secrets of the same protocol. */
const withSecretsOf = (stored: MonitorSettings | undefined, input: unknown): unknown => {
  if (!isObject(input) || !stored) return input;
  return {
    ...input,
    ...("alerts" in input && { alerts: withAddressesOf(stored, input.alerts) }),
    ...(input.protocol === stored.protocol && {
      settings: restoreSecrets(stored.protocol, input.settings, stored.settings),
    }),
  };
};

interface Reading {
  /** Path of the monitor in the body, for messages: `monitors[3]`. */
  readonly base?: string;
  /** Present settings of the monitor: its masked secrets may be sent back, and its locations need not be configured. */
  readonly stored?: MonitorSettings | undefined;
}

/**
 * Validates settings and fills in every default. Ignores fields that the server sets.
 * @throws InvalidInput that lists every wrong field
 */
export const readMonitorSettings = (
  input: unknown,
  available: readonly Location[],
  { base = "", stored }: Reading = {},
): MonitorSettings => {
  const sent = withSecretsOf(stored, withoutServerFields(input));
  const { known, errors } = check(sent, available, stored?.locations ?? []);
  if (errors.length > 0)
    throw new InvalidInput(
      errors.map(({ path, message }) => ({ path: base ? (path ? `${base}.${path}` : base) : path, message })),
    );
  return completed(
    known,
    available.map(({ name }) => name),
  );
};
