/**
 * Texts of alerts for chats and pagers, in the markup of each service. The first line says what and where; then since
 * when, why, from which locations, and the link. Names and messages come from users and targets: they are put on one
 * line, shortened and escaped. Pure.
 */
import type { Alert } from "../model.ts";
import type { Digest, RenderedAlert } from "./channels/channel.ts";
import { duration, headline, isAboutSystem, LABELS, labelOf, MAX_SMS, moment, toAscii, where } from "./render.ts";

/** How a service writes text. */
export interface Markup {
  /** Makes text that is shown as it is. */
  readonly escape: (text: string) => string;
  /** @param escaped text that is escaped already */
  readonly bold: (escaped: string) => string;
  /** @param label our own words, which need no escaping */
  readonly link: (url: string, label: string) => string;
  /** Longest message. */
  readonly limit: number;
  /** Length as the service counts it. Default: UTF-16 units. */
  readonly lengthOf?: (text: string) => number;
}

export const PLAIN: Omit<Markup, "limit"> = {
  escape: (text) => text,
  bold: (text) => text,
  link: (url) => url,
};

const MAX_TITLE = 300;
const MAX_VALUE = 300;
/** Twenty names of monitors. */
const MAX_HELD = 1_400;
/** Locations in one message; the others are counted. */
const MAX_LOCATIONS = 8;
/** Alerts that a digest names; the others are counted. */
const MAX_NAMED = 20;

/**
 * Characters that end a line, or change the direction of the text around them (Unicode, UAX #9): a name with one of
 * them could make the rest of a message look like something else.
 */
const CONTROLS = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gu;

/** Shortens to a number of UTF-16 units, without cutting a character of two units in half. */
export const cut = (text: string, length: number): string =>
  text.length <= length ? text : `${text.slice(0, length - 1).replace(/[\ud800-\udbff]$/, "")}…`;

export const oneLine = (text: string, length = MAX_VALUE): string => cut(text.replace(CONTROLS, " ").trim(), length);

/** By severity; an end is green, or white where nothing recovered. */
const markOf = ({ event, severity }: Alert) =>
  event === "recovered" ? "🟢" : { critical: "🔴", warning: "🟠", info: "⚪" }[severity];

/** "DOWN: Orders is down (tcp db.example.com:5432)" */
export const title = (alert: Alert, length = MAX_TITLE): string =>
  oneLine(`${labelOf(alert)}: ${headline(alert)}${where(alert)}`, length);

export const markedTitle = (alert: Alert, length = MAX_TITLE): string => `${markOf(alert)} ${title(alert, length - 3)}`;

/** What the message of an alert tells, where it is not why something is wrong. */
const MESSAGE_LABELS: Readonly<Partial<Record<Alert["event"], string>>> = {
  recovered: "Now",
  acknowledged: "Who",
  "baseline-learned": "What",
};

/** "3 that depend on it: Shop, Orders and 1 more" */
function heldText({ count, names }: NonNullable<Alert["held"]>): string {
  const more = count > names.length ? ` and ${count - names.length} more` : "";
  return `${count} that ${count === 1 ? "depends" : "depend"} on it: ${names.join(", ")}${more}`;
}

/** What people want to know next, most important first. */
export function facts(alert: Alert): (readonly [label: string, value: string])[] {
  const locations = Object.entries(alert.locations);
  const tags = Object.entries(alert.monitor.tags).map(([name, value]) => `${name}=${value}`);
  return (
    [
      ["Since", moment(alert.startedAt, alert.timeZone)],
      ...(alert.endedAt ? [["Until", moment(alert.endedAt, alert.timeZone)] as const] : []),
      ...(alert.durationSeconds === null
        ? []
        : [[alert.endedAt ? "Lasted" : "Lasts for", duration(alert.durationSeconds)] as const]),
      [isAboutSystem(alert) ? "What" : (MESSAGE_LABELS[alert.event] ?? "Why"), alert.message],
      ...(alert.held ? [["Held back", heldText(alert.held)] as const] : []),
      ...locations
        .slice(0, MAX_LOCATIONS)
        .map(([name, { health, message }]) => [`From ${name}`, `${health}: ${message}`] as const),
      ...(locations.length > MAX_LOCATIONS
        ? [["Further locations", String(locations.length - MAX_LOCATIONS)] as const]
        : []),
      ...(tags.length > 0 ? [["Tags", tags.join(", ")] as const] : []),
    ] as const
  ).map(([label, value]) => [label, oneLine(value, label === "Held back" ? MAX_HELD : MAX_VALUE)]);
}

/** Puts a title and a link around as many lines as fit. */
const compose = (title: string, lines: readonly string[], link: string[], markup: Markup): string => {
  const { limit, lengthOf = (text) => text.length } = markup;
  const body: string[] = [];
  let left = limit - lengthOf([title, ...link].join("\n"));
  for (const line of lines) {
    left -= lengthOf(`\n${line}`);
    if (left < 0) break;
    body.push(line);
  }
  return [title, ...body, ...link].join("\n");
};

/** As many lines as fit, without a title and a link, for services that take these apart. */
export const textOf = ([first = "", ...lines]: readonly string[], markup: Markup): string =>
  compose(first, lines, [], markup);

const linkLine = (url: string | null, label: string, { link }: Markup) => (url === null ? [] : [link(url, label)]);

/** What a link to the page says on which people acknowledge. */
export const ACKNOWLEDGE = "Acknowledge";

/** The lines of an alert below its title. */
export const details = (alert: Alert): string[] => facts(alert).map(([label, value]) => `${label}: ${value}`);

/** The same with the link to acknowledge, for services that have no other place for it: before what may be cut off. */
export const detailsWithLink = ({ acknowledgeUrl, ...alert }: RenderedAlert): string[] => [
  ...(acknowledgeUrl ? [`${ACKNOWLEDGE}: ${acknowledgeUrl}`] : []),
  ...details(alert),
];

export const alertText = (alert: RenderedAlert, markup: Markup): string => {
  const { bold } = markup;
  const lines = facts(alert).map(([label, value]) => `${markup.escape(label)}: ${markup.escape(value)}`);
  const links = [
    ...linkLine(alert.acknowledgeUrl ?? null, ACKNOWLEDGE, markup),
    ...linkLine(alert.url, "Details", markup),
  ];
  return compose(bold(markup.escape(markedTitle(alert))), lines, links, markup);
};

/** What messages about the monitoring itself are counted as. */
const SYSTEM = "about the monitoring";

/** "37 alerts: 30 down, 7 recovered" */
export const digestTitle = ({ alerts }: Digest): string => {
  const counts = [...Object.keys(LABELS), SYSTEM].flatMap((name) => {
    const count = alerts.filter((alert) => (isAboutSystem(alert) ? SYSTEM : alert.event) === name).length;
    return count > 0 ? [`${count} ${name}`] : [];
  });
  return `${alerts.length} alerts: ${counts.join(", ")}`;
};

/** The first alerts of a digest, one a line, and how many more there are. */
export const digestLines = ({ alerts }: Digest): string[] => [
  ...alerts.slice(0, MAX_NAMED).map((alert) => markedTitle(alert, 150)),
  ...(alerts.length > MAX_NAMED ? [`and ${alerts.length - MAX_NAMED} more`] : []),
];

/** A digest as one SMS. */
export const smsDigest = (digest: Digest): string => {
  const [first] = digest.alerts;
  const whole = `${digestTitle(digest)}. First: ${first ? title(first) : ""}`;
  return cut(toAscii(whole), MAX_SMS).replace("…", ".");
};

export const digestText = (digest: Digest, markup: Markup): string => {
  const { bold } = markup;
  const lines = digestLines(digest).map(markup.escape);
  return compose(bold(markup.escape(digestTitle(digest))), lines, linkLine(digest.url, "All alerts", markup), markup);
};

/** Invisible character (zero-width space) that keeps the next one from being read as markup or a mention. */
const BREAK = "\u200b";

/** Markdown in which a backslash takes a character's meaning away. Mentions such as `@all` are broken by an invisible space. */
export const MARKDOWN: Omit<Markup, "limit"> = {
  escape: (text) => text.replace(/[\\`*_[\]<>#|~]/g, "\\$&").replaceAll("@", `@${BREAK}`),
  bold: (text) => `**${text}**`,
  link: (url, label) => `[${label}](${url})`,
};

/** Markup without a way to escape: an invisible space after each special character takes its meaning away. */
export const breaking = (special: RegExp) => (text: string) => text.replace(special, `$&${BREAK}`);
