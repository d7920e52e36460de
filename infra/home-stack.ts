import { CfnOutput, Duration, Stack, type StackProps, TimeZone } from "aws-cdk-lib";
import { HttpApi, HttpMethod, HttpStage, LogGroupLogDestination } from "aws-cdk-lib/aws-apigatewayv2";
import { HttpLambdaIntegration } from "aws-cdk-lib/aws-apigatewayv2-integrations";
import { FilterCriteria, FilterRule, StartingPosition } from "aws-cdk-lib/aws-lambda";
import { DynamoEventSource, SqsDlq, SqsEventSource } from "aws-cdk-lib/aws-lambda-event-sources";
import { LogGroup } from "aws-cdk-lib/aws-logs";
import { Schedule, ScheduleExpression, ScheduleTargetInput, TimeWindow } from "aws-cdk-lib/aws-scheduler";
import { LambdaInvoke } from "aws-cdk-lib/aws-scheduler-targets";
import { EmailIdentity, Identity } from "aws-cdk-lib/aws-ses";
import { Topic } from "aws-cdk-lib/aws-sns";
import { Queue, QueueEncryption, type QueueProps } from "aws-cdk-lib/aws-sqs";
import type { Construct } from "constructs";
import type { LocationSpec } from "./locations.ts";
import { describeLocation, jobsQueueArn, probeFunctionArn } from "./names.ts";
import { NodeFunction } from "./node-function.ts";
import { ProbeSite } from "./probe-site.ts";
import type { Settings } from "./settings.ts";
import { Tables } from "./tables.ts";

export interface HomeStackProps extends StackProps {
  readonly settings: Settings;
  /** The location whose probe lives in this stack, if any does. */
  readonly homeLocation?: LocationSpec;
}

const QUEUE = {
  encryption: QueueEncryption.SQS_MANAGED,
  enforceSSL: true,
  retentionPeriod: Duration.days(14),
} satisfies QueueProps;

/** Everything but the further locations: tables, schedules, functions, API, topics. */
export class HomeStack extends Stack {
  constructor(scope: Construct, id: string, { settings, homeLocation, ...props }: HomeStackProps) {
    super(scope, id, props);

    const { monitors, history } = new Tables(this, "Tables", settings.appId);
    const alerts = new Topic(this, "Alerts", { enforceSSL: true });
    const system = new Topic(this, "System", { enforceSSL: true });
    if (settings.alertSender)
      new EmailIdentity(this, "AlertSender", { identity: Identity.email(settings.alertSender) });
    if (homeLocation) new ProbeSite(this, "Site", { settings, location: homeLocation });

    const LOCATIONS = this.toJsonString(settings.locations.map((location) => describeLocation(settings, location)));
    const jobsQueues = settings.locations.map((location) => jobsQueueArn(this, settings, location));
    const probes = settings.locations.map((location) => probeFunctionArn(this, settings, location));

    const deadTimers = new Queue(this, "DeadTimers", QUEUE);
    const dispatchTimeout = Duration.seconds(50);
    const timers = new Queue(this, "Timers", {
      ...QUEUE,
      visibilityTimeout: dispatchTimeout.plus(Duration.seconds(10)),
      deadLetterQueue: { queue: deadTimers, maxReceiveCount: 5 },
    });
    const undecided = new Queue(this, "Undecided", QUEUE);

    const dispatch = new NodeFunction(this, "Dispatch", {
      settings,
      entry: "dispatch",
      memorySize: 256,
      timeout: dispatchTimeout,
      environment: { MONITORS_TABLE: monitors.tableName, LOCATIONS, TIMERS_QUEUE_URL: timers.queueUrl },
    });
    dispatch.allow(["dynamodb:GetItem", "dynamodb:Query", "dynamodb:UpdateItem"], [monitors.tableArn]);
    dispatch.allow(["dynamodb:Query"], [`${monitors.tableArn}/index/due`]);
    dispatch.allow(["sqs:SendMessage"], [...jobsQueues, timers.queueArn]);
    dispatch.lambda.addEventSource(new SqsEventSource(timers, { batchSize: 10, reportBatchItemFailures: true }));

    const compact = new NodeFunction(this, "Compact", {
      settings,
      entry: "compact",
      memorySize: 512,
      timeout: Duration.minutes(15),
      environment: {
        MONITORS_TABLE: monitors.tableName,
        HISTORY_TABLE: history.tableName,
        LOCATIONS,
        RETENTION: JSON.stringify(settings.retention),
      },
    });
    compact.allow(["dynamodb:GetItem", "dynamodb:Query", "dynamodb:UpdateItem"], [monitors.tableArn]);
    compact.allow(["dynamodb:Query"], [`${monitors.tableArn}/index/*`]);
    compact.allow(
      [
        "dynamodb:GetItem",
        "dynamodb:BatchGetItem",
        "dynamodb:Query",
        "dynamodb:PutItem",
        "dynamodb:UpdateItem",
        "dynamodb:BatchWriteItem",
      ],
      [history.tableArn],
    );

    const api = new NodeFunction(this, "Api", {
      settings,
      entry: "api",
      memorySize: 512,
      timeout: Duration.seconds(29),
      environment: {
        MONITORS_TABLE: monitors.tableName,
        HISTORY_TABLE: history.tableName,
        LOCATIONS,
        ALERTS_TOPIC_ARN: alerts.topicArn,
        SYSTEM_TOPIC_ARN: system.topicArn,
        DISPATCH_FUNCTION_NAME: dispatch.lambda.functionName,
      },
    });
    api.allow(
      [
        "dynamodb:GetItem",
        "dynamodb:BatchGetItem",
        "dynamodb:Query",
        "dynamodb:PutItem",
        "dynamodb:UpdateItem",
        "dynamodb:DeleteItem",
      ],
      [monitors.tableArn],
    );
    api.allow(["dynamodb:Query"], [`${monitors.tableArn}/index/*`]);
    api.allow(["dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query"], [history.tableArn]);
    api.allow(
      [
        "sns:Subscribe",
        "sns:Unsubscribe",
        "sns:ListSubscriptionsByTopic",
        "sns:GetSubscriptionAttributes",
        "sns:SetSubscriptionAttributes",
      ],
      [alerts.topicArn, system.topicArn],
    );
    api.allow(["lambda:InvokeFunction"], [dispatch.lambda.functionArn, ...probes]);
    api.allow(["sqs:SendMessage"], jobsQueues);

    const httpApi = new HttpApi(this, "HttpApi", { createDefaultStage: false });
    new HttpStage(this, "Stage", {
      httpApi,
      stageName: "$default",
      autoDeploy: true,
      throttle: { rateLimit: settings.apiThrottle.ratePerSecond, burstLimit: settings.apiThrottle.burst },
      accessLogSettings: {
        destination: new LogGroupLogDestination(
          new LogGroup(this, "AccessLog", { retention: settings.logRetentionDays }),
        ),
      },
    });
    httpApi.addRoutes({
      path: "/v1/{proxy+}",
      methods: [HttpMethod.ANY],
      integration: new HttpLambdaIntegration("Integration", api.lambda),
    });

    const stateChange = new NodeFunction(this, "StateChange", {
      settings,
      entry: "state-change",
      memorySize: 256,
      timeout: Duration.seconds(60),
      environment: {
        MONITORS_TABLE: monitors.tableName,
        LOCATIONS,
        ALERTS_TOPIC_ARN: alerts.topicArn,
        SYSTEM_TOPIC_ARN: system.topicArn,
        ...(settings.alertSender ? { ALERT_SENDER: settings.alertSender } : {}),
        TIMERS_QUEUE_URL: timers.queueUrl,
        API_URL: httpApi.apiEndpoint,
      },
    });
    stateChange.allow(
      [
        "dynamodb:GetItem",
        "dynamodb:BatchGetItem",
        "dynamodb:Query",
        "dynamodb:PutItem",
        "dynamodb:UpdateItem",
        "dynamodb:DeleteItem",
      ],
      [monitors.tableArn],
    );
    stateChange.allow(["sns:Publish"], [alerts.topicArn, system.topicArn]);
    stateChange.allow(["sqs:SendMessage"], [timers.queueArn]);
    if (settings.alertSender) {
      stateChange.allow(
        ["ses:SendEmail"],
        [this.formatArn({ service: "ses", resource: "identity", resourceName: "*" })],
        {
          StringEquals: { "ses:FromAddress": settings.alertSender },
        },
      );
    }
    stateChange.lambda.addEventSource(
      new DynamoEventSource(monitors, {
        startingPosition: StartingPosition.TRIM_HORIZON,
        batchSize: 25,
        reportBatchItemFailures: true,
        bisectBatchOnError: true,
        retryAttempts: 5,
        maxRecordAge: Duration.hours(1),
        parallelizationFactor: 2,
        onFailure: new SqsDlq(undecided),
        filters: [
          FilterCriteria.filter({
            eventName: FilterRule.or("INSERT", "MODIFY"),
            dynamodb: {
              Keys: { pk: { S: FilterRule.beginsWith("MONITOR#") }, sk: { S: FilterRule.isEqual("MONITOR") } },
            },
          }),
        ],
      }),
    );

    const scheduled = { source: "schedule" };
    new Schedule(this, "EveryMinute", {
      schedule: ScheduleExpression.rate(Duration.minutes(1)),
      timeWindow: TimeWindow.off(),
      target: new LambdaInvoke(dispatch.lambda, {
        input: ScheduleTargetInput.fromObject(scheduled),
        maxEventAge: Duration.seconds(60),
        retryAttempts: 2,
      }),
    });
    new Schedule(this, "EveryHour", {
      schedule: ScheduleExpression.cron({ minute: "7", timeZone: TimeZone.ETC_UTC }),
      timeWindow: TimeWindow.off(),
      target: new LambdaInvoke(compact.lambda, {
        input: ScheduleTargetInput.fromObject(scheduled),
        maxEventAge: Duration.minutes(30),
        retryAttempts: 2,
      }),
    });

    const output = (name: string, value: string) => new CfnOutput(this, name, { value });
    output("ApiUrl", httpApi.apiEndpoint);
    output("AlertsTopicArn", alerts.topicArn);
    output("SystemTopicArn", system.topicArn);
    output("MonitorsTable", monitors.tableName);
    output("HistoryTable", history.tableName);
    output("ApiFunctionName", api.lambda.functionName);
    output("FirstTokenCommand", "npm run token -- --name admin --scopes read,write,admin");
  }
}
