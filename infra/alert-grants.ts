/** Permissions of functions that send alerts. */
import { Stack, Validations } from "aws-cdk-lib";
import type { ITopic } from "aws-cdk-lib/aws-sns";
import type { NodeFunction } from "./node-function.ts";
import type { Settings } from "./settings.ts";

/**
 * Lets a function send mail from one address only, which the condition enforces. The resource cannot be the sender's
 * identity alone: in the SES sandbox the call is also authorised against the identity of each verified recipient, and
 * where the sender or its domain has a default configuration set, against that set too.
 */
const letSendMail = (sender: NodeFunction, address: string): void => {
  const stack = Stack.of(sender);
  const all = (resource: string) => stack.formatArn({ service: "ses", resource, resourceName: "*" });
  const kinds = ["identity", "configuration-set"];
  sender.allow(["ses:SendRawEmail"], kinds.map(all), { StringEquals: { "ses:FromAddress": address } });
  for (const kind of kinds) {
    Validations.of(sender).acknowledge({
      id: `AwsSolutions::AwsSolutions-IAM5[Resource::arn:${stack.partition}:ses:${stack.region}:<AWS::AccountId>:${kind}/*]`,
      reason: "Mail goes out only from the one sender that the condition names.",
    });
  }
};

/** Lets a function send through every channel that the settings turn on. */
export const letAlert = (
  sender: NodeFunction,
  { alertSender, smsAlerts, alertFunctions }: Settings,
  topics: readonly ITopic[],
): void => {
  sender.allow(
    ["sns:Publish"],
    topics.map(({ topicArn }) => topicArn),
  );
  if (alertSender) letSendMail(sender, alertSender);
  if (alertFunctions.length > 0) sender.allow(["lambda:InvokeFunction"], [...alertFunctions]);
  if (!smsAlerts) return;
  sender.allow(["sns:Publish"], ["*"]);
  Validations.of(sender).acknowledge({
    id: "AwsSolutions::AwsSolutions-IAM5[Resource::*]",
    reason: "A phone number is no resource: IAM has no narrower permission for SMS, which the context turns on.",
  });
};
