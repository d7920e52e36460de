import { Aws, type Duration } from "aws-cdk-lib";
import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Schedule, type ScheduleExpression, ScheduleTargetInput, TimeWindow } from "aws-cdk-lib/aws-scheduler";
import { LambdaInvoke } from "aws-cdk-lib/aws-scheduler-targets";
import { Construct } from "constructs";
import type { Scheduled } from "../shared/payloads.ts";
import type { NodeFunction } from "./node-function.ts";

export interface FunctionScheduleProps {
  readonly target: NodeFunction;
  readonly schedule: ScheduleExpression;
  /** An invocation that could not be made within this time is given up. */
  readonly maxEventAge: Duration;
}

/**
 * Invokes a function on a schedule, with the input `{"source":"schedule"}`. The flexible time window is off:
 * dispatch already allows for Scheduler's jitter within the minute. No dead-letter queue: the next invocation makes up for a
 * missed one, and an alarm rings when none comes.
 */
export class FunctionSchedule extends Construct {
  constructor(scope: Construct, id: string, { target: { lambda }, schedule, maxEventAge }: FunctionScheduleProps) {
    super(scope, id);
    // Not CDK's default role, which may invoke every version of the function.
    const role = new Role(this, "Role", {
      assumedBy: new ServicePrincipal("scheduler.amazonaws.com", {
        conditions: { StringEquals: { "aws:SourceAccount": Aws.ACCOUNT_ID } },
      }),
      inlinePolicies: {
        Invoke: new PolicyDocument({
          statements: [new PolicyStatement({ actions: ["lambda:InvokeFunction"], resources: [lambda.functionArn] })],
        }),
      },
    });
    new Schedule(this, "Schedule", {
      schedule,
      timeWindow: TimeWindow.off(),
      target: new LambdaInvoke(lambda, {
        role: role.withoutPolicyUpdates(),
        input: ScheduleTargetInput.fromObject({ source: "schedule" } satisfies Scheduled),
        maxEventAge,
        retryAttempts: 2,
      }),
    });
  }
}
