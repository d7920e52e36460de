/**
 * Dependencies between monitors as decisions need them: a monitor's parents and their parents, and under each parent the children
 * that its incident holds back.
 */
import { type DynamoDBDocumentClient, PutCommand } from "@aws-sdk/lib-dynamodb";
import { DAY_SECONDS } from "../durations.ts";
import type { HeldBy, Monitor, Timestamp } from "../model.ts";
import { inParallel } from "../parallel.ts";
import { heldKey, heldPrefix, monitorKey } from "./keys.ts";
import { createMonitorReader } from "./monitor-item.ts";
import { pagesOf } from "./read.ts";

/** How far up parents' parents are looked at. */
export const MOST_LEVELS = 5;
/** Monitors that are read for one decision; what lies beyond counts as no parent. */
export const MOST_ANCESTORS = 30;
/** How long it is known whom an incident held back. */
const KEPT_SECONDS = 400 * DAY_SECONDS;
const READS_AT_ONCE = 8;

/** A monitor that was held back by an incident of what it depends on. */
export interface HeldChild {
  readonly monitorId: string;
  readonly name: string;
  /** When this was first decided. */
  readonly at: Timestamp;
}

export const createDependencyStore = (client: DynamoDBDocumentClient, tableName: string) => {
  const { get } = createMonitorReader(client, tableName);

  return {
    /** The parents of a monitor, their parents and so on, by id; strongly consistent. Those that do not exist are absent. */
    async ancestorsOf({ dependsOn }: Pick<Monitor, "dependsOn">): Promise<Map<string, Monitor>> {
      const found = new Map<string, Monitor>();
      const asked = new Set<string>();
      let level: readonly string[] = dependsOn;
      for (let depth = 0; depth < MOST_LEVELS && level.length > 0; depth++) {
        const ids = [...new Set(level)].filter((id) => !asked.has(id)).slice(0, MOST_ANCESTORS - asked.size);
        for (const id of ids) asked.add(id);
        await inParallel(ids, READS_AT_ONCE, async (id) => {
          const monitor = await get(id);
          if (monitor) found.set(id, monitor);
        });
        level = ids.flatMap((id) => found.get(id)?.dependsOn ?? []);
      }
      return found;
    },

    /** Notes under each parent that its incident holds a child back. May be repeated. */
    async noteHeld({ id, name }: Pick<Monitor, "id" | "name">, by: readonly HeldBy[], now: Date): Promise<void> {
      const fields = {
        name,
        at: now.toISOString(),
        expiresAtSeconds: Math.ceil(now.getTime() / 1000) + KEPT_SECONDS,
      };
      await inParallel(by, READS_AT_ONCE, async ({ monitorId, startedAt }) => {
        const Item = { ...heldKey(monitorId, startedAt, id), monitorId: id, ...fields };
        await client.send(new PutCommand({ TableName: tableName, Item }));
      });
    },

    /** Monitors that an incident of a parent has held back, by id, page by page. @param after the last one seen */
    async *heldBy({ monitorId, startedAt }: HeldBy, after?: string): AsyncGenerator<HeldChild[]> {
      const prefix = heldPrefix(startedAt);
      const pages = pagesOf(client, {
        TableName: tableName,
        KeyConditionExpression: "pk = :pk AND sk BETWEEN :from AND :to",
        ExpressionAttributeValues: {
          ":pk": monitorKey(monitorId).pk,
          // The character that follows the last one seen, and one behind all of an id.
          ":from": after === undefined ? prefix : `${prefix}${after}\u0000`,
          ":to": `${prefix}~`,
        },
        ConsistentRead: true,
      });
      for await (const page of pages)
        yield page.map(({ monitorId: id, name, at }) => ({
          monitorId: String(id),
          name: String(name),
          at: String(at),
        }));
    },
  };
};
export type DependencyStore = ReturnType<typeof createDependencyStore>;
