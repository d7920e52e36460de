/** Alert channel `email`: mail by SES, one receiver per address. */
import type { SendEmailCommandInput } from "@aws-sdk/client-ses";
import * as z from "zod/mini";
import { isMailAddress } from "../../monitor/mail-address.ts";
import { digestHtml, digestText, digestTitle } from "../digest.ts";
import { mailHtml, mailSubject, mailText } from "../render.ts";
import type { Channel } from "./channel.ts";
import { isInvalidParameter } from "./refusals.ts";

/** SES also rejects while an address is not verified (the sender's; in the sandbox the receiver's too): not permanent. */
const UNCONFIRMED = /Email address is not verified/i;

const text = (Data: string) => ({ Data, Charset: "UTF-8" });

const mail = (
  sender: string | undefined,
  address: string,
  [subject, plain, html]: readonly [string, string, string],
): SendEmailCommandInput => ({
  Source: sender,
  Destination: { ToAddresses: [address] },
  Message: { Subject: text(subject), Body: { Text: text(plain), Html: text(html) } },
});

export const email: Channel<{ readonly address: string }, SendEmailCommandInput> = {
  audience: "people",
  rate: null,
  settings: z.strictObject({
    address: z.string().check(z.refine(isMailAddress, { error: "must be a mail address" })),
  }),
  target: "address",
  isSetUp: ({ sender }) => Boolean(sender),
  render: (alert, { address }, { sender }) =>
    mail(sender, address, [mailSubject(alert), mailText(alert), mailHtml(alert)]),
  renderDigest: (digest, { address }, { sender }) =>
    mail(sender, address, [digestTitle(digest), digestText(digest), digestHtml(digest)]),
  send: (message, { sendMail }, signal) => sendMail(message, signal),
  isPermanent: (refusal) =>
    (refusal.name === "MessageRejected" || isInvalidParameter(refusal)) && !UNCONFIRMED.test(refusal.message),
};
