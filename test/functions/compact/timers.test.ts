import { UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { expect, test } from "vitest";
import { HOUR, MIDNIGHT, monitorOf, startHistory } from "./fixture.ts";

test("what is due, or implausibly far ahead, is touched every hour, and everything at a start", async () => {
  await using started = await startHistory();
  const { clock, compact, client, tables } = started;
  const ids = ["due", "later", "far", "look", "lookLater", "lookFar", "plain"];
  for (const id of ids)
    await started.create(monitorOf(id, { lastStretch: { status: "pending", since: "2026-11-20T00:00:00.000Z" } }));
  const set = (id: string, attributes: readonly [string, string], at: number, bucket: string) =>
    client.send(
      new UpdateCommand({
        TableName: tables.monitors,
        Key: { pk: `MONITOR#${id}`, sk: "MONITOR" },
        UpdateExpression: "SET #at = :at, #bucket = :bucket",
        ExpressionAttributeNames: { "#at": attributes[0], "#bucket": attributes[1] },
        ExpressionAttributeValues: { ":at": new Date(at * 1000).toISOString(), ":bucket": bucket },
      }),
    );
  const timer = (id: string, at: number) => set(id, ["nextEvaluationAt", "dueBucket"], at, "DUE#3");
  const look = (id: string, at: number) => set(id, ["lookBy", "lookBucket"], at, "LOOK#3");
  await timer("due", MIDNIGHT - 5);
  await timer("later", MIDNIGHT + HOUR / 4);
  await timer("far", MIDNIGHT + HOUR);
  await look("look", MIDNIGHT - 5);
  await look("lookLater", MIDNIGHT + HOUR / 4);
  await look("lookFar", MIDNIGHT + HOUR);
  clock.now = MIDNIGHT;
  const revisions = async () =>
    Object.fromEntries(await Promise.all(ids.map(async (id) => [id, (await started.monitors.get(id))!.revision])));
  expect(await compact()).toMatchObject({ touched: 4 });
  expect(await revisions()).toEqual({ due: 2, later: 1, far: 2, look: 2, lookLater: 1, lookFar: 2, plain: 1 });
  expect(await compact("start")).toMatchObject({ touched: ids.length });
  expect(await revisions()).toEqual({ due: 3, later: 2, far: 3, look: 3, lookLater: 2, lookFar: 3, plain: 2 });
});
