import { QueryCommand } from "@aws-sdk/lib-dynamodb";
import { expect, test } from "vitest";
import { shardKey } from "../../../shared/store/keys.ts";
import { monitorOf, seat, startHistory } from "./fixture.ts";

test("the count of members is put right when two runs find it wrong in the same way", async () => {
  await using started = await startHistory();
  const { compact, client, tables, shards } = started;
  await seat(started, "60#0", 5);
  const locations = ["eu", "us"];
  await started.create(monitorOf("a", { locations }));
  const shard = async () => {
    const key = shardKey("60#0");
    const { Items = [] } = await client.send(
      new QueryCommand({
        TableName: tables.monitors,
        KeyConditionExpression: "pk = :pk AND sk = :sk",
        ExpressionAttributeValues: { ":pk": key.pk, ":sk": key.sk },
      }),
    );
    return { members: Items[0]!.members, locations: [...Items[0]!.locations].sort() };
  };
  await compact();
  expect(await shard()).toEqual({ members: 5, locations });
  await shards.place(60, ["eu"], 2); // seats taken, monitors not yet written
  await compact();
  expect(await shard()).toMatchObject({ members: 7 });
  await started.create(monitorOf("b"));
  await started.create(monitorOf("c"));
  await compact();
  await compact();
  expect(await shard()).toMatchObject({ members: 3 });
});
