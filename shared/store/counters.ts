/** Polls of devices' interfaces in the table `history`, for two weeks. */
import { type DynamoDBDocumentClient, PutCommand } from "@aws-sdk/lib-dynamodb";
import { DAY_SECONDS } from "../durations.ts";
import { bytesOf, type CorruptHistory, readable } from "../history/packing.ts";
import { decodePoll, encodePoll, rosterOf, rosterOfPoll, type StoredPoll } from "../history/poll.ts";
import type { Retention } from "../history/retention.ts";
import { createAliveReader } from "./alive.ts";
import type { HistoryStore } from "./history.ts";
import { countersKey, tickKey } from "./keys.ts";

/** A device as one location polls it. */
export interface PolledDevice {
  readonly id: string;
  readonly location: string;
  /** Host and port: another device's counters say nothing about this one's. */
  readonly target: string;
}

export const targetOf = ({ host, port }: { readonly host: string; readonly port: number }) => `${host} ${port}`;

export interface CounterStoreOptions {
  /** Names of interfaces are kept beside the rosters of blocks. */
  readonly history: Pick<HistoryStore, "putRoster" | "roster">;
  readonly retention: Pick<Retention, "blockDays">;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Called for corrupt items, which are left out. */
  readonly unreadable: (error: CorruptHistory) => void;
}

export const createCounterStore = (
  client: DynamoDBDocumentClient,
  tableName: string,
  { history, retention, now, unreadable }: CounterStoreOptions,
) => {
  const { query } = createAliveReader(client, tableName, now);

  const read = async (item: Readonly<Record<string, unknown>>, only?: string): Promise<StoredPoll | undefined> => {
    const what = `poll ${String(item.pk)} ${String(item.sk)}`;
    const data = readable(() => bytesOf(item, what), unreadable);
    const hash = data && readable(() => rosterOfPoll(data, what), unreadable);
    const roster = hash === undefined ? undefined : await history.roster(hash);
    return data && roster && readable(() => decodePoll(data, roster, what, only), unreadable);
  };

  return {
    async putPoll({ id, location, target }: PolledDevice, poll: StoredPoll): Promise<void> {
      const second = Math.floor(poll.atMs / 1000);
      const data = encodePoll(poll, await history.putRoster(rosterOf(poll)));
      const expiresAtSeconds = second + retention.blockDays * DAY_SECONDS;
      const Item = { ...countersKey(id, location, second), data, target, expiresAtSeconds };
      await client.send(new PutCommand({ TableName: tableName, Item }));
    },

    /**
     * Polls of the device with `from <= second < to`, oldest first. Eventually consistent.
     * @param only name of the only interface that is wanted
     */
    async *polls(
      { id, location, target }: PolledDevice,
      from: number,
      to: number,
      only?: string,
    ): AsyncGenerator<StoredPoll> {
      const { pk, sk } = countersKey(id, location, from);
      const items = query({
        KeyConditionExpression: "pk = :pk AND sk BETWEEN :from AND :to",
        ExpressionAttributeValues: { ":pk": pk, ":from": sk, ":to": tickKey(to - 1) },
      });
      for await (const item of items) {
        const poll = item.target === target ? await read(item, only) : undefined;
        if (poll) yield poll;
      }
    },

    /** The newest polls of the device, newest first. Eventually consistent. */
    async newest({ id, location, target }: PolledDevice, count: number): Promise<StoredPoll[]> {
      const found: StoredPoll[] = [];
      const items = query({
        KeyConditionExpression: "pk = :pk",
        ExpressionAttributeValues: { ":pk": countersKey(id, location, 0).pk },
        ScanIndexForward: false,
        Limit: count,
      });
      for await (const item of items) {
        // What is older is of another device.
        if (item.target !== target) break;
        const poll = await read(item);
        if (poll) found.push(poll);
        if (found.length === count) break;
      }
      return found;
    },
  };
};
export type CounterStore = ReturnType<typeof createCounterStore>;
