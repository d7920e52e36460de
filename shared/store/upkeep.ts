/** Store of compact's repairs in the monitors table: recounts the members of shards, and lists all monitors. */
import { type DynamoDBDocumentClient, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import type { ItemKey, Monitor } from "../model.ts";
import { protocols } from "../protocols/index.ts";
import { unlessRaced } from "./condition.ts";
import { monitorIdOf, shardKey } from "./keys.ts";
import { createListing } from "./listing.ts";
import { pagesOf } from "./read.ts";

const CHECK_NAMES = ["locations", "protocol", "host", "port", "intervalSeconds", "unusual"] as const;

/** A monitor with what compact does for some only. */
export type SeatedMonitor = Pick<Monitor, "id" | (typeof CHECK_NAMES)[number]>;

export interface Seated {
  readonly members: number;
  readonly locations: ReadonlySet<string>;
  /** Those whose checks read counters of interfaces. */
  readonly devices: readonly SeatedMonitor[];
  /** Those that are compared with their usual range. */
  readonly watched: readonly SeatedMonitor[];
}

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
    async seated(shard: string): Promise<Seated> {
      let members = 0;
      const locations = new Set<string>();
      const devices: SeatedMonitor[] = [];
      const watched: SeatedMonitor[] = [];
      const pages = pagesOf(client, {
        TableName: tableName,
        IndexName: "members",
        KeyConditionExpression: "#shard = :shard",
        ExpressionAttributeNames: {
          "#shard": "shard",
          "#check": "check",
          ...Object.fromEntries(CHECK_NAMES.map((name) => [`#${name}`, name])),
        },
        ExpressionAttributeValues: { ":shard": shard },
        ProjectionExpression: ["pk", ...CHECK_NAMES.map((name) => `#check.#${name}`)].join(", "),
      });
      for await (const page of pages) {
        members += page.length;
        for (const { pk, check } of page) {
          const found = { ...(check as Omit<SeatedMonitor, "id">), id: monitorIdOf(String(pk)) };
          for (const name of found.locations) locations.add(name);
          if (protocols[found.protocol]?.readsCounters) devices.push(found);
          if (found.unusual) watched.push(found);
        }
      }
      return { members, locations, devices, watched };
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
