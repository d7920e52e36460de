/** Stand-ins for what surrounds a function: clients that tell what they do, Lambda's context, logger and metrics. */
import type { Logger } from "@aws-lambda-powertools/logger";
import type { Metrics } from "@aws-lambda-powertools/metrics";
import type { DynamoDBDocumentClient, GetCommand, QueryCommand } from "@aws-sdk/lib-dynamodb";
import type { Context } from "aws-lambda";
import type { Journal } from "./journal.ts";
import type { Tables } from "./tables.ts";

/** Reads what is there, whatever the reader would put up with. */
export const consistently = (tables: Tables) =>
  ({
    async send(command: QueryCommand | GetCommand) {
      return tables.perform(Object.assign(command, { input: { ...command.input, ConsistentRead: true } }));
    },
  }) as unknown as DynamoDBDocumentClient;

/** A client whose refusals for good are told: for the receiver they end an alert as well as its delivery does. */
export const noting = <Client extends { send(command: never): unknown }>(
  client: Client,
  refused: (command: object) => void,
): Client =>
  ({
    async send(command: never) {
      try {
        return await client.send(command);
      } catch (error) {
        if ((error as Error).name === "InvalidParameter") refused(command);
        throw error;
      }
    },
  }) as unknown as Client;

export const CONTEXT = {
  // Long: middy keeps a real timer for it, and time here is not real.
  getRemainingTimeInMillis: () => 2_000_000_000,
} as unknown as Context;

export const NO_METRICS = {
  addMetric() {},
  hasStoredMetrics: () => false,
  publishStoredMetrics() {},
} as unknown as Metrics;

export const loggerOf = (journal: Journal) => {
  const write = (_message: string, { error }: { error?: unknown } = {}) => {
    if (error instanceof Error) journal.error("api", error);
  };
  return { debug: write, info: write, warn: write, error: write } as unknown as Logger;
};
