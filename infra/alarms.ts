/**
 * The alarms. CloudWatch bills $0.10 a month for each metric an alarm looks at (a sum of four is four). That makes 18
 * metrics ($1.80) for the home stack and 4 ($0.40) for each location: $2.20 with one location; a test holds the count. The
 * functions' own metrics cost $0.30 each for as many hours as they speak, so the whole stays under $5 while at most nine
 * of them speak all month: those of failures are silent most of it, and none of them has a dimension but the service.
 *
 * Missing data is breaching where silence is the fault, and no fault everywhere else.
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
  readonly says: string;
}

/** A group of alarms that tell the same receiver; without one, EventBridge carries them (alarm-relay.ts). */
export class Alarms extends Construct {
  readonly all: Alarm[] = [];
  private readonly action: IAlarmAction | undefined;

  constructor(scope: Construct, id: string, action?: IAlarmAction) {
    super(scope, id);
    this.action = action;
  }

  watch(id: string, { metric, atLeast, below, periods = 1, silenceIsFault = false, says }: Watch): void {
    const alarm = new Alarm(this, id, {
      metric,
      threshold: atLeast ?? below ?? 1,
      comparisonOperator:
        below === undefined
          ? ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD
          : ComparisonOperator.LESS_THAN_THRESHOLD,
      evaluationPeriods: periods,
      treatMissingData: silenceIsFault ? TreatMissingData.BREACHING : TreatMissingData.NOT_BREACHING,
      alarmDescription: says,
    });
    if (this.action) {
      alarm.addAlarmAction(this.action);
      alarm.addOkAction(this.action);
    }
    this.all.push(alarm);
  }

  /** Failed invocations; a single one is what retries are for. */
  watchErrors(id: string, lambda: IFunction, says: string, atLeast = 3, period = FIVE_MINUTES): void {
    this.watch(id, { metric: lambda.metricErrors({ period, statistic: Stats.SUM }), atLeast, says });
  }

  watchThrottles(id: string, lambdas: readonly IFunction[], says: string): void {
    const metrics = lambdas.map((lambda) => lambda.metricThrottles({ period: FIVE_MINUTES, statistic: Stats.SUM }));
    this.watchSum(id, metrics, 5, says);
  }

  /** The SDK tries again by itself, so that a few are no loss. */
  watchTableThrottles(id: string, tables: readonly ITable[], says: string): void {
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
    this.watchSum(id, metrics, 50, says);
  }

  private watchSum(id: string, metrics: readonly Metric[], atLeast: number, says: string): void {
    const usingMetrics = Object.fromEntries(metrics.map((metric, index) => [`m${index}`, metric]));
    const [only] = metrics;
    this.watch(id, {
      metric:
        metrics.length === 1 && only
          ? only
          : // FILL: what nobody called in a period has no data point, and no sum would come of that.
            new MathExpression({
              expression: Object.keys(usingMetrics)
                .map((name) => `FILL(${name}, 0)`)
                .join(" + "),
              usingMetrics,
              period: FIVE_MINUTES,
            }),
      atLeast,
      says,
    });
  }

  /**
   * Rings for dead letters that arrive. Their number alone would hold the alarm for the 14 days that they are kept, and
   * nobody would hear of the next one; SQS counts no message as sent that its redrive policy moved.
   */
  watchDeadLetters(id: string, queue: IQueue, says: string): void {
    const waiting = queue.metricApproximateNumberOfMessagesVisible({ period: FIVE_MINUTES, statistic: Stats.MAXIMUM });
    this.watch(id, {
      // FILL: a queue that nothing was sent to for six hours has no data points, and no difference would come of that.
      metric: new MathExpression({
        expression: "DIFF(FILL(waiting, 0))",
        usingMetrics: { waiting },
        period: FIVE_MINUTES,
      }),
      atLeast: 1,
      says,
    });
  }

  /** Messages wait up to two minutes by design: jobs and timers are queued ahead with their delay. */
  watchBacklog(id: string, queue: IQueue, wait: Duration, says: string): void {
    const metric = queue.metricApproximateAgeOfOldestMessage({
      period: Duration.minutes(1),
      statistic: Stats.MAXIMUM,
    });
    this.watch(id, { metric, atLeast: wait.toSeconds(), periods: 3, says });
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
