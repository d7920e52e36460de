import { type Duration, RemovalPolicy } from "aws-cdk-lib";
import { Effect, PolicyStatement, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import {
  Architecture,
  Code,
  type FunctionProps,
  Function as LambdaFunction,
  LoggingFormat,
  Runtime,
  SystemLogLevel,
} from "aws-cdk-lib/aws-lambda";
import { LogGroup } from "aws-cdk-lib/aws-logs";
import { Construct } from "constructs";
import type { Deployed } from "../shared/environment.ts";
import { bundleOf, type FunctionName } from "./bundle.ts";
import { checkEnvironment } from "./environment.ts";
import { metricNamespace } from "./names.ts";
import type { Settings } from "./settings.ts";

interface CommonProps extends Pick<FunctionProps, "vpc" | "vpcSubnets" | "securityGroups" | "ipv6AllowedForDualStack"> {
  readonly settings: Settings;
  /** Megabytes; the share of a CPU grows with it. */
  readonly memorySize: number;
  readonly timeout: Duration;
  /** Set only where another region refers to the function by name. */
  readonly functionName?: string;
}

/** `entry`: the folder under `functions/`, and the service's name in logs and metrics. */
export type NodeFunctionProps = CommonProps &
  { [Name in FunctionName]: { readonly entry: Name; readonly environment: Readonly<Deployed<Name>> } }[FunctionName];

/**
 * A Lambda function of ours: the bundle, its log group, and a role without permissions except those that `allow` adds.
 * @throws {InvalidContext} when its environment is more than Lambda takes
 */
export class NodeFunction extends Construct {
  readonly lambda: LambdaFunction;
  private readonly role: Role;

  constructor(scope: Construct, id: string, { settings, entry, environment, ...props }: NodeFunctionProps) {
    super(scope, id);
    const logGroup = new LogGroup(this, "Logs", {
      retention: settings.logRetentionDays,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    // Not CDK's default role, whose managed policy may write to every log group.
    this.role = new Role(this, "Role", { assumedBy: new ServicePrincipal("lambda.amazonaws.com") });
    this.allow(["logs:CreateLogStream", "logs:PutLogEvents"], [logGroup.logGroupArn]);
    const variables = {
      POWERTOOLS_SERVICE_NAME: entry,
      POWERTOOLS_METRICS_NAMESPACE: metricNamespace(settings.appId),
      POWERTOOLS_LOG_LEVEL: "WARN",
      HARBORLIGHT_VERSION: settings.version,
      ...environment,
    };
    checkEnvironment(this, entry, variables);
    this.lambda = new LambdaFunction(this, "Function", {
      ...props,
      role: this.role,
      // Graviton: a fifth cheaper per millisecond. Node 24 is what the tests run on.
      architecture: Architecture.ARM_64,
      runtime: Runtime.NODEJS_24_X,
      code: Code.fromAsset(bundleOf(entry)),
      handler: "index.handler",
      logGroup,
      loggingFormat: LoggingFormat.JSON,
      // Without START, END and REPORT lines: logging them would cost more than the probes themselves.
      systemLogLevelV2: SystemLogLevel.WARN,
      environment: variables,
    });
  }

  /** Grants exactly these calls on exactly these resources. */
  allow(actions: string[], resources: string[], conditions?: Record<string, unknown>): void {
    this.role.addToPolicy(new PolicyStatement({ actions, resources, ...(conditions && { conditions }) }));
  }

  /** Denies the items of a table whose partition key matches one of the patterns, whatever `allow` adds. */
  keepFrom(partitionKeys: readonly string[], tableArn: string): void {
    this.role.addToPolicy(
      new PolicyStatement({
        effect: Effect.DENY,
        actions: ["dynamodb:*"],
        resources: [tableArn],
        conditions: { "ForAnyValue:StringLike": { "dynamodb:LeadingKeys": partitionKeys } },
      }),
    );
  }
}
