/** Renders an alert: headline, SMS, and the subject and message attributes of SNS. Pure. */
import { DAY_SECONDS, HOUR_SECONDS } from "../durations.ts";
import type { Alert, AlertEvent, Target, Timestamp } from "../model.ts";
import { isSystemEvent } from "../system-events.ts";

/** Limit of SNS: subjects are ASCII and shorter than 100 characters. */
export const MAX_SUBJECT = 99;
/** A single SMS takes 160 characters of the GSM alphabet, of which some, such as brackets, count twice. */
export const MAX_SMS = 139;

const LETTERS: Readonly<Record<string, string>> = {
  ä: "ae", ö: "oe", ü: "ue", Ä: "Ae", Ö: "Oe", Ü: "Ue", ß: "ss", æ: "ae", Æ: "AE", ø: "o", Ø: "O", å: "a", Å: "A", œ: "oe",
  Œ: "OE", ł: "l", Ł: "L", đ: "d", Đ: "D", þ: "th", Þ: "Th", ð: "d", "–": "-", "—": "-", "‘": "'", "’": "'", "“": '"',
  "”": '"', "…": "...", "→": "->", "✓": "OK", "✗": "X", "€": "EUR",
}; // biome-ignore format: a table

/** Transliterates to printable ASCII: "Zürich DB ✓" becomes "Zuerich DB OK". */
export function toAscii(text: string): string {
  return text
    .replace(/[^\x20-\x7e]/gu, (char) => LETTERS[char] ?? char)
    .normalize("NFKD")
    .replace(/\p{M}+/gu, "")
    .replace(/[^\x20-\x7e]+/gu, "?")
    .replace(/\s+/g, " ")
    .trim();
}

const cut = (text: string, length: number) => (text.length > length ? `${text.slice(0, length - 3)}...` : text);

/** "2 h 5 min", "45 s", "3 d 4 h": the two largest units. */
export function duration(seconds: number): string {
  const parts = [
    [Math.floor(seconds / DAY_SECONDS), "d"],
    [Math.floor(seconds / HOUR_SECONDS) % 24, "h"],
    [Math.floor(seconds / 60) % 60, "min"],
    [Math.floor(seconds) % 60, "s"],
  ] as const;
  const first = parts.findIndex(([amount]) => amount > 0);
  if (first < 0) return "0 s";
  return parts
    .slice(first, first + 2)
    .filter(([amount]) => amount > 0)
    .map(([amount, unit]) => `${amount} ${unit}`)
    .join(" ");
}

/** What is swept has no port of its own. */
export const endpoint = ({ monitor: { protocol, host, port } }: { readonly monitor: Target }) =>
  port === 0 ? `${protocol} ${host}` : `${protocol} ${host.includes(":") ? `[${host}]` : host}:${port}`;

export const isAboutSystem = ({ event }: Alert) => isSystemEvent(event);

/** What a pager shows as the origin. */
export const source = (alert: Alert) => {
  const { name, host, port } = alert.monitor;
  return isAboutSystem(alert) ? name : port === 0 ? host : `${host}:${port}`;
};

/** What is checked, in brackets after a headline; nothing in messages about the monitoring itself. */
export const where = (alert: Alert) => (isAboutSystem(alert) ? "" : ` (${endpoint(alert)})`);

/** "2026-11-27 11:31:30 Europe/Zurich" */
export function moment(timestamp: Timestamp, timeZone = "UTC"): string {
  // Swedes write dates like ISO 8601.
  const text = new Intl.DateTimeFormat("sv-SE", { timeZone, dateStyle: "short", timeStyle: "medium" });
  return `${text.format(new Date(timestamp))} ${timeZone}`;
}

/** "Orders database is down". */
export function headline(alert: Alert): string {
  const { name } = alert.monitor;
  const { event } = alert;
  if (isSystemEvent(event)) return alert.subject ?? event;
  switch (event) {
    case "down":
      return alert.previousStatus === "degraded" ? `${name} became worse and is down` : `${name} is down`;
    case "degraded":
      return alert.previousStatus === "down" ? `${name} is back but degraded` : `${name} is degraded`;
    case "recovered":
      return `${name} is up again after ${duration(alert.durationSeconds ?? 0)}`;
    case "closed":
      return `${name} was ${alert.endReason ?? "changed"} after ${duration(alert.durationSeconds ?? 0)} of trouble: this incident is closed`;
    case "escalated":
      return `${name} has been ${alert.severity === "critical" ? "down" : "degraded"} for ${duration(alert.durationSeconds ?? 0)}`;
    case "reminder":
      return `${name} is still ${alert.status}, after ${duration(alert.durationSeconds ?? 0)}`;
    case "acknowledged":
      return `${name} is ${alert.status}, and somebody is at work on it`;
    case "flapping-started":
      return `${name} is flapping: it is ${alert.status}, and changes too often to tell each time`;
    case "flapping-stopped":
      return `${name} has stopped flapping and is ${alert.status}`;
    case "minority":
      return `${name} is ${alert.status}, but not as seen from everywhere`;
    case "minority-ended":
      return `${name} is ${alert.status}: what a part of its locations saw is over`;
    default:
      return `${name}${SAID_OF_ITSELF[event]}`;
  }
}

/** Headlines about what a service says of itself, after its name. */
const SAID_OF_ITSELF = {
  changed: " has changed",
  "change-accepted": ": a change was accepted",
  "change-reverted": ": a change has reverted",
  "baseline-learned": " was swept for the first time",
} as const;

export const LABELS = {
  down: "DOWN",
  degraded: "DEGRADED",
  recovered: "RECOVERED",
  closed: "CLOSED",
  escalated: "ESCALATED",
  reminder: "REMINDER",
  acknowledged: "ACKNOWLEDGED",
  "flapping-started": "FLAPPING STARTED",
  "flapping-stopped": "FLAPPING STOPPED",
  minority: "MINORITY",
  "minority-ended": "MINORITY ENDED",
  changed: "CHANGED",
  "change-accepted": "CHANGE ACCEPTED",
  "change-reverted": "CHANGE REVERTED",
  "baseline-learned": "BASELINE LEARNED",
} as const satisfies Record<AlertEvent, string>;

export const labelOf = ({ event }: Alert) => (isSystemEvent(event) ? "SYSTEM" : LABELS[event]);

/** Subject for SNS: printable ASCII, fewer than 100 characters, starting with a letter. */
export const snsSubject = (alert: Alert) => cut(toAscii(`${labelOf(alert)}: ${headline(alert)}`), MAX_SUBJECT);

/** What and where in few words, so that long names leave room for the rest. */
const inShort = (alert: Alert): Alert => {
  const { monitor } = alert;
  return { ...alert, monitor: { ...monitor, name: cut(toAscii(monitor.name), 40), host: cut(monitor.host, 40) } };
};

export const sms = (alert: Alert) => {
  const short = inShort(alert);
  return cut(toAscii(`${headline(short)}${where(short)}. ${alert.message}`), MAX_SMS);
};

export const escapeHtml = (text: string) => text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);

type Attributes = Record<string, { readonly DataType: string; readonly StringValue: string }>;

/** What SNS filters by. At most ten, as raw SQS delivery takes no more. */
const filtered = (alert: Alert): Readonly<Record<string, string>> => ({
  event: alert.event,
  severity: alert.severity,
  status: alert.status,
  monitorId: alert.monitor.id,
  protocol: alert.monitor.protocol,
  incidentState: alert.incidentState,
  ...(alert.endReason && { endReason: alert.endReason }),
});
const tagsOf = ({ monitor: { tags } }: Alert) => Object.entries(tags).map(([key, value]) => `${key}=${value}`);
const arrayOf = (values: readonly string[]) => ({
  DataType: "String.Array",
  StringValue: JSON.stringify([...new Set(values)]),
});

/** SNS message attributes of an alert; `tags` is an array of "key=value". */
export const attributes = (alert: Alert): Attributes => ({
  ...Object.fromEntries(
    Object.entries(filtered(alert)).map(([name, value]) => [name, { DataType: "String", StringValue: value }]),
  ),
  tags: arrayOf(tagsOf(alert)),
});

/** SNS message attributes of a digest: all values of its alerts. A filter that one alert passes lets the digest pass. */
export function unitedAttributes(alerts: readonly Alert[]): Attributes {
  const all = alerts.flatMap((alert) => Object.entries(filtered(alert)));
  const united = [...Map.groupBy(all, ([name]) => name)].map(
    ([name, some]) => [name, arrayOf(some.map(([, value]) => value))] as const,
  );
  return { ...Object.fromEntries(united), tags: arrayOf(alerts.flatMap(tagsOf)) };
}
