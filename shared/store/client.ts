/** The DynamoDB client of all stores: undefined fields are left out, null is stored as NULL, sets as sets. */
import { DynamoDBClient, type DynamoDBClientConfig } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";

/**
 * DynamoDB answers in milliseconds, so a request that takes longer than this hangs. The SDK then retries it, which is
 * safe because all our writes can be repeated.
 */
const REQUEST_TIMEOUT_MS = 3_000;
const CONNECTION_TIMEOUT_MS = 1_500;

/** @param requestTimeoutMs default 3 s; the one-machine stack needs more, because its machine may be busy */
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
