/**
 * Things that people set up, a few tens or hundreds of each: all of a kind lie in one partition, and every change is made on
 * condition of the revision that was read.
 */
import { DeleteCommand, type DynamoDBDocumentClient, GetCommand, PutCommand } from "@aws-sdk/lib-dynamodb";
import { unlessRaced } from "./condition.ts";
import { pagesOf } from "./read.ts";

export interface Kept {
  readonly id: string;
  /** Increases with every change. */
  readonly revision: number;
}

/**
 * @param pk partition key of the kind
 * @param prefix what the sort key has before the id
 */
export const createKeptStore = <T extends Kept>(
  client: DynamoDBDocumentClient,
  tableName: string,
  pk: string,
  prefix = "",
) => {
  const keyOf = (id: string) => ({ pk, sk: `${prefix}${id}` });
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
        KeyConditionExpression: prefix ? "pk = :pk AND begins_with(sk, :prefix)" : "pk = :pk",
        ExpressionAttributeValues: { ":pk": pk, ...(prefix && { ":prefix": prefix }) },
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
