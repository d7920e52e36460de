import { GetCommand, PutCommand, QueryCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { expect, test } from "vitest";
import { STREAM_START } from "../../../infra/local/streams.ts";
import { startTables } from "../../support/tables.ts";

test("writes, indexes and streams work through the SDK with the deployed schema", async () => {
  await using tables = await startTables();
  const { client, database, definitions } = tables;
  const TableName = tables.tables.monitors;
  const Key = { pk: "MONITOR#a", sk: "MONITOR" };
  await client.send(new PutCommand({ TableName, Item: { ...Key, shard: "10#0", id: "a", name: "A", revision: 1 } }));
  await client.send(
    new UpdateCommand({
      TableName,
      Key,
      UpdateExpression: "ADD revision :one",
      ExpressionAttributeValues: { ":one": 1 },
    }),
  );
  expect((await client.send(new GetCommand({ TableName, Key }))).Item).toMatchObject({ revision: 2 });
  const found = await client.send(
    new QueryCommand({
      TableName,
      IndexName: "by-shard",
      KeyConditionExpression: "#shard = :shard",
      ExpressionAttributeNames: { "#shard": "shard" },
      ExpressionAttributeValues: { ":shard": "10#0" },
    }),
  );
  expect(found.Items).toEqual([{ ...Key, shard: "10#0", id: "a" }]);
  const arn = `${definitions.monitors.arn}/stream/2026-01-01T00:00:00.000`;
  const records = await database.streams.read(arn, STREAM_START, 10);
  expect(records.map(({ eventName }) => eventName)).toEqual(["INSERT", "MODIFY"]);
});
