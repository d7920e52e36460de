/** The secret with which links in alerts are signed. It is made once, by whoever needs it first, and lies in the table. */
import { randomBytes } from "node:crypto";
import { type DynamoDBDocumentClient, GetCommand, PutCommand } from "@aws-sdk/lib-dynamodb";
import { unlessRaced } from "./condition.ts";
import { linkSecretKey } from "./keys.ts";

const BYTES = 32;

/** @returns reads the secret, which is remembered because it never changes */
export const createLinkSecret = (client: DynamoDBDocumentClient, tableName: string) => {
  let known: Buffer | undefined;

  const read = async (): Promise<Buffer | undefined> => {
    const { Item } = await client.send(
      new GetCommand({ TableName: tableName, Key: linkSecretKey, ConsistentRead: true }),
    );
    return Item && Buffer.from(String(Item.secret), "base64url");
  };
  const make = () =>
    unlessRaced(
      client.send(
        new PutCommand({
          TableName: tableName,
          Item: { ...linkSecretKey, secret: randomBytes(BYTES).toString("base64url") },
          ConditionExpression: "attribute_not_exists(pk)",
        }),
      ),
    );

  return async (): Promise<Buffer> => {
    known ??= await read();
    if (!known) {
      await make();
      known = (await read())!;
    }
    return known;
  };
};
export type LinkSecret = ReturnType<typeof createLinkSecret>;
