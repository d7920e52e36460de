import { CfnOutput, Duration, Stack } from "aws-cdk-lib";
import { Stats } from "aws-cdk-lib/aws-cloudwatch";
import type { ITable } from "aws-cdk-lib/aws-dynamodb";
import type { ITopic } from "aws-cdk-lib/aws-sns";
import { Construct } from "constructs";
import { MAILBOX_SK } from "../shared/store/keys.ts";
import { type Alarms, functionMetric } from "./alarms.ts";
import { letAlert } from "./alert-grants.ts";
import { NodeFunction } from "./node-function.ts";
import type { Settings } from "./settings.ts";
import { invokeByStream } from "./stream-source.ts";

/** A pass may wait for the lease of a process that died (20 s), and has one itself (20 s); the rest is for a cold start. */
const TIMEOUT = Duration.seconds(55);

export interface DeliveryProps {
  readonly settings: Settings;
  readonly monitors: ITable;
  readonly alerts: ITopic;
  readonly people: ITopic;
  readonly system: ITopic;
  /** As JSON, for environment variables. */
  readonly locations: string;
  /** ARNs of the queues that carry timers. */
  readonly jobsQueues: string[];
  readonly apiUrl: string;
}

/** The function `deliver`, which the table's stream tells that a receiver has mail. */
export class Delivery extends Construct {
  readonly deliver: NodeFunction;

  constructor(scope: Construct, id: string, props: DeliveryProps) {
    super(scope, id);
    const { settings, monitors, alerts, people, system, locations, jobsQueues, apiUrl } = props;
    this.deliver = new NodeFunction(this, "Deliver", {
      settings,
      entry: "deliver",
      // Alerts wait for its cold start; it runs only when there are alerts, so more memory costs next to nothing.
      memorySize: 256,
      timeout: TIMEOUT,
      environment: {
        MONITORS_TABLE: monitors.tableName,
        ALERTS_TOPIC_ARN: alerts.topicArn,
        PEOPLE_TOPIC_ARN: people.topicArn,
        SYSTEM_TOPIC_ARN: system.topicArn,
        API_URL: apiUrl,
        LOCATIONS: locations,
        ...(settings.alertSender ? { ALERT_SENDER: settings.alertSender } : {}),
        ...(settings.smsAlerts ? { SMS_ALERTS: "true" } : {}),
        ...(settings.alertFunctions.length > 0 ? { ALERT_FUNCTIONS: JSON.stringify(settings.alertFunctions) } : {}),
      },
    });
    const { deliver } = this;
    deliver.allow(["dynamodb:GetItem", "dynamodb:Query"], [monitors.tableArn]);
    deliver.allow(["dynamodb:PutItem", "dynamodb:UpdateItem"], [monitors.tableArn]);
    deliver.allow(["sqs:SendMessage"], jobsQueues);
    letAlert(deliver, settings, [alerts, people]);
    invokeByStream(deliver, monitors, {
      sortKeys: [MAILBOX_SK],
      // Receivers of one batch are served at the same time.
      batchSize: 10,
      // Few, and no queue for what is given up: the receiver's watchdog brings it up again, and the others do not wait.
      retryAttempts: 2,
    });
  }

  watchedBy(alarms: Alarms, { appId }: Settings): void {
    alarms.watch("AlertsUndeliverable", {
      metric: functionMetric(appId, "deliver", Stats.SUM, Duration.minutes(5)),
      atLeast: 1,
      description: "An alert could not be delivered for good: its incident says which, to whom and why.",
    });
    alarms.watchErrors("DeliverErrors", this.deliver.lambda, "Deliver fails: alerts are late. See its log group.");
    alarms.watch("MailBehind", {
      metric: this.deliver.lambda.metric("IteratorAge", { period: Duration.minutes(1), statistic: Stats.MAXIMUM }),
      // Milliseconds: twice the time that one pass may take.
      atLeast: 2 * 60_000,
      periods: 2,
      description:
        "Deliver is throttled or too slow: alerts are late. See its log group and the account's concurrency.",
    });
  }

  /** Adds the function, which the person on call needs, to the stack's outputs. */
  outputs(): void {
    const output = (name: string, value: string) => new CfnOutput(Stack.of(this), name, { value });
    output("DeliverFunctionName", this.deliver.lambda.functionName);
  }
}
