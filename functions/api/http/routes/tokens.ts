/** Routes `/v1/tokens`: create, list and revoke API tokens. */
import { z } from "zod";
import { decodeCursor, encodeCursor } from "../../../../shared/store/cursor.ts";
import type { TokenStore } from "../../../../shared/store/tokens.ts";
import { presentToken } from "../../monitors/present.ts";
import { hasScope, issueToken } from "../auth.ts";
import { Problem } from "../problem.ts";
import { pageOf, tokenView } from "../representations.ts";
import { type Route, route } from "../route.ts";
import { page, tokenInput } from "../schemas.ts";

const createToken = route({
  method: "POST",
  path: "/v1/tokens",
  operationId: "createToken",
  summary: "Create a token",
  description: "The token's text is shown in this answer only.",
  scope: "admin",
  body: tokenInput,
  responses: {
    201: {
      description: "Created.",
      schema: tokenView.extend({ token: z.string().describe("Keep it: it is not stored.") }).meta({ id: "NewToken" }),
    },
  },
  handle: async ({ body, record }, { tokens, now }) => {
    const { token, text } = await issueToken(tokens, body, now());
    await record([{ resource: token.id, name: token.name, changes: { scopes: [null, token.scopes] } }]);
    return { status: 201, body: { ...presentToken(token), token: text } };
  },
});

const listTokens = route({
  method: "GET",
  path: "/v1/tokens",
  operationId: "listTokens",
  summary: "List tokens",
  description: "Includes revoked ones; never shows their text.",
  scope: "admin",
  query: z.strictObject(page),
  responses: { 200: { description: "A page of tokens.", schema: pageOf(tokenView) } },
  handle: async ({ query: { limit, cursor } }, { tokens }) => {
    const { items, next } = await tokens.list(limit, cursor === undefined ? undefined : decodeCursor(cursor, "tokens"));
    return { body: { items: items.map(presentToken), nextCursor: next && encodeCursor(next, "tokens") } };
  },
});

const otherAdmin = async (tokens: TokenStore, id: string) => {
  let after: string | undefined;
  do {
    const { items, next } = await tokens.list(200, after);
    if (items.some((token) => token.id !== id && !token.revokedAt && hasScope(token, "admin"))) return true;
    after = next ?? undefined;
  } while (after);
  return false;
};

const revokeToken = route({
  method: "DELETE",
  path: "/v1/tokens/{id}",
  operationId: "revokeToken",
  summary: "Revoke a token",
  description:
    "Takes effect with the next call. The last admin token cannot be revoked, because it is needed to create others: create a new one first.",
  scope: "admin",
  responses: { 204: { description: "Revoked." } },
  handle: async ({ params, record }, { tokens, now }) => {
    const id = params.id ?? "";
    const token = await tokens.get(id);
    if (!token || token.revokedAt) throw new Problem("not-found", `there is no token ${id} to revoke`);
    if (hasScope(token, "admin") && !(await otherAdmin(tokens, id)))
      throw new Problem("last-admin-token", "this is the last admin token: create another one before you revoke it");
    await tokens.revoke(id, now());
    await record([{ resource: id, name: token.name, changes: { revoked: [false, true] } }]);
    return { status: 204 };
  },
});

export const tokens: readonly Route[] = [createToken, listTokens, revokeToken];
