/**
 * `npm run token -- --name admin --scopes admin`: makes an API token with the caller's AWS credentials, by
 * invoking the API's function directly. The token goes to stdout, everything else to stderr.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { InvokeCommand, LambdaClient, type LambdaClientConfig } from "@aws-sdk/client-lambda";
import type { TokenRequest } from "../../shared/payloads.ts";
import { SCOPES } from "../../shared/tokens.ts";
import { REGION } from "../local/template/template.ts";

export interface Flags {
  readonly name?: string;
  readonly scopes?: string;
  readonly function?: string;
  readonly region?: string;
  readonly local?: boolean;
}

/** The function to invoke, and how to reach it. */
export interface Target {
  readonly functionName: string;
  readonly client: LambdaClientConfig;
}

type Outputs = Readonly<Record<string, unknown>>;

const USAGE = `usage: npm run token -- [--name admin] [--scopes ${SCOPES.join("|")}] [--function NAME --region REGION | --local]`;

/** An error that the caller can fix; the message says how. */
export class TokenError extends Error {
  override readonly name = "TokenError";
}

/**
 * Finds the API's function, in this order: `--function`; `--local`; what `npm run deploy` left in `cdk-outputs.json`; the one-machine stack in
 * `HARBORLIGHT_DATA` or `.harborlight`.
 * @param folder where `cdk-outputs.json` and `.harborlight` are looked for
 * @throws {TokenError}
 */
export const findTarget = (flags: Flags, folder: string, env: NodeJS.ProcessEnv): Target => {
  if (flags.function) return { functionName: flags.function, client: flags.region ? { region: flags.region } : {} };
  const deployed = join(folder, "cdk-outputs.json");
  const local = join(env.HARBORLIGHT_DATA ?? join(folder, ".harborlight"), "outputs.json");
  if (!flags.local && existsSync(deployed)) return deployedTarget(read(deployed), flags, deployed);
  if (existsSync(local)) return localTarget(read(local), local);
  throw new TokenError(
    flags.local
      ? `${local} does not exist: start the one-machine stack with npm start first`
      : `neither ${deployed} nor ${local} exists: run npm run deploy or npm start first, or name the function with --function`,
  );
};

const deployedTarget = (outputs: Outputs, flags: Flags, path: string): Target => {
  const functionName = find("ApiFunctionName", outputs);
  if (!functionName) throw new TokenError(`${path} has no output ApiFunctionName: deploy the home stack first`);
  // An ARN's fourth part is its region.
  const region = flags.region ?? find("AlertsTopicArn", outputs)?.split(":")[3];
  return { functionName, client: region ? { region } : {} };
};

const localTarget = (outputs: Outputs, path: string): Target => {
  const functionName = find("ApiFunctionName", outputs);
  const endpoint = find("gatewayUrl", outputs);
  const accessKeyId = find("accessKeyId", outputs);
  if (!functionName || !endpoint || !accessKeyId) {
    throw new TokenError(`${path} must have ApiFunctionName, gatewayUrl and accessKeyId: start the stack again`);
  }
  return {
    functionName,
    client: { endpoint, region: REGION, credentials: { accessKeyId, secretAccessKey: "local" }, maxAttempts: 1 },
  };
};

/** The value of an output, at the top level or of one of the stacks. */
const find = (name: string, outputs: Outputs): string | undefined => {
  const stacks = Object.values(outputs).filter(
    (value): value is Outputs => typeof value === "object" && value !== null,
  );
  const value = [outputs, ...stacks].find((stack) => name in stack)?.[name];
  return typeof value === "string" ? value : undefined;
};

const read = (path: string): Outputs => {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new TokenError(`${path} cannot be read as JSON`, { cause: error });
  }
};

/** @returns the token, which cannot be shown again. @throws {TokenError} */
export const createToken = async (
  { functionName, client }: Target,
  name: string,
  scopes: string[],
): Promise<string> => {
  const lambda = new LambdaClient(client);
  const answer = await lambda
    .send(
      new InvokeCommand({
        FunctionName: functionName,
        Payload: JSON.stringify({ command: "create-token", name, scopes } satisfies TokenRequest),
      }),
    )
    .catch((error: Error) => {
      throw new TokenError(`cannot invoke ${functionName}: ${error.message || error.name}`, { cause: error });
    })
    .finally(() => lambda.destroy());
  const result = JSON.parse(answer.Payload?.transformToString() ?? "{}");
  if (answer.FunctionError) throw new TokenError(`${functionName} refused: ${result.errorMessage}`);
  if (typeof result.token !== "string") throw new TokenError(`${functionName} answered without a token`);
  return result.token;
};

const parseFlags = (args: string[]): Flags => {
  try {
    const options = {
      name: { type: "string" },
      scopes: { type: "string" },
      function: { type: "string" },
      region: { type: "string" },
      local: { type: "boolean" },
    } as const;
    return parseArgs({ args, options }).values;
  } catch (error) {
    throw new TokenError(`${(error as Error).message}\n${USAGE}`);
  }
};

const main = async (): Promise<void> => {
  if (process.argv.some((word) => word === "--help" || word === "-h")) return console.log(USAGE);
  const flags = parseFlags(process.argv.slice(2));
  const name = flags.name ?? "admin";
  const scopes = (flags.scopes ?? "admin").split(",").map((scope) => scope.trim());
  const token = await createToken(findTarget(flags, process.cwd(), process.env), name, scopes);
  console.error(`token "${name}" with ${scopes.join(", ")}; keep it, it cannot be shown again:`);
  console.log(token);
};

if (import.meta.main) {
  await main().catch((error) => {
    if (!(error instanceof TokenError)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  });
}
