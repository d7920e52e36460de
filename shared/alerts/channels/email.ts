/** Alert channel `email`: mail by SES, one receiver per address. */
import type { SendEmailCommandInput } from "@aws-sdk/client-ses";
import * as z from "zod/mini";
import { isMailAddress } from "../../monitor/mail-address.ts";
import { alertMail, digestMail, type MailContent } from "../mail.ts";
import type { Channel } from "./channel.ts";
import { shown } from "./fields.ts";
import { answerOf, isInvalidParameter } from "./refusals.ts";

/** SES also rejects while an address is not verified (the sender's; in the sandbox the receiver's too): not permanent. */
const UNCONFIRMED = /Email address is not verified/i;

const isPermanent = (refusal: Error) =>
  (refusal.name === "MessageRejected" || isInvalidParameter(refusal)) && !UNCONFIRMED.test(refusal.message);

const text = (Data: string) => ({ Data, Charset: "UTF-8" });

const mail = (
  sender: string | undefined,
  address: string,
  { subject, text: plain, html }: MailContent,
): SendEmailCommandInput => ({
  Source: sender,
  Destination: { ToAddresses: [address] },
  Message: { Subject: text(subject), Body: { Text: text(plain), Html: text(html) } },
});

export const email: Channel<{ readonly address: string }, SendEmailCommandInput> = {
  title: "Mail",
  summary: "Sends mail through Amazon SES to one address.",
  reference: "https://docs.aws.amazon.com/ses/latest/APIReference/API_SendEmail.html",
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
  render: (alert, { address }, { sender }) => mail(sender, address, alertMail(alert)),
  renderDigest: (digest, { address }, { sender }) => mail(sender, address, digestMail(digest)),
  send: (message, { sendMail }, signal) => answerOf(sendMail(message, signal), isPermanent),
};
