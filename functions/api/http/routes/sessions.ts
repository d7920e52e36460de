/** Routes `/v1/sessions` and `/v1/session`: browsers log in with a token, and get a cookie in its place. */
import { MetricUnit } from "@aws-lambda-powertools/metrics";
import { z } from "zod";
import { ALARMED_METRICS } from "../../../../shared/alarmed-metrics.ts";
import { show } from "../../../../shared/issues.ts";
import { decodeCursor, encodeCursor } from "../../../../shared/store/cursor.ts";
import { idleSeconds, type Session, sessionPosition } from "../../../../shared/store/sessions.ts";
import type { StoredToken, Token } from "../../../../shared/store/tokens.ts";
import type { Deps } from "../../deps.ts";
import { audited, authorOf } from "../audit.ts";
import { findLogin, isSessionOf, newId, newSecret, sha256 } from "../auth.ts";
import { filledPage } from "../filled-page.ts";
import { Problem } from "../problem.ts";
import { pageOf } from "../representations.ts";
import { type Route, route } from "../route.ts";
import { page } from "../schemas.ts";
import { isHttps, loginCookie, logoutCookie, refuseCrossSiteLogin } from "../session-cookie.ts";
import { newSessionView, ownSessionView, sessionInput, sessionView } from "../token-schemas.ts";

const MOST_USER_AGENT = 200;

/** When a session ends unless it is used: by itself, or with its token. */
const endOf = ({ expiresAtSeconds }: Session, { expiresAt }: Pick<Token, "expiresAt">) => {
  const own = new Date(expiresAtSeconds * 1000).toISOString();
  return expiresAt !== null && expiresAt < own ? expiresAt : own;
};

const presentOwn = (token: Token, session: Session | null, { version, locations }: Deps) => ({
  id: session?.id ?? null,
  tokenId: token.id,
  name: token.name,
  scopes: token.scopes,
  monitorTags: token.monitorTags,
  createdAt: session?.createdAt ?? token.createdAt,
  expiresAt: session ? endOf(session, token) : token.expiresAt,
  version,
  locations: locations.map(({ name, families, port25 }) => ({ name, families, port25 })),
});

const createSession = route({
  method: "POST",
  path: "/v1/sessions",
  operationId: "createSession",
  summary: "Log in with a token",
  description:
    "Sets an HttpOnly cookie, which then stands for the token. Changes with the cookie must come from a page of this address (`Sec-Fetch-Site: same-origin`, or where browsers leave that out `Origin` equal to the host). The session ends 12 hours after its last use (30 days with `remember`), and with the token's secret; requests with the header `harborlight-poll` are no use. Ten failures a minute and address lead to 429.",
  scope: null,
  body: sessionInput,
  responses: {
    201: { description: "Logged in; the cookie is in `Set-Cookie`.", schema: newSessionView, headers: ["set-cookie"] },
  },
  problems: ["unauthenticated", "cross-site-request"],
  handle: async ({ body, headers, sourceIp, requestId }, deps) => {
    const { sessions, logins, metrics, now } = deps;
    refuseCrossSiteLogin(headers);
    const at = now();
    await logins.admit(sourceIp, at);
    const { token, secretHash: tokenSecretHash } = await findLogin(deps, body.token.trim(), at).catch(async (error) => {
      metrics.addMetric(ALARMED_METRICS.api, MetricUnit.Count, 1);
      await logins.failed(sourceIp, at);
      throw error;
    });
    const [id, secret] = [newId(), newSecret()];
    // Over http every server of this host gets the cookie, whatever its port.
    const headerSecret = isHttps(headers) ? null : newSecret();
    const session: Session = {
      id,
      tokenId: token.id,
      tokenSecretHash,
      secretHash: sha256(secret),
      headerSecretHash: headerSecret === null ? null : sha256(headerSecret),
      isRemembered: body.remember,
      createdAt: at.toISOString(),
      sourceIp,
      userAgent: (headers["user-agent"] ?? "").slice(0, MOST_USER_AGENT),
      expiresAtSeconds: Math.floor(at.getTime() / 1000) + idleSeconds({ isRemembered: body.remember }),
    };
    const begun = { requestId, by: authorOf(token), operation: "createSession", resource: id };
    await audited(deps, begun, async (record) => {
      await sessions.put(session);
      const changes = { sourceIp: [null, sourceIp], isRemembered: [null, body.remember] } as const;
      await record([{ resource: id, name: token.name, changes }]);
    });
    return {
      status: 201,
      body: { ...presentOwn(token, session, deps), headerSecret },
      cookies: [loginCookie(headers, id, secret, body.remember)],
    };
  },
});

const listSessions = route({
  method: "GET",
  path: "/v1/sessions",
  operationId: "listSessions",
  summary: "List sessions",
  description: "Who is logged in, newest first.",
  scope: "admin",
  query: z.strictObject(page),
  responses: { 200: { description: "A page of sessions.", schema: pageOf(sessionView) } },
  handle: async ({ query: { limit, cursor } }, { sessions, tokens, now }) => {
    const at = now();
    const before = cursor === undefined ? undefined : decodeCursor(cursor, "sessions");
    const tokenOf = new Map<string, StoredToken | undefined>();
    const read = async (some: number, from?: string) => {
      const found = await sessions.list(some, at, from);
      const unknown = new Set(found.items.map(({ tokenId }) => tokenId).filter((id) => !tokenOf.has(id)));
      await Promise.all([...unknown].map(async (id) => tokenOf.set(id, await tokens.get(id))));
      return found;
    };
    const { items, next } = await filledPage(limit, before, read, {
      passes: (session) => isSessionOf(tokenOf.get(session.tokenId), session, at),
      positionOf: sessionPosition,
    });
    return {
      body: {
        items: items.map((session) => ({
          id: session.id,
          tokenId: session.tokenId,
          isRemembered: session.isRemembered,
          createdAt: session.createdAt,
          expiresAt: endOf(session, tokenOf.get(session.tokenId)!),
          sourceIp: session.sourceIp,
          userAgent: session.userAgent,
        })),
        nextCursor: next && encodeCursor(next, "sessions"),
      },
    };
  },
});

const deleteSession = route({
  method: "DELETE",
  path: "/v1/sessions/{id}",
  operationId: "deleteSession",
  summary: "End a session",
  description: "Takes effect with its next call.",
  scope: "admin",
  responses: { 204: { description: "Ended." } },
  handle: async ({ params: { id = "" }, record }, { sessions, now }) => {
    if (!(await sessions.end(id, now())))
      throw new Problem("not-found", `there is no session ${show(id)}, or it has ended`);
    await record([{ resource: id, name: null, changes: { ended: [false, true] } }]);
    return { status: 204 };
  },
});

const getOwnSession = route({
  method: "GET",
  path: "/v1/session",
  operationId: "getOwnSession",
  summary: "Who is logged in",
  description: "For every session and token, whatever its scope.",
  scope: "metrics",
  responses: { 200: { description: "The caller, and what a page needs to begin.", schema: ownSessionView } },
  handle: async ({ token, session }, deps) => ({ body: presentOwn(token!, session, deps) }),
});

const deleteOwnSession = route({
  method: "DELETE",
  path: "/v1/session",
  operationId: "deleteOwnSession",
  problems: ["not-found"],
  summary: "Log out",
  scope: "metrics",
  responses: { 204: { description: "Logged out; the cookie is taken back.", headers: ["set-cookie"] } },
  handle: async ({ headers, session, token, record }, { sessions, now }) => {
    if (!session) throw new Problem("not-found", "a token has no session to end: only logging in begins one");
    await sessions.end(session.id, now());
    await record([{ resource: session.id, name: token!.name, changes: { ended: [false, true] } }]);
    return { status: 204, cookies: [logoutCookie(headers)] };
  },
});

export const sessions: readonly Route[] = [createSession, listSessions, deleteSession, getOwnSession, deleteOwnSession];
