/**
 * Physical names of what crosses regions: a function there finds the tables here by name, and the functions here find
 * its queue by name. Nothing else has one.
 */
import { ArnFormat, Aws, type Stack } from "aws-cdk-lib";
import { InvalidContext, type LocationSpec } from "./locations.ts";
import type { Settings } from "./settings.ts";

export const monitorsTableName = (appId: string) => `${appId}-monitors`;
export const historyTableName = (appId: string) => `${appId}-history`;
export const jobsQueueName = (appId: string, location: string) => `${appId}-jobs-${location}`;
export const probeFunctionName = (appId: string, location: string) => `${appId}-probe-${location}`;

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

/** Of the 4 KB that a function's environment may hold; the other variables need less than the rest. */
const MAX_LOCATIONS_BYTES = 3_200;

/** A location as the functions know it (`Location` of shared/model.ts). */
export const describeLocation = ({ appId }: Settings, { name, region, kind, families, port25 }: LocationSpec) => ({
  name,
  region,
  kind,
  families,
  port25,
  jobsQueueUrl: `https://sqs.${region}.${Aws.URL_SUFFIX}/${Aws.ACCOUNT_ID}/${jobsQueueName(appId, name)}`,
  probeFunctionName: probeFunctionName(appId, name),
});

/** @throws {InvalidContext} when they are more than the functions can be told of: a dozen with ordinary names. */
export const describeLocations = (settings: Settings) => {
  const described = settings.locations.map((location) => describeLocation(settings, location));
  // Account number and domain are placeholders until the deployment; both have some dozen characters.
  const bytes = JSON.stringify(described).replaceAll(/\$\{Token\[[^\]]+\]\}/g, "123456789012").length;
  if (bytes > MAX_LOCATIONS_BYTES) {
    throw new InvalidContext(
      `locations take ${bytes} bytes of the ${MAX_LOCATIONS_BYTES} that the functions' environment has for them: use fewer, or shorter names`,
    );
  }
  return described;
};
