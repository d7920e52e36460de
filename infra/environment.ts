/** Checks at synthesis that a function's environment variables fit into Lambda's 4 KB; else the deployment would fail. */
import { Stack } from "aws-cdk-lib";
import { CfnTable } from "aws-cdk-lib/aws-dynamodb";
import type { Construct } from "constructs";
import { MAX_ENVIRONMENT_BYTES } from "./local/lambda/limits.ts";
import { InvalidContext } from "./locations.ts";

const REGION = "ap-southeast-1";
const ARN_BYTES = `arn:aws:sns:${REGION}:123456789012:`.length;
/** Length of the random suffix of names that CloudFormation generates. */
const RANDOM_BYTES = 13;
const PSEUDO_PARAMETERS: Readonly<Record<string, number>> = {
  "AWS::AccountId": 12,
  "AWS::URLSuffix": "amazonaws.com".length,
  "AWS::Partition": "aws".length,
  "AWS::Region": REGION.length,
};

/** @throws {InvalidContext} when Lambda would refuse the environment; the locations are what makes it large */
export const checkEnvironment = (scope: Construct, entry: string, environment: Readonly<Record<string, string>>) => {
  const stack = Stack.of(scope);
  const sizes = Object.entries(environment).map(([name, value]) => ({
    name,
    bytes: bytesOf(stack.resolve(value), stack),
  }));
  // Braces, and for each variable its quotation marks, colon and comma.
  const total = sizes.reduce((sum, { name, bytes }) => sum + name.length + bytes + 6, 1);
  if (total <= MAX_ENVIRONMENT_BYTES) return;
  const locations = sizes.find(({ name }) => name === "LOCATIONS")?.bytes ?? 0;
  throw new InvalidContext(
    `locations take ${locations} bytes, which makes the environment of ${entry} ${total} bytes as JSON; Lambda takes ${MAX_ENVIRONMENT_BYTES}: use fewer, or shorter names`,
  );
};

/** Upper bound of a value's bytes inside a JSON string, before CloudFormation has filled in its references. */
const bytesOf = (value: unknown, stack: Stack): number => {
  if (typeof value !== "object" || value === null) return Buffer.byteLength(JSON.stringify(String(value))) - 2;
  const [[intrinsic, argument]] = Object.entries(value) as [[string, unknown]];
  if (intrinsic === "Fn::Join") {
    const [, parts] = argument as [string, unknown[]];
    return parts.reduce<number>((sum, part) => sum + bytesOf(part, stack), 0);
  }
  const logicalId = String([argument].flat()[0]);
  return PSEUDO_PARAMETERS[logicalId] ?? bytesOfResource(logicalId, stack);
};

/** Bytes of a resource's ARN, the longest value of a reference to it; references to tables are their names. */
const bytesOfResource = (logicalId: string, stack: Stack): number => {
  const table = stack.node
    .findAll()
    .find((one) => one instanceof CfnTable && stack.resolve(one.logicalId) === logicalId);
  if (table) return (table as CfnTable).tableName!.length;
  return ARN_BYTES + stack.stackName.length + logicalId.length + RANDOM_BYTES + 1;
};
