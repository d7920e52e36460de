/**
 * Alarms of further locations reach the topic `system` by EventBridge: an alarm can only notify a topic of its own
 * region, and a probe stack, being deployed first, does not know the home stack's topic anyway.
 */
import { Aws, Stack } from "aws-cdk-lib";
import type { Alarm } from "aws-cdk-lib/aws-cloudwatch";
import { EventBus, EventField, Rule, RuleTargetInput } from "aws-cdk-lib/aws-events";
import { EventBus as EventBusTarget, LambdaFunction, SnsTopic } from "aws-cdk-lib/aws-events-targets";
import { Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import type { IFunction } from "aws-cdk-lib/aws-lambda";
import type { ITopic } from "aws-cdk-lib/aws-sns";
import type { Construct } from "constructs";

const ALARM_CHANGED = { source: ["aws.cloudwatch"], detailType: ["CloudWatch Alarm State Change"] };

/** Forwards state changes of these alarms to the home region's event bus. */
export const forwardAlarms = (scope: Construct, alarms: readonly Alarm[], homeRegion: string): void => {
  const home = EventBus.fromEventBusArn(
    scope,
    "HomeBus",
    Stack.of(scope).formatArn({
      service: "events",
      region: homeRegion,
      resource: "event-bus",
      resourceName: "default",
    }),
  );
  const role = new Role(scope, "ForwardAlarmsRole", {
    assumedBy: new ServicePrincipal("events.amazonaws.com", {
      conditions: { StringEquals: { "aws:SourceAccount": Aws.ACCOUNT_ID } },
    }),
  });
  new Rule(scope, "ForwardAlarms", {
    eventPattern: { ...ALARM_CHANGED, resources: alarms.map(({ alarmArn }) => alarmArn) },
    targets: [new EventBusTarget(home, { role })],
  });
};

/**
 * Publishes state changes of the probe stacks' alarms, whose names begin with their stacks' names, to the topic.
 * EventBridge's permission to publish has no condition on the account: "You can't use Condition blocks in Amazon SNS topic policies for
 * EventBridge" (EventBridge User Guide, "Using resource-based policies", Amazon SNS permissions); with one, no alarm of
 * another region would arrive.
 */
export const receiveAlarms = (scope: Construct, stackNamePrefix: string, system: ITopic): void => {
  const text = [
    EventField.fromPath("$.detail.state.value"),
    EventField.fromPath("$.detail.configuration.description"),
    EventField.fromPath("$.detail.state.reason"),
    `${EventField.fromPath("$.detail.alarmName")} in ${EventField.fromPath("$.region")}`,
  ];
  new Rule(scope, "ReceiveAlarms", {
    eventPattern: {
      ...ALARM_CHANGED,
      detail: { alarmName: [{ prefix: stackNamePrefix }], state: { value: ["ALARM", "OK"] } },
    },
    targets: [new SnsTopic(system, { message: RuleTargetInput.fromMultilineText(text.join("\n")) })],
  });
};

/** Gives a function the state changes of alarms whose names begin so, for policies that take `system.alarm`. */
export const tellPolicies = (scope: Construct, namePrefixes: readonly string[], teller: IFunction): void => {
  new Rule(scope, "TellAlarms", {
    eventPattern: {
      ...ALARM_CHANGED,
      detail: { alarmName: namePrefixes.map((prefix) => ({ prefix })), state: { value: ["ALARM", "OK"] } },
    },
    targets: [new LambdaFunction(teller)],
  });
};
