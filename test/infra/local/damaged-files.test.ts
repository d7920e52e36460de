/** What a power cut or a failing disk makes of the data folder: every file cut, with zeros, with a flipped bit, emptied. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { SNSClient, SubscribeCommand } from "@aws-sdk/client-sns";
import { SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Fixture, startFixture } from "./fixture.ts";

const DAMAGE: Readonly<Record<string, (content: Buffer) => Buffer>> = {
  cut: (content) => content.subarray(0, Math.floor(content.length / 2)),
  "with zeros": (content) => {
    const [from, to] = [Math.floor(content.length / 3), Math.floor(content.length / 2) + 1];
    return Buffer.concat([content.subarray(0, from), Buffer.alloc(to - from), content.subarray(to)]);
  },
  "with a flipped bit": (content) => {
    const changed = Buffer.from(content);
    const middle = Math.floor(content.length / 2);
    changed[middle] = changed[middle]! ^ 0x10;
    return changed;
  },
  emptied: () => Buffer.alloc(0),
};

let fixture: Fixture;
let whole: string;
const lines: string[] = [];

const sendOne = async (): Promise<void> => {
  const sqs = new SQSClient(fixture.as());
  await sqs.send(
    new SendMessageCommand({ QueueUrl: `${fixture.stack.gatewayUrl}/000000000000/plain`, MessageBody: "x" }),
  );
};

beforeAll(async () => {
  fixture = await startFixture({ log: (line) => lines.push(line) });
  const TopicArn = "arn:aws:sns:us-east-1:000000000000:alerts";
  const sns = new SNSClient(fixture.as());
  for (const Endpoint of ["a@example.com", "b@example.com"])
    await sns.send(new SubscribeCommand({ TopicArn, Protocol: "email", Endpoint }));
  await sns.send(new SubscribeCommand({ TopicArn, Protocol: "http", Endpoint: "http://127.0.0.1:9/" }));
  for (let count = 0; count < 5; count += 1) await sendOne();
  const database = new DynamoDBClient(fixture.as());
  for (const pk of ["a", "b", "c"])
    await database.send(new PutItemCommand({ TableName: "things", Item: { pk: { S: pk } } }));
  await new LambdaClient(fixture.as()).send(
    new InvokeCommand({ FunctionName: "worker", InvocationType: "Event", Payload: '{"do":"throw"}' }),
  );
  await fixture.restart(); // some of the tables are in sorted files now
  await fixture.stack.stop();
  whole = mkdtempSync(join(tmpdir(), "harborlight-whole-"));
  cpSync(fixture.dataFolder, whole, { recursive: true });
});
afterAll(async () => {
  await fixture[Symbol.asyncDispose]();
  rmSync(whole, { recursive: true, force: true });
});

const filesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => relative(folder, join(parentPath, name)))
    .filter((name) => !/^(?:logs|mail|sms)\//.test(name));

describe.each(Object.keys(DAMAGE).map((kind, place) => [kind, place] as const))("%s", (kind, place) => {
  test("no file keeps it from starting, or it says what to do", async () => {
    const outcomes: Record<string, string> = {};
    // Each file is damaged in two of the ways, so that the stack starts half as often.
    for (const name of filesIn(whole).filter((_, index) => (index + place) % 2 === 0)) {
      rmSync(fixture.dataFolder, { recursive: true });
      cpSync(whole, fixture.dataFolder, { recursive: true });
      writeFileSync(join(fixture.dataFolder, name), DAMAGE[kind]!(readFileSync(join(whole, name))));
      lines.length = 0;
      outcomes[name] = await fixture
        .restart()
        .then(sendOne)
        .then(
          () => "works",
          (error: Error) => `${error.name}: ${error.message}`,
        );
      await fixture.stack.stop();
      if (name.endsWith("jsonl") && /zeros|flipped/.test(kind) && readFileSync(join(whole, name)).length > 0)
        expect(lines).toContainEqual(expect.stringMatching(new RegExp(`damaged lines of .*${name} were set aside`)));
    }
    const others = Object.entries(outcomes).filter(
      ([, outcome]) => outcome !== "works" && !/^StartError: the tables in .* are damaged.*put a backup/.test(outcome),
    );
    expect(others).toEqual([]);
    expect(Object.keys(outcomes).length).toBeGreaterThan(4);
  }, 120_000);
});
