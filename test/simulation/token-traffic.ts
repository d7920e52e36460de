/** The part of the stores' traffic that is about tokens and sessions. */
import type { SessionStore } from "../../shared/store/sessions.ts";
import type { TokenStore } from "../../shared/store/tokens.ts";
import type { Chance } from "./clock.ts";

const TOKENS = ["t1", "t2", "t3"];
const SESSIONS = ["s1", "s2", "s3", "s4", "s5"];

export function tokenSteps(
  { tokens, sessions }: { readonly tokens: TokenStore; readonly sessions: SessionStore },
  chance: Chance,
  date: () => Date,
) {
  const token = () => chance.pick(TOKENS);
  const session = () => chance.pick(SESSIONS);
  const source = () => chance.pick(["192.0.2.1", "2001:db8::/64"]);
  const seconds = () => Math.floor(date().getTime() / 1000);
  const made = (id: string) => ({
    id,
    secretHash: "hash",
    previous: null,
    name: "token",
    scopes: ["read", "write"] as const,
    monitorTags: null,
    createdAt: date().toISOString(),
    expiresAt: null,
    lastUsedAt: null,
    revokedAt: null,
  });
  return {
    putToken: () => tokens.put(made(token())),
    token: () => tokens.get(token()),
    tokens: async () => {
      const { next } = await tokens.list(1 + chance.int(3));
      if (next) await tokens.list(2, next);
    },
    revoke: () => tokens.revoke(token(), date()),
    rename: () => tokens.rename(token(), "Größe ✓"),
    rotate: () =>
      tokens.rotate({ ...made(token()), secretHash: chance.pick(["hash", "other"]) }, "other", date().toISOString()),
    markUsed: () => tokens.markUsed(token(), date()),
    spend: () => tokens.spend(token(), 2, date()),
    report: () => tokens.report(token(), { minute: Math.floor(seconds() / 60), count: 20 }),
    putSession: () =>
      sessions.put({
        id: session(),
        tokenId: token(),
        tokenSecretHash: "hash",
        secretHash: "hash",
        headerSecretHash: chance.pick([null, "hash"]),
        isRemembered: false,
        createdAt: date().toISOString(),
        sourceIp: "192.0.2.1",
        userAgent: "",
        expiresAtSeconds: seconds() + chance.int(30),
      }),
    session: () => sessions.get(session(), date()),
    extend: () => sessions.extend(session(), seconds() + 60, date()),
    putCode: () =>
      sessions.putCode(chance.pick(["code1", "code2"]), {
        tokenId: "t",
        tokenSecretHash: "hash",
        expiresAtSeconds: seconds() + chance.pick([-60, 600]),
      }),
    takeCode: () => sessions.takeCode(chance.pick(["code1", "code2", "code3"]), date()),
    endSession: () => sessions.end(session(), date()),
    sessions: async () => {
      const { next } = await sessions.list(1 + chance.int(2), date());
      if (next) await sessions.list(2, date(), next);
    },
    failures: () => sessions.failures(source(), date()),
    countFailure: () => sessions.countFailure(source(), date()),
  };
}
