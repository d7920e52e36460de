/** Stretches of a monitor's status in the history table: `state-change` records them, everybody else reads them. */
import { type DynamoDBDocumentClient, PutCommand, QueryCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { DEFAULT_RETENTION, type Retention, stretchExpiry } from "../history/retention.ts";
import { type RecordedStretch, secondOf } from "../history/status-time.ts";
import type { StretchStart } from "../model.ts";
import { unlessRaced } from "./condition.ts";
import { changeKey, STRETCH_PREFIX, stretchKey } from "./keys.ts";
import { type Item, pagesOf } from "./read.ts";

/** How many earlier stretches are looked at: one, and those that a wrong clock or a repeated write has left. */
const EARLIER = 3;

const fromItem = ({ status, since, sequence }: Item): RecordedStretch => ({
  status: status as StretchStart["status"],
  since: String(since),
  sequence: Number(sequence),
});

export const createStretchStore = (
  client: DynamoDBDocumentClient,
  tableName: string,
  retention: Retention = DEFAULT_RETENTION,
) => {
  /** The stretches right before a sort key, newest first. */
  const before = async (pk: string, sk: string): Promise<Item[]> => {
    const { Items = [] } = await client.send(
      new QueryCommand({
        TableName: tableName,
        KeyConditionExpression: "pk = :pk AND sk BETWEEN :first AND :last",
        ExpressionAttributeValues: { ":pk": pk, ":first": STRETCH_PREFIX, ":last": sk },
        ScanIndexForward: false,
        Limit: EARLIER,
      }),
    );
    return Items;
  };

  return {
    /**
     * Records a stretch, then tells the summaries of it. The present stretch never expires; each earlier one does after
     * its end. May be repeated.
     */
    async record(monitorId: string, stretch: StretchStart, sequence: number): Promise<void> {
      const { status, since } = stretch;
      const key = stretchKey(monitorId, since, sequence);
      const expiresAtSeconds = stretchExpiry(secondOf(since), retention);
      const fields = { status, since, sequence };
      await client.send(
        new PutCommand({
          TableName: tableName,
          Item: { ...key, ...fields, ...(status === "deleted" && { expiresAtSeconds }) },
        }),
      );
      for (const { pk, sk, expiresAtSeconds: known } of await before(key.pk, key.sk)) {
        if (sk === key.sk || known !== undefined) continue;
        await unlessRaced(
          client.send(
            new UpdateCommand({
              TableName: tableName,
              Key: { pk, sk },
              UpdateExpression: "SET expiresAtSeconds = :at",
              ConditionExpression: "attribute_exists(pk)",
              ExpressionAttributeValues: { ":at": expiresAtSeconds },
            }),
          ),
        );
      }
      await client.send(
        new PutCommand({
          TableName: tableName,
          Item: { ...changeKey(monitorId, since, sequence), monitorId, ...fields, expiresAtSeconds },
        }),
      );
    },

    /** When its first stretch began, in epoch seconds: what was before is only known from outcomes. */
    async firstSecond(monitorId: string): Promise<number | undefined> {
      const { Items: [first] = [] } = await client.send(
        new QueryCommand({
          TableName: tableName,
          KeyConditionExpression: "pk = :pk AND begins_with(sk, :status)",
          ExpressionAttributeValues: { ":pk": stretchKey(monitorId, "", 0).pk, ":status": STRETCH_PREFIX },
          Limit: 1,
        }),
      );
      return first && secondOf(String(first.since));
    },

    /** Stretches that hold at some time within `from <= t < to` (epoch seconds); a few others may be among them. */
    async within(monitorId: string, from: number, to: number): Promise<RecordedStretch[]> {
      if (to <= from) return [];
      const iso = (seconds: number) => new Date(seconds * 1000).toISOString();
      const { pk, sk: first } = stretchKey(monitorId, iso(from), 0);
      const found: RecordedStretch[] = (await before(pk, first)).map(fromItem);
      const pages = pagesOf(client, {
        TableName: tableName,
        KeyConditionExpression: "pk = :pk AND sk BETWEEN :from AND :to",
        ExpressionAttributeValues: { ":pk": pk, ":from": first, ":to": `${STRETCH_PREFIX}${iso(to)}` },
      });
      for await (const page of pages) found.push(...page.map(fromItem));
      return found;
    },
  };
};
export type StretchStore = ReturnType<typeof createStretchStore>;
