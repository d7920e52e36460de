import type { PolicyDocument } from "./iam.ts";

const allow = (...Action: string[]): PolicyDocument => ({ Statement: { Effect: "Allow", Action, Resource: "*" } });

const LOGS = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"];

/** AWS's managed policies for Lambda roles, as published in the Managed Policy Reference. */
const DOCUMENTS: Readonly<Record<string, PolicyDocument>> = {
  AWSLambdaBasicExecutionRole: allow(...LOGS),
  AWSLambdaDynamoDBExecutionRole: allow(
    "dynamodb:DescribeStream",
    "dynamodb:GetRecords",
    "dynamodb:GetShardIterator",
    "dynamodb:ListStreams",
    ...LOGS,
  ),
  AWSLambdaSQSQueueExecutionRole: allow("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", ...LOGS),
  AWSLambdaVPCAccessExecutionRole: allow(
    ...LOGS,
    "ec2:CreateNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:DeleteNetworkInterface",
    "ec2:AssignPrivateIpAddresses",
    "ec2:UnassignPrivateIpAddresses",
  ),
};

/** @throws for a policy that is not in the list: its grants must not be guessed */
export function managedPolicy(arn: string, role: string): PolicyDocument {
  const document = DOCUMENTS[arn.slice(arn.lastIndexOf("/") + 1)];
  if (!document) throw new Error(`role ${role}: what the managed policy ${arn} grants is not known here`);
  return document;
}
