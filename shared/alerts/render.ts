/** Renders an alert: subject, mail, SMS, and the message attributes that SNS filter policies match. Pure. */
import { DAY_SECONDS, HOUR_SECONDS } from "../durations.ts";
import type { Alert, AlertEvent } from "../model.ts";

/** Limit of SNS: subjects are ASCII and shorter than 100 characters. */
const MAX_SUBJECT = 99;
/** Length of a single SMS in the GSM alphabet. */
const MAX_SMS = 160;

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

export const endpoint = ({ monitor: { protocol, host, port } }: Alert) =>
  `${protocol} ${host.includes(":") ? `[${host}]` : host}:${port}`;

/** "Orders database is down". */
export function headline(alert: Alert): string {
  const { name } = alert.monitor;
  switch (alert.event) {
    case "down":
      return `${name} is down`;
    case "degraded":
      return alert.previousStatus === "down" ? `${name} is back but degraded` : `${name} is degraded`;
    case "recovered":
      return `${name} is up again after ${duration(alert.durationSeconds ?? 0)}`;
    case "closed":
      return `${name} was ${alert.endReason ?? "changed"} after ${duration(alert.durationSeconds ?? 0)} of trouble: this incident is closed`;
    case "escalated":
      return `${name} is ${alert.severity === "critical" ? "down" : "not well"}, for ${duration(alert.durationSeconds ?? 0)} by now`;
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
  }
}

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
} as const satisfies Record<AlertEvent, string>;

/** Subject for mail, in Unicode, on one line. */
export const mailSubject = (alert: Alert) => `[${LABELS[alert.event]}] ${headline(alert)}`.replace(/[\r\n\t]+/g, " ");

/** Subject for SNS: printable ASCII, fewer than 100 characters, starting with a letter. */
export const snsSubject = (alert: Alert) => cut(toAscii(`${LABELS[alert.event]}: ${headline(alert)}`), MAX_SUBJECT);

export const sms = (alert: Alert) =>
  cut(toAscii(`${LABELS[alert.event]}: ${headline(alert)} (${endpoint(alert)}). ${alert.message}`), MAX_SMS);

function facts(alert: Alert): (readonly [label: string, value: string])[] {
  const tags = Object.entries(alert.monitor.tags).map(([key, value]) => `${key}=${value}`);
  return [
    ["Monitor", alert.monitor.name],
    ["Checks", endpoint(alert)],
    ["Status", `${alert.status} (before: ${alert.previousStatus})`],
    [alert.event === "closed" ? "Why" : "What was seen", alert.message],
    ["Since", alert.startedAt],
    ...(alert.endedAt ? ([["Until", alert.endedAt]] as const) : []),
    ...(alert.durationSeconds === null ? [] : ([["Lasted", duration(alert.durationSeconds)]] as const)),
    ...Object.entries(alert.locations).map(
      ([name, { health, state, message }]) => [`From ${name}`, `${health} (${state}): ${message}`] as const,
    ),
    ...(tags.length > 0 ? ([["Tags", tags.join(", ")]] as const) : []),
    ["Incident", alert.incidentId],
    ["Alert", alert.alertId],
    ...(alert.url ? ([["Details", alert.url]] as const) : []),
  ];
}

/** Plain text for mail and for SNS email subscribers. */
export function mailText(alert: Alert): string {
  const lines = facts(alert).map(([label, value]) => `${label}: ${value}`);
  return `${headline(alert)}.\n\n${lines.join("\n")}\n`;
}

export const escapeHtml = (text: string) => text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);

/** By severity; an end is green, or grey where nothing recovered. */
const colourOf = ({ event, severity }: Alert) =>
  event === "recovered" ? "#067647" : { critical: "#b42318", warning: "#b54708", info: "#475467" }[severity];

export function mailHtml(alert: Alert): string {
  const rows = facts(alert)
    .map(
      ([label, value]) =>
        `<tr><td style="padding:2px 12px 2px 0;color:#667085;vertical-align:top">${escapeHtml(label)}</td><td>${escapeHtml(value)}</td></tr>`,
    )
    .join("\n");
  return `<!doctype html>
<html><body style="font-family:sans-serif;font-size:14px;color:#101828">
<h1 style="font-size:18px;color:${colourOf(alert)}">${escapeHtml(headline(alert))}</h1>
<table style="border-collapse:collapse">
${rows}
</table>
</body></html>
`;
}

/** SNS message attributes; `tags` is an array of "key=value". At most ten, as raw SQS delivery takes no more. */
export function attributes(alert: Alert): Record<string, { DataType: string; StringValue: string }> {
  const text = (value: string) => ({ DataType: "String", StringValue: value });
  const tags = Object.entries(alert.monitor.tags).map(([key, value]) => `${key}=${value}`);
  return {
    event: text(alert.event),
    severity: text(alert.severity),
    status: text(alert.status),
    monitorId: text(alert.monitor.id),
    protocol: text(alert.monitor.protocol),
    incidentState: text(alert.incidentState),
    ...(alert.endReason && { endReason: text(alert.endReason) }),
    tags: { DataType: "String.Array", StringValue: JSON.stringify(tags) },
  };
}

/** The `Message` of a publication with `MessageStructure: json`: the alert for machines, text for people. */
export function snsMessage(alert: Alert): string {
  return JSON.stringify({ default: JSON.stringify(alert), email: mailText(alert), sms: sms(alert) });
}
