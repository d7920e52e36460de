/**
 * Receivers of the news of status pages. That of a page passes news on into the mailboxes of its subscribers, one for each,
 * so that one that is slow or refuses holds up no other; that of a subscriber sends mail.
 */
import { delivered, refused } from "../../shared/alerts/channels/answer.ts";
import type { Outside } from "../../shared/alerts/channels/channel.ts";
import { email } from "../../shared/alerts/channels/email.ts";
import type { Alert } from "../../shared/model.ts";
import { inParallel } from "../../shared/parallel.ts";
import { type Answer, ATTEMPT_MS } from "../../shared/rules/mailbox.ts";
import { subscriberReceiver } from "../../shared/status-page/news.ts";
import { subscriberPath } from "../../shared/status-page/subscribing.ts";
import type { MailboxStore } from "../../shared/store/mailbox.ts";
import type { StatusPageStore } from "../../shared/store/status-pages.ts";
import { pageMail } from "./page-mail.ts";
import type { Recipient } from "./send.ts";

const POSTS_AT_ONCE = 50;

interface Dependencies {
  readonly pages: Pick<StatusPageStore, "get" | "subscribers">;
  readonly mailbox: Pick<MailboxStore, "post">;
  readonly outside: Outside;
  /** Such as `https://status.example.com`; undefined: nothing is told, because there would be no link to leave. */
  readonly origin: string | undefined;
  readonly now: () => Date;
}

/** Whoever has left in the meantime, or a page that is gone, is told nothing, and that is no failure. */
const NOBODY = delivered("nobody is there any more");

const said = ({ name, message }: Error) => `${name}: ${message}`;

const recipientOf = (send: (alert: Alert) => Promise<Answer>): Recipient => ({
  takesDigests: false,
  spacingMs: 0,
  send: async ([alert]) => {
    try {
      return await send(alert!);
    } catch (error) {
      return refused(said(error as Error));
    }
  },
});

export function createPageRecipients({ pages, mailbox, outside, origin, now }: Dependencies) {
  const passOn = async (pageId: string, alert: Alert): Promise<Answer> => {
    const subscribers = (await pages.subscribers(pageId).all()).filter(({ confirmedAt }) => confirmedAt !== null);
    const { startedAt: createdAt } = alert;
    const untilMs = now().getTime() + ATTEMPT_MS;
    await inParallel(subscribers, POSTS_AT_ONCE, async ({ id }) => {
      if (now().getTime() > untilMs) throw new Error("there was no time for all subscribers");
      await mailbox.post({ receiver: subscriberReceiver(pageId, id), alert, createdAt, sequence: 0 }, now());
    });
    return delivered(`passed on to ${subscribers.length}`);
  };

  const mail = async (pageId: string, subscriberId: string, alert: Alert): Promise<Answer> => {
    const { sender } = outside;
    if (!alert.page || !sender || !origin) return NOBODY;
    const [page, subscriber] = await Promise.all([pages.get(pageId), pages.subscribers(pageId).get(subscriberId)]);
    const isMeant = subscriber && (subscriber.confirmedAt === null) === (alert.page.kind === "confirm");
    if (!page || !isMeant) return NOBODY;
    const leave = origin + subscriberPath(page, "leave", subscriberId);
    const confirm = origin + subscriberPath(page, "confirm", subscriberId);
    const content = pageMail(page, alert.page, { page: `${origin}/status/${page.slug}`, confirm, leave });
    if (!content) return NOBODY;
    const domain = sender.replace(/^.*@|>$/g, "");
    const id = `${alert.alertId}.${subscriberId}`.replace(/[^\w.+-]/g, "-");
    const message = {
      ...{ from: sender, to: subscriber.address, ...content, date: now(), id: `${id}@${domain}` },
      unsubscribeUrl: alert.page.kind === "confirm" ? undefined : leave,
    };
    return email.send(message, outside, AbortSignal.timeout(ATTEMPT_MS));
  };

  /** @returns undefined for receivers of another kind */
  return (receiver: string): Recipient | undefined => {
    const [kind, pageId = "", subscriberId = ""] = receiver.split(":");
    if (kind === "page") return recipientOf((alert) => passOn(pageId, alert));
    return kind === "subscriber" ? recipientOf((alert) => mail(pageId, subscriberId, alert)) : undefined;
  };
}

/** Whether a loss is nobody's business but the subscriber's: a wrong address of a stranger is no fault of the deployment. */
export const isPublicReceiver = (receiver: string) =>
  receiver.startsWith("subscriber:") || receiver.startsWith("page:");
