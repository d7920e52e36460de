/** What compact keeps right in the monitors table: how many members each shard has, and that nobody is forgotten. */
import {
  type DynamoDBDocumentClient,
  QueryCommand,
  type QueryCommandInput,
  UpdateCommand,
} from "@aws-sdk/lib-dynamodb";
import type { ItemKey } from "../model.ts";
import { unlessRaced } from "./condition.ts";
import { LISTING, shardKey } from "./keys.ts";

export const createUpkeepStore = (client: DynamoDBDocumentClient, tableName: string) => {
  async function* query(input: Omit<QueryCommandInput, "TableName">) {
    let from: Record<string, unknown> | undefined;
    do {
      const page = await client.send(new QueryCommand({ TableName: tableName, ...input, ExclusiveStartKey: from }));
      yield page.Items ?? [];
      from = page.LastEvaluatedKey;
    } while (from);
  }

  return {
    /** Keys of all monitors, page by page. */
    async *monitors(): AsyncGenerator<ItemKey[]> {
      const pages = query({
        IndexName: "listing",
        KeyConditionExpression: "#collection = :monitors",
        ExpressionAttributeNames: { "#collection": "collection" },
        ExpressionAttributeValues: { ":monitors": LISTING.monitors },
        ProjectionExpression: "pk, sk",
      });
      for await (const page of pages) yield page.map(({ pk, sk }) => ({ pk, sk }));
    },

    /** How many monitors sit in a shard, and the locations that they are checked from. Eventually consistent. */
    async seated(shard: string): Promise<{ readonly members: number; readonly locations: ReadonlySet<string> }> {
      let members = 0;
      const locations = new Set<string>();
      const pages = query({
        IndexName: "by-shard",
        KeyConditionExpression: "#shard = :shard",
        ExpressionAttributeNames: { "#shard": "shard" },
        ExpressionAttributeValues: { ":shard": shard },
        ProjectionExpression: "locations",
      });
      for await (const page of pages) {
        members += page.length;
        for (const item of page) for (const name of item.locations ?? []) locations.add(name);
      }
      return { members, locations };
    },

    /** Sets the member count, unless a seat was taken since it was read. @returns whether it was set */
    async setMembers(shard: string, read: number, members: number): Promise<boolean> {
      return unlessRaced(
        client.send(
          new UpdateCommand({
            TableName: tableName,
            Key: shardKey(shard),
            UpdateExpression: "SET members = :members",
            ConditionExpression: "members = :read",
            ExpressionAttributeValues: { ":members": members, ":read": read },
          }),
        ),
      );
    },

    /** Locations are only ever added: a job too many finds nothing to do, one too few would be a blind spot. */
    async addLocations(shard: string, locations: readonly string[]): Promise<void> {
      await unlessRaced(
        client.send(
          new UpdateCommand({
            TableName: tableName,
            Key: shardKey(shard),
            UpdateExpression: "ADD locations :locations",
            ConditionExpression: "attribute_exists(pk)",
            ExpressionAttributeValues: { ":locations": new Set(locations) },
          }),
        ),
      );
    },
  };
};
export type UpkeepStore = ReturnType<typeof createUpkeepStore>;
