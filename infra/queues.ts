import { Duration } from "aws-cdk-lib";
import { QueueEncryption, type QueueProps } from "aws-cdk-lib/aws-sqs";

/** SQS's own encryption costs nothing, a KMS key a dollar a month and every call besides. */
export const SECURE = { encryption: QueueEncryption.SQS_MANAGED, enforceSSL: true } satisfies QueueProps;

/** Dead letters wait as long as SQS allows for somebody to look at them. */
export const DEAD_LETTERS = { ...SECURE, retentionPeriod: Duration.days(14) } satisfies QueueProps;
