import { Aws, RemovalPolicy, Stack } from "aws-cdk-lib";
import { AnyPrincipal, PolicyStatement, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Key } from "aws-cdk-lib/aws-kms";
import { Construct } from "constructs";
import { keyAlias } from "./names.ts";

/**
 * The account's own key for tables, topics and dead letters. It stays when the stack goes, as the tables do: without it
 * nobody could read them.
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
    // As the policies of AWS's own keys say it: whoever may use the table, queue or topic may use the key through it. So
    // do the probes of other regions, whose stacks are deployed before there is a key to name.
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
    // Services that publish, or set aside what nobody took, on nobody's behalf.
    this.key.addToResourcePolicy(
      new PolicyStatement({
        principals: ["cloudwatch", "events", "sns"].map((service) => new ServicePrincipal(`${service}.amazonaws.com`)),
        actions: ["kms:Decrypt", "kms:GenerateDataKey*"],
        resources: ["*"],
      }),
    );
  }
}
