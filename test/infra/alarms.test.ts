/** Every way in which the monitoring itself can fail is told, and what telling costs is held. */
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
    StreamBehind: "notBreaching",
    AlertsUndeliverable: "notBreaching",
    Undecided: "notBreaching",
    UndeliveredToSubscriber: "notBreaching",
    ProbeErrors: "notBreaching",
    ProbeThrottles: "notBreaching",
    JobsBacklog: "notBreaching",
    DeadJobs: "notBreaching",
  });
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
  ["AlertsUndeliverable", "Harborlight", "AlertsUndeliverable", "service=state-change", "Sum >= 1 in 1 x 300 s"],
  ["CompactionBehind", "Harborlight", "CompactionLagDays", "service=compact", "Maximum >= 3 in 3 x 3600 s"],
  [
    "JobsBacklog",
    "AWS/SQS",
    "ApproximateAgeOfOldestMessage",
    "QueueName=SiteJobs.QueueName",
    "Maximum >= 300 in 3 x 60 s",
  ],
  ...[
    ["DeadJobs", "SiteDeadJobs"],
    ["Undecided", "Undecided"],
    ["UndeliveredToSubscriber", "UndeliveredToSubscriber"],
  ].map(([name, queue]) => [
    name as string,
    "AWS/SQS",
    "ApproximateNumberOfMessagesVisible",
    `QueueName=${queue}.QueueName`,
    "Maximum >= 1 in 1 x 300 s",
  ]),
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

test("throttles of all home functions are one sum", () => {
  const { Metrics, Threshold } = home.Throttles!;
  const watched = Metrics.filter((metric: { MetricStat?: object }) => metric.MetricStat).map(
    ({ MetricStat }: { MetricStat: { Metric: { MetricName: string; Dimensions: { Value: unknown }[] } } }) =>
      `${MetricStat.Metric.MetricName} ${render(MetricStat.Metric.Dimensions[0]!.Value)}`,
  );
  expect(watched).toEqual(["Dispatch", "StateChange", "Compact", "Api"].map((name) => `Throttles ${name}Function`));
  expect(Metrics.find(({ Expression }: { Expression?: string }) => Expression).Expression).toBe(
    "FILL(m0, 0) + FILL(m1, 0) + FILL(m2, 0) + FILL(m3, 0)",
  );
  expect(Threshold).toBe(5);
});

test("a probe stack watches its own probe; its alarms carry no action, the relay does", () => {
  const abroad = alarmsOf(probes[0]!);
  expect(Object.keys(abroad)).toEqual(["ProbeErrors", "ProbeThrottles", "JobsBacklog", "DeadJobs"]);
  for (const alarm of Object.values(abroad)) expect(alarm).not.toHaveProperty("AlarmActions");
});

test("alarms cost $1.40 a month and $0.40 for each location", () => {
  const location = billed(alarmsOf(probes[0]!));
  expect(location).toBe(4);
  expect(billed(home) - location).toBe(14);
});
