import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SNSClient, SubscribeCommand } from "@aws-sdk/client-sns";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createAlarms } from "../../../../infra/local/cloudwatch/alarms.ts";
import { synthesise } from "../../../../infra/local/template/synth.ts";
import { loadTemplate, type Resource } from "../../../../infra/local/template/template.ts";
import type { AlarmChange } from "../../../../shared/payloads.ts";
import { eventually, startFixture } from "../fixture.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "harborlight-alarms-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const TOPIC = "arn:aws:sns:us-east-1:000000000000:system";
const FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:teller";
const FAILED = { namespace: "AWS/Lambda", name: "Errors", dimensions: { FunctionName: "api" } };
const OTHER = { ...FAILED, dimensions: { FunctionName: "other" } };

const resource = (type: string, logicalId: string, properties: Record<string, unknown>): Resource => ({
  logicalId,
  stack: "t",
  type,
  name: logicalId,
  ref: logicalId,
  arn: `arn:aws:cloudwatch:us-east-1:000000000000:alarm:${logicalId}`,
  properties,
});
const alarm = (change: Record<string, unknown> = {}) =>
  resource("AWS::CloudWatch::Alarm", "ApiFails", {
    AlarmActions: [TOPIC],
    OKActions: [TOPIC],
    AlarmDescription: "The API fails.",
    Namespace: "AWS/Lambda",
    MetricName: "Errors",
    Dimensions: [{ Name: "FunctionName", Value: "api" }],
    Statistic: "Sum",
    Period: 60,
    EvaluationPeriods: 1,
    Threshold: 3,
    ComparisonOperator: "GreaterThanOrEqualToThreshold",
    TreatMissingData: "notBreaching",
    ...change,
  });

const open = (resources: readonly Resource[], refuse: () => void = () => {}) => {
  const published: { topic: string; subject: string | undefined; message: string }[] = [];
  const invoked: { arn: string; payload: unknown }[] = [];
  const lines: string[] = [];
  const alarms = createAlarms(resources, {
    file: join(folder, "alarms.jsonl"),
    topicArns: [TOPIC],
    functionArns: [FUNCTION],
    invokeLater: (arn, payload) => invoked.push({ arn, payload: JSON.parse(payload) }),
    publish: (topic, subject, message) => {
      refuse();
      published.push({ topic, subject, message });
    },
    sample: () => {},
    log: (line) => lines.push(line),
  });
  const states = () => published.map(({ message }) => JSON.parse(message).NewStateValue);
  /** One minute in which the metric had these values. */
  const minute = (...values: number[]) => {
    for (const value of values) alarms.metrics.put(FAILED, value);
    alarms.evaluate();
  };
  return { alarms, published, invoked, lines, states, minute };
};

test("tells the topic CloudWatch's message and the owner one line, when it begins and when it ends", () => {
  const { alarms, published, lines, minute } = open([alarm()]);
  minute(1, 1);
  expect(published).toEqual([]);
  alarms.metrics.put(OTHER, 50);
  minute(1, 1, 1);
  minute(5);
  minute();
  expect(published).toHaveLength(2);
  expect(published[0]).toMatchObject({ topic: TOPIC, subject: 'ALARM: "ApiFails" in US East (N. Virginia)' });
  expect(JSON.parse(published[0]!.message)).toMatchObject({
    AlarmName: "ApiFails",
    AlarmDescription: "The API fails.",
    NewStateValue: "ALARM",
    OldStateValue: "OK",
    NewStateReason: expect.stringContaining("[3]"),
    Trigger: { MetricName: "Errors", Period: 60, Dimensions: [{ name: "FunctionName", value: "api" }] },
  });
  expect(JSON.parse(published[1]!.message)).toMatchObject({ NewStateValue: "OK", OldStateValue: "ALARM" });
  expect(lines).toEqual([
    expect.stringMatching(/^alarm ApiFails is ALARM: The API fails\./),
    expect.stringMatching(/^alarm ApiFails is OK: The API fails\./),
  ]);
});

describe("periods", () => {
  test.each([
    ["all of three", { EvaluationPeriods: 3 }, [[3], [3], [0], [3], [3], [3]], ["ALARM"]],
    ["two of three", { EvaluationPeriods: 3, DatapointsToAlarm: 2 }, [[3], [0], [3], [0], [0]], ["ALARM", "OK"]],
    ["a sum over five minutes", { Period: 300 }, [[1], [], [1], [], [1], [], []], ["ALARM", "OK"]],
    [
      "the largest value",
      { Statistic: "Maximum" },
      [
        [1, 2],
        [1, 3],
      ],
      ["ALARM"],
    ],
    [
      "the mean",
      { Statistic: "Average" },
      [
        [1, 5, 1],
        [1, 5],
      ],
      ["ALARM"],
    ],
    ["silence that is no fault", { Threshold: 1 }, [[], [], []], []],
    [
      "silence that is a fault, as soon as this process could have heard something",
      { Threshold: 1, EvaluationPeriods: 3, ComparisonOperator: "LessThanThreshold", TreatMissingData: "breaching" },
      [[], [], [], [1], []],
      ["ALARM", "OK"],
    ],
  ])("%s", (_, change, minutes, expected) => {
    const { states, minute } = open([alarm(change)]);
    for (const values of minutes) minute(...values);
    expect(states()).toEqual(expected);
  });

  test("a sum of metrics, of which one is silent", () => {
    const stat = (Id: string, name: string) => ({
      Id,
      ReturnData: false,
      MetricStat: {
        Metric: { Namespace: "AWS/Lambda", MetricName: "Errors", Dimensions: [{ Name: "FunctionName", Value: name }] },
        Period: 60,
        Stat: "Sum",
      },
    });
    const Metrics = [{ Id: "e", Expression: "FILL(m0, 0) + FILL(m1, 0)" }, stat("m0", "api"), stat("m1", "other")];
    const { Namespace: _n, MetricName: _m, Dimensions: _d, Period: _p, Statistic: _s, ...rest } = alarm().properties;
    const { alarms, states, minute } = open([{ ...alarm(), properties: { ...rest, Metrics } }]);
    minute(2);
    alarms.metrics.put(OTHER, 1);
    minute(2);
    expect(states()).toEqual(["ALARM"]);
  });
});

describe("what a metric has grown by since the period before", () => {
  const WAITING = {
    namespace: "AWS/SQS",
    name: "ApproximateNumberOfMessagesVisible",
    dimensions: { QueueName: "dead" },
  };
  const { Namespace: _n, MetricName: _m, Dimensions: _d, Period: _p, Statistic: _s, ...rest } = alarm().properties;
  const growth = {
    ...alarm(),
    properties: {
      ...rest,
      Threshold: 1,
      Metrics: [
        { Id: "e", Expression: "DIFF(FILL(waiting, 0))" },
        {
          Id: "waiting",
          ReturnData: false,
          MetricStat: {
            Metric: {
              Namespace: WAITING.namespace,
              MetricName: WAITING.name,
              Dimensions: [{ Name: "QueueName", Value: "dead" }],
            },
            Period: 300,
            Stat: "Maximum",
          },
        },
      ],
    },
  };

  test.each([
    [
      "rings for each dead letter that arrives, and is over while they lie there",
      0,
      [0, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2],
      ["ALARM", "OK", "ALARM", "OK"],
    ],
    ["says nothing of those that lay there at the start", 3, [3, 3, 3, 3, 3, 3, 3], []],
    ["rings for one more in the first minute", 3, [4], ["ALARM"]],
    ["says nothing when they are taken away", 3, [3, 0, 0, 0, 0, 0, 0, 0], []],
  ])("%s", (_, before, minutes, expected) => {
    const { alarms, states } = open([growth]);
    alarms.metrics.put(WAITING, before);
    alarms.metrics.begin();
    for (const value of minutes) {
      alarms.metrics.put(WAITING, value);
      alarms.evaluate();
    }
    expect(states()).toEqual(expected);
  });
});

test("a restart neither tells an alarm again nor forgets to tell its end", () => {
  const first = open([alarm()]);
  first.minute(3);
  first.alarms.stop();
  const second = open([alarm()]);
  second.minute(3);
  second.minute();
  expect(second.states()).toEqual(["OK"]);
});

test("an alarm that cannot be told, because the disk is full, is told a minute later", () => {
  let isFull = true;
  const { states, lines, minute } = open([alarm()], () => {
    if (isFull) throw new Error("ENOSPC: no space left on device, write");
  });
  minute(3);
  expect(lines.at(-1)).toMatch(/^alarm ApiFails could not be told: ENOSPC/);
  isFull = false;
  minute(3);
  expect(states()).toEqual(["ALARM"]);
});

test("an alarm without actions is told through the rule that wants it", () => {
  const rule = resource("AWS::Events::Rule", "Receive", {
    EventPattern: {
      source: ["aws.cloudwatch"],
      detail: { alarmName: [{ prefix: "Api" }], state: { value: ["ALARM", "OK"] } },
    },
    Targets: [
      {
        Arn: TOPIC,
        InputTransformer: {
          InputPathsMap: { state: "$.detail.state.value", text: "$.detail.configuration.description" },
          InputTemplate: '"<state>"\n"<text>"',
        },
      },
    ],
  });
  const { published, minute } = open([alarm({ AlarmActions: undefined, OKActions: undefined }), rule]);
  minute(3);
  expect(published).toEqual([{ topic: TOPIC, subject: undefined, message: '"ALARM"\n"The API fails."' }]);
});

test("a rule gives a function the event, and is no replacement for a topic", () => {
  const rule = resource("AWS::Events::Rule", "Tell", {
    EventPattern: { source: ["aws.cloudwatch"], detail: { alarmName: [{ prefix: "Api" }] } },
    Targets: [{ Arn: FUNCTION }],
  });
  const { invoked, minute } = open([alarm(), rule]);
  minute(3);
  expect(invoked).toEqual([
    {
      arn: FUNCTION,
      payload: expect.objectContaining({
        source: "aws.cloudwatch",
        detail: expect.objectContaining({ alarmName: "ApiFails", state: expect.objectContaining({ value: "ALARM" }) }),
      }),
    },
  ]);
  expect(() => open([alarm({ AlarmActions: undefined, OKActions: undefined }), rule])).toThrow("nobody hears");
});

test.each([
  ["nobody hears of its OK", alarm({ OKActions: [] })],
  ["ExtendedStatistic", alarm({ ExtendedStatistic: "p99" })],
  ["statistic p99", alarm({ Statistic: "p99" })],
  ["period 10", alarm({ Period: 10 })],
  ["TreatMissingData missing", alarm({ TreatMissingData: undefined })],
  ["ComparisonOperator LessThanLowerThreshold", alarm({ ComparisonOperator: "LessThanLowerThreshold" })],
  ["no topic of the template", alarm({ AlarmActions: ["arn:aws:lambda:us-east-1:000000000000:function:f"] })],
  ["nobody measures DeadLetterErrors of AWS/Lambda", alarm({ MetricName: "DeadLetterErrors" })],
  ["no sum of metrics", alarm({ Metrics: [{ Id: "e", Expression: "m0 / m1" }] })],
  ["composite", resource("AWS::CloudWatch::CompositeAlarm", "All", {})],
])("an alarm that would never ring keeps the stack from starting: %s", (what, wrong) => {
  expect(() => open([wrong])).toThrow(what);
});

test("every alarm of the app's templates can be evaluated here and reaches a topic, in each location", async () => {
  const locations = ["local", "second"].map((name) => ({ name, kind: "local" }));
  await synthesise(folder, { locations, alertSender: "a@example.com" });
  const resources = loadTemplate(folder, { gatewayUrl: "http://127.0.0.1:1" });
  const all = resources.filter(({ type }) => type === "AWS::CloudWatch::Alarm");
  expect(all.filter(({ stack }) => stack.endsWith("second")).length).toBeGreaterThan(0);
  const topics = resources.filter(({ type }) => type === "AWS::SNS::Topic").map(({ arn }) => arn!);
  const told: string[] = [];
  const relayed: AlarmChange[] = [];
  const lines: string[] = [];
  const alarms = createAlarms(resources, {
    file: join(folder, "alarms.jsonl"),
    topicArns: topics,
    publish: (topic) => told.push(topic),
    functionArns: resources.filter(({ type }) => type === "AWS::Lambda::Function").map(({ arn }) => arn!),
    invokeLater: (_, payload) => relayed.push(JSON.parse(payload)),
    sample: () => {},
    log: (line) => lines.push(line),
  });
  // So much of everything, and more each minute, that all of them ring; those that want to hear something do so from silence.
  for (let minute = 0; minute < 180; minute += 1) {
    for (const { properties } of all) {
      const metrics = [
        properties,
        ...((properties.Metrics ?? []) as { MetricStat?: { Metric: object } }[]).map(
          (query) => query.MetricStat?.Metric ?? {},
        ),
      ];
      for (const { Namespace, MetricName, Dimensions = [] } of metrics as {
        Namespace?: string;
        MetricName?: string;
        Dimensions?: { Name: string; Value: string }[];
      }[]) {
        if (Namespace === undefined || properties.TreatMissingData === "breaching") continue;
        const dimensions = Object.fromEntries(Dimensions.map(({ Name, Value }) => [Name, Value]));
        alarms.metrics.put({ namespace: Namespace, name: MetricName!, dimensions }, 100_000 * (minute + 1));
      }
    }
    alarms.evaluate();
  }
  const [system] = topics.filter((topic) => topic.includes("System"));
  expect(told).toEqual(all.map(() => system));
  expect(relayed.map(({ detail }) => detail.alarmName).toSorted()).toEqual(all.map(({ name }) => name).toSorted());
  expect(lines).toHaveLength(all.length);
  expect(lines.every((line) => line.includes(" is ALARM: "))).toBe(true);
});

test("in the running stack: errors, printed metrics, queues and the stream ring, and a subscriber of the topic hears it", async () => {
  const lines: string[] = [];
  await using fixture = await startFixture({
    log: (line) => lines.push(line),
    change: (template) => {
      const watch = (namespace: string, name: string, [dimension, value]: [string, string], threshold = 1) => ({
        Type: "AWS::CloudWatch::Alarm",
        Properties: {
          ...alarm().properties,
          AlarmActions: [{ Ref: "Alerts" }],
          OKActions: [{ Ref: "Alerts" }],
          Namespace: namespace,
          MetricName: name,
          Dimensions: [{ Name: dimension, Value: value }],
          Statistic: "Maximum",
          Threshold: threshold,
        },
      });
      template.Errors = watch("AWS/Lambda", "Errors", ["FunctionName", "worker"]);
      template.Printed = watch("Things", "Things", ["service", "worker"], 5);
      template.Dead1 = watch("AWS/SQS", "ApproximateNumberOfMessagesVisible", ["QueueName", "dead"]);
      template.Old = watch("AWS/SQS", "ApproximateAgeOfOldestMessage", ["QueueName", "plain"], 0.05);
      template.Age = watch("AWS/Lambda", "IteratorAge", ["FunctionName", "streamer"], 0);
    },
  });
  const { stack } = fixture;
  const plain = stack.queues.byName("plain")!;
  await new SNSClient(fixture.as()).send(
    new SubscribeCommand({
      TopicArn: "arn:aws:sns:us-east-1:000000000000:alerts",
      Protocol: "sqs",
      Endpoint: stack.queues.byName("failed")!.arn,
    }),
  );
  plain.send("waits");
  stack.queues.byName("dead")!.send("dead");
  const { run } = stack.functions.find("worker")!;
  await run.invoke('{"do":"throw"}');
  await run.invoke('{"do":"metric","value":5,"namespace":"Things","service":"worker"}');
  await stack.database.handle("PutItem", { TableName: "things", Item: { pk: { S: "thing-1" } } });
  await eventually(() => expect(fixture.received.filter(({ by }) => by === "streamer")).toHaveLength(1));
  await eventually(() => expect(readFileSync(run.settings.logFile, "utf8")).toContain('"Things":5'));
  await new Promise((resolve) => setTimeout(resolve, 100));
  stack.alarms.evaluate();
  const rang = () => lines.flatMap((line) => /^alarm t-(\w+) is ALARM/.exec(line)?.[1] ?? []);
  expect(rang().toSorted()).toEqual(["Age", "Dead1", "Errors", "Old", "Printed"]);
  const heard: string[] = [];
  await eventually(async () => {
    const messages = await stack.queues.byName("failed")!.receive({ max: 10, visibilitySeconds: 60 });
    heard.push(...messages.map(({ body }) => JSON.parse(JSON.parse(body).Message).AlarmName));
    expect(heard.toSorted()).toEqual(["t-Age", "t-Dead1", "t-Errors", "t-Old", "t-Printed"]);
  });
});
