import { Duration } from "aws-cdk-lib";
import type { IKey } from "aws-cdk-lib/aws-kms";
import { QueueEncryption, type QueueProps } from "aws-cdk-lib/aws-sqs";

/** SQS's own encryption costs nothing, a KMS key a dollar a month and a fee for each call. */
export const SECURE = { encryption: QueueEncryption.SQS_MANAGED, enforceSSL: true } satisfies QueueProps;

/**
 * Lambda's advice for a queue that feeds a function, so that a message in work, or waiting for a throttled function, does
 * not become visible to a second consumer, and throttling alone makes no dead letters ("Using Lambda with Amazon SQS":
 * visibility of at least six times the function's timeout, maxReceiveCount of at least 5).
 */
export const VISIBILITY_PER_TIMEOUT = 6;
export const MAX_RECEIVES = 5;

/** A dead-letter queue, which keeps messages for SQS's maximum of 14 days. Without a key it has SQS's own encryption. */
export const deadLetterQueue = (encryptionKey?: IKey): QueueProps => ({
  ...SECURE,
  retentionPeriod: Duration.days(14),
  ...(encryptionKey && { encryption: QueueEncryption.KMS, encryptionMasterKey: encryptionKey }),
});
