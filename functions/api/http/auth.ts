/**
 * Authenticates bearer tokens `hl_<id>_<secret>`. The token is not cached: each request reads it with strong
 * consistency, so that revoking it works at once.
 */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { DAY_MS } from "../../../shared/durations.ts";
import { InvalidInput } from "../../../shared/errors.ts";
import type { Token, TokenStore } from "../../../shared/store/tokens.ts";
import { type Scope, TOKEN } from "../../../shared/tokens.ts";
import { Problem } from "./problem.ts";

const hash = (secret: string) => createHash("sha256").update(secret).digest();

/** Each scope includes the ones before it. */
const RANK: Record<Scope, number> = { read: 0, write: 1, admin: 2 };
export const hasScope = ({ scopes }: Pick<Token, "scopes">, wanted: Scope) =>
  scopes.some((scope) => RANK[scope] >= RANK[wanted]);

const unauthenticated = (detail: string, error?: string) =>
  new Problem("unauthenticated", detail, {
    "www-authenticate": `Bearer realm="harborlight"${error ? `, error="${error}"` : ""}`,
  });

/**
 * Reads the token of a request and checks its scope.
 * @throws Problem `unauthenticated` or `missing-scope`
 */
export const authenticate = async (
  tokens: TokenStore,
  authorization: string | undefined,
  scope: Scope,
  now: Date,
): Promise<Token> => {
  if (!authorization) throw unauthenticated("send the header Authorization: Bearer hl_<id>_<secret>");
  const [, id = "", secret = ""] = TOKEN.exec(authorization.replace(/^Bearer +/i, "")) ?? [];
  const token = id ? await tokens.get(id) : undefined;
  // The same text for all errors, so that a caller cannot find out which ids exist.
  if (!token || token.revokedAt || !timingSafeEqual(hash(secret), Buffer.from(token.secretHash, "hex")))
    throw unauthenticated("the token is unknown, wrong or revoked", "invalid_token");
  if (!hasScope(token, scope))
    throw new Problem(
      "missing-scope",
      `this call needs the scope ${scope}; the token "${token.name}" has ${token.scopes.join(", ")}`,
      { "www-authenticate": `Bearer realm="harborlight", error="insufficient_scope", scope="${scope}"` },
    );
  if (!token.lastUsedAt || now.getTime() - Date.parse(token.lastUsedAt) > DAY_MS) await tokens.markUsed(id, now);
  return token;
};

/** Creates and stores a token. @returns it with its text, which is not stored and cannot be read again */
export const issueToken = async (
  tokens: TokenStore,
  { name, scopes, text }: { name: string; scopes: readonly Scope[]; text?: string },
  now: Date,
) => {
  const whole = text ?? `hl_${randomBytes(10).toString("hex")}_${randomBytes(32).toString("base64url")}`;
  const [, id, secret] = TOKEN.exec(whole) ?? [];
  if (!id || !secret)
    throw new InvalidInput([
      {
        path: "token",
        message: "must look like hl_<id>_<secret>: id of 4 to 40 of a-z 0-9, secret of 16 to 200 of A-Z a-z 0-9 _ -",
      },
    ]);
  const token: Token = {
    id,
    secretHash: hash(secret).toString("hex"),
    name,
    scopes,
    createdAt: now.toISOString(),
    lastUsedAt: null,
    revokedAt: null,
  };
  const stored = text ? await tokens.get(id) : undefined;
  const isSame = stored?.secretHash === token.secretHash && !stored.revokedAt && stored.scopes.join() === scopes.join();
  if (!isSame) await tokens.put(token);
  return { token: stored && isSame ? stored : token, text: whole };
};
