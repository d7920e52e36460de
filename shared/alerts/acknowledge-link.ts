/**
 * Signs and reads the token of a link by which whoever got an alert acknowledges its incident without an account: an
 * HMAC-SHA256 over the incident, the receiver and the expiry. Pure.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import { DAY_MS } from "../durations.ts";
import type { Alert } from "../model.ts";

/** An incident that lasts longer is acknowledged by the link of a later alert. */
const LIFETIME_MS = 7 * DAY_MS;

export interface AcknowledgeLink {
  readonly incidentId: string;
  /** Whom it was sent to. */
  readonly receiver: string;
}

const signatureOf = (content: string, secret: Buffer) => createHmac("sha256", secret).update(content).digest();

export const linkToken = ({ incidentId, receiver }: AcknowledgeLink, secret: Buffer, now: Date): string => {
  const content = Buffer.from(JSON.stringify([incidentId, receiver, now.getTime() + LIFETIME_MS])).toString(
    "base64url",
  );
  return `${content}.${signatureOf(content, secret).toString("base64url")}`;
};

/** @returns undefined for a token that has expired, or that we have not signed */
export const readLinkToken = (token: string, secret: Buffer, now: Date): AcknowledgeLink | undefined => {
  const [content = "", signature = ""] = token.split(".");
  const [signed, wanted] = [Buffer.from(signature, "base64url"), signatureOf(content, secret)];
  if (signed.length !== wanted.length || !timingSafeEqual(signed, wanted)) return undefined;
  const [incidentId, receiver, expiresAt] = JSON.parse(Buffer.from(content, "base64url").toString());
  return expiresAt > now.getTime() ? { incidentId, receiver } : undefined;
};

const ASKS: ReadonlySet<Alert["event"]> = new Set(["down", "degraded", "escalated", "reminder"]);

/** Whether an alert is about trouble that somebody may take on. */
export const asksForSomebody = ({ event }: Alert) => ASKS.has(event);
