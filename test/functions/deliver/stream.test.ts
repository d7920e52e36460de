/** Deliver on the stream of the table, in which its own writes come back to it. */
import type { DynamoDBRecord } from "aws-lambda";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createRecordHandler } from "../../../functions/deliver/records.ts";
import { STREAM_START } from "../../../infra/local/dynamodb/streams.ts";
import { streamArn } from "../../../infra/local/dynamodb/table-definition.ts";
import { chunksOf } from "../../../shared/rules/plan.ts";
import { MAILBOX_SK } from "../../../shared/store/keys.ts";
import { tableDefinitions } from "../../support/schema.ts";
import { START, startMailboxes } from "./fixture.ts";

let w: Awaited<ReturnType<typeof startMailboxes>>;
let isTableDown = false;
beforeEach(async () => {
  isTableDown = false;
  w = await startMailboxes(() => (isTableDown ? "fail-before" : "proceed"));
});
afterEach(() => w.stop());

const ARN = streamArn(tableDefinitions().monitors.arn);

/** Invokes deliver until the stream has nothing more for it. */
async function createFollower(batchSize: number) {
  const handle = createRecordHandler(w.another());
  let sequence = STREAM_START;
  return async () => {
    let [invocations, writes] = [0, 0];
    for (;;) {
      const records = await w.database.streams.read(ARN, sequence, 100);
      const last = records.at(-1);
      if (!last) return { invocations, writes };
      sequence = last.dynamodb.SequenceNumber;
      const ours = records.filter(({ dynamodb }) => (dynamodb.Keys.sk as { S: string }).S === MAILBOX_SK);
      writes += ours.length;
      for (const batch of chunksOf(ours, batchSize)) {
        invocations++;
        if (invocations > 50) throw new Error("deliver's own writes invoke it for ever");
        expect(await handle(batch as DynamoDBRecord[])).toEqual({ batchItemFailures: [] });
      }
    }
  };
}

test("its own writes come back to it, and lead to no others", async () => {
  const follow = await createFollower(1);
  await w.post(1);
  // The post; the lease is taken, and given back.
  expect(await follow()).toEqual({ invocations: 3, writes: 3 });
  expect(w.world.received).toEqual(["sns m1.1.1"]);
  expect(await follow()).toEqual({ invocations: 0, writes: 0 });
});

test("a receiver that refuses is asked once, and then not before its time", async () => {
  const follow = await createFollower(1);
  w.world.refuse.sns = "temporary";
  await w.post(1);
  expect(await follow()).toEqual({ invocations: 3, writes: 3 });
  expect(w.world.asked).toHaveLength(1);
  expect(w.world.retries).toEqual([{ receiver: "sns", inSeconds: 10 }]);
});

test("a touch at the time of a retry brings the receiver up", async () => {
  const follow = await createFollower(10);
  w.world.refuse.sns = "temporary";
  await w.post(1);
  await follow();
  w.world.refuse = {};
  w.world.now = START + 10;
  const { retryAt } = (await w.mailbox.state("sns"))!;
  expect(await w.due.touch({ pk: "RECEIVER#sns", sk: MAILBOX_SK, dueAt: retryAt! }, w.world.now * 1000)).toBe(true);
  // The touch; then the lease is taken, and given back.
  expect(await follow()).toEqual({ invocations: 2, writes: 3 });
  expect(w.world.received).toEqual(["sns m1.1.1"]);
});

test("one receiver after another of a batch begins at once: none waits for a slow one", async () => {
  const handle = createRecordHandler(w.another());
  const receivers = ["email:slow@example.com", "email:a@example.com", "email:b@example.com"];
  for (const receiver of receivers) await w.post(1, { receiver });
  let release = () => {};
  const isReleased = new Promise<void>((resolve) => {
    release = resolve;
  });
  w.world.onAttempt = () => (w.world.asked.at(-1)!.includes("slow") ? isReleased : Promise.resolve());
  const records = receivers.map((receiver, n) => ({
    dynamodb: { Keys: { pk: { S: `RECEIVER#${receiver}` } }, SequenceNumber: String(n) },
  })) as DynamoDBRecord[];
  const handled = handle(records);
  await expect
    .poll(() => w.world.received.toSorted())
    .toEqual(["email:a@example.com m1.1.1", "email:b@example.com m1.1.1"]);
  release();
  await handled;
  expect(w.world.received).toContain("email:slow@example.com m1.1.1");
});

test("a receiver whose state cannot be read is reported, so that Lambda brings it again", async () => {
  const handle = createRecordHandler(w.another());
  isTableDown = true;
  const record = (receiver: string, SequenceNumber: string) => ({
    dynamodb: { Keys: { pk: { S: `RECEIVER#${receiver}` } }, SequenceNumber },
  });
  const records = [record("sns", "1"), record("email:a@example.com", "2"), record("sns", "3")] as DynamoDBRecord[];
  const { batchItemFailures } = await handle(records);
  expect(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier).sort()).toEqual(["2", "3"]);
});
