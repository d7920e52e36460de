/** Reads what lists of many monitors need of each: keys from indexes, short entries, and what changed since a moment. */
import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import type { Status, Timestamp } from "../model.ts";
import { inParallel } from "../parallel.ts";
import { chunksOf } from "../rules/plan.ts";
import { MONITOR_SK, monitorIdOf, monitorKey } from "./keys.ts";
import { createListing, type ListedKey } from "./listing.ts";
import { readMany, type Waiting } from "./read.ts";

const KEYS_PER_READ = 100;
const READS_AT_ONCE = 8;

/** A monitor in short. */
export interface Entry {
  readonly id: string;
  readonly name: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly deletedAt: Timestamp | null;
}

/** A monitor that is not up, as the index says. */
export interface Attention {
  readonly status: Status;
  readonly since: Timestamp;
}

export interface Changed {
  readonly id: string;
  readonly at: Timestamp;
  /** Whether this is the trace of a deleted monitor. */
  readonly isFormer: boolean;
}

const FIELDS = {
  ProjectionExpression: "pk, #name, tags, deletedAt",
  ExpressionAttributeNames: { "#name": "name" },
};

export const createEntryReader = (client: DynamoDBDocumentClient, tableName: string, waiting: Waiting = {}) => {
  const listing = createListing(client, tableName);
  const all = async (...question: Parameters<typeof listing.all>): Promise<ListedKey[]> =>
    (await Array.fromAsync(listing.all(...question))).flat();

  return {
    /** Place in the order of names, by id, of all monitors. */
    async names(): Promise<Map<string, string>> {
      return new Map((await all("listed", "MONITORS")).map(({ pk, position }) => [monitorIdOf(pk), position]));
    },

    /** The monitors that are not up, by id. */
    async attention(): Promise<Map<string, Attention>> {
      const keys = await all("attention", "MONITORS");
      return new Map(
        keys.map(({ pk, position }) => {
          const [status, since = ""] = position.split("#");
          return [monitorIdOf(pk), { status: status as Status, since }];
        }),
      );
    },

    /** Monitors that changed after a moment, oldest change first. */
    async changedAfter(moment: Timestamp): Promise<Changed[]> {
      const keys = await all("changed", "MONITORS", { from: moment });
      return keys
        .map(({ pk, sk, position }) => ({ id: monitorIdOf(pk), at: position, isFormer: sk !== MONITOR_SK }))
        .sort((a, b) => (a.at < b.at ? -1 : 1));
    },

    /** Incidents that began after a moment: which monitor's, and when. */
    async incidentsAfter(moment: Timestamp): Promise<{ readonly monitorId: string; readonly startedAt: Timestamp }[]> {
      const keys = await all("listed", "INCIDENTS", { from: moment });
      return keys.map(({ pk, position }) => ({
        monitorId: monitorIdOf(pk),
        startedAt: position.slice(0, position.indexOf("#")),
      }));
    },

    /** Short entries by id; missing monitors are absent. Eventually consistent. */
    async entries(ids: Iterable<string>): Promise<Map<string, Entry>> {
      const found = new Map<string, Entry>();
      await inParallel(chunksOf([...ids].map(monitorKey), KEYS_PER_READ), READS_AT_ONCE, async (keys) => {
        for await (const page of readMany(client, tableName, keys, FIELDS, waiting))
          for (const { pk, name, tags, deletedAt } of page) {
            const id = monitorIdOf(String(pk));
            found.set(id, {
              id,
              name: String(name),
              tags: tags as Entry["tags"],
              deletedAt: (deletedAt as Timestamp | null | undefined) ?? null,
            });
          }
      });
      return found;
    },
  };
};
export type EntryReader = ReturnType<typeof createEntryReader>;
