/** Usual ranges of measures in the table `history`: made by compact once a day, read by probes. */
import { type DynamoDBDocumentClient, GetCommand } from "@aws-sdk/lib-dynamodb";
import { DAY_SECONDS } from "../durations.ts";
import { startOfDay } from "../history/day.ts";
import { bytesOf, type CorruptHistory, readable } from "../history/packing.ts";
import { decodeUsual, encodeUsual } from "../history/usual.ts";
import type { UsualWeek } from "../measures/usual.ts";
import type { Monitor } from "../model.ts";
import { createAliveReader } from "./alive.ts";
import { USUAL_PREFIX, usualKey, usualProgressKey } from "./keys.ts";
import { writeAll } from "./write-all.ts";

/** A monitor as one location sees it. */
export interface WatchedPlace {
  readonly id: string;
  readonly location: string;
  /** What is usual for another target says nothing about this one. */
  readonly target: string;
}

export const watchedPlace = (
  { id, protocol, host, port }: Pick<Monitor, "id" | "protocol" | "host" | "port">,
  location: string,
): WatchedPlace => ({ id, location, target: `${protocol} ${host} ${port}` });

/** Usual weeks by series: the name of a measure, of an interface followed by `#` and its name. */
export type UsualWeeks = ReadonlyMap<string, UsualWeek>;

/** A range that was not made anew for so long is of a time that is past. */
const KEPT_DAYS = 14;

interface UsualStoreOptions {
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<unknown>;
  /** Called for corrupt items, which are left out. */
  readonly unreadable: (error: CorruptHistory) => void;
}

export const createUsualStore = (
  client: DynamoDBDocumentClient,
  tableName: string,
  { now, sleep, unreadable }: UsualStoreOptions,
) => {
  const { query, isAlive } = createAliveReader(client, tableName, now);

  return {
    /** Second at which the days end from which these measures are learned; 0: they are not. */
    async learnedUntil({ id, location, target }: WatchedPlace, measures: readonly string[]): Promise<number> {
      const { Item } = await client.send(new GetCommand({ TableName: tableName, Key: usualProgressKey(id, location) }));
      const until =
        isAlive(Item) && Item.target === target && Item.measures === measures.join() ? Number(Item.until) : 0;
      // A clock that was ahead learned from days before they were over.
      return until > startOfDay(now() / 1000) ? 0 : until;
    },

    /**
     * Stores usual weeks.
     * @param until second at which what they are learned from ends
     * @param measures that they are of
     */
    async put(
      { id, location, target }: WatchedPlace,
      until: number,
      weeks: UsualWeeks,
      measures: readonly string[],
    ): Promise<void> {
      const expiresAtSeconds = until + KEPT_DAYS * DAY_SECONDS;
      const items = [...weeks].map(([series, week]) => ({
        ...usualKey(id, location, series),
        data: encodeUsual(week),
        target,
        expiresAtSeconds,
      }));
      await writeAll(client, tableName, items, sleep);
      // Last, so that a run that dies is repeated.
      const progress = {
        ...usualProgressKey(id, location),
        until,
        target,
        measures: measures.join(),
        expiresAtSeconds,
      };
      await writeAll(client, tableName, [progress], sleep);
    },

    /** All usual weeks of a monitor at a location. Eventually consistent. */
    async weeks({ id, location, target }: WatchedPlace): Promise<UsualWeeks> {
      const found = new Map<string, UsualWeek>();
      const { pk } = usualKey(id, location, "");
      const items = query({
        KeyConditionExpression: "pk = :pk AND begins_with(sk, :prefix)",
        ExpressionAttributeValues: { ":pk": pk, ":prefix": USUAL_PREFIX },
      });
      for await (const item of items) {
        if (item.target !== target) continue;
        const what = `usual range ${pk} ${String(item.sk)}`;
        const week = readable(() => decodeUsual(bytesOf(item, what), what), unreadable);
        if (week) found.set(String(item.sk).slice(USUAL_PREFIX.length), week);
      }
      return found;
    },
  };
};
export type UsualStore = ReturnType<typeof createUsualStore>;
