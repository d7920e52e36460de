/** Changes of what services say of themselves, as items of their own. `state-change` writes them, the API lists them. */
import { type DynamoDBDocumentClient, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { DAY_SECONDS } from "../durations.ts";
import type { ItemKey, Monitor } from "../model.ts";
import type { RecordedChange } from "../rules/changes.ts";
import { isAliveAt } from "./alive.ts";
import { unlessRaced } from "./condition.ts";
import type { Page } from "./cursor.ts";
import { FACT_CHANGE_PREFIX, factChangeKey, monitorKey } from "./keys.ts";
import { createListing, foundChangePlace, openChangePlace } from "./listing.ts";
import { type Item, pagesOf, readMany, type Waiting } from "./read.ts";

/** Changes that are over are kept as long as incidents are shown with their alerts. */
const KEPT_DAYS = 400;

/** A change with its monitor, as that was named at the time. */
export interface ListedChange extends RecordedChange {
  readonly monitorId: string;
  readonly monitorName: string;
}

const fromItem = ({
  pk: _pk,
  sk: _sk,
  listBucket: _bucket,
  listKey: _key,
  attentionBucket: _attention,
  attentionKey: _open,
  sequence: _sequence,
  expiresAtSeconds: _expiry,
  ...change
}: Item) => change as unknown as ListedChange;

export const createChangeStore = (client: DynamoDBDocumentClient, tableName: string, waiting: Waiting = {}) => {
  const listing = createListing(client, tableName);
  const read = async (keys: readonly ItemKey[]): Promise<ListedChange[]> => {
    const found = new Map<string, ListedChange>();
    for await (const page of readMany(client, tableName, keys, {}, waiting))
      for (const item of page) found.set(`${item.pk} ${item.sk}`, fromItem(item));
    return keys.flatMap(({ pk, sk }) => found.get(`${pk} ${sk}`) ?? []);
  };

  return {
    /**
     * Writes a change as an item of its own.
     * @param sequence of the outbox entry; an item written by a later entry is not overwritten
     */
    async project(
      { id: monitorId, name }: Pick<Monitor, "id" | "name">,
      change: RecordedChange,
      sequence: number,
    ): Promise<void> {
      const { id, since, endedAt } = change;
      const fields: Readonly<Record<string, unknown>> = {
        ...change,
        monitorId,
        monitorName: name,
        ...foundChangePlace(monitorId, id, since),
        ...(endedAt === null
          ? openChangePlace(monitorId, id, since)
          : { expiresAtSeconds: Math.floor(Date.parse(endedAt) / 1000) + KEPT_DAYS * DAY_SECONDS }),
        sequence,
      };
      const names = Object.keys(fields);
      const over = endedAt === null ? "" : " REMOVE attentionBucket, attentionKey";
      await unlessRaced(
        client.send(
          new UpdateCommand({
            TableName: tableName,
            Key: factChangeKey(monitorId, since, id),
            UpdateExpression: `SET ${names.map((field) => `#${field} = :${field}`).join(", ")}${over}`,
            ConditionExpression: "attribute_not_exists(#sequence) OR #sequence < :sequence",
            ExpressionAttributeNames: Object.fromEntries(names.map((field) => [`#${field}`, field])),
            ExpressionAttributeValues: Object.fromEntries(
              Object.entries(fields).map(([field, value]) => [`:${field}`, value]),
            ),
          }),
        ),
      );
    },

    /**
     * Changes of all monitors, newest first. A page may be short and still have a next one.
     * @param before position of the last one seen
     */
    async list(state: "open" | "all", limit: number, before?: string): Promise<Page<ListedChange>> {
      const index = state === "open" ? "attention" : "listed";
      const { keys, hasMore } = await listing.page(index, "CHANGES", limit, { after: before, back: true });
      const found = await read(keys);
      return {
        items: state === "open" ? found.filter(({ endedAt }) => endedAt === null) : found,
        next: hasMore ? (keys.at(-1)?.position ?? null) : null,
      };
    },

    /** All changes of one monitor, newest first. */
    async of(monitorId: string, now: Date): Promise<ListedChange[]> {
      const changes: ListedChange[] = [];
      const pages = pagesOf(client, {
        TableName: tableName,
        KeyConditionExpression: "pk = :pk AND begins_with(sk, :changes)",
        ExpressionAttributeValues: { ":pk": monitorKey(monitorId).pk, ":changes": FACT_CHANGE_PREFIX },
        ScanIndexForward: false,
        ConsistentRead: true,
      });
      for await (const page of pages)
        changes.push(...page.filter((item) => isAliveAt(item, now.getTime())).map(fromItem));
      return changes;
    },
  };
};
export type ChangeStore = ReturnType<typeof createChangeStore>;
