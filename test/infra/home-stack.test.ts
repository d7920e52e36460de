/** What would hurt if it were lost or wired wrongly. */
import { describe, expect, test } from "vitest";
import {
  byPlainId,
  createApp,
  functionOf,
  ofType,
  type Resource,
  type Resources,
  render,
  synthesise,
} from "./synthesised.ts";

const { home, resources } = await synthesise({ alertSender: "ops@example.com" });

const attribute = (name: string) => ({ AttributeName: name, AttributeType: "S" });
const keys = (hash: string, range: string) => [
  { AttributeName: hash, KeyType: "HASH" },
  { AttributeName: range, KeyType: "RANGE" },
];

test("the tables outlive the stack and cannot be deleted by accident", () => {
  const tables = ofType(resources, "AWS::DynamoDB::Table");
  expect(tables).toHaveLength(2);
  for (const [, table] of tables) {
    expect(table).toMatchObject({ DeletionPolicy: "Retain", UpdateReplacePolicy: "Retain" });
    expect(table.Properties).toMatchObject({
      BillingMode: "PAY_PER_REQUEST",
      DeletionProtectionEnabled: true,
      KeySchema: keys("pk", "sk"),
      TimeToLiveSpecification: { AttributeName: "expiresAtSeconds", Enabled: true },
    });
  }
});

test("monitors: recoverable to a point in time, a stream of keys, six indexes of which none grows with the product", () => {
  const { Properties } = byPlainId(resources, "TablesMonitors");
  expect(Properties).toMatchObject({
    TableName: "harborlight-monitors",
    PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
    StreamSpecification: { StreamViewType: "KEYS_ONLY" },
  });
  const keysOnly = (IndexName: string, hash: string, range: string) => ({
    IndexName,
    KeySchema: keys(hash, range),
    Projection: { ProjectionType: "KEYS_ONLY" },
  });
  const indexes = [
    ["due", "dueBucket", "nextEvaluationAt"],
    ["look-by", "lookBucket", "lookBy"],
    ["listed", "listBucket", "listKey"],
    ["attention", "attentionBucket", "attentionKey"],
    ["changed", "changedBucket", "changedAt"],
  ] as const;
  expect(Properties.AttributeDefinitions).toEqual(
    ["pk", "sk", "shard", ...indexes.flatMap(([, hash, range]) => [hash, range])].map(attribute),
  );
  const memberAttributes = "check beliefs paused settingsVersion settingsChangedAt placements deletedAt";
  expect(Properties.GlobalSecondaryIndexes).toEqual([
    {
      IndexName: "members",
      KeySchema: keys("shard", "pk"),
      Projection: { ProjectionType: "INCLUDE", NonKeyAttributes: memberAttributes.split(" ") },
    },
    ...indexes.map(([name, hash, range]) => keysOnly(name, hash, range)),
  ]);
});

test("history: its own table, no stream, no index", () => {
  const { Properties } = byPlainId(resources, "TablesHistory");
  expect(Properties.TableName).toBe("harborlight-history");
  expect(Properties).not.toHaveProperty("StreamSpecification");
  expect(Properties).not.toHaveProperty("GlobalSecondaryIndexes");
});

describe("the stream", () => {
  const mappings = ofType(resources, "AWS::Lambda::EventSourceMapping")
    .map(([, { Properties }]) => Properties)
    .filter(({ EventSourceArn }) => render(EventSourceArn).endsWith(".StreamArn"));
  const byFunction = new Map(mappings.map((mapping) => [render(mapping.FunctionName), mapping]));

  test("has two readers, which is the most that DynamoDB serves", () => {
    expect([...byFunction.keys()].sort()).toEqual(["DeliveryDeliverFunction", "StateChangeFunction"]);
  });

  test.each([
    [
      "monitors and outboxes to state-change",
      "StateChangeFunction",
      ["MONITOR", "STATE"],
      { BatchSize: 25, BisectBatchOnFunctionError: true, MaximumRetryAttempts: 5 },
    ],
    ["receivers to deliver", "DeliveryDeliverFunction", ["MAILBOX"], { BatchSize: 10, MaximumRetryAttempts: 2 }],
  ])("brings %s", (_, name, sortKeys, own) => {
    const { FilterCriteria, ...settings } = byFunction.get(name)!;
    expect(FilterCriteria.Filters.map(({ Pattern }: { Pattern: string }) => JSON.parse(Pattern))).toEqual([
      { eventName: ["INSERT", "MODIFY"], dynamodb: { Keys: { sk: { S: sortKeys } } } },
    ]);
    expect(settings).toMatchObject({
      FunctionResponseTypes: ["ReportBatchItemFailures"],
      MaximumRecordAgeInSeconds: 3600,
      ParallelizationFactor: 2,
      StartingPosition: "TRIM_HORIZON",
      ...own,
    });
    expect(render(settings.EventSourceArn)).toBe("TablesMonitors.StreamArn");
  });

  test("leaves what state-change cannot decide in a queue with an alarm", () => {
    const { DestinationConfig } = byFunction.get("StateChangeFunction")!;
    expect(render(DestinationConfig.OnFailure.Destination)).toBe("Undecided.Arn");
  });
});

test("each queue feeds its function", () => {
  const mappings = ofType(resources, "AWS::Lambda::EventSourceMapping")
    .map(([, { Properties }]) => Properties)
    .filter(({ EventSourceArn }) => !render(EventSourceArn).endsWith(".StreamArn"))
    .map(({ EventSourceArn, FunctionName, BatchSize, FunctionResponseTypes, ScalingConfig }) => [
      render(EventSourceArn),
      render(FunctionName),
      BatchSize,
      FunctionResponseTypes,
      ScalingConfig,
    ]);
  expect(mappings).toEqual([["SiteJobs.Arn", "SiteProbeFunction", 1, ["ReportBatchItemFailures"], undefined]]);
});

test("the jobs queue hides a job for six times the probe's time, and gives up after five tries", () => {
  const timeoutOf = (service: string) => functionOf(resources, service)[1].Properties.Timeout as number;
  const jobs = byPlainId(resources, "SiteJobs").Properties;
  expect(jobs.QueueName).toBe("harborlight-jobs-us-east-1");
  expect(render(jobs.RedrivePolicy.deadLetterTargetArn)).toBe("SiteDeadJobs.Arn");
  expect(jobs.RedrivePolicy.maxReceiveCount).toBe(5);
  expect(jobs.VisibilityTimeout).toBe(6 * timeoutOf("probe"));
  expect(jobs.MessageRetentionPeriod).toBeGreaterThan(5 * jobs.VisibilityTimeout);
});

test("queues and topics refuse what is not encrypted on its way", () => {
  for (const kind of ["Queue", "Topic"]) {
    const guarded = Object.values(resources)
      .filter(({ Type }) => Type === `AWS::SQS::${kind}Policy` || Type === `AWS::SNS::${kind}Policy`)
      .filter(({ Properties }) => JSON.stringify(Properties.PolicyDocument).includes('"aws:SecureTransport":"false"'));
    const all = Object.values(resources).filter(({ Type }) => Type.endsWith(`::${kind}`));
    expect(guarded).toHaveLength(all.length);
  }
});

test("alarms may publish to the system topic, subscriptions may set aside what nobody takes", () => {
  const topicPolicies = ofType(resources, "AWS::SNS::TopicPolicy").flatMap(
    ([, { Properties }]) => Properties.PolicyDocument.Statement,
  );
  const publishers = topicPolicies
    .filter(({ Effect }) => Effect === "Allow")
    .map(({ Principal, Resource, Condition }) => [Principal.Service, render(Resource), JSON.stringify(Condition)]);
  expect(publishers).toEqual([
    ["cloudwatch.amazonaws.com", "System", '{"StringEquals":{"aws:SourceAccount":{"Ref":"AWS::AccountId"}}}'],
    ["events.amazonaws.com", "System", undefined],
  ]);
  const senders = ofType(resources, "AWS::SQS::QueuePolicy")
    .flatMap(([, { Properties }]) => Properties.PolicyDocument.Statement)
    .filter(({ Effect }) => Effect === "Allow")
    .map(({ Principal, Resource, Condition }) => [
      Principal.Service,
      render(Resource),
      Condition.ArnEquals["aws:SourceArn"].map(render),
    ]);
  expect(senders).toEqual([["sns.amazonaws.com", "UndeliveredToSubscriber.Arn", ["Alerts", "People", "System"]]]);
});

test("schedules: dispatch every minute and never late, compact every hour", () => {
  const schedules = ofType(resources, "AWS::Scheduler::Schedule").map(([, { Properties }]) => ({
    when: Properties.ScheduleExpression,
    window: Properties.FlexibleTimeWindow.Mode,
    target: render(Properties.Target.Arn),
    input: JSON.parse(Properties.Target.Input),
    retry: Properties.Target.RetryPolicy,
    state: Properties.State,
  }));
  const input = { source: "schedule" };
  const retry = (maxAge: number) => ({ MaximumEventAgeInSeconds: maxAge, MaximumRetryAttempts: 2 });
  expect(schedules).toEqual([
    {
      when: "rate(1 minute)",
      window: "OFF",
      target: "DispatchFunction.Arn",
      input,
      retry: retry(60),
      state: "ENABLED",
    },
    {
      when: "cron(7 * * * ? *)",
      window: "OFF",
      target: "CompactFunction.Arn",
      input,
      retry: retry(1800),
      state: "ENABLED",
    },
  ]);
  const asynchronous = ofType(resources, "AWS::Lambda::EventInvokeConfig").map(([, { Properties }]) => [
    render(Properties.FunctionName),
    Properties.MaximumRetryAttempts,
    Properties.MaximumEventAgeInSeconds,
  ]);
  expect(asynchronous).toEqual([
    ["DispatchFunction", 0, 60],
    ["CompactFunction", 1, 1800],
  ]);
});

test("a scheduler may invoke its function and nothing else", () => {
  const roles = ofType(resources, "AWS::IAM::Role")
    .map(([, { Properties }]) => Properties)
    .filter(({ AssumeRolePolicyDocument }) => JSON.stringify(AssumeRolePolicyDocument).includes("scheduler."))
    .map(({ Policies }) => Policies[0].PolicyDocument.Statement)
    .map(([{ Action, Resource }]) => `${Action} ${render(Resource)}`);
  expect(roles).toEqual(["lambda:InvokeFunction DispatchFunction.Arn", "lambda:InvokeFunction CompactFunction.Arn"]);
});

test("functions: Node 24 on arm64, quiet logs that end some day, room and time of each", () => {
  const functions = ofType(resources, "AWS::Lambda::Function");
  for (const [, { Properties }] of functions) {
    expect(Properties).toMatchObject({
      Runtime: "nodejs24.x",
      Architectures: ["arm64"],
      Handler: "index.handler",
      LoggingConfig: { LogFormat: "JSON", SystemLogLevel: "WARN" },
    });
    expect(Properties).not.toHaveProperty("ReservedConcurrentExecutions");
    expect(resources[Properties.LoggingConfig.LogGroup.Ref]).toMatchObject({
      DeletionPolicy: "Delete",
      Properties: { RetentionInDays: 14 },
    });
  }
  const sizes = functions.map(([, { Properties }]) => [
    Properties.Environment.Variables.POWERTOOLS_SERVICE_NAME,
    Properties.MemorySize,
    Properties.Timeout,
  ]);
  expect(Object.fromEntries(sizes.map(([name, ...size]) => [name, size]))).toEqual({
    dispatch: [128, 50],
    probe: [128, 75],
    "state-change": [256, 60],
    deliver: [256, 55],
    api: [512, 29],
    compact: [512, 900],
    "status-page": [256, 20],
    web: [128, 10],
  });
});

test("outputs name what people need next", () => {
  const outputs = Object.fromEntries(
    Object.entries(home.toJSON().Outputs as Record<string, { Value: unknown }>).map(([name, { Value }]) => [
      name,
      render(Value),
    ]),
  );
  expect(outputs).toEqual({
    ApiUrl: "PublicApiHttp.ApiEndpoint",
    AlertsTopicArn: "Alerts",
    PeopleTopicArn: "People",
    SystemTopicArn: "System",
    MonitorsTable: "TablesMonitors",
    HistoryTable: "TablesHistory",
    ApiFunctionName: "ApiFunction",
    DispatchFunctionName: "DispatchFunction",
    StateChangeFunctionName: "StateChangeFunction",
    DeliverFunctionName: "DeliveryDeliverFunction",
    CompactFunctionName: "CompactFunction",
    ProbeFunctionName: "SiteProbeFunction",
    JobsQueueUrl: "SiteJobs",
    DeadJobsQueueUrl: "SiteDeadJobs",
    UndecidedQueueUrl: "Undecided",
    UndeliveredQueueUrl: "UndeliveredToSubscriber",
    FirstTokenCommand: "npm run token -- --name admin --scopes admin",
  });
});

test("settings reach the template", async () => {
  const { resources: other } = await synthesise({
    appId: "ports",
    maximumConcurrency: 5,
    logRetentionDays: 30,
    apiThrottle: { ratePerSecond: 5 },
    retention: { chunkDays: 100 },
    controlTargets: ["192.0.2.1:80"],
    dashboard: true,
    probeMemoryMb: 256,
    apiMemoryMb: 1024,
    tags: { team: "ops" },
  });
  expect(functionOf(other, "probe")[1].Properties.MemorySize).toBe(256);
  expect(functionOf(other, "api")[1].Properties.MemorySize).toBe(1024);
  for (const type of ["AWS::DynamoDB::Table", "AWS::Lambda::Function", "AWS::SQS::Queue", "AWS::SNS::Topic"]) {
    for (const [, { Properties }] of ofType(other, type)) {
      expect(Properties.Tags).toEqual([
        { Key: "Application", Value: "ports" },
        { Key: "team", Value: "ops" },
      ]);
    }
  }
  expect(byPlainId(other, "TablesMonitors").Properties.TableName).toBe("ports-monitors");
  const probe = functionOf(other, "probe")[1].Properties;
  expect(probe.FunctionName).toBe("ports-probe-us-east-1");
  expect(JSON.parse(probe.Environment.Variables.CONTROL_TARGETS)).toEqual(["192.0.2.1:80"]);
  expect(JSON.parse(probe.Environment.Variables.RETENTION)).toMatchObject({ blockDays: 14, chunkDays: 100 });
  const scaling = ofType(other, "AWS::Lambda::EventSourceMapping").map(
    ([, { Properties }]) => Properties.ScalingConfig,
  );
  expect(scaling.filter(Boolean)).toEqual([{ MaximumConcurrency: 5 }]);
  expect(ofType(other, "AWS::Logs::LogGroup").every(([, { Properties }]) => Properties.RetentionInDays === 30)).toBe(
    true,
  );
  expect(byPlainId(other, "PublicApiStage").Properties.DefaultRouteSettings).toEqual({
    ThrottlingRateLimit: 5,
    ThrottlingBurstLimit: 40,
  });
  expect(ofType(other, "AWS::CloudWatch::Dashboard")).toHaveLength(1);
  expect(ofType(resources, "AWS::CloudWatch::Dashboard")).toHaveLength(0);
});

test("a second installation of the account shares no name and no metric with the first", async () => {
  const names = (template: Resources) =>
    Object.values(template).flatMap(({ Properties }) => [
      ...[Properties.QueueName, Properties.FunctionName, Properties.TableName, Properties.LogGroupName],
      Properties.Environment?.Variables.POWERTOOLS_METRICS_NAMESPACE,
      Properties.Namespace,
    ]);
  const ours = (template: Resources) =>
    new Set(names(template).filter((name) => typeof name === "string" && !name.startsWith("AWS/")));
  const { resources: second } = await synthesise({ appId: "ports", alertSender: "ops@example.com" });
  expect(ours(second).size).toBe(ours(resources).size);
  const first = ours(resources);
  expect([...ours(second)].filter((name) => first.has(name))).toEqual([]);
});

test("a permissions boundary bounds every role, by name or by ARN", async () => {
  const boundariesOf = async (permissionsBoundary: string) => {
    const { resources: bounded, probes } = await synthesise({
      permissionsBoundary,
      locations: ["us-east-1", "eu-west-1"],
    });
    const roles = [bounded, ...probes].flatMap((template) => ofType(template, "AWS::IAM::Role"));
    expect(roles.length).toBeGreaterThan(8);
    return new Set(roles.map(([, { Properties }]) => render(Properties.PermissionsBoundary)));
  };
  expect(await boundariesOf("Bound")).toEqual(new Set(["arn:aws:iam::ACCOUNT:policy/Bound"]));
  const arn = "arn:aws:iam::123456789012:policy/teams/Bound";
  expect(await boundariesOf(arn)).toEqual(new Set([arn]));
});

test("a key of the account encrypts tables, topics and dead letters, and lets in who may use these", async () => {
  const { resources: encrypted } = await synthesise({ customerManagedKey: true });
  const [[keyId, key]] = ofType(encrypted, "AWS::KMS::Key") as [[string, Resource]];
  expect(key).toMatchObject({ DeletionPolicy: "Retain", Properties: { EnableKeyRotation: true } });
  const keyOf = (value: Record<string, unknown[]>) => Object.values(value).flat()[0];
  for (const [, { Properties }] of ofType(encrypted, "AWS::DynamoDB::Table")) {
    expect(Properties.SSESpecification).toMatchObject({ SSEEnabled: true, SSEType: "KMS" });
    expect(keyOf(Properties.SSESpecification.KMSMasterKeyId)).toBe(keyId);
  }
  for (const [, { Properties }] of ofType(encrypted, "AWS::SNS::Topic"))
    expect(keyOf(Properties.KmsMasterKeyId)).toBe(keyId);
  for (const id of ["SiteDeadJobs", "Undecided", "UndeliveredToSubscriber"])
    expect(keyOf(byPlainId(encrypted, id).Properties.KmsMasterKeyId)).toBe(keyId);
  const statements = key.Properties.KeyPolicy.Statement.slice(1).map(
    ({ Principal, Condition }: { Principal: unknown; Condition: unknown }) => [Principal, Condition],
  );
  expect(statements).toEqual([
    [
      { AWS: "*" },
      {
        StringEquals: {
          "kms:CallerAccount": { Ref: "AWS::AccountId" },
          "kms:ViaService": ["dynamodb", "sqs", "sns"].map((service) => `${service}.us-east-1.amazonaws.com`),
        },
      },
    ],
    [{ Service: ["cloudwatch.amazonaws.com", "events.amazonaws.com", "sns.amazonaws.com"] }, undefined],
  ]);
  expect(ofType(resources, "AWS::KMS::Key")).toEqual([]);
});

test("what a probe costs in processor time is said until somebody has chosen its memory", async () => {
  const warningsOf = async (context: object) => {
    const { app } = await createApp({ ...context });
    const messages = app.synth().stacks.flatMap(({ messages: all }) => all);
    return messages.filter(({ level }) => level === "warning").map(({ entry }) => String(entry.data));
  };
  expect(await warningsOf({ locations: ["us-east-1", "eu-west-1"] })).toEqual([
    expect.stringMatching(/^probeMemoryMb/),
  ]);
  expect(await warningsOf({ probeMemoryMb: 128 })).toEqual([]);
});
