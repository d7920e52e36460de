import { CfnOutput, Duration, Stack, Validations } from "aws-cdk-lib";
import { Stats } from "aws-cdk-lib/aws-cloudwatch";
import type { ITable } from "aws-cdk-lib/aws-dynamodb";
import { SqsEventSource } from "aws-cdk-lib/aws-lambda-event-sources";
import type { ITopic } from "aws-cdk-lib/aws-sns";
import { Queue } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";
import { MAX_MAIL_DELAY_SECONDS } from "../shared/payloads.ts";
import { type Alarms, functionMetric } from "./alarms.ts";
import { letAlert } from "./alert-grants.ts";
import { NodeFunction } from "./node-function.ts";
import { SECURE } from "./queues.ts";
import type { Settings } from "./settings.ts";

/** A pass over a mailbox has a lease of 60 s, and begins no attempt in its last 10 s; the rest is for a cold start. */
const TIMEOUT = Duration.seconds(75);
/**
 * Less than Lambda's advice of six timeouts, because a message is repeated when its invocation died, and alerts wait for
 * that. A message that a busy function leaves in the queue a few times does no harm: it only names a receiver.
 */
const VISIBILITY = Duration.seconds(90);

export interface DeliveryProps {
  readonly settings: Settings;
  readonly monitors: ITable;
  readonly alerts: ITopic;
  readonly system: ITopic;
  /** As JSON, for environment variables. */
  readonly locations: string;
  readonly apiUrl: string;
}

/** The function `deliver`, and the queue by which it hears that a receiver has mail. */
export class Delivery extends Construct {
  readonly mail: Queue;
  readonly deliver: NodeFunction;

  constructor(scope: Construct, id: string, { settings, monitors, alerts, system, locations, apiUrl }: DeliveryProps) {
    super(scope, id);
    this.mail = new Queue(this, "Mail", {
      ...SECURE,
      visibilityTimeout: VISIBILITY,
      retentionPeriod: Duration.hours(1),
    });
    Validations.of(this.mail).acknowledge({
      id: "AwsSolutions::AwsSolutions-SQS3",
      reason: "Its messages are hints: mail is in the table, and a timer there replaces each message that is lost.",
    });
    this.deliver = new NodeFunction(this, "Deliver", {
      settings,
      entry: "deliver",
      // Alerts wait for its cold start; it runs only when there are alerts, so more memory costs next to nothing.
      memorySize: 256,
      timeout: TIMEOUT,
      environment: {
        MONITORS_TABLE: monitors.tableName,
        ALERTS_TOPIC_ARN: alerts.topicArn,
        SYSTEM_TOPIC_ARN: system.topicArn,
        MAIL_QUEUE_URL: this.mail.queueUrl,
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
    deliver.allow(["sqs:SendMessage"], [this.mail.queueArn]);
    letAlert(deliver, settings, alerts);
    deliver.lambda.addEventSource(
      new SqsEventSource(this.mail, {
        // Receivers of one batch are served at the same time.
        batchSize: 10,
        maxConcurrency: settings.deliverConcurrency,
      }),
    );
  }

  watchedBy(alarms: Alarms, { appId }: Settings): void {
    alarms.watch("AlertsUndeliverable", {
      metric: functionMetric(appId, "deliver", Stats.SUM, Duration.minutes(5)),
      atLeast: 1,
      description: "An alert could not be delivered for good: its incident says which, to whom and why.",
    });
    // The age of the oldest message tells of errors and throttles too: what an invocation fails to handle stays in the queue.
    // Longer than the delay of a retry and the visibility timeout after which a lost one is repeated, together.
    const wait = Duration.seconds(MAX_MAIL_DELAY_SECONDS).plus(VISIBILITY).plus(Duration.seconds(90));
    alarms.watchBacklog(
      "MailBacklog",
      this.mail,
      wait,
      "Deliver fails, is throttled or too slow: alerts are late. See its log group.",
    );
  }

  /** Adds the queue and the function, which the person on call needs, to the stack's outputs. */
  outputs(): void {
    const output = (name: string, value: string) => new CfnOutput(Stack.of(this), name, { value });
    output("DeliverFunctionName", this.deliver.lambda.functionName);
    output("MailQueueUrl", this.mail.queueUrl);
  }
}
