import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LogFile } from "../../../../infra/local/disk/log-file.ts";
import { eventually, type Fixture, startFixture } from "../fixture.ts";

let fixture: Fixture;
let lambda: LambdaClient;

beforeAll(async () => {
  fixture = await startFixture();
  lambda = new LambdaClient(fixture.as());
});
afterAll(() => fixture[Symbol.asyncDispose]());

const invoke = async (event: unknown, more: object = {}) => {
  const command = new InvokeCommand({ FunctionName: "worker", Payload: JSON.stringify(event), ...more });
  const { StatusCode, FunctionError, Payload } = await lambda.send(command);
  const payload = Payload && Payload.length > 0 ? JSON.parse(Buffer.from(Payload).toString()) : undefined;
  return { StatusCode, FunctionError, payload };
};

test("a function sees the template's environment, where the services are, and nothing of ours", async () => {
  process.env.SECRET_OF_THE_OWNER = "x";
  const { payload, StatusCode, FunctionError } = await invoke({ do: "environment" });
  expect([StatusCode, FunctionError]).toEqual([200, undefined]);
  expect(payload.env).toMatchObject({
    QUEUE_URL: `${fixture.stack.gatewayUrl}/000000000000/jobs`,
    AWS_LAMBDA_FUNCTION_NAME: "worker",
    AWS_REGION: "us-east-1",
    AWS_ENDPOINT_URL_DYNAMODB: fixture.stack.gatewayUrl,
    AWS_ACCESS_KEY_ID: fixture.stack.functions.find("worker")!.accessKeyId,
  });
  expect(payload.env).not.toHaveProperty("SECRET_OF_THE_OWNER");
  expect(payload.env).not.toHaveProperty("NODE_COMPILE_CACHE");
  expect(payload.context).toMatchObject({
    functionName: "worker",
    memoryLimitInMB: "128",
    invokedFunctionArn: "arn:aws:lambda:us-east-1:000000000000:function:worker",
  });
  expect(payload.left).toBeGreaterThan(0);
  expect(payload.left).toBeLessThanOrEqual(2_000);
});

describe("a function that fails answers with an error payload, and the next invocation works:", () => {
  test.for([
    ["throw", { errorType: "RangeError", errorMessage: "told to", trace: expect.any(Array) }],
    ["reject", { errorType: "Runtime.ExitError", errorMessage: "unhandled" }],
    ["exit", { errorType: "Runtime.ExitError", errorMessage: "Runtime exited with error: exit status 3" }],
    [
      "hang",
      { errorType: "Sandbox.Timedout", errorMessage: expect.stringMatching(/Task timed out after 2.00 seconds/) },
    ],
    ["spin", { errorType: "Sandbox.Timedout", errorMessage: expect.stringMatching(/Task timed out/) }],
  ] as const)("%s", async ([what, error]) => {
    const { FunctionError, payload } = await invoke({ do: what });
    expect(FunctionError).toBe("Unhandled");
    expect(payload).toEqual(error);
    expect((await invoke({ do: "wait", ms: 0 })).FunctionError).toBeUndefined();
  });

  test("eats all its memory", async () => {
    const own = await startFixture({
      change: (template) => {
        template.Worker!.Properties.Timeout = 25;
      },
    });
    const { payload } = await own.stack.functions.find("worker")!.run.invoke('{"do":"eat"}');
    expect(JSON.parse(payload)).toMatchObject({ errorType: "Runtime.OutOfMemory" });
    await own[Symbol.asyncDispose]();
  });
});

test("one environment handles one event at a time, and is used again", async () => {
  const together = await Promise.all([1, 2, 3].map(() => invoke({ do: "wait", ms: 200 })));
  expect(together.every(({ FunctionError }) => FunctionError === undefined)).toBe(true);
  const again = await Promise.all([1, 2, 3].map(() => invoke({ do: "wait", ms: 200 })));
  for (const { payload: calls } of again) expect(calls).toBeGreaterThan(1);
});

test("an asynchronous event is taken at once, handled later, and outlives a restart", async () => {
  expect(await invoke({ hello: 1 }, { InvocationType: "Event" })).toMatchObject({ StatusCode: 202 });
  await eventually(() => expect(fixture.received).toContainEqual({ by: "worker", event: { hello: 1 } }));
  fixture.behave(() => new Promise(() => {})); // the handler never ends
  await invoke({ hello: 2 }, { InvocationType: "Event" });
  await eventually(() => expect(fixture.received).toContainEqual({ by: "worker", event: { hello: 2 } }));
  const seen = fixture.received.length;
  fixture.behave(() => ({}));
  await fixture.restart();
  lambda = new LambdaClient(fixture.as());
  await eventually(() => expect(fixture.received.slice(seen)).toContainEqual({ by: "worker", event: { hello: 2 } }));
});

test("what a function prints is kept in its log", async () => {
  await invoke({ do: "metric", value: 5 });
  const log = () => readFileSync(join(fixture.dataFolder, "logs", "worker.log"), "utf8");
  await eventually(() => expect(log()).toContain('"Things":5'));
});

test("a log that is full starts anew and keeps one older part", () => {
  const file = join(fixture.dataFolder, "logs", "full.log");
  const log = new LogFile(file, { maxBytes: 10 });
  for (const line of ["first line\n", "second\n", "third\n"]) log.write(line);
  log.close();
  expect([readFileSync(`${file}.1`, "utf8"), readFileSync(file, "utf8")]).toEqual(["first line\n", "second\nthird\n"]);
  expect(existsSync(`${file}.2`)).toBe(false);
});

test("refuses an unknown function, bad JSON, and a caller without the grant", async () => {
  await expect(invoke({}, { FunctionName: "nobody" })).rejects.toMatchObject({ name: "ResourceNotFoundException" });
  await expect(invoke({}, { Payload: "{" })).rejects.toMatchObject({ name: "InvalidRequestContentException" });
  const api = new LambdaClient(fixture.as("t-Api"));
  await api.send(new InvokeCommand({ FunctionName: "worker", Payload: '{"do":"wait","ms":0}' }));
  await expect(api.send(new InvokeCommand({ FunctionName: "streamer" }))).rejects.toMatchObject({
    name: "AccessDeniedException",
  });
});
