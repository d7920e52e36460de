/** Store of compact's repairs in the monitors table: recounts the members of shards, and lists all monitors. */
import { type DynamoDBDocumentClient, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import type { ItemKey, Monitor } from "../model.ts";
import { unlessRaced } from "./condition.ts";
import { shardKey } from "./keys.ts";
import { createListing } from "./listing.ts";
import { pagesOf } from "./read.ts";

export const createUpkeepStore = (client: DynamoDBDocumentClient, tableName: string) => {
  const listing = createListing(client, tableName);

  return {
    /** Keys of all monitors, page by page. */
    monitors: (): AsyncGenerator<ItemKey[]> => listing.all("listed", "MONITORS"),

    /** Keys of all monitors that are down or degraded, page by page. */
    async *notUp(): AsyncGenerator<ItemKey[]> {
      for (const status of ["down", "degraded"]) yield* listing.all("attention", "MONITORS", { prefix: `${status}#` });
    },

    /** Counts the monitors in a shard, and collects the locations that they are checked from. Eventually consistent. */
    async seated(shard: string): Promise<{ readonly members: number; readonly locations: ReadonlySet<string> }> {
      let members = 0;
      const locations = new Set<string>();
      const pages = pagesOf(client, {
        TableName: tableName,
        IndexName: "members",
        KeyConditionExpression: "#shard = :shard",
        ExpressionAttributeNames: { "#shard": "shard", "#check": "check", "#locations": "locations" },
        ExpressionAttributeValues: { ":shard": shard },
        ProjectionExpression: "#check.#locations",
      });
      for await (const page of pages) {
        members += page.length;
        for (const { check } of page)
          for (const name of (check as Pick<Monitor, "locations">).locations) locations.add(name);
      }
      return { members, locations };
    },

    /** Corrects the member counter, unless it has changed since it was read. @returns whether it was set */
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

    /**
     * Adds locations to a shard. None is ever removed: a superfluous job does nothing, a missing one would miss checks.
     */
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
