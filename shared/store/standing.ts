/** Reads the status of many monitors at once. */
import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import type { Status } from "../model.ts";
import { monitorIdOf, monitorKey } from "./keys.ts";
import { readMany, type Waiting } from "./read.ts";

export interface Standing {
  readonly id: string;
  readonly name: string;
  readonly status: Status;
  /** When its settings last changed, pauses included. ISO 8601. */
  readonly checkedSince: string;
}

export const createStandingReader = (client: DynamoDBDocumentClient, tableName: string, waiting: Waiting = {}) =>
  /** Yields pages in no order; missing monitors are left out. Eventually consistent. */
  async function* (ids: readonly string[]): AsyncGenerator<Standing[]> {
    const how = {
      ProjectionExpression: "pk, #name, #status, updatedAt",
      ExpressionAttributeNames: { "#name": "name", "#status": "status" },
    };
    const pages = readMany(client, tableName, ids.map(monitorKey), how, waiting);
    for await (const page of pages)
      yield page.map(({ pk, name, status, updatedAt }) => ({
        id: monitorIdOf(String(pk)),
        name: String(name),
        status: status as Status,
        checkedSince: String(updatedAt),
      }));
  };
export type StandingReader = ReturnType<typeof createStandingReader>;
