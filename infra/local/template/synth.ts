import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Settings } from "../../settings.ts";
import { ACCOUNT, REGION } from "./template.ts";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const APP = fileURLToPath(new URL("../../app.ts", import.meta.url));

/** Default sender address of mail. */
export const DEFAULT_SENDER = "harborlight@localhost";

/** Context that replaces what `cdk.json` sets for a deployment to AWS. */
export const HERE = {
  local: true,
  region: REGION,
  alertSenderIsVerified: false,
  customerManagedKey: false,
} satisfies Partial<Record<keyof Settings, unknown>>;

/**
 * Synthesises the CDK app for one machine, bundling the functions where they changed.
 * @param outputFolder where the cloud assembly goes
 * @throws with the app's own message when it refuses its context or a function does not compile
 */
export const synthesise = (outputFolder: string, context: Readonly<Record<string, unknown>>): Promise<void> =>
  new Promise((resolve, reject) => {
    const env = {
      ...process.env,
      CDK_OUTDIR: outputFolder,
      CDK_CONTEXT_JSON: JSON.stringify({ ...HERE, ...context }),
      CDK_DEFAULT_ACCOUNT: ACCOUNT,
      CDK_DEFAULT_REGION: REGION,
      AWS_REGION: REGION,
    };
    execFile(process.execPath, [APP], { cwd: ROOT, env, maxBuffer: 16_000_000 }, (error, stdout, stderr) => {
      if (error) reject(failureOf(stderr || stdout, error));
      else resolve();
    });
  });

/** An error with the app's own message, without a stack trace, and with the system's error code if the message has one. */
const failureOf = (text: string, cause: Error): Error => {
  const [, message = text.trim(), code] = /^(?:\w*Error: )((?:(E[A-Z]+): )?.*)\n {4}at /m.exec(text) ?? [];
  const error = new Error(`the CDK app could not be synthesised: ${message}`, { cause });
  return Object.assign(error, code && { code });
};
