/** A small stack of every kind of resource that the one-machine runner knows, and functions that do what they are told. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type RunningStack, type StackOptions, startStack } from "../../../infra/local/stack.ts";

/** What the fixture's functions run: the event says how they end. Everything they were given goes to `RECORDER`. */
const CODE = `
let calls = 0;
const tell = (what) => fetch(process.env.RECORDER + "/" + process.env.AWS_LAMBDA_FUNCTION_NAME, { method: "POST", body: JSON.stringify(what) });
exports.handler = async (event, context) => {
  calls += 1;
  if (event.command === "create-token") return { token: event.token };
  if (event.do === "environment") return { env: process.env, calls, left: context.getRemainingTimeInMillis(), context };
  if (event.do === "throw") throw new RangeError("told to");
  if (event.do === "reject") { setTimeout(() => Promise.reject(new Error("unhandled")), 1); return new Promise(() => {}); }
  if (event.do === "exit") process.exit(3);
  if (event.do === "hang") await new Promise(() => setInterval(() => {}, 1000));
  if (event.do === "spin") for (;;);
  if (event.do === "eat") { const all = []; for (;;) all.push(new Array(1e6).fill(all.length)); }
  if (event.do === "large") return "x".repeat(event.bytes);
  if (event.do === "burn") {
    const usedMs = () => (process.threadCpuUsage().user + process.threadCpuUsage().system) / 1000;
    const until = usedMs() + event.ms;
    while (usedMs() < until) await new Promise((done) => setImmediate(done));
    return calls;
  }
  if (event.do === "wait") { await new Promise((done) => setTimeout(done, event.ms)); return calls; }
  if (event.do === "metric") { console.log(JSON.stringify({ _aws: { CloudWatchMetrics: [{ Namespace: event.namespace, Dimensions: [["service"]], Metrics: [{ Name: "Things" }] }] }, service: event.service, Things: event.value })); return null; }
  const answer = await (await tell(event)).json();
  if (answer.throw) throw new Error(answer.throw);
  return answer.result === undefined ? event : answer.result;
};
`;

const role = (...statements: object[]) => ({
  Type: "AWS::IAM::Role",
  Properties: {
    AssumeRolePolicyDocument: {},
    Policies: [{ PolicyName: "own", PolicyDocument: { Statement: statements } }],
  },
});
const allow = (Action: string | string[], Resource: unknown) => ({ Effect: "Allow", Action, Resource });
const arn = (id: string, attribute = "Arn") => ({ "Fn::GetAtt": [id, attribute] });
const lambda = (roleId: string, recorder: string, more: object = {}) => ({
  Type: "AWS::Lambda::Function",
  Properties: {
    Code: { S3Bucket: "assets", S3Key: "code.zip" },
    Handler: "index.handler",
    Role: arn(roleId),
    Timeout: 2,
    MemorySize: 128,
    Environment: { Variables: { RECORDER: recorder, QUEUE_URL: { Ref: "Jobs" } } },
    ...more,
  },
});

const resources = (recorder: string): Record<string, { Type: string; Properties: Record<string, unknown> }> => ({
  Things: {
    Type: "AWS::DynamoDB::Table",
    Properties: {
      TableName: "things",
      KeySchema: [{ AttributeName: "pk", KeyType: "HASH" }],
      AttributeDefinitions: [{ AttributeName: "pk", AttributeType: "S" }],
      BillingMode: "PAY_PER_REQUEST",
      StreamSpecification: { StreamViewType: "NEW_AND_OLD_IMAGES" },
    },
  },
  Jobs: {
    Type: "AWS::SQS::Queue",
    Properties: {
      QueueName: "jobs",
      VisibilityTimeout: 2,
      RedrivePolicy: { deadLetterTargetArn: arn("Dead"), maxReceiveCount: 2 },
    },
  },
  Dead: { Type: "AWS::SQS::Queue", Properties: { QueueName: "dead" } },
  Plain: { Type: "AWS::SQS::Queue", Properties: { QueueName: "plain", DelaySeconds: 0 } },
  Failed: { Type: "AWS::SQS::Queue", Properties: { QueueName: "failed" } },
  Alerts: { Type: "AWS::SNS::Topic", Properties: { TopicName: "alerts" } },
  Sender: { Type: "AWS::SES::EmailIdentity", Properties: { EmailIdentity: "sender@example.com" } },
  Domain: { Type: "AWS::SES::EmailIdentity", Properties: { EmailIdentity: "example.org" } },
  ApiRole: role(
    allow(["sqs:SendMessage", "sqs:GetQueueAttributes"], arn("Plain")),
    allow("sns:Publish", { Ref: "Alerts" }),
    allow("ses:SendEmail", "*"),
    allow("dynamodb:PutItem", arn("Things")),
    allow("lambda:InvokeFunction", arn("Worker")),
  ),
  Api: lambda("ApiRole", recorder),
  WorkerRole: role(
    allow(["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"], arn("Jobs")),
    allow(["dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:DescribeStream"], arn("Things", "StreamArn")),
    allow("dynamodb:ListStreams", "*"),
    allow("sqs:SendMessage", arn("Failed")),
  ),
  Worker: lambda("WorkerRole", recorder, { FunctionName: "worker" }),
  Streamer: lambda("WorkerRole", recorder, { FunctionName: "streamer" }),
  JobsMapping: {
    Type: "AWS::Lambda::EventSourceMapping",
    Properties: {
      FunctionName: { Ref: "Worker" },
      EventSourceArn: arn("Jobs"),
      BatchSize: 2,
      MaximumBatchingWindowInSeconds: 0,
      FunctionResponseTypes: ["ReportBatchItemFailures"],
    },
  },
  ThingsMapping: {
    Type: "AWS::Lambda::EventSourceMapping",
    Properties: {
      FunctionName: { Ref: "Streamer" },
      EventSourceArn: arn("Things", "StreamArn"),
      BatchSize: 10,
      StartingPosition: "TRIM_HORIZON",
      BisectBatchOnFunctionError: true,
      MaximumRetryAttempts: 1,
      FunctionResponseTypes: ["ReportBatchItemFailures"],
      DestinationConfig: { OnFailure: { Destination: arn("Failed") } },
      FilterCriteria: {
        Filters: [
          { Pattern: '{"eventName":["INSERT","MODIFY"],"dynamodb":{"Keys":{"pk":{"S":[{"prefix":"thing-"}]}}}}' },
        ],
      },
    },
  },
  Http: { Type: "AWS::ApiGatewayV2::Api", Properties: { Name: "http", ProtocolType: "HTTP" } },
  HttpIntegration: {
    Type: "AWS::ApiGatewayV2::Integration",
    Properties: { ApiId: { Ref: "Http" }, IntegrationType: "AWS_PROXY", IntegrationUri: arn("Api") },
  },
  HttpRoute: {
    Type: "AWS::ApiGatewayV2::Route",
    Properties: {
      ApiId: { Ref: "Http" },
      RouteKey: "ANY /v1/{proxy+}",
      Target: { "Fn::Join": ["/", ["integrations", { Ref: "HttpIntegration" }]] },
    },
  },
  HttpStage: {
    Type: "AWS::ApiGatewayV2::Stage",
    Properties: { ApiId: { Ref: "Http" }, StageName: "$default" },
  },
  HttpPermission: {
    Type: "AWS::Lambda::Permission",
    Properties: {
      Action: "lambda:InvokeFunction",
      FunctionName: arn("Api"),
      Principal: "apigateway.amazonaws.com",
      SourceArn: {
        "Fn::Join": ["", ["arn:aws:execute-api:us-east-1:000000000000:", { Ref: "Http" }, "/*/*/v1/{proxy+}"]],
      },
    },
  },
});

type Resources = ReturnType<typeof resources>;

export interface Received {
  /** Name of the function. */
  readonly by: string;
  // biome-ignore lint/suspicious/noExplicitAny: an event is what the test says it is
  readonly event: any;
}

/** What the recorder tells a function to answer. */
export type Behaviour = (received: Received) => { throw?: string; result?: unknown } | Promise<object>;

export interface Fixture extends AsyncDisposable {
  readonly stack: RunningStack;
  readonly dataFolder: string;
  readonly received: Received[];
  behave(behaviour: Behaviour): void;
  /** Client configuration with the function's own access key; `admin` without a name. */
  as(name?: string): {
    endpoint: string;
    region: string;
    credentials: { accessKeyId: string; secretAccessKey: string };
    maxAttempts: number;
  };
  /** Stops the stack and starts it again on the same data. */
  restart(): Promise<void>;
}

/** @param change may edit the template before it is run. */
export const startFixture = async (
  options: Partial<StackOptions> & { change?: (resources: Resources) => void } = {},
): Promise<Fixture> => {
  const folder = mkdtempSync(join(tmpdir(), "harborlight-fixture-"));
  const received: Received[] = [];
  let behaviour: Behaviour = () => ({});
  const recorder = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const one = { by: request.url!.slice(1), event: JSON.parse(Buffer.concat(chunks).toString()) };
    received.push(one);
    response.end(JSON.stringify(await behaviour(one)));
  });
  await new Promise<void>((resolve) => recorder.listen(0, "127.0.0.1", resolve));
  const { change, ...stackOptions } = options;
  const template = resources(`http://127.0.0.1:${(recorder.address() as AddressInfo).port}`);
  change?.(template);
  const assembly = writeAssembly(folder, template);
  const dataFolder = join(folder, "data");
  const begin = () => startStack({ dataFolder, port: 0, assembly, ...stackOptions });
  const end = async () => {
    recorder.closeAllConnections();
    await new Promise((resolve) => recorder.close(resolve));
    rmSync(folder, { recursive: true, force: true });
  };
  let stack = await begin().catch(async (error: Error) => {
    await end();
    throw error;
  });
  return {
    get stack() {
      return stack;
    },
    dataFolder,
    received,
    behave: (wanted) => {
      behaviour = wanted;
    },
    as: (name) => ({
      endpoint: stack.gatewayUrl,
      region: "us-east-1",
      credentials: {
        accessKeyId: name === undefined ? stack.accessKeyId : stack.functions.find(name)!.accessKeyId,
        secretAccessKey: "local",
      },
      maxAttempts: 1,
    }),
    restart: async () => {
      await stack.stop();
      stack = await begin();
    },
    [Symbol.asyncDispose]: async () => {
      await stack.stop();
      await end();
    },
  };
};

const writeAssembly = (folder: string, template: Resources): string => {
  const assembly = join(folder, "assembly");
  const write = (name: string, value: unknown) => writeFileSync(join(assembly, name), JSON.stringify(value));
  mkdirSync(join(assembly, "code"), { recursive: true });
  writeFileSync(join(assembly, "code", "index.js"), CODE);
  write("t.template.json", { Resources: template, Outputs: { ApiUrl: { Value: arn("Http", "ApiEndpoint") } } });
  write("t.assets.json", {
    files: {
      code: { source: { path: "code" }, destinations: { here: { bucketName: "assets", objectKey: "code.zip" } } },
    },
  });
  write("manifest.json", {
    artifacts: {
      "t.assets": { type: "cdk:asset-manifest", properties: { file: "t.assets.json" } },
      t: { type: "aws:cloudformation:stack", properties: { templateFile: "t.template.json", stackName: "t" } },
    },
  });
  return assembly;
};

/** Waits until the claim holds. @throws with the claim's own error after the given time. */
export const eventually = async <T>(claim: () => T | Promise<T>, withinMs = 20_000): Promise<T> => {
  const until = Date.now() + withinMs;
  for (;;) {
    try {
      return await claim();
    } catch (error) {
      if (Date.now() > until) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
};
