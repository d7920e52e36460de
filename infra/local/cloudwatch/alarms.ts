import { randomUUID } from "node:crypto";
import { MINUTE_MS } from "../../../shared/durations.ts";
import type { Disk } from "../disk/disk.ts";
import { DurableMap } from "../disk/durable-map.ts";
import { ACCOUNT, REGION, type Resource } from "../template/template.ts";
import { type Alarm, type Evaluation, parseAlarm } from "./alarm.ts";
import { type MetricName, Metrics, type PutMetric } from "./metrics.ts";
import { createRules } from "./rules.ts";

interface StoredState extends Evaluation {
  /** When the state was entered, in ISO 8601. */
  readonly at: string;
}

export interface AlarmsOptions {
  /** File with the states: a restart neither repeats a notification nor forgets the one of an alarm's end. */
  readonly file: string;
  readonly publish: (topicArn: string, subject: string | undefined, message: string) => void;
  readonly topicArns: readonly string[];
  /** ARNs of the template's functions, which rules may name. */
  readonly functionArns: readonly string[];
  readonly invokeLater: (functionArn: string, payload: string) => void;
  /** Puts metrics that services measure on demand; called at the end of each minute. */
  readonly sample: (put: PutMetric) => void;
  readonly disk?: Disk | undefined;
  readonly log: (line: string) => void;
}

/** Metrics of AWS that the local services write. Functions write those of other namespaces. */
const MEASURED: Readonly<Record<string, readonly string[]>> = {
  "AWS/DynamoDB": ["ReadThrottleEvents", "WriteThrottleEvents"],
  "AWS/Lambda": ["Invocations", "Errors", "Throttles", "Duration", "IteratorAge"],
  "AWS/SQS": [
    "ApproximateNumberOfMessagesVisible",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
    "ApproximateAgeOfOldestMessage",
  ],
};

/** An alarm that is not in the template: on AWS there is no disk to fill up. */
const DISK_ALARM = {
  name: "disk-of-the-data-folder",
  arn: `arn:aws:cloudwatch:${REGION}:${ACCOUNT}:alarm:disk-of-the-data-folder`,
  description:
    "The data folder takes no data: checks go on, changes and results are not stored. Make room on its disk.",
  actions: { ALARM: [], OK: [] },
  properties: {},
} satisfies Parameters<typeof notificationOf>[0];

export interface Alarms {
  readonly metrics: Metrics;
  /** Ends the minute, evaluates all alarms and notifies of changed states; `start` calls it once a minute. */
  evaluate(): void;
  /** Notifies the receivers of alarms that the disk takes no data, or takes data again. */
  tellDisk(isRefusing: boolean, why: string): void;
  start(): void;
  stop(): void;
}

/**
 * The template's alarms (`AWS::CloudWatch::Alarm`). A change of state is published to the alarm's topics, sent through
 * EventBridge rules, and logged as one line for the owner.
 * @throws when an alarm cannot be evaluated here, or has neither an action nor a rule
 */
export const createAlarms = (resources: readonly Resource[], options: AlarmsOptions): Alarms => {
  const composite = resources.find(({ type }) => type === "AWS::CloudWatch::CompositeAlarm");
  if (composite) throw new Error(`alarm ${composite.logicalId}: composite alarms are not supported here`);
  const alarms = resources.filter(({ type }) => type === "AWS::CloudWatch::Alarm").map(parseAlarm);
  const metrics = new Metrics(Math.max(0, ...alarms.map(({ minutes }) => minutes)));
  const rules = createRules(resources, options);
  for (const alarm of alarms) {
    for (const metric of alarm.metrics) checkMeasured(alarm, metric);
    checkHeard(alarm, options.topicArns, (state) =>
      rules.publishes(eventOf(alarm, undefined, stateNow(state, "checked"))),
    );
  }
  const states = new DurableMap<StoredState>(options.file, options);

  const tell = (alarm: Alarm, before: StoredState | undefined, now: StoredState): void => {
    options.log(`alarm ${alarm.name} is ${now.state}: ${alarm.description} ${now.reason}`);
    const subject = `${now.state}: "${alarm.name}" in US East (N. Virginia)`.slice(0, 99);
    const message = JSON.stringify(notificationOf(alarm, before, now));
    for (const topicArn of alarm.actions[now.state]) options.publish(topicArn, subject, message);
    rules.take(eventOf(alarm, before, now));
  };

  const look = (alarm: Alarm): void => {
    const evaluation = alarm.evaluate(metrics);
    const before = states.get(alarm.name);
    if (evaluation === undefined || evaluation.state === before?.state) return;
    const now = stateNow(evaluation.state, evaluation.reason);
    // The first OK is not sent, unlike CloudWatch's: every start with a new data folder would send one for each alarm.
    if (before !== undefined || now.state === "ALARM") tell(alarm, before, now);
    states.set(alarm.name, now);
  };

  const evaluate = (): void => {
    options.sample(metrics.put);
    metrics.endMinute();
    for (const alarm of alarms) {
      try {
        look(alarm);
      } catch (error) {
        // For example on a full disk. The state is unchanged, so the next minute tries again.
        options.log(`alarm ${alarm.name} could not be told: ${(error as Error).message}`);
      }
    }
  };

  const tellDisk = (isRefusing: boolean, why: string): void => {
    const state = isRefusing ? "ALARM" : "OK";
    const reason = isRefusing ? `The disk refuses to be written: ${why}.` : `The disk takes data again; ${why} before.`;
    const topics = new Set(alarms.flatMap(({ actions }) => actions[state]));
    const message = JSON.stringify(notificationOf(DISK_ALARM, undefined, stateNow(state, reason)));
    for (const topicArn of topics) options.publish(topicArn, `${state}: "${DISK_ALARM.name}"`, message);
  };

  let timer: NodeJS.Timeout | undefined;
  return {
    metrics,
    evaluate,
    tellDisk,
    start: () => {
      options.sample(metrics.put);
      metrics.begin();
      timer = setInterval(evaluate, MINUTE_MS).unref();
    },
    stop: () => {
      clearInterval(timer);
      states.close();
    },
  };
};

const stateNow = (state: Evaluation["state"], reason: string): StoredState => ({
  state,
  reason,
  at: new Date().toISOString(),
});

const checkMeasured = ({ name }: Alarm, metric: MetricName): void => {
  if (!metric.namespace.startsWith("AWS/") || MEASURED[metric.namespace]?.includes(metric.name)) return;
  throw new Error(`alarm ${name}: nobody measures ${metric.name} of ${metric.namespace} here`);
};

const checkHeard = (
  { name, actions }: Alarm,
  topicArns: readonly string[],
  isRelayed: (state: Evaluation["state"]) => boolean,
): void => {
  for (const state of ["ALARM", "OK"] as const) {
    const other = actions[state].find((arn) => !topicArns.includes(arn));
    if (other !== undefined) throw new Error(`alarm ${name}: its action ${other} is no topic of the template`);
    if (actions[state].length === 0 && !isRelayed(state)) {
      throw new Error(`alarm ${name}: nobody hears of its ${state}: it has neither an action nor a rule`);
    }
  }
};

/** CloudWatch's message to a topic ("Amazon SNS notifications for alarm state changes"). */
const notificationOf = (
  {
    name,
    arn,
    description,
    actions,
    properties,
  }: Pick<Alarm, "name" | "arn" | "description" | "actions" | "properties">,
  before: StoredState | undefined,
  { state, reason, at }: StoredState,
) => ({
  AlarmName: name,
  AlarmDescription: description,
  AWSAccountId: ACCOUNT,
  NewStateValue: state,
  NewStateReason: reason,
  StateChangeTime: at.replace("Z", "+0000"),
  Region: "US East (N. Virginia)",
  AlarmArn: arn,
  OldStateValue: before?.state ?? "INSUFFICIENT_DATA",
  OKActions: actions.OK,
  AlarmActions: actions.ALARM,
  InsufficientDataActions: [],
  Trigger: triggerOf(properties),
});

const triggerOf = (properties: Alarm["properties"]) => {
  const { AlarmActions: _a, OKActions: _o, AlarmDescription: _d, AlarmName: _n, Dimensions, ...rest } = properties;
  const dimensions = Dimensions as { Name: string; Value: string }[] | undefined;
  return {
    ...rest,
    ...(dimensions && { Dimensions: dimensions.map(({ Name: name, Value: value }) => ({ value, name })) }),
  };
};

/** EventBridge's "CloudWatch Alarm State Change". */
const eventOf = ({ name, arn, description }: Alarm, before: StoredState | undefined, now: StoredState) => {
  const shown = ({ state: value, reason, at: timestamp }: StoredState) => ({ value, reason, timestamp });
  return {
    version: "0",
    id: randomUUID(),
    "detail-type": "CloudWatch Alarm State Change",
    source: "aws.cloudwatch",
    account: ACCOUNT,
    time: now.at,
    region: REGION,
    resources: [arn],
    detail: {
      alarmName: name,
      configuration: { description },
      ...(before && { previousState: shown(before) }),
      state: shown(now),
    },
  };
};
