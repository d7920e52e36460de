/** Answers requests to `/status/…`: finds the page and the view of it that is asked for. */
import type { APIGatewayProxyStructuredResultV2 } from "aws-lambda";
import { badgeSvg, type Colour } from "../../shared/drawing/badge.ts";
import { DAY_SECONDS } from "../../shared/durations.ts";
import { cut } from "../../shared/history/steps.ts";
import { type PublicStatus, type Wording, wordingOf } from "../../shared/status-page/words.ts";
import type { StatusPage, StatusPageStore } from "../../shared/store/status-pages.ts";
import { type Asked, answerWith, isHttps, type Made } from "./answer.ts";
import { atomOf, rssOf } from "./feed.ts";
import { createFindPage } from "./find.ts";
import { createKept } from "./kept.ts";
import { drawHistory, drawIncident, drawNothing, drawPage, sentenceOf } from "./page.tsx";
import { isAdmitted, knock, open } from "./private.ts";
import type { PublicIncident, PublicPage } from "./public.ts";
import type { PageReader } from "./read.ts";
import { follow, isSubscriberLink, type Subscribing, subscribe } from "./subscribe.tsx";

/** How long what was read is shown. */
const KEPT_MS = 15_000;
/** Incidents are kept longer, but no monitor's bars are. */
const MONTHS_BACK = 12;

const HTML = "text/html; charset=utf-8";
const COLOURS: Readonly<Record<PublicStatus, Colour>> = {
  up: "good",
  degraded: "fair",
  down: "bad",
  maintenance: "none",
  unknown: "none",
};

interface Dependencies extends Pick<Subscribing, "mailbox"> {
  readonly reader: PageReader;
  readonly pages: Pick<StatusPageStore, "all" | "get" | "preview" | "admit" | "subscribers">;
  /** Whether mail can be sent to subscribers. */
  readonly sendsMail: boolean;
  readonly log: (message: string, error: Error) => void;
  readonly now: () => Date;
}

/** What a view is made from. */
interface View {
  readonly page: StatusPage;
  readonly wording: Wording;
  readonly asked: Asked;
  /** Whether people can get mail. */
  readonly takesSubscribers: boolean;
}

/** As the reader's browser knows this address. */
const originOf = (asked: Asked) => `${isHttps(asked) ? "https" : "http"}://${asked.headers.host ?? "localhost"}`;

const monthOf = (at: Date) => at.toISOString().slice(0, "2026-11".length);
const shifted = (month: string, by: number) => {
  const [year, number] = month.split("-").map(Number);
  return monthOf(new Date(Date.UTC(year!, number! - 1 + by, 15)));
};

/** Begin and end of a month in a time zone. */
function rangeOf(month: string, timeZone: string): { from: string; to: string } {
  const middle = Date.parse(`${month}-15T12:00:00Z`) / 1000;
  const around = { from: middle - 40 * DAY_SECONDS, to: middle + 40 * DAY_SECONDS };
  const { from, to } = cut(around, "1mo", timeZone).find((step) => step.from <= middle && step.to > middle)!;
  return { from: new Date(from * 1000).toISOString(), to: new Date(to * 1000).toISOString() };
}

/** Views that are made from the data of the page. */
const FROM_DATA: Readonly<Record<string, (data: PublicPage, view: View) => Omit<Made, "atMs">>> = {
  "": (data, view) => ({ type: HTML, content: drawPage(view, data, view.takesSubscribers) }),
  ".json": (data) => ({ type: "application/json", content: `${JSON.stringify(data)}\n`, isForOthers: true }),
  "/feed.atom": (data, view) => ({
    type: "application/atom+xml; charset=utf-8",
    content: atomOf(data, { ...view, origin: originOf(view.asked) }),
    isForOthers: true,
  }),
  "/feed.rss": (data, view) => ({
    type: "application/rss+xml; charset=utf-8",
    content: rssOf(data, { ...view, origin: originOf(view.asked) }),
    isForOthers: true,
  }),
  "/badge.svg": (data, { page, wording }) => ({
    type: "image/svg+xml; charset=utf-8",
    content: badgeSvg(page.title, sentenceOf(data, wording), COLOURS[data.status]),
    isForOthers: true,
  }),
};

export function createServer({ reader, pages, mailbox, sendsMail, log, now }: Dependencies) {
  const find = createFindPage(pages, KEPT_MS, now);
  const failed = (error: Error) => log("a status page is shown as it was, because it could not be read", error);
  const data = createKept<PublicPage>(KEPT_MS, now, failed);
  const incidents = createKept<PublicIncident | undefined>(KEPT_MS, now, failed);
  const made = createKept<Made | undefined>(KEPT_MS, now, failed);
  /** Views by what they are made from, so that they are no older than that. */
  const drawn = new WeakMap<PublicPage, Map<string, Made>>();

  const fromData = async (name: string, view: View): Promise<Made | undefined> => {
    const make = Object.hasOwn(FROM_DATA, name) ? FROM_DATA[name] : undefined;
    if (!make) return undefined;
    const { page } = view;
    const known = await data(`${page.id} ${page.revision}`, () => reader.page(page));
    const views = drawn.get(known) ?? new Map<string, Made>();
    drawn.set(known, views);
    const key = `${name} ${name.startsWith("/feed") ? originOf(view.asked) : ""}`;
    const own = views.get(key) ?? { ...make(known, view), atMs: Date.parse(known.at) };
    if (views.size < 20) views.set(key, own);
    return own;
  };

  const history = async ({ page, wording, asked }: View): Promise<Made | undefined> => {
    const latest = monthOf(now());
    const earliest = shifted(latest, -MONTHS_BACK);
    const month = asked.query.get("month") ?? latest;
    if (!/^\d{4}-(0[1-9]|1[0-2])$/.test(month) || month < earliest || month > latest) return undefined;
    return made(`${page.id} ${page.revision} ${month}`, async () => {
      const atMs = now().getTime();
      const { from, to } = rangeOf(month, page.timeZone);
      const happened = await reader.month(page, from, to);
      const earlier = month > earliest ? shifted(month, -1) : null;
      const later = month < latest ? shifted(month, 1) : null;
      const content = drawHistory({ page, wording }, { ...happened, from: `${month}-15T12:00:00Z`, earlier, later });
      return { type: HTML, content, atMs };
    });
  };

  const incident = async (id: string, { page, wording }: View): Promise<Made | undefined> => {
    const atMs = now().getTime();
    const found = await incidents(`${page.id} ${page.revision} ${id}`, () => reader.incident(page, id));
    return found && { type: HTML, content: drawIncident({ page, wording }, found), atMs };
  };

  const logo = ({ page }: View): Made | undefined => {
    const [, type, base64] = /^data:([^;]+);base64,(.*)$/.exec(page.logo ?? "") ?? [];
    // For others, because a page in a sandboxed frame, such as the dashboard's preview, has an origin of its own.
    const made = { type: type ?? "", atMs: now().getTime(), isForOthers: true };
    return type ? { ...made, content: Buffer.from(base64 ?? "", "base64") } : undefined;
  };

  const view = async (name: string, view: View): Promise<Made | undefined> => {
    const id = /^\/incidents\/([a-z0-9.]{1,100})$/.exec(name)?.[1];
    if (id) return incident(id, view);
    if (name === "/history") return history(view);
    return name === "/logo" ? logo(view) : fromData(name, view);
  };

  const nothing = (asked: Asked, wording: Wording, status: number, headers: Record<string, string> = {}) =>
    answerWith(
      asked,
      { type: HTML, content: drawNothing(wording), atMs: now().getTime() },
      { status, headers, now: now() },
    );

  const serve = async (asked: Asked): Promise<APIGatewayProxyStructuredResultV2> => {
    const english = wordingOf({ language: "en", timeZone: "UTC" });
    const [, slug = "", name = ""] = /^\/status\/([a-z0-9-]{1,64})(\.json|\/.*)?$/.exec(asked.path) ?? [];
    const isLink = isSubscriberLink(name);
    // Links in mails name a page by its id, which stays when its address changes.
    const page = slug ? ((await find(slug)) ?? (isLink ? await pages.get(slug) : undefined)) : undefined;
    if (!page) return nothing(asked, english, 404);
    const wording = wordingOf(page);
    const door = { page, wording, now: now() };
    const isRead = asked.method === "GET" || asked.method === "HEAD";
    if (isLink) return follow(asked, name, door, { pages, mailbox });
    if (name === "/access" && asked.method === "POST") return open(asked, door, pages.admit);
    const takesSubscribers = sendsMail && !page.slug.startsWith("preview-");
    const isSubscription = takesSubscribers && name === "/subscribers" && asked.method === "POST";
    if (!isRead && !isSubscription)
      return nothing(asked, wording, 405, { allow: name === "/access" ? "POST" : "GET, HEAD" });
    if (!isAdmitted(asked, page, now())) return knock(asked, door);
    if (isSubscription) return subscribe(asked, door, { pages, mailbox });
    const content = await view(name.replace(/\/$/, ""), { page, wording, asked, takesSubscribers });
    return content ? answerWith(asked, content, { page, now: now() }) : nothing(asked, wording, 404);
  };

  return async (asked: Asked): Promise<APIGatewayProxyStructuredResultV2> => {
    try {
      return await serve(asked);
    } catch (error) {
      log("a status page could not be made", error as Error);
      // Caches go on showing what they have.
      return {
        statusCode: 503,
        headers: { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store", "retry-after": "30" },
        body: "This page cannot be made right now. Try again in half a minute.\n",
      };
    }
  };
}
