/** Alert channel `email`: mail by SES, one receiver per address. */
import * as z from "zod/mini";
import { isMailAddress } from "../../monitor/mail-address.ts";
import { alertMail, digestMail, type MailContent } from "../mail.ts";
import type { Mail } from "../mime.ts";
import type { Channel, RenderContext } from "./channel.ts";
import { shown } from "./fields.ts";
import { answerOf, isInvalidParameter } from "./refusals.ts";

/** SES also rejects while an address is not verified (the sender's; in the sandbox the receiver's too): not permanent. */
const UNCONFIRMED = /Email address is not verified/i;

const isPermanent = (refusal: Error) =>
  (refusal.name === "MessageRejected" || isInvalidParameter(refusal)) && !UNCONFIRMED.test(refusal.message);

/**
 * Mails of one incident refer to the same id, by which mail programs show them as one thread. Some, such as Gmail, also want
 * equal subjects.
 */
const mail = (
  id: string,
  address: string,
  content: MailContent,
  { sender = "", now }: RenderContext,
  incidentId?: string,
): Mail => {
  const domain = sender.replace(/^.*@|>$/g, "");
  // Ids of messages about the monitoring may name receivers, with characters that an id of a mail has not.
  const idOf = (name: string) => `${name.replace(/[^\w.+-]/g, "-")}@${domain}`;
  const thread = incidentId === undefined ? undefined : idOf(incidentId);
  return { from: sender, to: address, ...content, date: now, id: idOf(id), thread };
};

export const email: Channel<{ readonly address: string }, Mail> = {
  title: "Mail",
  summary: "Sends mail through Amazon SES to one address.",
  reference: "https://docs.aws.amazon.com/ses/latest/APIReference/API_SendRawEmail.html",
  audience: "people",
  needs: "a sender of mail (context `alertSender`)",
  // Of an account in the sandbox; others have more.
  rate: { messages: 1, seconds: 1 },
  settings: z.strictObject({
    address: shown(
      z.string().check(z.refine(isMailAddress, { error: "must be a mail address" })),
      "Address that the mail goes to.",
    ),
  }),
  example: { address: "ops@example.com" },
  target: "address",
  isSetUp: ({ sender }) => Boolean(sender),
  render: (alert, { address }, context) => mail(alert.alertId, address, alertMail(alert), context, alert.incidentId),
  renderDigest: (digest, { address }, context) => mail(digest.id, address, digestMail(digest), context),
  send: (message, { sendMail }, signal) => answerOf(sendMail(message, signal), isPermanent),
};
