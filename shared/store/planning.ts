/** Store of dispatch: shards, and the watermarks up to which their ticks are planned. */
import { type DynamoDBDocumentClient, GetCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { unlessRaced } from "./condition.ts";
import { laneOf, shardKey } from "./keys.ts";
import { pagesOf } from "./read.ts";

export interface Shard {
  readonly name: string;
  readonly intervalSeconds: number;
  /** Seconds after a multiple of the interval at which the shard is due. */
  readonly phase: number;
  readonly members: number;
  /** Locations that a member is or was checked from. */
  readonly locations: readonly string[];
  /** End of the newest plan in epoch seconds, undefined before the first; optimistic lock of concurrent plans. */
  readonly plannedUntil: number | undefined;
  /**
   * Watermark by location: ticks up to and including this epoch second have jobs. A location whose queue could not be
   * reached lags behind the others and catches up alone.
   */
  readonly planned: Readonly<Record<string, number>>;
  /** By location: since this tick every tick has had a job, epoch seconds. */
  readonly plannedSince: Readonly<Record<string, number>>;
  /** Tick of the last sweep that somebody asked for, which is none of the shard's ticks. */
  readonly askedTick: number | undefined;
  /** How far the sweep of that tick is planned: a watermark, as `planned`. */
  readonly askedPlanned: { readonly tick: number; readonly until: number } | undefined;
}

const fromItem = ({ sk, phase, members, locations, plannedUntil, ...item }: Record<string, unknown>): Shard => ({
  name: String(sk),
  intervalSeconds: laneOf(String(sk)),
  phase: Number(phase ?? 0),
  members: Number(members ?? 0),
  locations: [...((locations as Set<string> | undefined) ?? [])].toSorted(),
  plannedUntil: plannedUntil === undefined ? undefined : Number(plannedUntil),
  planned: (item.planned ?? {}) as Record<string, number>,
  plannedSince: (item.plannedSince ?? {}) as Record<string, number>,
  askedTick: item.askedTick as number | undefined,
  askedPlanned: item.askedPlanned as Shard["askedPlanned"],
});

export const createPlanningStore = (client: DynamoDBDocumentClient, tableName: string) => ({
  /** All shards, page by page. */
  async *shards(): AsyncGenerator<Shard[]> {
    const pages = pagesOf(client, {
      TableName: tableName,
      KeyConditionExpression: "pk = :pk",
      ExpressionAttributeValues: { ":pk": "SHARD" },
      ConsistentRead: true,
    });
    for await (const page of pages) yield page.map(fromItem);
  },

  async shard(name: string): Promise<Shard | undefined> {
    const { Item } = await client.send(
      new GetCommand({ TableName: tableName, Key: shardKey(name), ConsistentRead: true }),
    );
    return Item && fromItem(Item);
  },

  /**
   * Counter that changes of a member's settings increment; 0 for a shard that does not exist. Eventually consistent.
   */
  async settingsRevision(name: string): Promise<number> {
    const { Item } = await client.send(
      new GetCommand({ TableName: tableName, Key: shardKey(name), ProjectionExpression: "settingsRevision" }),
    );
    return Number(Item?.settingsRevision ?? 0);
  },

  /** Notes how far the sweep that somebody asked for is planned, unless another one was asked for meanwhile. */
  async advanceAsked(name: string, tick: number, until: number): Promise<boolean> {
    return unlessRaced(
      client.send(
        new UpdateCommand({
          TableName: tableName,
          Key: shardKey(name),
          UpdateExpression: "SET askedPlanned = :planned",
          ConditionExpression: "askedTick = :tick",
          ExpressionAttributeValues: { ":planned": { tick, until }, ":tick": tick },
        }),
      ),
    );
  },

  /** Moves the watermarks, unless another plan has moved them since they were read. @returns whether they moved */
  async advance(
    { name, plannedUntil }: Shard,
    until: number,
    { planned, plannedSince }: Pick<Shard, "planned" | "plannedSince">,
  ): Promise<boolean> {
    return unlessRaced(
      client.send(
        new UpdateCommand({
          TableName: tableName,
          Key: shardKey(name),
          UpdateExpression: "SET plannedUntil = :until, planned = :planned, plannedSince = :since",
          ConditionExpression:
            plannedUntil === undefined ? "attribute_not_exists(plannedUntil)" : "plannedUntil = :read",
          ExpressionAttributeValues: {
            ":until": until,
            ":planned": planned,
            ":since": plannedSince,
            ...(plannedUntil !== undefined && { ":read": plannedUntil }),
          },
        }),
      ),
    );
  },
});
export type PlanningStore = ReturnType<typeof createPlanningStore>;
