import { Aws, RemovalPolicy, Stack } from "aws-cdk-lib";
import { AnyPrincipal, PolicyStatement, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Key } from "aws-cdk-lib/aws-kms";
import { Construct } from "constructs";
import { keyAlias } from "./names.ts";

/**
 * KMS key of the account for tables, topics and dead letters. It is retained when the stack is deleted, as the tables are:
 * they could not be read without it.
 */
export class DataKey extends Construct {
  readonly key: Key;

  constructor(scope: Construct, id: string, appId: string) {
    super(scope, id);
    this.key = new Key(this, "Key", {
      alias: keyAlias(appId),
      description: `Harborlight ${appId}: tables, topics and dead letters`,
      enableKeyRotation: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    const services = ["dynamodb", "sqs", "sns"].map((service) => `${service}.${Stack.of(this).region}.amazonaws.com`);
    // As in AWS's managed keys, a principal that may use a table, queue or topic may use the key through that service.
    // Probes of other regions need this: their stacks are deployed before the key exists, so they cannot name it.
    this.key.addToResourcePolicy(
      new PolicyStatement({
        principals: [new AnyPrincipal()],
        actions: [
          "kms:Decrypt",
          "kms:Encrypt",
          "kms:ReEncrypt*",
          "kms:GenerateDataKey*",
          "kms:DescribeKey",
          "kms:CreateGrant",
        ],
        resources: ["*"],
        conditions: { StringEquals: { "kms:CallerAccount": Aws.ACCOUNT_ID, "kms:ViaService": services } },
      }),
    );
    // Services that publish, or send to dead-letter queues, with no caller's credentials.
    this.key.addToResourcePolicy(
      new PolicyStatement({
        principals: ["cloudwatch", "events", "sns"].map((service) => new ServicePrincipal(`${service}.amazonaws.com`)),
        actions: ["kms:Decrypt", "kms:GenerateDataKey*"],
        resources: ["*"],
      }),
    );
  }
}
