/** Timers: which items want to be looked at, and the touch that makes the stream bring them up. */
import { type DynamoDBDocumentClient, QueryCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import type { ItemKey } from "../model.ts";
import { unlessRaced } from "./condition.ts";
import { DUE_BUCKETS } from "./keys.ts";

export interface Timer extends ItemKey {
  /** ISO 8601. */
  readonly dueAt: string;
}

export const createDueStore = (client: DynamoDBDocumentClient, tableName: string) => ({
  /** Timers that are due before a moment, page by page. */
  async *before(moment: Date): AsyncGenerator<Timer[]> {
    for (let bucket = 0; bucket < DUE_BUCKETS; bucket++) {
      let from: Record<string, unknown> | undefined;
      do {
        const page = await client.send(
          new QueryCommand({
            TableName: tableName,
            IndexName: "due",
            KeyConditionExpression: "dueBucket = :bucket AND nextEvaluationAt < :moment",
            ExpressionAttributeValues: { ":bucket": `DUE#${bucket}`, ":moment": moment.toISOString() },
            ExclusiveStartKey: from,
          }),
        );
        if (page.Items?.length)
          yield page.Items.map(({ pk, sk, nextEvaluationAt }) => ({ pk, sk, dueAt: nextEvaluationAt }));
        from = page.LastEvaluatedKey;
      } while (from);
    }
  },

  /** Changes nothing but the revision, so that the table's stream brings the item to be decided again. */
  async touch({ pk, sk }: ItemKey): Promise<void> {
    // Gone: nothing left to look at.
    await unlessRaced(
      client.send(
        new UpdateCommand({
          TableName: tableName,
          Key: { pk, sk },
          UpdateExpression: "ADD revision :one",
          ConditionExpression: "attribute_exists(pk)",
          ExpressionAttributeValues: { ":one": 1 },
        }),
      ),
    );
  },
});
export type DueStore = ReturnType<typeof createDueStore>;
