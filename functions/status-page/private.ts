/** The door of private pages: the password, links from the dashboard, and the cookie that both give. */
import type { APIGatewayProxyStructuredResultV2 } from "aws-lambda";
import { sourceOf } from "../../shared/source-address.ts";
import { COOKIE_SECONDS, isAccess, isPassword, signAccess } from "../../shared/status-page/access.ts";
import type { Wording } from "../../shared/status-page/words.ts";
import type { StatusPage, StatusPageStore } from "../../shared/store/status-pages.ts";
import { type Asked, answerWith, isHttps, redirectTo } from "./answer.ts";
import { drawPassword } from "./page.tsx";
import { baseOf } from "./parts.tsx";

/** Attempts of one source in one minute. */
const MOST_ATTEMPTS = 10;
const COOKIE = "harborlight-page";
const HTML = "text/html; charset=utf-8";

/** `Lax`, so that a link in somebody's mail opens the page; the cookie lets nobody change anything. */
const cookieOf = (asked: Asked, page: StatusPage, nowMs: number) =>
  [
    `${COOKIE}=${signAccess(page, "cookie", nowMs + COOKIE_SECONDS * 1000)}`,
    `Path=${baseOf(page)}`,
    "HttpOnly",
    "SameSite=Lax",
    ...(isHttps(asked) ? ["Secure"] : []),
    `Max-Age=${COOKIE_SECONDS}`,
  ].join("; ");

/** Whether somebody may see a page. */
export const isAdmitted = ({ cookies }: Asked, page: StatusPage, now: Date): boolean =>
  page.visibility !== "private" ||
  cookies.some(
    (cookie) =>
      cookie.startsWith(`${COOKIE}=`) && isAccess(page, "cookie", cookie.slice(COOKIE.length + 1), now.getTime()),
  );

interface Door {
  readonly page: StatusPage;
  readonly wording: Wording;
  readonly now: Date;
}

const ask = (asked: Asked, door: Door, status: number, problem?: string, headers: Record<string, string> = {}) =>
  answerWith(
    asked,
    { type: HTML, content: drawPassword(door, problem), atMs: door.now.getTime() },
    // It tells nothing of the page, whose colour would be another style.
    { status, headers, now: door.now },
  );

/** Asks for the password, or follows a link from the dashboard. */
export async function knock(asked: Asked, door: Door): Promise<APIGatewayProxyStructuredResultV2> {
  const { page, now } = door;
  const link = asked.query.get("access");
  if (link !== null && isAccess(page, "link", link, now.getTime()))
    return redirectTo(baseOf(page), cookieOf(asked, page, now.getTime()));
  return ask(asked, door, 403);
}

/** Takes the form with the password. */
export async function open(
  asked: Asked,
  door: Door,
  admit: StatusPageStore["admit"],
): Promise<APIGatewayProxyStructuredResultV2> {
  const { page, now, wording } = door;
  const minute = Math.floor(now.getTime() / 60_000);
  const mayTry = await admit(page.id, {
    of: `password#${minute}#${sourceOf(asked.sourceIp)}`,
    most: MOST_ATTEMPTS,
    expiresAtSeconds: (minute + 2) * 60,
  });
  if (!mayTry) return ask(asked, door, 429, wording.words.tooMany, { "retry-after": String(60 - now.getUTCSeconds()) });
  const password = new URLSearchParams(asked.body).get("password") ?? "";
  if (!page.password || !isPassword(password, page.password)) return ask(asked, door, 403, wording.words.wrongPassword);
  return redirectTo(baseOf(page), cookieOf(asked, page, now.getTime()));
}
