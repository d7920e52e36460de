import { Aws, CfnOutput, Duration, RemovalPolicy, Stack, type StackProps, TimeZone, Validations } from "aws-cdk-lib";
import { SnsAction } from "aws-cdk-lib/aws-cloudwatch-actions";
import { PolicyStatement, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { SqsDlq } from "aws-cdk-lib/aws-lambda-event-sources";
import { ScheduleExpression } from "aws-cdk-lib/aws-scheduler";
import { EmailIdentity, Identity } from "aws-cdk-lib/aws-ses";
import { Topic } from "aws-cdk-lib/aws-sns";
import { Queue } from "aws-cdk-lib/aws-sqs";
import type { Construct } from "constructs";
import type { MonitorsIndex } from "../shared/store/indexes.ts";
import {
  MONITOR_SK,
  noticeKey,
  PUBLIC_READS,
  PUBLIC_WRITES,
  SECRETS,
  STATE_SK,
  subscriptionKey,
} from "../shared/store/keys.ts";
import { receiveAlarms, tellPolicies } from "./alarm-relay.ts";
import { Alarms } from "./alarms.ts";
import { letAlert } from "./alert-grants.ts";
import { Dashboard } from "./dashboard.ts";
import { DataKey } from "./data-key.ts";
import { Delivery } from "./delivery.ts";
import { FunctionSchedule } from "./function-schedule.ts";
import { watchHome } from "./home-alarms.ts";
import type { LocationSpec } from "./locations.ts";
import { describeLocations, installationName, jobsQueueArn, probeFunctionArn } from "./names.ts";
import { NodeFunction } from "./node-function.ts";
import { ProbeSite } from "./probe-site.ts";
import { PublicApi } from "./public-api.ts";
import { deadLetterQueue } from "./queues.ts";
import type { Settings } from "./settings.ts";
import { invokeByStream } from "./stream-source.ts";
import { Tables } from "./tables.ts";

export interface HomeStackProps extends StackProps {
  readonly settings: Settings;
  /** The location whose probe lives in this stack, if any does. */
  readonly homeLocation?: LocationSpec;
}

/** The home stack: tables, schedules, functions, API, topics and alarms; all but the probes of further locations. */
export class HomeStack extends Stack {
  constructor(scope: Construct, id: string, { settings, homeLocation, ...props }: HomeStackProps) {
    super(scope, id, props);

    // ---- What is kept -------------------------------------------------------------------------------------------
    const encryptionKey = settings.customerManagedKey ? new DataKey(this, "Key", settings.appId).key : undefined;
    const { monitors, history } = new Tables(this, "Tables", settings.appId, encryptionKey);
    const index = (name: MonitorsIndex) => `${monitors.tableArn}/index/${name}`;

    // ---- Topics -------------------------------------------------------------------------------------------------
    // Not encrypted with AWS's managed key (alias/aws/sns), with which CloudWatch cannot publish alarms; alerts leave for
    // the Internet anyway.
    const alerts = new Topic(this, "Alerts", { enforceSSL: true, masterKey: encryptionKey });
    // Mail and SMS, apart from programs: more than 10 mails a second would unsubscribe people for good.
    const people = new Topic(this, "People", { enforceSSL: true, masterKey: encryptionKey });
    const system = new Topic(this, "System", { enforceSSL: true, masterKey: encryptionKey });
    const deadLetters = deadLetterQueue(encryptionKey);
    this.letAlarmsPublish(system);
    if (settings.alertSender && !settings.alertSenderIsVerified) {
      // Retained, so that mail goes on when it leaves the template; `npm run deploy` imports one that exists already.
      const identity = new EmailIdentity(this, "AlertSender", { identity: Identity.email(settings.alertSender) });
      identity.applyRemovalPolicy(RemovalPolicy.RETAIN);
    }

    // ---- Where checks run ---------------------------------------------------------------------------------------
    const site = homeLocation && new ProbeSite(this, "Site", { settings, location: homeLocation, encryptionKey });
    const LOCATIONS = this.toJsonString(describeLocations(settings));
    const jobsQueues = settings.locations.map((location) => jobsQueueArn(this, settings, location));
    const probes = settings.locations.map((location) => probeFunctionArn(this, settings, location));

    // ---- dispatch: plans ticks, queues their jobs and timers ----------------------------------------------------
    // Ends before the next minute's invocation begins, which plans what is left over.
    const dispatchTimeout = Duration.seconds(50);
    const dispatch = new NodeFunction(this, "Dispatch", {
      settings,
      entry: "dispatch",
      // It runs all month and mostly waits for the next second, so its memory decides what it costs.
      memorySize: 128,
      timeout: dispatchTimeout,
      environment: { MONITORS_TABLE: monitors.tableName, HISTORY_TABLE: history.tableName, LOCATIONS },
    });
    dispatch.allow(["dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query"], [monitors.tableArn]);
    dispatch.allow(["dynamodb:UpdateItem"], [monitors.tableArn]);
    dispatch.allow(["dynamodb:Query"], [history.tableArn]);
    dispatch.allow(["dynamodb:Query"], [index("due"), index("look-by"), index("members")]);
    dispatch.allow(["sqs:SendMessage"], jobsQueues);
    dispatch.keepFrom(SECRETS, monitors.tableArn);
    // No retries: Lambda's come after one and two minutes, when the next invocations have planned everything.
    dispatch.lambda.configureAsyncInvoke({ retryAttempts: 0, maxEventAge: Duration.minutes(1) });
    const everyMinute = new FunctionSchedule(this, "EveryMinute", {
      target: dispatch,
      schedule: ScheduleExpression.rate(Duration.minutes(1)),
      maxEventAge: Duration.minutes(1),
    });
    // The schedule begins after the queue exists: jobs would be sent to nowhere.
    if (site) everyMinute.node.addDependency(site);

    // ---- compact: blocks to chunks and days, once an hour -------------------------------------------------------
    const compact = new NodeFunction(this, "Compact", {
      settings,
      entry: "compact",
      // Unpacks hours of a shard's blocks at once, which takes CPU and memory; it runs for minutes a day only.
      memorySize: 512,
      // Lambda's maximum, for catching up after an outage; an ordinary run takes a fraction.
      timeout: Duration.minutes(15),
      environment: {
        MONITORS_TABLE: monitors.tableName,
        HISTORY_TABLE: history.tableName,
        LOCATIONS,
        RETENTION: JSON.stringify(settings.retention),
        ALERTS_TOPIC_ARN: alerts.topicArn,
        PEOPLE_TOPIC_ARN: people.topicArn,
        SYSTEM_TOPIC_ARN: system.topicArn,
        ...(settings.alertSender ? { ALERT_SENDER: settings.alertSender } : {}),
      },
    });
    compact.allow(["dynamodb:GetItem", "dynamodb:Query", "dynamodb:UpdateItem"], [monitors.tableArn]);
    // It leaves messages for operators and records of subscriptions, and can put nothing else.
    compact.allow(["dynamodb:PutItem"], [monitors.tableArn], {
      "ForAllValues:StringLike": { "dynamodb:LeadingKeys": [noticeKey("*").pk, subscriptionKey("").pk] },
    });
    compact.allow(["sns:ListSubscriptionsByTopic"], [alerts.topicArn, people.topicArn, system.topicArn]);
    compact.allow(["sns:GetTopicAttributes"], [alerts.topicArn, people.topicArn]);
    compact.keepFrom(SECRETS, monitors.tableArn);
    compact.allow(
      ["dynamodb:Query"],
      ["members", "due", "look-by", "listed", "attention"].map((name) => index(name as MonitorsIndex)),
    );
    compact.allow(["dynamodb:GetItem", "dynamodb:Query"], [history.tableArn]);
    compact.allow(["dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:BatchWriteItem"], [history.tableArn]);
    // One retry for a transient failure; after that the next hour's run continues where this one stopped.
    compact.lambda.configureAsyncInvoke({ retryAttempts: 1, maxEventAge: Duration.minutes(30) });
    // Not on the hour, when most schedules of AWS customers run.
    new FunctionSchedule(this, "EveryHour", {
      target: compact,
      schedule: ScheduleExpression.cron({ minute: "7", timeZone: TimeZone.ETC_UTC }),
      maxEventAge: Duration.minutes(30),
    });

    // ---- api: what people and programs ask ----------------------------------------------------------------------
    const undelivered = new Queue(this, "UndeliveredToSubscriber", deadLetters);
    undelivered.addToResourcePolicy(
      new PolicyStatement({
        principals: [new ServicePrincipal("sns.amazonaws.com")],
        actions: ["sqs:SendMessage"],
        resources: [undelivered.queueArn],
        conditions: { ArnEquals: { "aws:SourceArn": [alerts.topicArn, people.topicArn, system.topicArn] } },
      }),
    );
    const api = new NodeFunction(this, "Api", {
      settings,
      entry: "api",
      // People wait for it, and a cold start is bound by CPU, which comes with memory.
      memorySize: settings.apiMemoryMb,
      // API Gateway gives up after 30 s.
      timeout: Duration.seconds(29),
      environment: {
        MONITORS_TABLE: monitors.tableName,
        HISTORY_TABLE: history.tableName,
        LOCATIONS,
        RETENTION: JSON.stringify(settings.retention),
        ALERTS_TOPIC_ARN: alerts.topicArn,
        PEOPLE_TOPIC_ARN: people.topicArn,
        SYSTEM_TOPIC_ARN: system.topicArn,
        SUBSCRIPTION_DEAD_LETTER_ARN: undelivered.queueArn,
        DISPATCH_FUNCTION_NAME: dispatch.lambda.functionName,
        SWEEP_TARGETS: JSON.stringify(settings.sweepTargets),
        INSTALLATION: installationName(settings),
        ...(settings.alertSender ? { ALERT_SENDER: settings.alertSender } : {}),
        ...(settings.smsAlerts ? { SMS_ALERTS: "true" } : {}),
        ...(settings.alertFunctions.length > 0 ? { ALERT_FUNCTIONS: JSON.stringify(settings.alertFunctions) } : {}),
      },
    });
    api.allow(["dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query"], [monitors.tableArn]);
    api.allow(["dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"], [monitors.tableArn]);
    api.allow(["dynamodb:Query"], [index("listed"), index("attention"), index("changed")]);
    api.allow(["dynamodb:GetItem", "dynamodb:Query"], [history.tableArn]);
    // It publishes tests of subscriptions only.
    const topics = [alerts, people, system].map(({ topicArn }) => topicArn);
    api.allow(["sns:Subscribe", "sns:ListSubscriptionsByTopic", "sns:Publish"], topics);
    // To say which monitors reach nobody.
    api.allow(["sns:GetTopicAttributes"], [alerts.topicArn, people.topicArn]);
    this.letManageSubscriptions(api);
    letAlert(api, settings, [alerts, people]);
    api.allow(["lambda:InvokeFunction"], [dispatch.lambda.functionArn, ...probes]);
    api.allow(["sqs:SendMessage"], jobsQueues);

    // ---- web: the dashboard's files -----------------------------------------------------------------------------
    const web = new NodeFunction(this, "Web", {
      settings,
      entry: "web",
      memorySize: 128,
      timeout: Duration.seconds(10),
      environment: {},
    });

    // ---- status-page: what everybody may read -------------------------------------------------------------------
    const statusPage = new NodeFunction(this, "StatusPage", {
      settings,
      entry: "status-page",
      // Drawing takes milliseconds; a cold start is bound by CPU, which comes with memory.
      memorySize: 256,
      timeout: Duration.seconds(20),
      environment: {
        MONITORS_TABLE: monitors.tableName,
        HISTORY_TABLE: history.tableName,
        ...(settings.alertSender ? { ALERT_SENDER: settings.alertSender } : {}),
      },
    });
    // What the whole world may call sees no token, session, channel or mail, and can change no monitor.
    statusPage.allow(["dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query"], [monitors.tableArn], {
      "ForAllValues:StringLike": { "dynamodb:LeadingKeys": PUBLIC_READS },
    });
    statusPage.allow(["dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"], [monitors.tableArn], {
      "ForAllValues:StringLike": { "dynamodb:LeadingKeys": PUBLIC_WRITES },
    });
    statusPage.allow(["dynamodb:Query"], [index("listed"), index("changed")]);
    statusPage.allow(["dynamodb:GetItem", "dynamodb:Query"], [history.tableArn]);
    const { url } = new PublicApi(this, "PublicApi", {
      settings,
      handler: api.lambda,
      statusPage: statusPage.lambda,
      web: web.lambda,
    });

    // ---- deliver: sends alerts to their receivers ---------------------------------------------------------------
    const delivery = new Delivery(this, "Delivery", {
      settings,
      monitors,
      alerts,
      people,
      system,
      locations: LOCATIONS,
      jobsQueues,
      apiUrl: url,
    });

    // ---- state-change: decides, and posts alerts ----------------------------------------------------------------
    // Nothing redrives this queue: dispatch touches undecided changes again. It exists for its alarm.
    const undecided = new Queue(this, "Undecided", { ...deadLetters, retentionPeriod: Duration.days(1) });
    Validations.of(undecided).acknowledge({
      id: "AwsSolutions::AwsSolutions-SQS3",
      reason: "It is a dead-letter queue itself, of the table's stream; an alarm watches it.",
    });
    Validations.of(undelivered).acknowledge({
      id: "AwsSolutions::AwsSolutions-SQS3",
      reason: "It is a dead-letter queue itself, of the topics' subscriptions; an alarm watches it.",
    });
    const stateChange = new NodeFunction(this, "StateChange", {
      settings,
      entry: "state-change",
      // Alerts wait for its cold start; it runs only when something changed, so more memory costs next to nothing.
      memorySize: 256,
      // Enough for a batch of 25 records that all have alerts to post, some to a slow topic.
      timeout: Duration.seconds(60),
      environment: {
        MONITORS_TABLE: monitors.tableName,
        HISTORY_TABLE: history.tableName,
        LOCATIONS,
        RETENTION: JSON.stringify(settings.retention),
        ALERTS_TOPIC_ARN: alerts.topicArn,
        PEOPLE_TOPIC_ARN: people.topicArn,
        SYSTEM_TOPIC_ARN: system.topicArn,
        ...(settings.alertSender ? { ALERT_SENDER: settings.alertSender } : {}),
        API_URL: url,
      },
    });
    stateChange.allow(["dynamodb:GetItem", "dynamodb:Query"], [monitors.tableArn]);
    stateChange.allow(["dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"], [monitors.tableArn]);
    stateChange.keepFrom(SECRETS, monitors.tableArn);
    // To see whether a tick has confirmed what a location believed before it fell silent.
    stateChange.allow(["dynamodb:GetItem", "dynamodb:Query"], [history.tableArn]);
    // Stretches of status.
    stateChange.allow(["dynamodb:PutItem", "dynamodb:UpdateItem"], [history.tableArn]);
    stateChange.allow(["sns:Publish"], [system.topicArn]);
    stateChange.allow(["sqs:SendMessage"], jobsQueues);
    invokeByStream(stateChange, monitors, {
      // Items with an outbox. Incidents, shards and heartbeats do not invoke the function.
      sortKeys: [MONITOR_SK, STATE_SK],
      batchSize: 25,
      bisectBatchOnError: true,
      retryAttempts: 5,
      onFailure: new SqsDlq(undecided),
    });

    // ---- Alarms on Harborlight itself ---------------------------------------------------------------------------
    const alarms = new Alarms(this, "Alarms", new SnsAction(system));
    const watched = {
      dispatch: dispatch.lambda,
      stateChange: stateChange.lambda,
      deliver: delivery.deliver.lambda,
      compact: compact.lambda,
      api: api.lambda,
      tables: [monitors, history],
      undecided,
      undelivered,
    };
    watchHome(alarms, settings, watched);
    delivery.watchedBy(alarms, settings);
    site?.watchedBy(alarms);
    const probeStacks = `${settings.appId}-probe-`;
    receiveAlarms(this, probeStacks, system);
    // CloudFormation names an alarm by its stack and logical id. An installation whose name begins like ours is not ours.
    tellPolicies(this, [`${this.stackName}-Alarms`, probeStacks], compact.lambda);
    if (settings.dashboard) new Dashboard(this, "Dashboard", { ...watched, site });

    // ---- What the people who deployed it need -------------------------------------------------------------------
    const output = (name: string, value: string) => new CfnOutput(this, name, { value });
    output("ApiUrl", url);
    output("AlertsTopicArn", alerts.topicArn);
    output("PeopleTopicArn", people.topicArn);
    output("SystemTopicArn", system.topicArn);
    output("MonitorsTable", monitors.tableName);
    output("HistoryTable", history.tableName);
    output("ApiFunctionName", api.lambda.functionName);
    output("DispatchFunctionName", dispatch.lambda.functionName);
    output("StateChangeFunctionName", stateChange.lambda.functionName);
    output("CompactFunctionName", compact.lambda.functionName);
    delivery.outputs();
    output("UndecidedQueueUrl", undecided.queueUrl);
    output("UndeliveredQueueUrl", undelivered.queueUrl);
    site?.outputs();
    output("FirstTokenCommand", "npm run token -- --name admin --scopes admin");
  }

  /** SNS authorises these calls for the account, not for a topic; the function restricts itself to its topics. */
  private letManageSubscriptions(manager: NodeFunction): void {
    const subscriptions = this.formatArn({ service: "sns", resource: "*" });
    manager.allow(
      ["sns:Unsubscribe", "sns:GetSubscriptionAttributes", "sns:SetSubscriptionAttributes"],
      [subscriptions],
    );
    Validations.of(manager).acknowledge({
      id: `AwsSolutions::AwsSolutions-IAM5[Resource::arn:${this.partition}:sns:${this.region}:<AWS::AccountId>:*]`,
      reason: "SNS has no narrower resource for calls on a subscription; they reach no message.",
    });
  }

  /** Lets the account's alarms publish: a topic with its own policy (enforceSSL adds one) loses SNS's default permission. */
  private letAlarmsPublish(topic: Topic): void {
    topic.addToResourcePolicy(
      new PolicyStatement({
        principals: [new ServicePrincipal("cloudwatch.amazonaws.com")],
        actions: ["sns:Publish"],
        resources: [topic.topicArn],
        conditions: { StringEquals: { "aws:SourceAccount": Aws.ACCOUNT_ID } },
      }),
    );
  }
}
