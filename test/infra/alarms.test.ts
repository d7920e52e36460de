/** Every way in which the monitoring itself can fail is told, and what telling costs is held. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { ofType, plain, type Resources, render, synthesise } from "./synthesised.ts";

const { resources, probes } = await synthesise({ locations: ["us-east-1", "eu-west-1"] });

const alarmsOf = (template: Resources) =>
  Object.fromEntries(
    ofType(template, "AWS::CloudWatch::Alarm").map(([id, { Properties }]) => [
      plain(id).replace(/^Alarms/, ""),
      Properties,
    ]),
  );
const home = alarmsOf(resources);

/** What CloudWatch bills: each metric an alarm looks at. */
const metricsOf = ({ Metrics }: { Metrics?: { MetricStat?: object }[] }) =>
  Metrics ? Metrics.filter(({ MetricStat }) => MetricStat).length : 1;
const billed = (alarms: Record<string, { Metrics?: { MetricStat?: object }[] }>) =>
  Object.values(alarms).reduce((sum, alarm) => sum + metricsOf(alarm), 0);

test("silence is a fault where somebody has to speak, and nowhere else", () => {
  expect(
    Object.fromEntries(Object.entries(home).map(([name, { TreatMissingData }]) => [name, TreatMissingData])),
  ).toEqual({
    DispatchSilent: "breaching",
    CompactionBehind: "breaching",
    DispatchErrors: "notBreaching",
    StateChangeErrors: "notBreaching",
    ApiErrors: "notBreaching",
    CompactErrors: "notBreaching",
    Throttles: "notBreaching",
    TableThrottles: "notBreaching",
    StreamBehind: "notBreaching",
    AlertsUndeliverable: "notBreaching",
    LoginsFailed: "notBreaching",
    DeliverErrors: "notBreaching",
    MailBehind: "notBreaching",
    Undecided: "notBreaching",
    UndeliveredToSubscriber: "notBreaching",
    ProbeErrors: "notBreaching",
    ProbeThrottles: "notBreaching",
    JobsBacklog: "notBreaching",
    DeadJobs: "notBreaching",
  });
});

test("the alarm of compaction names the retention of blocks that was deployed", async () => {
  const { resources: short } = await synthesise({ retention: { blockDays: 7, rosterDays: 8 } });
  expect(alarmsOf(short).CompactionBehind?.AlarmDescription).toContain("lost when they are 7 days old");
});

test("every alarm of the home stack tells the system topic when it starts and when it ends, in words", () => {
  for (const { AlarmActions, OKActions, AlarmDescription } of Object.values(home)) {
    expect(AlarmActions.map(render)).toEqual(["System"]);
    expect(OKActions.map(render)).toEqual(["System"]);
    expect(AlarmDescription.length).toBeGreaterThan(20);
  }
});

test.each([
  ["DispatchSilent", "AWS/Lambda", "Invocations", "FunctionName=DispatchFunction", "Sum < 1 in 3 x 60 s"],
  ["DispatchErrors", "AWS/Lambda", "Errors", "FunctionName=DispatchFunction", "Sum >= 2 in 1 x 300 s"],
  ["StateChangeErrors", "AWS/Lambda", "Errors", "FunctionName=StateChangeFunction", "Sum >= 3 in 1 x 300 s"],
  ["ApiErrors", "AWS/Lambda", "Errors", "FunctionName=ApiFunction", "Sum >= 3 in 1 x 300 s"],
  ["CompactErrors", "AWS/Lambda", "Errors", "FunctionName=CompactFunction", "Sum >= 2 in 1 x 3600 s"],
  ["ProbeErrors", "AWS/Lambda", "Errors", "FunctionName=SiteProbeFunction", "Sum >= 3 in 1 x 300 s"],
  ["ProbeThrottles", "AWS/Lambda", "Throttles", "FunctionName=SiteProbeFunction", "Sum >= 5 in 1 x 300 s"],
  ["StreamBehind", "AWS/Lambda", "IteratorAge", "FunctionName=StateChangeFunction", "Maximum >= 60000 in 2 x 60 s"],
  ["AlertsUndeliverable", "Harborlight/harborlight", "AlertsUndeliverable", "service=deliver", "Sum >= 1 in 1 x 300 s"],
  ["DeliverErrors", "AWS/Lambda", "Errors", "FunctionName=DeliveryDeliverFunction", "Sum >= 3 in 1 x 300 s"],
  ["MailBehind", "AWS/Lambda", "IteratorAge", "FunctionName=DeliveryDeliverFunction", "Maximum >= 120000 in 2 x 60 s"],
  ["LoginsFailed", "Harborlight/harborlight", "LoginsFailed", "service=api", "Sum >= 100 in 1 x 3600 s"],
  ["CompactionBehind", "Harborlight/harborlight", "CompactionLagDays", "service=compact", "Maximum >= 3 in 3 x 3600 s"],
  [
    "JobsBacklog",
    "AWS/SQS",
    "ApproximateAgeOfOldestMessage",
    "QueueName=SiteJobs.QueueName",
    "Maximum >= 600 in 3 x 60 s",
  ],
])("%s watches %s %s of %s: %s", (name, namespace, metric, dimension, condition) => {
  const alarm = home[name as string]!;
  const operator = { GreaterThanOrEqualToThreshold: ">=", LessThanThreshold: "<" }[alarm.ComparisonOperator as string];
  expect([alarm.Namespace, alarm.MetricName]).toEqual([namespace, metric]);
  expect(alarm.Dimensions.map((d: { Name: string; Value: unknown }) => `${d.Name}=${render(d.Value)}`)).toEqual([
    dimension,
  ]);
  expect(`${alarm.Statistic} ${operator} ${alarm.Threshold} in ${alarm.EvaluationPeriods} x ${alarm.Period} s`).toBe(
    condition,
  );
});

interface Stat {
  readonly Metric: { readonly MetricName: string; readonly Dimensions: readonly { readonly Value: unknown }[] };
  readonly Period: number;
  readonly Stat: string;
}

/** `metric resource` of each metric, and the expression that they are put into. */
const expressionOf = (name: string) => {
  const { Metrics, Threshold, ComparisonOperator } = home[name]! as {
    Metrics: { MetricStat?: Stat; Expression?: string }[];
  } & Record<string, unknown>;
  expect(ComparisonOperator).toBe("GreaterThanOrEqualToThreshold");
  return {
    metrics: Metrics.flatMap(({ MetricStat }) =>
      MetricStat ? `${MetricStat.Metric.MetricName} ${render(MetricStat.Metric.Dimensions[0]!.Value)}` : [],
    ),
    says: `${Metrics.find(({ Expression }) => Expression)!.Expression} >= ${Threshold}`,
  };
};
const SUM_OF_FOUR = "FILL(m0, 0) + FILL(m1, 0) + FILL(m2, 0) + FILL(m3, 0)";

test("docs/OPERATING.md says of each alarm, output and setting of memory what to do", () => {
  const text = readFileSync(new URL("../../docs/OPERATING.md", import.meta.url), "utf8");
  const missing = [
    ...Object.keys(home),
    "probeMemoryMb",
    "maximumConcurrency",
    "customerManagedKey",
    "permissionsBoundary",
  ];
  expect(missing.filter((name) => !text.includes(`\`${name}`))).toEqual([]);
});

test("throttles of all home functions are one sum", () => {
  expect(expressionOf("Throttles")).toEqual({
    metrics: ["Dispatch", "StateChange", "Compact", "Api"].map((name) => `Throttles ${name}Function`),
    says: `${SUM_OF_FOUR} >= 5`,
  });
});

test("throttles of both tables are one sum", () => {
  expect(expressionOf("TableThrottles")).toEqual({
    metrics: ["Monitors", "History"].flatMap((name) =>
      ["ReadThrottleEvents", "WriteThrottleEvents"].map((metric) => `${metric} Tables${name}`),
    ),
    says: `${SUM_OF_FOUR} >= 50`,
  });
});

test.each([
  ["DeadJobs", "SiteDeadJobs"],
  ["Undecided", "Undecided"],
  ["UndeliveredToSubscriber", "UndeliveredToSubscriber"],
])("%s rings for dead letters that arrive, not for the 14 days that they lie there", (name, queue) => {
  expect(expressionOf(name)).toEqual({
    metrics: [`ApproximateNumberOfMessagesVisible ${queue}.QueueName`],
    says: "DIFF(FILL(waiting, 0)) >= 1",
  });
});

test("a probe stack watches its own probe; its alarms carry no action, the relay does", () => {
  const abroad = alarmsOf(probes[0]!);
  expect(Object.keys(abroad)).toEqual(["ProbeErrors", "ProbeThrottles", "JobsBacklog", "DeadJobs"]);
  for (const alarm of Object.values(abroad)) expect(alarm).not.toHaveProperty("AlarmActions");
});

test("alarms cost $2.10 a month and $0.40 for each location", () => {
  const location = billed(alarmsOf(probes[0]!));
  expect(location).toBe(4);
  expect(billed(home) - location).toBe(21);
});
