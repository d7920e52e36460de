/**
 * Physical names of resources. Those that other regions refer to have one (probes name the tables, the home region's
 * functions name their queues), and those for which AWS prescribes a prefix. CloudFormation names everything else.
 */
import { ArnFormat, Aws, type Stack } from "aws-cdk-lib";
import type { Location } from "../shared/model.ts";
import type { LocationSpec } from "./locations.ts";
import type { Settings } from "./settings.ts";

export const monitorsTableName = (appId: string) => `${appId}-monitors`;
export const historyTableName = (appId: string) => `${appId}-history`;
export const jobsQueueName = (appId: string, location: string) => `${appId}-jobs-${location}`;
/**
 * Names below `/aws/vendedlogs/` need no entry in the account's resource policy for log delivery, which has room for a
 * few dozen groups (CloudWatch Logs, "Enable logging from AWS services", log group resource policy size).
 */
export const accessLogName = (appId: string) => `/aws/vendedlogs/${appId}-api`;
/** One namespace for each installation, so that their metrics do not mix. */
export const metricNamespace = (appId: string) => `Harborlight/${appId}`;
export const keyAlias = (appId: string) => `alias/${appId}`;
export const probeFunctionName = (appId: string, location: string) => `${appId}-probe-${location}`;

/** Tells this installation from all others, in the DNS record that allows it to sweep a name. */
export const installationName = ({ appId, region, installation }: Settings) =>
  installation ?? `${appId} ${region} ${Aws.ACCOUNT_ID}`;

export const tableArn = (stack: Stack, { region }: Settings, tableName: string) =>
  stack.formatArn({ service: "dynamodb", region, resource: "table", resourceName: tableName });
export const jobsQueueArn = (stack: Stack, { appId }: Settings, { name, region }: LocationSpec) =>
  stack.formatArn({ service: "sqs", region, resource: jobsQueueName(appId, name) });
export const probeFunctionArn = (stack: Stack, { appId }: Settings, { name, region }: LocationSpec) =>
  stack.formatArn({
    service: "lambda",
    region,
    resource: "function",
    resourceName: probeFunctionName(appId, name),
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });

/** A location as the functions read it from their environment. */
export const describeLocation = (
  { appId }: Settings,
  { name, region, kind, families, port25 }: LocationSpec,
): Location => ({
  name,
  region,
  kind,
  families,
  port25,
  jobsQueueUrl: `https://sqs.${region}.${Aws.URL_SUFFIX}/${Aws.ACCOUNT_ID}/${jobsQueueName(appId, name)}`,
  probeFunctionName: probeFunctionName(appId, name),
});

export const describeLocations = (settings: Settings) =>
  settings.locations.map((location) => describeLocation(settings, location));
