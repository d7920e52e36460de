/** How monitors stand, read for many at once. */
import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import type { Status } from "../model.ts";
import { monitorIdOf, monitorKey } from "./keys.ts";
import { readMany, type Waiting } from "./read.ts";

export interface Standing {
  readonly id: string;
  readonly name: string;
  readonly status: Status;
  /** Since when it is checked as it is now: settings, pauses. ISO 8601. */
  readonly checkedSince: string;
}

export const createStandingReader = (client: DynamoDBDocumentClient, tableName: string, waiting: Waiting = {}) =>
  /** Page by page, in no order; a monitor that is gone is left out. Eventually consistent. */
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
