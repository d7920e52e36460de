/**
 * Authenticates calls: bearer tokens `hl_<id>_<secret>`, and sessions of browsers that logged in with one. The token is not
 * cached: each request reads it with strong consistency, so that revoking it works at once.
 */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { DAY_MS } from "../../../shared/durations.ts";
import { type FieldError, InvalidInput } from "../../../shared/errors.ts";
import { show } from "../../../shared/issues.ts";
import { idleSeconds, type Session } from "../../../shared/store/sessions.ts";
import type { StoredToken, Token, TokenStore } from "../../../shared/store/tokens.ts";
import { SCOPES, type Scope, TOKEN } from "../../../shared/tokens.ts";
import type { Deps } from "../deps.ts";
import type { Change } from "./audit.ts";
import { Problem } from "./problem.ts";
import { type BrowserRequest, isPoll, refuseCrossSite, sessionCookie, sessionHeader } from "./session-cookie.ts";
import type { TOKEN_STATES } from "./token-schemas.ts";

export const sha256 = (secret: string) => createHash("sha256").update(secret).digest("hex");
export const newSecret = () => randomBytes(32).toString("base64url");
export const newId = () => randomBytes(10).toString("hex");

/** Compares hashes in constant time. */
const isEqual = (hash: string, other: string) => timingSafeEqual(Buffer.from(hash, "hex"), Buffer.from(other, "hex"));

/** Each scope includes the ones before it. */
export const hasScope = ({ scopes }: Pick<Token, "scopes">, wanted: Scope) =>
  scopes.some((scope) => SCOPES.indexOf(scope) >= SCOPES.indexOf(wanted));

type TokenState = (typeof TOKEN_STATES)[number];
export const stateOf = ({ revokedAt, expiresAt }: Pick<Token, "revokedAt" | "expiresAt">, now: Date): TokenState =>
  revokedAt ? "revoked" : expiresAt && Date.parse(expiresAt) <= now.getTime() ? "expired" : "active";

/** Whether the hash is of a secret of the token: the present one, or for a while the one before. */
const takesSecret = ({ secretHash, previous }: Token, hash: string, now: Date) =>
  isEqual(secretHash, hash) ||
  (previous !== null && Date.parse(previous.expiresAt) > now.getTime() && isEqual(previous.secretHash, hash));

const unauthenticated = (detail: string, error?: string) =>
  new Problem("unauthenticated", detail, {
    "www-authenticate": `Bearer realm="harborlight"${error ? `, error="${error}"` : ""}`,
  });

/**
 * Finds the active token of a text.
 * @throws Problem `unauthenticated`, in the same words for all errors, so that a caller cannot find out which ids exist
 */
export const findToken = async (
  tokens: TokenStore,
  text: string,
  now: Date,
): Promise<{ readonly token: StoredToken; readonly secretHash: string }> => {
  const [, id, secret = ""] = TOKEN.exec(text) ?? [];
  const token = id ? await tokens.get(id) : undefined;
  const secretHash = sha256(secret);
  if (!token || !takesSecret(token, secretHash, now) || stateOf(token, now) !== "active")
    throw unauthenticated("the token is unknown, wrong, expired or revoked", "invalid_token");
  return { token, secretHash };
};

/** How long a code that logs in once may wait. */
const CODE_SECONDS = 600;
/** Begins a code, as `hl_` begins a token. */
const CODE = "once_";

/** Makes a code that logs in once in place of a token. @throws Problem if the token does not work */
export const createLoginCode = async (
  { tokens, sessions }: Pick<Deps, "tokens" | "sessions">,
  text: string,
  now: Date,
): Promise<string> => {
  const { token, secretHash } = await findToken(tokens, text, now);
  const secret = newSecret();
  await sessions.putCode(sha256(secret), {
    tokenId: token.id,
    tokenSecretHash: secretHash,
    expiresAtSeconds: Math.floor(now.getTime() / 1000) + CODE_SECONDS,
  });
  return CODE + secret;
};

/** Finds the token of a login, which may send a code instead; that is used up. @throws Problem `unauthenticated` */
export const findLogin = async (
  { tokens, sessions }: Pick<Deps, "tokens" | "sessions">,
  text: string,
  now: Date,
): ReturnType<typeof findToken> => {
  if (!text.startsWith(CODE)) return findToken(tokens, text, now);
  const code = await sessions.takeCode(sha256(text.slice(CODE.length)), now);
  const token = code ? await tokens.get(code.tokenId) : undefined;
  if (!code || !isSessionOf(token, code, now))
    throw unauthenticated("this link was used already, or its time is over: log in with a token", "invalid_token");
  return { token, secretHash: code.tokenSecretHash };
};

export interface Caller {
  readonly token: StoredToken;
  /** Null for a caller who sends the token itself. */
  readonly session: Session | null;
}

type Stores = Pick<Deps, "tokens" | "sessions">;

const callerOfToken = async ({ tokens }: Stores, authorization: string, now: Date): Promise<Caller> => {
  const { token } = await findToken(tokens, authorization.replace(/^Bearer +/i, ""), now);
  return { token, session: null };
};

/** How much later a session has to end before that is written: a browser in use costs four writes an hour. */
const EXTEND_SECONDS = 15 * 60;

/** Whether a session stands for its token still: it ends with the token, and with the secret that it began with. */
export const isSessionOf = (
  token: StoredToken | undefined,
  { tokenSecretHash }: Pick<Session, "tokenSecretHash">,
  now: Date,
): token is StoredToken =>
  token !== undefined && takesSecret(token, tokenSecretHash, now) && stateOf(token, now) === "active";

const callerOfSession = async ({ tokens, sessions }: Stores, request: BrowserRequest, now: Date): Promise<Caller> => {
  refuseCrossSite(request);
  const { id, secret } = sessionCookie(request)!;
  const session = await sessions.get(id, now);
  const isOwner =
    session &&
    isEqual(session.secretHash, sha256(secret)) &&
    (session.headerSecretHash === null || isEqual(session.headerSecretHash, sha256(sessionHeader(request))));
  const token = isOwner ? await tokens.get(session.tokenId) : undefined;
  if (!session || !isSessionOf(token, session, now))
    throw unauthenticated("the session has ended, or is unknown or wrong: log in again");
  const end = Math.floor(now.getTime() / 1000) + idleSeconds(session);
  if (isPoll(request) || end - session.expiresAtSeconds < EXTEND_SECONDS) return { token, session };
  await sessions.extend(session.id, end, now);
  return { token, session: { ...session, expiresAtSeconds: end } };
};

/**
 * Reads the token or session of a request.
 * @throws Problem `unauthenticated` or `cross-site-request`
 */
export const authenticate = async (stores: Stores, request: BrowserRequest, now: Date): Promise<Caller> => {
  const { authorization } = request.headers;
  if (!authorization && !sessionCookie(request))
    throw unauthenticated("send the header Authorization: Bearer hl_<id>_<secret>");
  const caller = authorization
    ? await callerOfToken(stores, authorization, now)
    : await callerOfSession(stores, request, now);
  const { token } = caller;
  if (!token.lastUsedAt || now.getTime() - Date.parse(token.lastUsedAt) > DAY_MS)
    await stores.tokens.markUsed(token.id, now);
  return caller;
};

/** @throws Problem `missing-scope` */
export const requireScope = (token: Token, scope: Scope): void => {
  if (hasScope(token, scope)) return;
  throw new Problem(
    "missing-scope",
    `this call needs the scope ${scope}; the token "${token.name}" has ${token.scopes.join(", ")}`,
    { "www-authenticate": `Bearer realm="harborlight", error="insufficient_scope", scope="${scope}"` },
  );
};

interface NewToken {
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly expiresAt?: string | undefined;
  readonly monitorTags?: readonly string[] | undefined;
  /** Default: random. */
  readonly text?: string | undefined;
}

const textOf = (id: string, secret: string) => `hl_${id}_${secret}`;

/** Creates and stores a token. @returns it with its text, which is not stored and cannot be read again */
export const issueToken = async (
  tokens: TokenStore,
  { name, scopes, expiresAt, monitorTags, text }: NewToken,
  now: Date,
) => {
  const errors: FieldError[] = [];
  if (expiresAt !== undefined && Date.parse(expiresAt) <= now.getTime())
    errors.push({
      path: "expiresAt",
      message: `must be in the future: it is ${now.toISOString()}, got ${show(expiresAt)}`,
    });
  // It could make itself a token without the limit.
  if (monitorTags && hasScope({ scopes }, "admin"))
    errors.push({ path: "monitorTags", message: "is not for tokens with the scope admin: leave it out" });
  if (errors.length > 0) throw new InvalidInput(errors);
  const whole = text ?? textOf(newId(), newSecret());
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
    secretHash: sha256(secret),
    previous: null,
    name,
    scopes,
    monitorTags: monitorTags ?? null,
    createdAt: now.toISOString(),
    expiresAt: expiresAt ?? null,
    lastUsedAt: null,
    revokedAt: null,
  };
  const stored = text ? await tokens.get(id) : undefined;
  const isSame = stored?.secretHash === token.secretHash && !stored.revokedAt && stored.scopes.join() === scopes.join();
  if (!isSame) await tokens.put(token);
  return { token: stored && isSame ? stored : token, text: whole };
};

/** Entry of the audit log for a new token. */
export const creationOfToken = ({ id, name, scopes, monitorTags, expiresAt }: Token): Change => ({
  resource: id,
  name,
  changes: Object.fromEntries(
    Object.entries({ name, scopes, monitorTags, expiresAt }).map(([field, value]) => [field, [null, value]]),
  ),
});

/**
 * Gives a token a new secret; the present one goes on working until `previousUntil`.
 * @returns the token with its new text, or undefined if it was rotated or revoked since it was read
 */
export const rotateToken = async (tokens: TokenStore, token: Token, previousUntil: Date) => {
  const secret = newSecret();
  const expiresAt = previousUntil.toISOString();
  if (!(await tokens.rotate(token, sha256(secret), expiresAt))) return undefined;
  const previous = { secretHash: token.secretHash, expiresAt };
  return { token: { ...token, secretHash: sha256(secret), previous }, text: textOf(token.id, secret) };
};
