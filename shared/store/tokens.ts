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

export interface Token {
  readonly id: string;
  /** Hex SHA-256 of the secret. */
  readonly secretHash: string;
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly createdAt: Timestamp;
  /** Exact to the day. */
  readonly lastUsedAt: Timestamp | null;
  readonly revokedAt: Timestamp | null;
}

const fromItem = (item: Record<string, unknown>): Token => ({
  id: String(item.id),
  secretHash: String(item.secretHash),
  name: String(item.name),
  scopes: item.scopes as Scope[],
  createdAt: String(item.createdAt),
  lastUsedAt: (item.lastUsedAt as Timestamp | undefined) ?? null,
  revokedAt: (item.revokedAt as Timestamp | undefined) ?? null,
});

export const createTokenStore = (client: DynamoDBDocumentClient, tableName: string) => {
  /** @returns whether the condition held */
  const update = (id: string, expression: string, condition: string, values: Record<string, unknown>) =>
    unlessRaced(
      client.send(
        new UpdateCommand({
          TableName: tableName,
          Key: tokenKey(id),
          UpdateExpression: expression,
          ConditionExpression: condition,
          ExpressionAttributeValues: values,
        }),
      ),
    );

  return {
    /** Strongly consistent: a revoked token stops working with the next call. */
    async get(id: string): Promise<Token | undefined> {
      const { Item } = await client.send(
        new GetCommand({ TableName: tableName, Key: tokenKey(id), ConsistentRead: true }),
      );
      return Item && fromItem(Item);
    },

    /** Stores a token, replacing one of the same id. */
    async put(token: Token): Promise<void> {
      await client.send(new PutCommand({ TableName: tableName, Item: { ...tokenKey(token.id), ...token } }));
    },

    /** A page of tokens by id, including revoked ones. */
    async list(limit: number, after?: string): Promise<Page<Token>> {
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

    markUsed: (id: string, now: Date) =>
      update(id, "SET lastUsedAt = :now", "attribute_exists(pk)", { ":now": now.toISOString() }),

    /** Rate limit: counts one call in the present minute. @returns false if the limit is reached */
    async spend(id: string, perMinute: number, now: Date): Promise<boolean> {
      const minute = Math.floor(now.getTime() / 60_000);
      const again = () =>
        update(id, "ADD windowCount :one", "windowMinute = :minute AND windowCount < :limit", {
          ":one": 1,
          ":minute": minute,
          ":limit": perMinute,
        });
      const first = () =>
        update(
          id,
          "SET windowMinute = :minute, windowCount = :one",
          "attribute_exists(pk) AND (attribute_not_exists(windowMinute) OR windowMinute < :minute)",
          { ":one": 1, ":minute": minute },
        );
      // The third try is for a caller for whom a concurrent call began the minute between the first two.
      return (await again()) || (await first()) || (await again());
    },
  };
};
export type TokenStore = ReturnType<typeof createTokenStore>;
