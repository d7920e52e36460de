/**
 * What a browser sends along with a session: the cookie, over plain http a second secret in a header, and the headers that
 * tell a page of ours from another site's (cross-site request forgery).
 */
import { DAY_SECONDS } from "../../../shared/durations.ts";
import { Problem } from "./problem.ts";

/** The part of a request that authentication reads. */
export interface BrowserRequest {
  readonly method: string;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Each `name=value`. */
  readonly cookies: readonly string[];
}

/** Repeats the second secret of a session that was made over plain http: cookies ignore ports, so other servers see them. */
const SESSION_HEADER = "harborlight-session";
/** Marks a request that a page makes by itself, by a timer. Such requests do not extend a session. */
const POLL_HEADER = "harborlight-poll";

type Headers = BrowserRequest["headers"];

/** API Gateway says how the client spoke to it; a proxy that ends TLS in front of one machine does so too. */
export const isHttps = (headers: Headers) => headers["x-forwarded-proto"] === "https";

/**
 * `__Host-` makes browsers keep the cookie to this host, and to https. Over http they would refuse it, and the port in the
 * name keeps apart two installations on one machine.
 */
const cookieName = (headers: Headers) =>
  isHttps(headers) ? "__Host-harborlight" : `harborlight-${/:(\d+)$/.exec(headers.host ?? "")?.[1] ?? "80"}`;

export const sessionCookie = ({ headers, cookies }: BrowserRequest): { id: string; secret: string } | undefined => {
  const prefix = `${cookieName(headers)}=`;
  const value = cookies.find((cookie) => cookie.startsWith(prefix))?.slice(prefix.length);
  const [, id, secret] = /^([a-z0-9]{1,64})\.([\w-]{1,200})$/.exec(value ?? "") ?? [];
  return id && secret ? { id, secret } : undefined;
};

export const sessionHeader = ({ headers }: BrowserRequest) => headers[SESSION_HEADER] ?? "";
export const isPoll = ({ headers }: BrowserRequest) => headers[POLL_HEADER] !== undefined;

const cookie = (headers: Headers, value: string, maxAgeSeconds: number | undefined) =>
  [
    `${cookieName(headers)}=${value}`,
    "Path=/",
    "HttpOnly",
    "SameSite=Strict",
    ...(isHttps(headers) ? ["Secure"] : []),
    ...(maxAgeSeconds === undefined ? [] : [`Max-Age=${maxAgeSeconds}`]),
  ].join("; ");

/** The session's server-side end moves with its use; browsers keep a cookie for 400 days at most. */
const REMEMBERED_SECONDS = 400 * DAY_SECONDS;

/** @param isRemembered whether it outlives the browser */
export const loginCookie = (headers: Headers, id: string, secret: string, isRemembered: boolean) =>
  cookie(headers, `${id}.${secret}`, isRemembered ? REMEMBERED_SECONDS : undefined);
export const logoutCookie = (headers: Headers) => cookie(headers, "", 0);

const isSameHost = (origin: string, host = "") => {
  if (!URL.canParse(origin)) return false;
  const { protocol, host: own } = new URL(origin);
  return URL.canParse(`${protocol}//${host}`) && own === new URL(`${protocol}//${host}`).host;
};

/** Whether a page of this origin made the request; undefined where the browser does not say. */
const isSameOrigin = ({ "sec-fetch-site": site, origin, host }: Headers): boolean | undefined => {
  if (site !== undefined) return site === "same-origin";
  // Browsers leave Sec-Fetch-Site out over plain http beyond loopback.
  return origin === undefined ? undefined : isSameHost(origin, host);
};

const crossSite = () =>
  new Problem(
    "cross-site-request",
    "a change with a session's cookie must come from a page of this address: Sec-Fetch-Site must be same-origin, or Origin equal to the host",
  );

/**
 * Refuses changes that another site's page sends with our cookie. `SameSite=Strict` is not enough: pages on other ports of
 * the same host count as the same site.
 * @throws Problem `cross-site-request`
 */
export const refuseCrossSite = ({ method, headers }: BrowserRequest): void => {
  if (method !== "GET" && method !== "HEAD" && isSameOrigin(headers) !== true) throw crossSite();
};

/** Like `refuseCrossSite` for a login, which programs make too: they send neither header. */
export const refuseCrossSiteLogin = (headers: Headers): void => {
  if (isSameOrigin(headers) === false) throw crossSite();
};
