/** Sweeps in the table `history`: what each slice found, for two weeks, and what each sweep found, for 400 days. */
import { type DynamoDBDocumentClient, GetCommand, PutCommand, QueryCommand } from "@aws-sdk/lib-dynamodb";
import { DAY_SECONDS } from "../durations.ts";
import type { SweepPart, SweepRecord } from "../rules/sweep-findings.ts";
import { isAliveAt } from "./alive.ts";
import { unlessRaced } from "./condition.ts";
import { SWEEP_END_PREFIX, sweepEndKey, sweepPartKey, sweepPartsPrefix } from "./keys.ts";
import { type Item, pagesOf } from "./read.ts";

const PART_DAYS = 14;
const SWEEP_DAYS = 400;
/** Sweeps that are read together to find one that measured something. */
const READ_AT_ONCE = 10;

/** A monitor as one location sweeps it. */
export interface SweptMonitor {
  readonly id: string;
  readonly location: string;
}

const withoutKeys = ({ pk: _pk, sk: _sk, expiresAtSeconds: _expiry, ...fields }: Item): unknown => fields;
const expiry = (tick: number, days: number) => tick + days * DAY_SECONDS;

export const createSweepStore = (client: DynamoDBDocumentClient, tableName: string) => {
  const putOnce = (Item: Item) =>
    unlessRaced(
      client.send(new PutCommand({ TableName: tableName, Item, ConditionExpression: "attribute_not_exists(pk)" })),
    );

  return {
    /** Keeps what a slice found, unless another run of it has. @returns whether it was kept */
    putPart({ id, location }: SweptMonitor, tick: number, part: SweepPart): Promise<boolean> {
      const key = sweepPartKey(id, location, tick, part.slice);
      return putOnce({ ...key, ...part, expiresAtSeconds: expiry(tick, PART_DAYS) });
    },

    /** One slice of a sweep; consistent. */
    async part({ id, location }: SweptMonitor, tick: number, slice: number): Promise<SweepPart | undefined> {
      const Key = sweepPartKey(id, location, tick, slice);
      const { Item } = await client.send(new GetCommand({ TableName: tableName, Key, ConsistentRead: true }));
      return Item && (withoutKeys(Item) as SweepPart);
    },

    /** What all slices of a sweep found so far; consistent. */
    async parts({ id, location }: SweptMonitor, tick: number): Promise<SweepPart[]> {
      const parts: SweepPart[] = [];
      const pages = pagesOf(client, {
        TableName: tableName,
        KeyConditionExpression: "pk = :pk AND begins_with(sk, :parts)",
        ExpressionAttributeValues: { ":pk": sweepPartKey(id, location, tick, 0).pk, ":parts": sweepPartsPrefix(tick) },
        ConsistentRead: true,
      });
      for await (const page of pages) parts.push(...page.map((item) => withoutKeys(item) as SweepPart));
      return parts;
    },

    /** Keeps what a sweep found, unless another look at it has. @returns whether it was kept */
    putSweep({ id, location }: SweptMonitor, sweep: SweepRecord): Promise<boolean> {
      const { tick } = sweep;
      return putOnce({ ...sweepEndKey(id, location, tick), ...sweep, expiresAtSeconds: expiry(tick, SWEEP_DAYS) });
    },

    /** The sweep of a tick; consistent. */
    async sweep({ id, location }: SweptMonitor, tick: number): Promise<SweepRecord | undefined> {
      const Key = sweepEndKey(id, location, tick);
      const { Item } = await client.send(new GetCommand({ TableName: tableName, Key, ConsistentRead: true }));
      return Item && (withoutKeys(Item) as SweepRecord);
    },

    /** The last sweep before a tick that measured something, however many after it did not. */
    async lastMeasured(
      { id, location }: SweptMonitor,
      beforeTick: number,
      now: Date,
    ): Promise<SweepRecord | undefined> {
      const { pk, sk } = sweepEndKey(id, location, beforeTick - 1);
      const pages = pagesOf(client, {
        TableName: tableName,
        KeyConditionExpression: "pk = :pk AND sk BETWEEN :first AND :last",
        FilterExpression: "attribute_exists(hosts)",
        ExpressionAttributeValues: { ":pk": pk, ":first": SWEEP_END_PREFIX, ":last": sk },
        ScanIndexForward: false,
        Limit: READ_AT_ONCE,
        ConsistentRead: true,
      });
      for await (const page of pages) {
        const found = page.find((item) => isAliveAt(item, now.getTime()));
        if (found) return withoutKeys(found) as SweepRecord;
      }
      return undefined;
    },

    /** Sweeps before a tick, newest first. */
    async sweeps({ id, location }: SweptMonitor, beforeTick: number, limit: number, now: Date): Promise<SweepRecord[]> {
      const { pk, sk } = sweepEndKey(id, location, beforeTick - 1);
      const { Items = [] } = await client.send(
        new QueryCommand({
          TableName: tableName,
          KeyConditionExpression: "pk = :pk AND sk BETWEEN :first AND :last",
          ExpressionAttributeValues: { ":pk": pk, ":first": SWEEP_END_PREFIX, ":last": sk },
          ScanIndexForward: false,
          Limit: limit,
          ConsistentRead: true,
        }),
      );
      return Items.filter((item) => isAliveAt(item, now.getTime())).map((item) => withoutKeys(item) as SweepRecord);
    },
  };
};
export type SweepStore = ReturnType<typeof createSweepStore>;
