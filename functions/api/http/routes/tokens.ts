/** Routes `/v1/tokens`: create, list, rename, rotate and revoke API tokens. */
import { z } from "zod";
import { decodeCursor, encodeCursor } from "../../../../shared/store/cursor.ts";
import type { StoredToken, Token, TokenStore } from "../../../../shared/store/tokens.ts";
import { creationOfToken, hasScope, issueToken, rotateToken, stateOf } from "../auth.ts";
import { filledPage } from "../filled-page.ts";
import { Problem } from "../problem.ts";
import { pageOf } from "../representations.ts";
import { type Route, route } from "../route.ts";
import { page } from "../schemas.ts";
import { newTokenView, rotateInput, tokenInput, tokenPatch, tokenState, tokenView } from "../token-schemas.ts";

const presentToken = (token: Token, now: Date) => {
  const { id, name, scopes, monitorTags, createdAt, expiresAt, lastUsedAt, revokedAt, previous } = token;
  const hasPrevious = previous !== null && Date.parse(previous.expiresAt) > now.getTime();
  return {
    id,
    name,
    state: stateOf(token, now),
    scopes,
    monitorTags,
    createdAt,
    expiresAt,
    lastUsedAt,
    revokedAt,
    previousSecretExpiresAt: hasPrevious ? previous.expiresAt : null,
  };
};

const createToken = route({
  method: "POST",
  path: "/v1/tokens",
  operationId: "createToken",
  summary: "Create a token",
  description: "The token's text is shown in this answer only.",
  scope: "admin",
  body: tokenInput,
  responses: { 201: { description: "Created.", schema: newTokenView } },
  handle: async ({ body, record }, { tokens, now }) => {
    const { token, text } = await issueToken(tokens, body, now());
    await record([creationOfToken(token)]);
    return { status: 201, body: { ...presentToken(token, now()), token: text } };
  },
});

const listTokens = route({
  method: "GET",
  path: "/v1/tokens",
  operationId: "listTokens",
  summary: "List tokens",
  description: "Of one state, by id; never shows their text.",
  scope: "admin",
  query: z.strictObject({
    state: tokenState.default("active").describe("Which tokens; revoked and expired ones are listed apart."),
    ...page,
  }),
  responses: { 200: { description: "A page of tokens.", schema: pageOf(tokenView) } },
  handle: async ({ query: { state, limit, cursor } }, { tokens, now }) => {
    const question = `tokens ${state}`;
    const at = now();
    const after = cursor === undefined ? undefined : decodeCursor(cursor, question);
    const { items, next } = await filledPage(limit, after, tokens.list, {
      passes: (token) => stateOf(token, at) === state,
      positionOf: ({ id }) => id,
    });
    return {
      body: { items: items.map((token) => presentToken(token, at)), nextCursor: next && encodeCursor(next, question) },
    };
  },
});

const getOwnToken = route({
  method: "GET",
  path: "/v1/tokens/me",
  operationId: "getOwnToken",
  summary: "The token that is used",
  description: "For every token, whatever its scope. With a session: the token that it stands for.",
  scope: "metrics",
  responses: { 200: { description: "The token.", schema: tokenView } },
  handle: async ({ token }, { now }) => ({ body: presentToken(token!, now()) }),
});

const usable = async (tokens: TokenStore, id: string): Promise<StoredToken> => {
  const token = await tokens.get(id);
  if (!token || token.revokedAt) throw new Problem("not-found", `there is no token ${id}, or it is revoked`);
  return token;
};

const updateToken = route({
  method: "PATCH",
  path: "/v1/tokens/{id}",
  operationId: "updateToken",
  summary: "Rename a token",
  scope: "admin",
  body: tokenPatch,
  contentTypes: ["application/merge-patch+json", "application/json"],
  responses: { 200: { description: "The token.", schema: tokenView } },
  handle: async ({ params, body: { name }, record }, { tokens, now }) => {
    const token = await usable(tokens, params.id ?? "");
    await tokens.rename(token.id, name);
    await record(name === token.name ? [] : [{ resource: token.id, name, changes: { name: [token.name, name] } }]);
    return { body: presentToken({ ...token, name }, now()) };
  },
});

const rotate = route({
  method: "POST",
  path: "/v1/tokens/{id}/rotate",
  operationId: "rotateToken",
  problems: ["changed-meanwhile"],
  summary: "Give a token a new secret",
  description:
    "The token keeps its id, name and scopes. Its present secret works beside the new one for `overlapSeconds`, and so do sessions that were begun with it; a secret from before that ends at once. The new text is shown in this answer only.",
  scope: "admin",
  body: rotateInput,
  responses: { 200: { description: "The token, with its new text.", schema: newTokenView } },
  handle: async ({ params, body: { overlapSeconds }, record }, { tokens, now }) => {
    const token = await usable(tokens, params.id ?? "");
    if (stateOf(token, now()) === "expired")
      throw new Problem("not-found", `the token ${token.id} has expired: create another one`);
    const rotated = await rotateToken(tokens, token, new Date(now().getTime() + overlapSeconds * 1000));
    if (!rotated)
      throw new Problem("changed-meanwhile", "the token was rotated or revoked at the same time: look at it again", {
        "retry-after": "1",
      });
    const ends = [token.previous?.expiresAt ?? null, rotated.token.previous.expiresAt] as const;
    await record([{ resource: token.id, name: token.name, changes: { previousSecretExpiresAt: ends } }]);
    return { body: { ...presentToken(rotated.token, now()), token: rotated.text } };
  },
});

const otherAdmin = async (tokens: TokenStore, id: string, now: Date) => {
  const { items } = await filledPage(1, undefined, tokens.list, {
    passes: (token) => token.id !== id && stateOf(token, now) === "active" && hasScope(token, "admin"),
    positionOf: (token) => token.id,
  });
  return items.length > 0;
};

const revokeToken = route({
  method: "DELETE",
  path: "/v1/tokens/{id}",
  operationId: "deleteToken",
  problems: ["last-admin-token"],
  summary: "Revoke a token",
  description:
    "Takes effect with the next call, and ends the token's sessions. The last admin token cannot be revoked, because it is needed to create others: create a new one first.",
  scope: "admin",
  responses: { 204: { description: "Revoked." } },
  handle: async ({ params, record }, { tokens, now }) => {
    const token = await usable(tokens, params.id ?? "");
    const isAdmin = stateOf(token, now()) === "active" && hasScope(token, "admin");
    if (isAdmin && !(await otherAdmin(tokens, token.id, now())))
      throw new Problem("last-admin-token", "this is the last admin token: create another one before you revoke it");
    await tokens.revoke(token.id, now());
    await record([{ resource: token.id, name: token.name, changes: { revoked: [false, true] } }]);
    return { status: 204 };
  },
});

export const tokens: readonly Route[] = [createToken, listTokens, getOwnToken, updateToken, rotate, revokeToken];
