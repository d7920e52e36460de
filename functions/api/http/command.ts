/** Handles direct invocations of the function, guarded by IAM: they create the first token. */
import { z } from "zod";
import { expecting } from "../../../shared/issues.ts";
import type { LoginCodeAnswer, LoginCodeRequest, TokenAnswer, TokenRequest } from "../../../shared/payloads.ts";
import type { Deps } from "../deps.ts";
import { audited } from "./audit.ts";
import { createLoginCode, creationOfToken, issueToken } from "./auth.ts";
import { parse } from "./input.ts";
import { tokenInput } from "./token-schemas.ts";

export interface Command {
  readonly command: string;
}

const createToken = tokenInput.extend({
  command: z.literal("create-token", { error: expecting("create-token") }),
  /** The one-machine stack sets its own token. Idempotent; restores the token if it was revoked. */
  token: z.string().optional(),
}) satisfies z.ZodType<TokenRequest>;

const loginCode = z.object({
  command: z.literal("create-login-code"),
  token: z.string(),
}) satisfies z.ZodType<LoginCodeRequest>;

/** @throws InvalidInput */
export const runCommand = async (
  event: Command,
  requestId: string,
  deps: Deps,
): Promise<TokenAnswer | LoginCodeAnswer> => {
  if (event.command === "create-login-code")
    return { code: await createLoginCode(deps, parse(loginCode, event).token, deps.now()) };
  const { command: _, token: text, ...wanted } = parse(createToken, event);
  const begun = { requestId, by: null, operation: "createToken", resource: null };
  const issued = await audited(deps, begun, async (record) => {
    const at = deps.now();
    const { token, text: shown } = await issueToken(deps.tokens, { ...wanted, text }, at);
    const isNew = token.createdAt === at.toISOString();
    await record(isNew ? [creationOfToken(token)] : []);
    return { token, text: shown };
  });
  return { id: issued.token.id, token: issued.text, name: issued.token.name, scopes: issued.token.scopes };
};
