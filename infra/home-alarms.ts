import { Duration } from "aws-cdk-lib";
import { Stats } from "aws-cdk-lib/aws-cloudwatch";
import type { ITable } from "aws-cdk-lib/aws-dynamodb";
import type { IFunction } from "aws-cdk-lib/aws-lambda";
import type { IQueue } from "aws-cdk-lib/aws-sqs";
import { type Alarms, functionMetric } from "./alarms.ts";
import type { Settings } from "./settings.ts";

export interface Watched {
  readonly dispatch: IFunction;
  readonly stateChange: IFunction;
  readonly deliver: IFunction;
  readonly compact: IFunction;
  readonly api: IFunction;
  readonly tables: readonly ITable[];
  readonly undecided: IQueue;
  readonly undelivered: IQueue;
}

/** The alarms of the home stack but for deliver's (`delivery.ts`): 18 metrics. docs/OPERATING.md says of each what to do. */
export const watchHome = (alarms: Alarms, { appId, retention }: Settings, watched: Watched): void => {
  const { dispatch, stateChange, compact, api } = watched;

  // Missing invocations: no other alarm would notice that checks have stopped.
  alarms.watch("DispatchSilent", {
    metric: dispatch.metricInvocations({ period: Duration.minutes(1), statistic: Stats.SUM }),
    below: 1,
    periods: 3,
    silenceIsFault: true,
    description:
      "Dispatch has not run for three minutes: no port is being checked. See the schedule and dispatch's log group.",
  });
  alarms.watch("CompactionBehind", {
    metric: functionMetric(appId, "compact", Stats.MAXIMUM, Duration.hours(1)),
    atLeast: 3,
    periods: 3,
    silenceIsFault: true,
    description: `Compaction is three days behind or silent: blocks are lost when they are ${retention.blockDays} days old. See compact's log group.`,
  });

  alarms.watchErrors("DispatchErrors", dispatch, "Dispatch fails: checks may be missed. See its log group.", 2);
  alarms.watchErrors("StateChangeErrors", stateChange, "State-change fails: alerts may be late. See its log group.");
  alarms.watchErrors("ApiErrors", api, "The API fails. See its log group.");
  // Two in an hour: the run and its retry.
  alarms.watchErrors("CompactErrors", compact, "Compaction fails. See its log group.", 2, Duration.hours(1));
  alarms.watchThrottles(
    "Throttles",
    [dispatch, stateChange, compact, api],
    "Lambda throttles Harborlight: the account's concurrency is used up (new accounts have 10). Ask AWS for more.",
  );

  alarms.watchTableThrottles(
    "TableThrottles",
    watched.tables,
    "DynamoDB throttles Harborlight's tables: checks and alerts may be late. See the account's and the tables' limits.",
  );

  alarms.watch("StreamBehind", {
    metric: stateChange.metric("IteratorAge", { period: Duration.minutes(1), statistic: Stats.MAXIMUM }),
    // Milliseconds.
    atLeast: 60_000,
    periods: 2,
    description: "Changes wait for a minute and more to be decided: alerts are late. See state-change's log group.",
  });

  alarms.watch("LoginsFailed", {
    metric: functionMetric(appId, "api", Stats.SUM, Duration.hours(1)),
    atLeast: 100,
    description: "100 logins failed within an hour: somebody may be guessing tokens. The access log says from where.",
  });

  alarms.watchDeadLetters(
    "Undecided",
    watched.undecided,
    "New dead letters: changes of monitors failed six times. See state-change's log group.",
  );
  alarms.watchDeadLetters(
    "UndeliveredToSubscriber",
    watched.undelivered,
    "New dead letters: SNS gave up delivering to a subscriber. The queue holds the message and whom it was for.",
  );
};
