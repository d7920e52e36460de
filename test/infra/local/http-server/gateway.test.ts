import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { DynamoDBClient, GetItemCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startStack } from "../../../../infra/local/stack.ts";
import { type Fixture, startFixture } from "../fixture.ts";

let fixture: Fixture;
beforeAll(async () => {
  fixture = await startFixture();
});
afterAll(() => fixture[Symbol.asyncDispose]());

test("tables answer through the gateway, to whom the role allows it", async () => {
  const Item = { pk: { S: "thing-1" } };
  await new DynamoDBClient(fixture.as("t-Api")).send(new PutItemCommand({ TableName: "things", Item }));
  const get = new GetItemCommand({ TableName: "things", Key: Item });
  expect((await new DynamoDBClient(fixture.as()).send(get)).Item).toEqual(Item);
  await expect(new DynamoDBClient(fixture.as("t-Api")).send(get)).rejects.toMatchObject({
    name: "AccessDeniedException",
    message: expect.stringContaining("dynamodb:GetItem"),
  });
});

describe("refuses", () => {
  const post = (headers: Record<string, string>, body: string) =>
    fetch(fixture.stack.gatewayUrl, { method: "POST", headers, body });
  test.for([
    ["an unsigned request", undefined, "AmazonSQS.SendMessage", "{}", 403, "MissingAuthenticationToken"],
    ["a body that is not JSON", "sqs", "AmazonSQS.SendMessage", "{", 400, "SerializationException"],
    ["an operation that is not there", "sqs", "AmazonSQS.Explode", '{"QueueUrl":"x"}', 400, "InvalidAction"],
    ["a service that is not there", "s3", "Bucket.Fill", "{}", 400, "UnknownOperationException"],
    ["a path that is not there", "lambda", undefined, "{}", 404, "ResourceNotFoundException"],
  ] as const)("%s", async ([, service, target, body, status, code]) => {
    const credential = `${fixture.stack.accessKeyId}/20260101/us-east-1/${service}/aws4_request`;
    const authorization = `AWS4-HMAC-SHA256 Credential=${credential}, Signature=x`;
    const response = await post(
      { ...(service ? { authorization } : {}), ...(target ? { "x-amz-target": target } : {}) },
      body,
    );
    expect([response.status, ((await response.json()) as { __type: string }).__type]).toEqual([status, code]);
  });
});

test("secrets are for the owner only, and the outputs are as deploying writes them", async () => {
  const { dataFolder, stack } = fixture;
  const mode = (name: string) => (statSync(join(dataFolder, name)).mode & 0o777).toString(8);
  expect([mode("."), mode("token"), mode("outputs.json")]).toEqual(["700", "600", "600"]);
  expect(readFileSync(join(dataFolder, "token"), "utf8")).toBe(`${stack.token}\n`);
  expect(JSON.parse(readFileSync(join(dataFolder, "outputs.json"), "utf8"))).toEqual({
    t: { ApiUrl: stack.apiUrl },
    gatewayUrl: stack.gatewayUrl,
    accessKeyId: stack.accessKeyId,
  });
});

test("a second process on the same folder is refused, and leaves the first one alone", async () => {
  const { dataFolder, stack } = fixture;
  const assembly = join(dataFolder, "..", "assembly");
  await expect(startStack({ dataFolder, assembly, port: 0 })).rejects.toThrow(
    /is another Harborlight running on this folder/,
  );
  await expect(startStack({ dataFolder, assembly, port: Number(new URL(stack.apiUrl).port) })).rejects.toThrow(
    /port \d+ on 127.0.0.1 is in use: stop what listens there, or choose another with HARBORLIGHT_PORT/,
  );
  expect((await fetch(`${stack.apiUrl}/v1/x`)).status).toBe(200);
});

test("token, gateway port and data are the same at the next start", async () => {
  const { token, gatewayUrl } = fixture.stack;
  await fixture.restart();
  expect(fixture.stack).toMatchObject({ token, gatewayUrl });
  const get = new GetItemCommand({ TableName: "things", Key: { pk: { S: "thing-1" } } });
  expect((await new DynamoDBClient(fixture.as()).send(get)).Item).toBeDefined();
  expect(existsSync(join(fixture.dataFolder, "token.new"))).toBe(false);
});
