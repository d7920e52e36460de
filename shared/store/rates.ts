/** Traffic of interfaces in the table `history`: days in sums of 5 minutes for 400 days, months in short for 25 months. */
import { type DynamoDBDocumentClient, GetCommand, PutCommand } from "@aws-sdk/lib-dynamodb";
import { DAY_SECONDS } from "../durations.ts";
import { dateOf, startOfDate, startOfDay } from "../history/day.ts";
import { bytesOf, type CorruptHistory, readable } from "../history/packing.ts";
import { decodeRates, encodeRates } from "../history/rates.ts";
import { chunkExpiry, dayExpiry, type Retention } from "../history/retention.ts";
import type { Stretch, Sums, Usage } from "../measures/slots.ts";
import { createAliveReader } from "./alive.ts";
import { ratesKey, ratesMonthKey, ratesProgressKey } from "./keys.ts";
import { writeAll } from "./write-all.ts";

/** A monitor's device as one location sees it. */
export interface RatedDevice {
  readonly id: string;
  readonly location: string;
}

export interface RateStoreOptions {
  readonly retention: Retention;
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<unknown>;
  /** Called for corrupt items, which are left out. */
  readonly unreadable: (error: CorruptHistory) => void;
}

/** `YYYY-MM` of a moment, in UTC. */
export const monthOf = (moment: number) => dateOf(moment).slice(0, "2026-11".length);

export const createRateStore = (
  client: DynamoDBDocumentClient,
  tableName: string,
  { retention, now, sleep, unreadable }: RateStoreOptions,
) => {
  const { query } = createAliveReader(client, tableName, now);

  return {
    /** Every day before this is made, or its counters are gone. @returns epoch seconds; 0: none is */
    async progress({ id, location }: RatedDevice): Promise<number> {
      const Key = ratesProgressKey(id, location);
      const { Item } = await client.send(new GetCommand({ TableName: tableName, Key, ConsistentRead: true }));
      const until = Number(Item?.until ?? 0);
      // A clock that was ahead made days before they were over.
      return until > startOfDay(now() / 1000) ? 0 : until;
    },

    async advance({ id, location }: RatedDevice, until: number): Promise<void> {
      const expiresAtSeconds = chunkExpiry(until, retention);
      const Item = { ...ratesProgressKey(id, location), until, expiresAtSeconds };
      await client.send(new PutCommand({ TableName: tableName, Item }));
    },

    /** @param from first second of the day. @param days the slots of each interface, by its name */
    putDays: ({ id, location }: RatedDevice, from: number, days: ReadonlyMap<string, readonly Sums[]>): Promise<void> =>
      writeAll(
        client,
        tableName,
        [...days].map(([name, slots]) => ({
          ...ratesKey(id, location, name, dateOf(from)),
          data: encodeRates(slots),
          expiresAtSeconds: chunkExpiry(from + DAY_SECONDS, retention),
        })),
        sleep,
      ),

    /** An interface's days that may have something with `from <= second < to`, in slots of 5 minutes, oldest first. */
    async days({ id, location }: RatedDevice, name: string, from: number, to: number): Promise<Stretch[]> {
      const found: Stretch[] = [];
      if (to <= from) return found;
      const { pk, sk } = ratesKey(id, location, name, dateOf(from));
      const items = query({
        KeyConditionExpression: "pk = :pk AND sk BETWEEN :from AND :to",
        ExpressionAttributeValues: { ":pk": pk, ":from": sk, ":to": ratesKey(id, location, name, dateOf(to - 1)).sk },
      });
      for await (const item of items) {
        const what = `rates ${pk} ${String(item.sk)}`;
        const day = startOfDate(String(item.sk).slice(-"2026-11-22".length));
        found.push(...(readable(() => decodeRates(bytesOf(item, what), day, what), unreadable) ?? []));
      }
      return found;
    },

    /** @param month `YYYY-MM`. @param usage of each interface, by its name */
    putMonths: ({ id, location }: RatedDevice, month: string, usage: ReadonlyMap<string, Usage>): Promise<void> =>
      writeAll(
        client,
        tableName,
        [...usage].map(([name, one]) => ({
          ...ratesMonthKey(id, location, name, month),
          usage: one,
          expiresAtSeconds: dayExpiry(`${month}-28`, retention),
        })),
        sleep,
      ),

    /** An interface's months that are over, by `YYYY-MM`. */
    async months(
      { id, location }: RatedDevice,
      name: string,
      from: number,
      to: number,
    ): Promise<ReadonlyMap<string, Usage>> {
      const { pk, sk } = ratesMonthKey(id, location, name, monthOf(from));
      const found = new Map<string, Usage>();
      const items = query({
        KeyConditionExpression: "pk = :pk AND sk BETWEEN :from AND :to",
        ExpressionAttributeValues: { ":pk": pk, ":from": sk, ":to": ratesMonthKey(id, location, name, monthOf(to)).sk },
      });
      for await (const item of items) found.set(String(item.sk).slice(-"2026-11".length), item.usage as Usage);
      return found;
    },
  };
};
export type RateStore = ReturnType<typeof createRateStore>;
