/**
 * Subscribers of status pages: how they are named, and the signed links by which they confirm and leave. A link stands for
 * one address and one purpose; a leave link works for ever, whatever address the page has by then. Pure.
 */
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { StatusPage } from "../store/status-pages.ts";

/** How long somebody has to confirm. */
export const CONFIRM_SECONDS = 86_400;
/** Everybody is told by one message each. */
export const MOST_SUBSCRIBERS = 5_000;

export type SubscriberAction = "confirm" | "leave";
export const ACTIONS: readonly SubscriberAction[] = ["confirm", "leave"];

/** Addresses that differ by case alone are one. */
export const subscriberIdOf = (address: string) =>
  createHash("sha256").update(address.toLowerCase()).digest("hex").slice(0, 32);

type Signer = Pick<StatusPage, "id" | "secret">;

const signatureOf = ({ id, secret }: Signer, action: SubscriberAction, subscriberId: string) =>
  createHmac("sha256", secret)
    .update(JSON.stringify(["subscriber", action, id, subscriberId]))
    .digest("base64url");

/** Path of a link, by the page's id, which stays when its address changes. */
export const subscriberPath = (page: Signer, action: SubscriberAction, subscriberId: string) =>
  `/status/${page.id}/subscribers/${action}?id=${subscriberId}&token=${signatureOf(page, action, subscriberId)}`;

export const isSubscriberToken = (page: Signer, action: SubscriberAction, subscriberId: string, token: string) => {
  const [wanted, sent] = [Buffer.from(signatureOf(page, action, subscriberId)), Buffer.from(token)];
  return wanted.length === sent.length && timingSafeEqual(wanted, sent);
};
