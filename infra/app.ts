/** Entry point of the CDK app: one home stack, and one probe stack for each further location. `cdk.json` runs this file. */
import { readFileSync } from "node:fs";
import { App } from "aws-cdk-lib";
import { bundle } from "./bundle.ts";
import { InvalidContext } from "./locations.ts";
import { createStacks } from "./stacks.ts";

// The `cdk` command passes cdk.json's context itself; read here too, `node infra/app.ts` alone builds the same template.
const { context } = JSON.parse(readFileSync(new URL("../cdk.json", import.meta.url), "utf8"));
// CloudFormation validation takes a second. The one-machine stack (context `local`) deploys nothing, so it skips that.
const isLocal = JSON.parse(process.env.CDK_CONTEXT_JSON ?? "{}").local === true;

try {
  await bundle();
  const app = new App({ context, builtinCloudFormationValidation: !isLocal });
  createStacks(app);
  app.synth();
} catch (error) {
  // The message names what to change; a stack trace would hide it.
  if (!(error instanceof InvalidContext)) throw error;
  console.error(`invalid context (cdk.json or -c): ${error.message}`);
  process.exitCode = 1;
}
