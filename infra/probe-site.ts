import { CfnOutput, Duration, Stack, Validations } from "aws-cdk-lib";
import { SecurityGroup, Vpc } from "aws-cdk-lib/aws-ec2";
import type { IKey } from "aws-cdk-lib/aws-kms";
import { SqsEventSource } from "aws-cdk-lib/aws-lambda-event-sources";
import { Queue } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";
import { SECRETS } from "../shared/store/keys.ts";
import type { Alarms } from "./alarms.ts";
import type { LocationSpec } from "./locations.ts";
import {
  describeLocation,
  historyTableName,
  installationName,
  jobsQueueName,
  monitorsTableName,
  probeFunctionName,
  tableArn,
} from "./names.ts";
import { NodeFunction } from "./node-function.ts";
import { deadLetterQueue, MAX_RECEIVES, SECURE, VISIBILITY_PER_TIMEOUT } from "./queues.ts";
import type { Settings } from "./settings.ts";

/** A tick ends within 60 s; the rest is for a cold start. */
const TIMEOUT = Duration.seconds(75);
const VISIBILITY = Duration.seconds(VISIBILITY_PER_TIMEOUT * TIMEOUT.toSeconds());

export interface ProbeSiteProps {
  readonly settings: Settings;
  readonly location: LocationSpec;
  /** KMS key of the home region for dead letters. Elsewhere SQS encrypts them itself: jobs hold shard numbers, no settings. */
  readonly encryptionKey?: IKey | undefined;
}

/** One location: its jobs queue, and the probe function that runs the jobs. */
export class ProbeSite extends Construct {
  readonly jobs: Queue;
  readonly deadJobs: Queue;
  readonly probe: NodeFunction;
  readonly location: LocationSpec;

  constructor(scope: Construct, id: string, { settings, location, encryptionKey }: ProbeSiteProps) {
    super(scope, id);
    const { appId } = settings;
    this.location = location;
    this.deadJobs = new Queue(this, "DeadJobs", deadLetterQueue(encryptionKey));
    this.jobs = new Queue(this, "Jobs", {
      queueName: jobsQueueName(appId, location.name),
      ...SECURE,
      visibilityTimeout: VISIBILITY,
      // A job is worthless once its tick is over; late jobs of the daily lane can still be run the longest.
      retentionPeriod: Duration.hours(1),
      deadLetterQueue: { queue: this.deadJobs, maxReceiveCount: MAX_RECEIVES },
    });

    const { jobsQueueUrl: _, ...described } = describeLocation(settings, location);
    this.probe = new NodeFunction(this, "Probe", {
      settings,
      entry: "probe",
      functionName: probeFunctionName(appId, location.name),
      memorySize: settings.probeMemoryMb,
      timeout: TIMEOUT,
      environment: {
        MONITORS_TABLE: monitorsTableName(appId),
        HISTORY_TABLE: historyTableName(appId),
        TABLES_REGION: settings.region,
        LOCATION: Stack.of(this).toJsonString(described),
        CONTROL_TARGETS: JSON.stringify(location.controlTargets),
        SWEEP_TARGETS: JSON.stringify(settings.sweepTargets),
        INSTALLATION: installationName(settings),
        RETENTION: JSON.stringify(settings.retention),
      },
      ...this.network(location),
    });
    this.grantTables(settings);
    if (location.kind === "vpc") this.grantNetwork();
    // One job at a time: a job may last as long as its deadline, and a batch would make the others late.
    this.probe.lambda.addEventSource(
      new SqsEventSource(this.jobs, {
        batchSize: 1,
        reportBatchItemFailures: true,
        maxConcurrency: settings.maximumConcurrency,
      }),
    );
  }

  watchedBy(alarms: Alarms): void {
    const { name } = this.location;
    alarms.watchErrors("ProbeErrors", this.probe.lambda, `The probe of ${name} fails: see its log group.`);
    alarms.watchThrottles("ProbeThrottles", [this.probe.lambda], `The probe of ${name} is throttled: checks run late.`);
    // Longer than the visibility timeout, after which a failed job is retried: one retry is no backlog.
    const wait = VISIBILITY.plus(Duration.seconds(150));
    alarms.watchBacklog("JobsBacklog", this.jobs, wait, `Jobs of ${name} wait for ten minutes: checks are missed.`);
    alarms.watchDeadLetters(
      "DeadJobs",
      this.deadJobs,
      `New dead letters: jobs of ${name} failed ${MAX_RECEIVES} times. See the probe's log group.`,
    );
  }

  /** Adds the queues and the function, which the person on call needs, to the stack's outputs. */
  outputs(): void {
    const stack = Stack.of(this);
    new CfnOutput(stack, "JobsQueueUrl", { value: this.jobs.queueUrl });
    new CfnOutput(stack, "DeadJobsQueueUrl", { value: this.deadJobs.queueUrl });
    new CfnOutput(stack, "ProbeFunctionName", { value: this.probe.lambda.functionName });
  }

  /** Permission to read its shards and the heartbeat, and to write views, blocks and rosters. */
  private grantTables(settings: Settings) {
    const stack = Stack.of(this);
    const monitors = tableArn(stack, settings, monitorsTableName(settings.appId));
    const history = tableArn(stack, settings, historyTableName(settings.appId));
    this.probe.allow(["dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:UpdateItem"], [monitors]);
    this.probe.allow(["dynamodb:Query"], [`${monitors}/index/members`]);
    this.probe.keepFrom(SECRETS, monitors);
    this.probe.allow(["dynamodb:Query", "dynamodb:GetItem", "dynamodb:PutItem"], [history]);
  }

  /** Permissions that Lambda needs to attach a function to a VPC. */
  private grantNetwork() {
    this.probe.allow(
      [
        "ec2:CreateNetworkInterface",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSubnets",
        "ec2:DeleteNetworkInterface",
        "ec2:AssignPrivateIpAddresses",
        "ec2:UnassignPrivateIpAddresses",
      ],
      ["*"],
    );
    Validations.of(this.probe).acknowledge({
      id: "AwsSolutions::AwsSolutions-IAM5[Resource::*]",
      reason: "Lambda demands these calls for a VPC, on interfaces that do not exist yet; they reach no data.",
    });
  }

  private network(location: LocationSpec) {
    if (location.kind !== "vpc") return {};
    const vpc = Vpc.fromVpcAttributes(this, "Vpc", {
      vpcId: location.vpcId,
      availabilityZones: [...location.availabilityZones],
      privateSubnetIds: [...location.subnetIds],
    });
    return {
      vpc,
      vpcSubnets: { subnets: vpc.privateSubnets },
      securityGroups: location.securityGroupIds.map((id) => SecurityGroup.fromSecurityGroupId(this, id, id)),
      ipv6AllowedForDualStack: location.families.includes("ipv6"),
    };
  }
}
