/**
 * Alert policies and maintenance windows. All of a kind lie in one partition, which decisions read as a whole and with strong
 * consistency at each batch: nothing is remembered across batches, so no environment decides by an older copy for long.
 */
import { DeleteCommand, type DynamoDBDocumentClient, GetCommand, PutCommand } from "@aws-sdk/lib-dynamodb";
import type { MaintenanceWindow } from "../rules/maintenance.ts";
import type { Policy } from "../rules/policies.ts";
import { unlessRaced } from "./condition.ts";
import { pagesOf } from "./read.ts";

/** What both have. */
interface Kept {
  readonly id: string;
  /** Increases with every change. */
  readonly revision: number;
}

export type StoredWindow = MaintenanceWindow & Kept & { readonly createdAt: string; readonly updatedAt: string };

const createKind = <T extends Kept>(client: DynamoDBDocumentClient, tableName: string, pk: string) => {
  const keyOf = (id: string) => ({ pk, sk: id });
  const fromItem = ({ pk: _pk, sk: _sk, ...item }: Record<string, unknown>) => item as unknown as T;
  const put = (item: T, condition: string, values?: Record<string, unknown>) =>
    unlessRaced(
      client.send(
        new PutCommand({
          TableName: tableName,
          Item: { ...keyOf(item.id), ...item },
          ConditionExpression: condition,
          ExpressionAttributeValues: values,
        }),
      ),
    );

  return {
    /** All of them; a deployment has tens. */
    async all(): Promise<T[]> {
      const found: T[] = [];
      const pages = pagesOf(client, {
        TableName: tableName,
        KeyConditionExpression: "pk = :pk",
        ExpressionAttributeValues: { ":pk": pk },
        ConsistentRead: true,
      });
      for await (const page of pages) found.push(...page.map(fromItem));
      return found;
    },

    async get(id: string): Promise<T | undefined> {
      const { Item } = await client.send(
        new GetCommand({ TableName: tableName, Key: keyOf(id), ConsistentRead: true }),
      );
      return Item && fromItem(Item);
    },

    /** @returns false if the id is taken */
    create: (item: T): Promise<boolean> => put(item, "attribute_not_exists(pk)"),

    /** @returns false if it was changed or deleted since `before` was read */
    update: (before: T, after: T): Promise<boolean> =>
      put(after, "revision = :revision", { ":revision": before.revision }),

    /** @returns false if it was changed or deleted meanwhile */
    remove: ({ id, revision }: T): Promise<boolean> =>
      unlessRaced(
        client.send(
          new DeleteCommand({
            TableName: tableName,
            Key: keyOf(id),
            ConditionExpression: "revision = :revision",
            ExpressionAttributeValues: { ":revision": revision },
          }),
        ),
      ),
  };
};

export const createPolicyStore = (client: DynamoDBDocumentClient, tableName: string) =>
  createKind<Policy>(client, tableName, "POLICY");
export const createWindowStore = (client: DynamoDBDocumentClient, tableName: string) =>
  createKind<StoredWindow>(client, tableName, "WINDOW");
export type PolicyStore = ReturnType<typeof createPolicyStore>;
export type WindowStore = ReturnType<typeof createWindowStore>;
