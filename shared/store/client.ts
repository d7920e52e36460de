/** How every store talks to DynamoDB: absent fields are left out, null stays NULL, sets stay sets. */
import { DynamoDBClient, type DynamoDBClientConfig } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";

/**
 * DynamoDB answers in milliseconds. A request that takes so long hangs, and would hang for as long as its function may
 * run; the SDK tries it again instead, which every write of ours allows.
 */
const REQUEST_TIMEOUT_MS = 3_000;
const CONNECTION_TIMEOUT_MS = 1_500;

/** @param requestTimeoutMs default: 3 s. One machine, which may be busy with other things, takes its time */
export const documentClient = (config: DynamoDBClientConfig = {}, requestTimeoutMs = REQUEST_TIMEOUT_MS) =>
  DynamoDBDocumentClient.from(
    new DynamoDBClient({
      requestHandler: {
        requestTimeout: requestTimeoutMs,
        connectionTimeout: CONNECTION_TIMEOUT_MS,
        throwOnRequestTimeout: true,
      },
      ...config,
    }),
    { marshallOptions: { removeUndefinedValues: true } },
  );
