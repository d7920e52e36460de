/**
 * The alarms. CloudWatch bills $0.10 a month for each metric an alarm looks at (a sum of four is four). That makes 21
 * metrics ($2.10) for the home stack and 4 ($0.40) for each location: $2.50 with one location; a test holds the count. The
 * functions' own metrics cost $0.30 a month each, billed for the hours in which they have data, so the whole stays
 * within $5 while at most eight of them have data all month: those of failures rarely do, and none of them has a dimension but
 * the service.
 *
 * Missing data counts as breaching where silence is the fault, and as not breaching everywhere else.
 */
import { Duration } from "aws-cdk-lib";
import {
  Alarm,
  ComparisonOperator,
  type IAlarmAction,
  type IMetric,
  MathExpression,
  Metric,
  Stats,
  TreatMissingData,
} from "aws-cdk-lib/aws-cloudwatch";
import type { ITable } from "aws-cdk-lib/aws-dynamodb";
import type { IFunction } from "aws-cdk-lib/aws-lambda";
import type { IQueue } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";
import { ALARMED_METRICS } from "../shared/alarmed-metrics.ts";
import { metricNamespace } from "./names.ts";

const FIVE_MINUTES = Duration.minutes(5);

interface Watch {
  readonly metric: IMetric;
  readonly atLeast?: number;
  readonly below?: number;
  /** Periods in a row that must breach. Default 1. */
  readonly periods?: number;
  /** Whether silence is the fault. Default false. */
  readonly silenceIsFault?: boolean;
  /** For the person who is woken: what happened and where to look. */
  readonly description: string;
}

/** A group of alarms with the same action; without an action, EventBridge relays them (alarm-relay.ts). */
export class Alarms extends Construct {
  readonly all: Alarm[] = [];
  private readonly action: IAlarmAction | undefined;

  constructor(scope: Construct, id: string, action?: IAlarmAction) {
    super(scope, id);
    this.action = action;
  }

  watch(id: string, { metric, atLeast, below, periods = 1, silenceIsFault = false, description }: Watch): void {
    const alarm = new Alarm(this, id, {
      metric,
      threshold: atLeast ?? below ?? 1,
      comparisonOperator:
        below === undefined
          ? ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD
          : ComparisonOperator.LESS_THAN_THRESHOLD,
      evaluationPeriods: periods,
      treatMissingData: silenceIsFault ? TreatMissingData.BREACHING : TreatMissingData.NOT_BREACHING,
      alarmDescription: description,
    });
    if (this.action) {
      alarm.addAlarmAction(this.action);
      alarm.addOkAction(this.action);
    }
    this.all.push(alarm);
  }

  /** Alarm on failed invocations. One alone does not count: Lambda retries it. */
  watchErrors(id: string, lambda: IFunction, description: string, atLeast = 3, period = FIVE_MINUTES): void {
    this.watch(id, { metric: lambda.metricErrors({ period, statistic: Stats.SUM }), atLeast, description });
  }

  watchThrottles(id: string, lambdas: readonly IFunction[], description: string): void {
    const metrics = lambdas.map((lambda) => lambda.metricThrottles({ period: FIVE_MINUTES, statistic: Stats.SUM }));
    this.watchSum(id, metrics, 5, description);
  }

  /** Alarm on throttled requests to tables. The SDK retries, so a few do no harm. */
  watchTableThrottles(id: string, tables: readonly ITable[], description: string): void {
    const metrics = tables.flatMap(({ tableName }) =>
      ["ReadThrottleEvents", "WriteThrottleEvents"].map(
        (metricName) =>
          new Metric({
            namespace: "AWS/DynamoDB",
            metricName,
            dimensionsMap: { TableName: tableName },
            period: FIVE_MINUTES,
            statistic: Stats.SUM,
          }),
      ),
    );
    this.watchSum(id, metrics, 50, description);
  }

  private watchSum(id: string, metrics: readonly Metric[], atLeast: number, description: string): void {
    const usingMetrics = Object.fromEntries(metrics.map((metric, index) => [`m${index}`, metric]));
    const [only] = metrics;
    this.watch(id, {
      metric:
        metrics.length === 1 && only
          ? only
          : // FILL: a function that was not called has no data point, and a sum with a missing term has none either.
            new MathExpression({
              expression: Object.keys(usingMetrics)
                .map((name) => `FILL(${name}, 0)`)
                .join(" + "),
              usingMetrics,
              period: FIVE_MINUTES,
            }),
      atLeast,
      description,
    });
  }

  /**
   * Alarm on dead letters that arrive, measured as growth of the queue. Its length alone would hold the alarm for the 14
   * days that messages are kept, and hide the next one; SQS's metric of sent messages leaves out redriven ones.
   */
  watchDeadLetters(id: string, queue: IQueue, description: string): void {
    const waiting = queue.metricApproximateNumberOfMessagesVisible({ period: FIVE_MINUTES, statistic: Stats.MAXIMUM });
    this.watch(id, {
      // FILL: a queue without messages for six hours has no data points, and DIFF would have no value either.
      metric: new MathExpression({
        expression: "DIFF(FILL(waiting, 0))",
        usingMetrics: { waiting },
        period: FIVE_MINUTES,
      }),
      atLeast: 1,
      description,
    });
  }

  /** Alarm on the age of the oldest message. Two minutes are normal: jobs and timers are queued ahead with a delay. */
  watchBacklog(id: string, queue: IQueue, wait: Duration, description: string): void {
    const metric = queue.metricApproximateAgeOfOldestMessage({
      period: Duration.minutes(1),
      statistic: Stats.MAXIMUM,
    });
    this.watch(id, { metric, atLeast: wait.toSeconds(), periods: 3, description });
  }
}

/** The watched metric that a function writes to its log (EMF); Powertools adds the service as its dimension. */
export const functionMetric = (
  appId: string,
  service: keyof typeof ALARMED_METRICS,
  statistic: string,
  period: Duration,
) =>
  new Metric({
    namespace: metricNamespace(appId),
    metricName: ALARMED_METRICS[service],
    dimensionsMap: { service },
    statistic,
    period,
  });
