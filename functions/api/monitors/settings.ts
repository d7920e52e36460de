/**
 * The rules between a monitor's settings. Every rule looks only at fields that are right by themselves, so one answer
 * names everything that is wrong.
 */
import { type FieldError, InvalidInput } from "../../../shared/errors.ts";
import { asciiHost } from "../../../shared/idn.ts";
import { show } from "../../../shared/issues.ts";
import type { Location, MonitorSettings } from "../../../shared/model.ts";
import { completed, monitorInput, type SentSettings, sentFields } from "../../../shared/monitor/settings.ts";
import {
  attemptsMs,
  budgetMs,
  DEFAULT_RETRY_DELAY_MS,
  defaultTimeoutMs,
  longestTimeoutMs,
} from "../../../shared/monitor/timing.ts";
import { protocols } from "../../../shared/protocols/index.ts";
import { HIDDEN, hiddenPaths } from "../../../shared/protocols/secrets.ts";
import { fieldErrors, PARSING } from "../http/input.ts";
import { hostErrors } from "./target.ts";

/** Settings of a protocol, with certificates and keys in them, stay small enough for 250 of them in one read. */
const MAX_SETTINGS_BYTES = 16_384;

type Known = SentSettings;

/** The fields that are right by themselves, and what is wrong with the others. */
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
  if (port === undefined && row.defaultPort === null && !portIsWrong)
    errors.push({ path: "port", message: `is required: ${protocol} has no default port` });
  if (Buffer.byteLength(JSON.stringify(settings)) > MAX_SETTINGS_BYTES)
    return [...errors, { path: "settings", message: `must be at most ${MAX_SETTINGS_BYTES} bytes of JSON` }];
  for (const path of hiddenPaths(protocol ?? "", settings))
    errors.push({
      path: `settings.${path}`,
      message: `${HIDDEN} stands here for those who may not see it: send what it is, or leave it out of a PATCH`,
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

/** Datagrams that would leave after the deadline, where their owner said how many and how fast. */
const packetErrors = ({ protocol, settings, intervalSeconds = 60, timeoutMs }: Known): FieldError[] => {
  const row = protocol === undefined ? undefined : protocols[protocol];
  if (!row || settings?.packets === undefined) return [];
  const probe = row.prepare(settings);
  if (probe.transport !== "udp") return [];
  const { count, spacingMs } = probe.packets;
  const lastMs = (count - 1) * spacingMs;
  const withinMs = timeoutMs ?? defaultTimeoutMs(intervalSeconds);
  if (lastMs < withinMs) return [];
  const message = `the last of ${count} datagrams would leave after ${lastMs} ms, and timeoutMs is ${withinMs}`;
  return [{ path: "settings.packets", message }];
};

const timingErrors = ({ intervalSeconds = 60, timeoutMs: sent, retries, degradedAboveMs }: Known): FieldError[] => {
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
  if (degradedAboveMs !== undefined && degradedAboveMs !== null && degradedAboveMs >= timeoutMs)
    errors.push({
      path: "degradedAboveMs",
      message: `must be less than timeoutMs (${timeoutMs}), or nothing is ever slow, got ${degradedAboveMs}`,
    });
  return errors;
};

const duplicates = (values: readonly string[], path: string): FieldError[] =>
  values.flatMap((value, index) =>
    values.indexOf(value) < index ? [{ path: `${path}[${index}]`, message: `${show(value)} is there twice` }] : [],
  );

const locationErrors = (
  { locations, quorum }: Known,
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
  return [...errors, ...duplicates(locations ?? [], "locations")];
};

/** Everything that is wrong with settings as they were sent; empty when they can be completed. */
const check = (input: unknown, available: readonly Location[], kept: readonly string[]) => {
  const { known: given, errors } = readFields(input);
  const known = given.host === undefined ? given : { ...given, host: asciiHost(given.host) };
  const isWrong = (field: string) => errors.some(({ path }) => path === field || path.startsWith(`${field}.`));
  const names = known.locations ?? available.slice(0, 1).map(({ name }) => name);
  const protocol = known.protocol === undefined ? undefined : protocols[known.protocol];
  const port = known.port ?? (isWrong("port") ? undefined : (protocol?.defaultPort ?? undefined));
  const wrongSettings = protocolErrors(known, isWrong("port"));
  const isTimed = !isWrong("intervalSeconds") && !isWrong("timeoutMs");
  errors.push(
    ...wrongSettings,
    ...(isTimed ? timingErrors(known) : []),
    ...(isTimed && !wrongSettings.some(({ path }) => path.startsWith("settings")) ? packetErrors(known) : []),
    ...(isWrong("locations") ? [] : locationErrors(known, available, kept)),
    ...hostErrors(
      { host: known.host, port, family: known.family ?? "auto", transports: protocol?.transports ?? [] },
      available.filter(({ name }) => names.includes(name)),
    ),
    ...duplicates(known.alerts?.emails?.map((address) => address.toLowerCase()) ?? [], "alerts.emails"),
  );
  return { known, errors };
};

/** `"remindEverySeconds": null` says that no reminders are wanted, which is what happens. */
const withoutDisabled = (input: unknown): unknown => {
  if (typeof input !== "object" || input === null || !("alerts" in input)) return input;
  const { alerts } = input;
  if (typeof alerts !== "object" || alerts === null || !("remindEverySeconds" in alerts)) return input;
  if (alerts.remindEverySeconds !== null) return input;
  const { remindEverySeconds: _none, ...rest } = alerts;
  return { ...input, alerts: rest };
};

/**
 * Settings with every default filled in.
 * @param base where the monitor stands in the body, for messages: `monitors[3]`
 * @param kept locations that the monitor has and keeps, whether or not they are there any more
 * @throws InvalidInput naming every field that is wrong
 */
export const readMonitorSettings = (
  input: unknown,
  available: readonly Location[],
  { base = "", kept = [] }: { base?: string; kept?: readonly string[] } = {},
): MonitorSettings => {
  const { known, errors } = check(withoutDisabled(input), available, kept);
  if (errors.length > 0)
    throw new InvalidInput(
      errors.map(({ path, message }) => ({ path: base ? (path ? `${base}.${path}` : base) : path, message })),
    );
  return completed(
    known,
    available.map(({ name }) => name),
  );
};
