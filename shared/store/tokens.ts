/** API tokens and their rate limits. Only the SHA-256 of a secret is stored. */
import {
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  UpdateCommand,
} from "@aws-sdk/lib-dynamodb";
import type { Timestamp } from "../model.ts";
import type { Scope } from "../tokens.ts";
import { unlessRaced } from "./condition.ts";
import type { Page } from "./cursor.ts";
import { tokenKey } from "./keys.ts";

/** The secret before a rotation, which works for a while beside the new one. */
interface PreviousSecret {
  readonly secretHash: string;
  readonly expiresAt: Timestamp;
}

/** Calls of a token in one minute, as far as instances of the API have reported them. */
export interface Requests {
  /** Minutes since 1970. */
  readonly minute: number;
  readonly count: number;
}

export interface Token {
  readonly id: string;
  /** Hex SHA-256 of the secret. */
  readonly secretHash: string;
  readonly previous: PreviousSecret | null;
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** `name=value`: the token is limited to monitors with at least one of these tags. Null: no limit. */
  readonly monitorTags: readonly string[] | null;
  readonly createdAt: Timestamp;
  /** Null: never. */
  readonly expiresAt: Timestamp | null;
  /** Exact to the day. */
  readonly lastUsedAt: Timestamp | null;
  readonly revokedAt: Timestamp | null;
}

/** A token as it is read, with what instances of the API have counted. */
export interface StoredToken extends Token {
  readonly requests: Requests;
}

const fromItem = (item: Record<string, unknown>): StoredToken => ({
  id: String(item.id),
  secretHash: String(item.secretHash),
  previous: (item.previous as PreviousSecret | undefined) ?? null,
  name: String(item.name),
  scopes: item.scopes as Scope[],
  monitorTags: (item.monitorTags as string[] | undefined) ?? null,
  createdAt: String(item.createdAt),
  expiresAt: (item.expiresAt as Timestamp | undefined) ?? null,
  lastUsedAt: (item.lastUsedAt as Timestamp | undefined) ?? null,
  revokedAt: (item.revokedAt as Timestamp | undefined) ?? null,
  requests: { minute: Number(item.requestMinute ?? 0), count: Number(item.requestCount ?? 0) },
});

/** Counters in a token's item, each of the present minute. */
const COUNTERS = {
  checks: { minute: "windowMinute", count: "windowCount" },
  requests: { minute: "requestMinute", count: "requestCount" },
} as const;

export const createTokenStore = (client: DynamoDBDocumentClient, tableName: string) => {
  /** @returns whether the condition held */
  const update = (
    id: string,
    expression: string,
    condition: string,
    values: Record<string, unknown>,
    names?: Record<string, string>,
  ) =>
    unlessRaced(
      client.send(
        new UpdateCommand({
          TableName: tableName,
          Key: tokenKey(id),
          UpdateExpression: expression,
          ConditionExpression: condition,
          ExpressionAttributeValues: values,
          ExpressionAttributeNames: names,
        }),
      ),
    );

  /** Adds to the counter of a minute. @returns false if that would take it over the limit */
  const count = async (
    id: string,
    counter: keyof typeof COUNTERS,
    { minute, count: more }: Requests,
    limit: number,
  ): Promise<boolean> => {
    const names = { "#minute": COUNTERS[counter].minute, "#count": COUNTERS[counter].count };
    const again = () =>
      update(
        id,
        "ADD #count :more",
        "#minute = :minute AND #count <= :room",
        { ":more": more, ":minute": minute, ":room": limit - more },
        names,
      );
    const first = () =>
      update(
        id,
        "SET #minute = :minute, #count = :more",
        "attribute_exists(pk) AND (attribute_not_exists(#minute) OR #minute < :minute)",
        { ":more": more, ":minute": minute },
        names,
      );
    // The third try is for a caller for whom a concurrent call began the minute between the first two.
    return (await again()) || (await first()) || (await again());
  };

  return {
    /** Strongly consistent: a revoked token stops working with the next call. */
    async get(id: string): Promise<StoredToken | undefined> {
      const { Item } = await client.send(
        new GetCommand({ TableName: tableName, Key: tokenKey(id), ConsistentRead: true }),
      );
      return Item && fromItem(Item);
    },

    /** Stores a token, replacing one of the same id. */
    async put(token: Token): Promise<void> {
      await client.send(new PutCommand({ TableName: tableName, Item: { ...tokenKey(token.id), ...token } }));
    },

    /** A page of tokens by id, including expired and revoked ones. */
    async list(limit: number, after?: string): Promise<Page<StoredToken>> {
      const { Items = [], LastEvaluatedKey } = await client.send(
        new QueryCommand({
          TableName: tableName,
          KeyConditionExpression: after ? "pk = :pk AND sk > :after" : "pk = :pk",
          ExpressionAttributeValues: { ":pk": "TOKEN", ...(after && { ":after": after }) },
          ConsistentRead: true,
          Limit: limit,
        }),
      );
      return { items: Items.map(fromItem), next: LastEvaluatedKey ? String(LastEvaluatedKey.sk) : null };
    },

    /** @returns false if there is no such token, or it is revoked already */
    revoke: (id: string, now: Date) =>
      update(
        id,
        "SET revokedAt = :now",
        "attribute_exists(pk) AND (attribute_not_exists(revokedAt) OR revokedAt = :null)",
        {
          ":now": now.toISOString(),
          ":null": null,
        },
      ),

    /** @returns false if there is no such token */
    rename: (id: string, name: string) =>
      update(id, "SET #name = :name", "attribute_exists(pk)", { ":name": name }, { "#name": "name" }),

    /**
     * Gives a token another secret. The one before works on until `previousUntil`; an older one ends at once.
     * @returns false if it was rotated or revoked since it was read
     */
    rotate: ({ id, secretHash: before }: Token, secretHash: string, previousUntil: Timestamp) =>
      update(
        id,
        "SET secretHash = :after, previous = :previous",
        "secretHash = :before AND (attribute_not_exists(revokedAt) OR revokedAt = :null)",
        {
          ":after": secretHash,
          ":before": before,
          ":previous": { secretHash: before, expiresAt: previousUntil } satisfies PreviousSecret,
          ":null": null,
        },
      ),

    markUsed: (id: string, now: Date) =>
      update(id, "SET lastUsedAt = :now", "attribute_exists(pk)", { ":now": now.toISOString() }),

    /** Rate limit of checks: counts one in the present minute. @returns false if the limit is reached */
    spend: (id: string, perMinute: number, now: Date) =>
      count(id, "checks", { minute: Math.floor(now.getTime() / 60_000), count: 1 }, perMinute),

    /** Adds calls that an instance of the API has served; `get` returns the sum of all instances. */
    report: (id: string, requests: Requests) => count(id, "requests", requests, Number.MAX_SAFE_INTEGER),
  };
};
export type TokenStore = ReturnType<typeof createTokenStore>;
