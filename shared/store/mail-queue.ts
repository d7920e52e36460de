/** Tells `deliver` through its SQS queue that a receiver has mail. */
import { SendMessageCommand, type SQSClient } from "@aws-sdk/client-sqs";
import type { MailWaits } from "../payloads.ts";

/** Timeout of a call: the message is a hint, so a sender does not wait long for its queue. */
const CALL_TIMEOUT_MS = 5_000;

export const createMailQueue =
  (sqs: Pick<SQSClient, "send">, queueUrl: string) =>
  /** @param delaySeconds whole seconds, at most `MAX_MAIL_DELAY_SECONDS` */
  async (receiver: string, delaySeconds = 0): Promise<void> => {
    const message: MailWaits = { receiver };
    await sqs.send(
      new SendMessageCommand({
        QueueUrl: queueUrl,
        MessageBody: JSON.stringify(message),
        DelaySeconds: delaySeconds,
      }),
      { abortSignal: AbortSignal.timeout(CALL_TIMEOUT_MS) },
    );
  };
export type MailQueue = ReturnType<typeof createMailQueue>;
