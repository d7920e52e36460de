/** The one-machine stack refuses what AWS would refuse, with AWS's own error. */
import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { SESClient, SendEmailCommand } from "@aws-sdk/client-ses";
import { SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { describe, expect, test } from "vitest";
import { eventually, type Fixture, startFixture } from "./fixture.ts";

const invoker = (fixture: Fixture) => {
  const lambda = new LambdaClient(fixture.as());
  return async (event: unknown, more: object = {}) => {
    const command = new InvokeCommand({ FunctionName: "worker", Payload: JSON.stringify(event), ...more });
    const { FunctionError, Payload } = await lambda.send(command);
    const text = Buffer.from(Payload ?? "").toString();
    return { FunctionError, payload: text === "" ? undefined : JSON.parse(text) };
  };
};
const MB = 1024 * 1024;

test("6 MB: a larger event and a larger answer", async () => {
  await using fixture = await startFixture();
  const invoke = invoker(fixture);
  await expect(invoke({ text: "x".repeat(6 * MB) })).rejects.toMatchObject({
    name: "RequestTooLargeException",
    $metadata: { httpStatusCode: 413 },
  });
  await expect(invoke({ text: "x".repeat(MB) }, { InvocationType: "Event" })).rejects.toMatchObject({
    name: "RequestTooLargeException",
  });
  expect((await invoke({ do: "large", bytes: 6 * MB - 2 })).FunctionError).toBeUndefined();
  expect(await invoke({ do: "large", bytes: 6 * MB + 200 })).toEqual({
    FunctionError: "Unhandled",
    payload: {
      errorType: "Function.ResponseSizeTooLarge",
      errorMessage: "Response payload size exceeded maximum allowed payload size (6291556 bytes).",
    },
  });

  // The HTTP API takes 10 MB, of which Lambda lets 6 through.
  const send = (bytes: number) =>
    fetch(`${fixture.stack.apiUrl}/v1/x`, {
      method: "POST",
      body: "x".repeat(bytes),
      headers: { "content-type": "text/plain" },
    });
  expect((await send(5 * MB)).status).toBe(200);
  const refused = await send(7 * MB);
  expect([refused.status, await refused.json()]).toEqual([413, { message: "Request Entity Too Large" }]);
  fixture.behave(() => ({ result: { statusCode: 200, body: "x".repeat(7 * MB) } }));
  expect((await send(1)).status).toBe(500);
});

test("4 KB of environment, measured as JSON: a quotation mark counts twice", async () => {
  const withValue = (value: string) =>
    startFixture({
      change: (template) => {
        (template.Worker!.Properties.Environment as { Variables: object }).Variables = { VALUE: value };
      },
    });
  // {"VALUE":"…"}
  const room = 4_096 - 12;
  await using fits = await withValue("x".repeat(room));
  expect(fits.stack.functions.find("worker")).toBeDefined();
  const refusal = /exceeded the 4KB limit\. String measured: \{"VALUE":/;
  await expect(withValue("x".repeat(room + 1))).rejects.toThrow(refusal);
  await expect(withValue('"'.repeat(room / 2 + 1))).rejects.toThrow(refusal);
});

describe("concurrency of the account", () => {
  const start = () =>
    startFixture({
      accountConcurrency: 1,
      change: (template) => {
        template.Jobs!.Properties.VisibilityTimeout = 60;
        template.Worker!.Properties.Timeout = 10;
      },
    });

  test("one invocation too many is throttled; over HTTP it is unavailable", async () => {
    await using fixture = await start();
    const invoke = invoker(fixture);
    const running = invoke({ do: "wait", ms: 1_000 });
    await eventually(() => expect(fixture.stack.functions.find("worker")!.run.isRunning).toBe(true));
    await expect(invoke({ do: "wait", ms: 0 })).rejects.toMatchObject({
      name: "TooManyRequestsException",
      Reason: "ConcurrentInvocationLimitExceeded",
      $metadata: { httpStatusCode: 429 },
    });
    const response = await fetch(`${fixture.stack.apiUrl}/v1/x`);
    expect([response.status, await response.json()]).toEqual([503, { message: "Service Unavailable" }]);
    await running;
    expect((await invoke({ do: "wait", ms: 0 })).FunctionError).toBeUndefined();
  });

  test("what came through a queue, or to be handled later, waits and is handled once", async () => {
    await using fixture = await start();
    const running = invoker(fixture)({ do: "wait", ms: 1_500 });
    await eventually(() => expect(fixture.stack.functions.find("worker")!.run.isRunning).toBe(true));
    const sqs = new SQSClient(fixture.as());
    await sqs.send(
      new SendMessageCommand({ QueueUrl: `${fixture.stack.gatewayUrl}/000000000000/jobs`, MessageBody: "job" }),
    );
    await invoker(fixture)({ later: 1 }, { InvocationType: "Event" });
    const bodies = () =>
      fixture.received.map(({ event }) => event.later ?? event.Records?.map(({ body }: { body: string }) => body)[0]);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(bodies()).toEqual([]);
    await running;
    await eventually(() => expect(bodies().sort()).toEqual([1, "job"]));
  });
});

describe("SES", () => {
  const mail = (more: object = {}) =>
    new SendEmailCommand({
      Source: "sender@example.com",
      Destination: { ToAddresses: ["ops@example.com"] },
      Message: { Subject: { Data: "x" }, Body: { Text: { Data: "text" } } },
      ...more,
    });

  test("a sender that is not verified", async () => {
    await using fixture = await startFixture();
    await expect(new SESClient(fixture.as()).send(mail({ Source: "other@example.com" }))).rejects.toMatchObject({
      name: "MessageRejected",
      message:
        "Email address is not verified. The following identities failed the check in region US-EAST-1: other@example.com",
    });
  });

  test("a configuration set that does not exist", async () => {
    await using fixture = await startFixture();
    await expect(new SESClient(fixture.as()).send(mail({ ConfigurationSetName: "gone" }))).rejects.toMatchObject({
      name: "ConfigurationSetDoesNotExistException",
      message: "Configuration set <gone> does not exist.",
    });
  });

  test("a role that may use the identity and not its default configuration set", async () => {
    const start = (resources: string[]) =>
      startFixture({
        defaultConfigurationSet: "ours",
        change: (template) => {
          const [policy] = template.ApiRole!.Properties.Policies as {
            PolicyDocument: { Statement: { Action: unknown; Resource: unknown }[] };
          }[];
          policy!.PolicyDocument.Statement.find(({ Action }) => Action === "ses:SendEmail")!.Resource = resources;
        },
      });
    const identity = "arn:aws:ses:us-east-1:000000000000:identity/*";
    const set = "arn:aws:ses:us-east-1:000000000000:configuration-set/";
    await using narrow = await start([identity]);
    await expect(new SESClient(narrow.as("t-Api")).send(mail())).rejects.toMatchObject({
      name: "AccessDenied",
      message: expect.stringContaining(`ses:SendEmail on resource: ${set}ours`),
    });
    await using wide = await start([identity, `${set}*`]);
    await new SESClient(wide.as("t-Api")).send(mail());
  });
});

test("a function has the share of a processor that its memory buys, where that is asked for", async () => {
  const durationOf = async (memory: number) => {
    await using fixture = await startFixture({
      limitsCpu: true,
      change: (template) => {
        Object.assign(template.Worker!.Properties, { MemorySize: memory, Timeout: 20 });
      },
    });
    const invoke = invoker(fixture);
    await invoke({ do: "wait", ms: 0 });
    const startedAt = performance.now();
    await invoke({ do: "burn", ms: 100 });
    return performance.now() - startedAt;
  };
  // 128 MB are 7.2 % of one: 100 ms of work take 1.4 s. Half of one takes 200 ms at least. No more can be said here: the
  // machine that runs the tests has its own idea of a share.
  expect(await durationOf(128)).toBeGreaterThan(1_100);
  expect(await durationOf(885)).toBeGreaterThan(150);
}, 60_000);
