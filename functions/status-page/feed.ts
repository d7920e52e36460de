/** Feeds of what happened and what is planned: Atom (RFC 4287), RSS 2.0. Everything is escaped by `element`. Pure. */

import { titleOf, type Wording } from "../../shared/status-page/words.ts";
import type { StatusPage } from "../../shared/store/status-pages.ts";
import { baseOf } from "./parts.tsx";
import type { PublicIncident, PublicMaintenance, PublicNotice, PublicPage } from "./public.ts";

/** Markup that is finished; all else is text. */
class Markup {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: XML 1.0 has no way to write these
const FORBIDDEN = /[\x00-\x08\x0b\x0c\x0e-\x1f￾￿]/g;

const escaped = (text: string) => text.replace(FORBIDDEN, "").replace(/[<>&"']/g, (char) => `&#${char.charCodeAt(0)};`);

const element = (
  name: string,
  attributes: Readonly<Record<string, string>>,
  ...children: readonly (Markup | string)[]
): Markup => {
  const written = Object.entries(attributes).map(([key, value]) => ` ${key}="${escaped(value)}"`);
  const content = children.map((child) => (child instanceof Markup ? child.text : escaped(child))).join("");
  return new Markup(`<${name}${written.join("")}>${content}</${name}>`);
};

const documentOf = (root: Markup) => `<?xml version="1.0" encoding="utf-8"?>\n${root.text}\n`;

interface Item {
  /** Within the page, stable. */
  readonly id: string;
  readonly title: string;
  readonly path: string;
  readonly publishedAt: string;
  readonly updatedAt: string;
  /** Paragraphs. */
  readonly text: readonly string[];
}

interface Feed {
  readonly page: StatusPage;
  readonly wording: Wording;
  /** Such as `https://status.example.com`. */
  readonly origin: string;
}

const latestOf = (moments: readonly string[]) => moments.toSorted().at(-1)!;

const spanOf = (startsAt: string, endsAt: string | null, { time, timeZone }: Wording) =>
  `${time(startsAt)}${endsAt === null ? "" : ` – ${time(endsAt)}`} (${timeZone})`;

const incidentItem = (incident: PublicIncident, { page, wording }: Feed): Item => ({
  id: incident.id,
  title: titleOf(incident, wording),
  path: `${baseOf(page)}/incidents/${incident.id}`,
  publishedAt: incident.startedAt,
  updatedAt: latestOf([incident.startedAt, incident.endedAt ?? "", ...incident.updates.map(({ at }) => at)]),
  text: [
    spanOf(incident.startedAt, incident.endedAt, wording),
    ...incident.updates
      .toReversed()
      .map(
        ({ at, state, text }) =>
          `${[...(state ? [wording.words.states[state]] : []), wording.time(at)].join(" · ")}: ${text}`,
      ),
  ],
});

const noticeItem = ({ id, kind, title, text, startsAt, endsAt }: PublicNotice, { page, wording }: Feed): Item => ({
  id,
  title: `${wording.words.kinds[kind]}: ${title}`,
  path: baseOf(page),
  publishedAt: startsAt,
  updatedAt: startsAt,
  text: [spanOf(startsAt, endsAt, wording), ...(text === null ? [] : [text])],
});

const maintenanceItem = ({ names, startsAt, endsAt }: PublicMaintenance, { page, wording }: Feed): Item => ({
  id: `maintenance-${startsAt}`,
  title: `${wording.words.kinds.maintenance}: ${names.join(", ")}`,
  path: baseOf(page),
  publishedAt: startsAt,
  updatedAt: startsAt,
  text: [spanOf(startsAt, endsAt, wording)],
});

const itemsOf = (data: PublicPage, feed: Feed): Item[] =>
  [
    ...data.incidents.map((one) => incidentItem(one, feed)),
    ...data.notices.map((one) => noticeItem(one, feed)),
    ...data.maintenance.map((one) => maintenanceItem(one, feed)),
  ].toSorted((a, b) => b.updatedAt.localeCompare(a.updatedAt));

/** Stays the same when the page gets another address. */
const tagOf = ({ id, createdAt }: StatusPage, name: string) =>
  `tag:harborlight,${createdAt.slice(0, 10)}:${id}${name && `/${name}`}`;

export function atomOf(data: PublicPage, feed: Feed): string {
  const { page, origin, wording } = feed;
  const items = itemsOf(data, feed);
  const entries = items.map(({ id, title, path, publishedAt, updatedAt, text }) =>
    element(
      "entry",
      {},
      element("id", {}, tagOf(page, id)),
      element("title", {}, title),
      element("link", { href: origin + path }),
      element("published", {}, publishedAt),
      element("updated", {}, updatedAt),
      element("content", { type: "text" }, text.join("\n\n")),
    ),
  );
  return documentOf(
    element(
      "feed",
      { xmlns: "http://www.w3.org/2005/Atom", "xml:lang": wording.language },
      element("id", {}, tagOf(page, "")),
      element("title", {}, page.title),
      element("link", { rel: "self", href: `${origin}${baseOf(page)}/feed.atom` }),
      element("link", { href: origin + baseOf(page) }),
      element("author", {}, element("name", {}, page.title)),
      element("updated", {}, latestOf([page.createdAt, ...items.map(({ updatedAt }) => updatedAt)])),
      ...entries,
    ),
  );
}

const rssDate = (iso: string) => new Date(iso).toUTCString();

export function rssOf(data: PublicPage, feed: Feed): string {
  const { page, origin, wording } = feed;
  const items = itemsOf(data, feed).map(({ id, title, path, updatedAt, text }) =>
    element(
      "item",
      {},
      element("guid", { isPermaLink: "false" }, tagOf(page, id)),
      element("title", {}, title),
      element("link", {}, origin + path),
      element("pubDate", {}, rssDate(updatedAt)),
      element("description", {}, text.join("\n\n")),
    ),
  );
  const channel = element(
    "channel",
    {},
    element("title", {}, page.title),
    element("link", {}, origin + baseOf(page)),
    element("description", {}, page.description ?? page.title),
    element("language", {}, wording.language),
    ...items,
  );
  return documentOf(element("rss", { version: "2.0" }, channel));
}
