/** Judges the answers of receivers: delivered, refused for good, or to be tried again. */
import type { HttpReply } from "../http.ts";
import { oneLine } from "../text.ts";

/** Result of sending a message. */
export type Answer =
  | { readonly kind: "delivered"; readonly said: string }
  | {
      readonly kind: "refused";
      /** Whether a retry cannot help. */
      readonly isPermanent: boolean;
      readonly error: string;
      /** How long the receiver asks to wait; null if it does not say. */
      readonly retryAfterSeconds: number | null;
    };

/** Longest pause that a receiver can ask for. */
const MAX_RETRY_AFTER_SECONDS = 24 * 3600;

/** Client errors (4xx) that pass: a slow or busy receiver. */
const PASSING = new Set([408, 409, 421, 423, 425, 429]);

export const delivered = (said: string): Answer => ({ kind: "delivered", said });

export const refused = (
  error: string,
  { isPermanent = false, retryAfterSeconds = null }: { isPermanent?: boolean; retryAfterSeconds?: number | null } = {},
): Answer => ({
  kind: "refused",
  isPermanent,
  error,
  retryAfterSeconds:
    retryAfterSeconds === null ? null : Math.min(MAX_RETRY_AFTER_SECONDS, Math.ceil(Math.max(0, retryAfterSeconds))),
});

/** `Retry-After` (RFC 9110, section 10.2.3): seconds or a date. */
const retryAfter = (text: string | undefined): number | null => {
  if (text === undefined) return null;
  if (/^\d+(\.\d+)?$/.test(text.trim())) return Number(text);
  const at = Date.parse(text);
  return Number.isNaN(at) ? null : (at - Date.now()) / 1000;
};

/** What the receiver said, for people: status and the start of the body. */
const said = ({ status, body }: HttpReply): string => `HTTP ${status} ${oneLine(body)}`.trim();

/** Judges by the status alone. A redirect is permanent, because none is followed: the URL is wrong. */
export const byStatus = (reply: HttpReply): Answer => {
  const { status, headers } = reply;
  if (status >= 200 && status < 300) return delivered(said(reply));
  const moved = status < 400 && headers.location ? ` (a redirect to ${oneLine(headers.location, 100)})` : "";
  return refused(`${said(reply)}${moved}`, {
    isPermanent: status < 500 && !PASSING.has(status),
    retryAfterSeconds: retryAfter(headers["retry-after"]),
  });
};

/** The JSON object that a receiver sent; empty if it sent something else. */
export const jsonOf = ({ body }: HttpReply): Readonly<Record<string, unknown>> => {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
};

/** Judges a success by more than the status. @param isSuccess whether an answer 2xx says that the message was taken */
export const checking =
  (isSuccess: (reply: HttpReply) => boolean) =>
  (reply: HttpReply): Answer => {
    const answer = byStatus(reply);
    return answer.kind === "delivered" && !isSuccess(reply) ? refused(said(reply)) : answer;
  };

/** Takes the pause from the body, for services that say it there. */
export const withPause = (answer: Answer, seconds: unknown): Answer =>
  answer.kind === "refused" && typeof seconds === "number"
    ? refused(answer.error, { isPermanent: answer.isPermanent, retryAfterSeconds: seconds })
    : answer;
