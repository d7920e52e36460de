/**
 * Mail for whoever wants it: the form, and the links in mails by which people confirm and leave. The links ask before they
 * act, because scanners of mail open them. Whether an address is subscribed, no answer tells.
 */
import type { APIGatewayProxyStructuredResultV2 } from "aws-lambda";
import { isMailAddress } from "../../shared/monitor/mail-address.ts";
import { sourceOf } from "../../shared/source-address.ts";
import { newsAlert, subscriberReceiver } from "../../shared/status-page/news.ts";
import {
  ACTIONS,
  CONFIRM_SECONDS,
  isSubscriberToken,
  MOST_SUBSCRIBERS,
  type SubscriberAction,
  subscriberIdOf,
} from "../../shared/status-page/subscribing.ts";
import type { Wording } from "../../shared/status-page/words.ts";
import type { MailboxStore } from "../../shared/store/mailbox.ts";
import type { StatusPage, StatusPageStore } from "../../shared/store/status-pages.ts";
import { type Asked, answerWith } from "./answer.ts";
import { html } from "./page.tsx";
import { baseOf, Problem, SubscribeForm } from "./parts.tsx";

/** Requests of one source in an hour, and for one address in a day. */
const MOST_OF_SOURCE = 3;
const MOST_OF_ADDRESS = 1;
const HOUR_SECONDS = 3_600;
const DAY_SECONDS = 86_400;

interface Whose {
  readonly page: StatusPage;
  readonly wording: Wording;
  readonly now: Date;
}

export interface Subscribing {
  readonly pages: Pick<StatusPageStore, "subscribers" | "admit">;
  readonly mailbox: Pick<MailboxStore, "post">;
}

const show = (asked: Asked, { page, now }: Whose, status: number, content: string) =>
  answerWith(
    asked,
    { type: "text/html; charset=utf-8", content, atMs: now.getTime() },
    { page, status, headers: { "cache-control": "no-store" }, now },
  );

const said = (whose: Whose, text: string) =>
  html(
    { ...whose, title: `${text} – ${whose.page.title}`, status: "unknown" },
    <>
      <h2>{text}</h2>
      <p>
        <a href={baseOf(whose.page)}>{whose.wording.words.back}</a>
      </p>
    </>,
  );

const formAgain = (whose: Whose, problem: string) =>
  html(
    { ...whose, title: whose.wording.words.subscribing.heading, status: "unknown" },
    <>
      <Problem text={problem} />
      <SubscribeForm page={whose.page} wording={whose.wording} />
    </>,
  );

/** Takes the form with an address. */
export async function subscribe(
  asked: Asked,
  whose: Whose,
  { pages, mailbox }: Subscribing,
): Promise<APIGatewayProxyStructuredResultV2> {
  const { page, now, wording } = whose;
  const { subscribing } = wording.words;
  const seconds = Math.floor(now.getTime() / 1000);
  const mayTry = (who: string, most: number, length: number) => {
    const stretch = Math.floor(seconds / length);
    return pages.admit(page.id, { of: `${who}#${stretch}`, most, expiresAtSeconds: (stretch + 2) * length });
  };
  const address = (new URLSearchParams(asked.body).get("address") ?? "").trim();
  if (!isMailAddress(address)) return show(asked, whose, 422, formAgain(whose, subscribing.wrongAddress));
  if (!(await mayTry(`subscribe#${sourceOf(asked.sourceIp)}`, MOST_OF_SOURCE, HOUR_SECONDS)))
    return show(asked, whose, 429, formAgain(whose, subscribing.tooMany));
  const sent = () => show(asked, whose, 200, said(whose, subscribing.sent));
  const id = subscriberIdOf(address);
  if (!(await mayTry(`address#${id}`, MOST_OF_ADDRESS, DAY_SECONDS))) return sent();
  const subscribers = pages.subscribers(page.id);
  const [known, all] = await Promise.all([subscribers.get(id), subscribers.all()]);
  if (known?.confirmedAt || (!known && all.length >= MOST_SUBSCRIBERS)) return sent();
  const at = now.toISOString();
  const expiresAtSeconds = seconds + CONFIRM_SECONDS;
  const one = { id, address, confirmedAt: null, createdAt: at, expiresAtSeconds, revision: (known?.revision ?? 0) + 1 };
  const isStored = await (known ? subscribers.update(known, one) : subscribers.create(one));
  if (isStored)
    await mailbox.post(
      {
        receiver: subscriberReceiver(page.id, id),
        alert: newsAlert(`confirm.${page.id}.${now.getTime()}`, at, { kind: "confirm" }),
        createdAt: at,
        sequence: 0,
      },
      now,
    );
  return sent();
}

const actionOf = (name: string) => ACTIONS.find((action) => name === `/subscribers/${action}`);

/** Whether a path is that of a link in a mail. */
export const isSubscriberLink = (name: string) => actionOf(name) !== undefined;

const question = (whose: Whose, action: SubscriberAction, target: string) => {
  const { subscribing } = whose.wording.words;
  const text = (action === "confirm" ? subscribing.confirmText : subscribing.leaveText)(whose.page.title);
  return html(
    { ...whose, title: `${subscribing[action]} – ${whose.page.title}`, status: "unknown" },
    <>
      <p>{text}</p>
      <form method="post" action={target}>
        <p>
          <button type="submit">{subscribing[action]}</button>
        </p>
      </form>
    </>,
  );
};

/** Follows a link in a mail: GET asks, POST acts, also without a browser (RFC 8058). */
export async function follow(
  asked: Asked,
  name: string,
  whose: Whose,
  { pages }: Subscribing,
): Promise<APIGatewayProxyStructuredResultV2> {
  const { page, now, wording } = whose;
  const { subscribing } = wording.words;
  const action = actionOf(name)!;
  const id = asked.query.get("id") ?? "";
  const isOver = () => show(asked, whose, 404, said(whose, subscribing.over));
  if (!isSubscriberToken(page, action, id, asked.query.get("token") ?? "")) return isOver();
  if (asked.method !== "POST")
    return show(asked, whose, 200, question(whose, action, `${asked.path}?${asked.query.toString()}`));
  const subscribers = pages.subscribers(page.id);
  const known = await subscribers.get(id);
  if (action === "leave") {
    if (known) await subscribers.remove(known);
    return show(asked, whose, 200, said(whose, subscribing.left));
  }
  const isLate = known?.expiresAtSeconds !== undefined && known.expiresAtSeconds * 1000 <= now.getTime();
  if (!known || isLate) return isOver();
  const { expiresAtSeconds: _expires, ...kept } = known;
  const confirmedAt = known.confirmedAt ?? now.toISOString();
  await subscribers.update(known, { ...kept, confirmedAt, revision: known.revision + 1 });
  return show(asked, whose, 200, said(whose, subscribing.confirmed));
}
