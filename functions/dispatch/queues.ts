/** Sends batches to queues, in whichever region each is. */
import { SendMessageBatchCommand, SQSClient } from "@aws-sdk/client-sqs";

export interface Message {
  readonly body: string;
  readonly delaySeconds: number;
}

/** SQS takes ten messages a call. */
const BATCH = 10;
const CALLS_AT_ONCE = 8;
/** A region that does not answer must not use up the time of the others. */
const CALL_TIMEOUT_MS = 8_000;

export const createQueues = () => {
  const clients = new Map<string, SQSClient>();
  const clientOf = (region: string | undefined) => {
    const known = clients.get(region ?? "");
    if (known) return known;
    const client = new SQSClient({ region });
    clients.set(region ?? "", client);
    return client;
  };

  /** @returns the indexes of messages that were not accepted, and the last error */
  return async (
    queueUrl: string,
    region: string | undefined,
    messages: readonly Message[],
  ): Promise<{ rejected: Set<number>; error: Error | undefined }> => {
    const rejected = new Set<number>();
    let error: Error | undefined;
    const batches: number[] = [];
    for (let start = 0; start < messages.length; start += BATCH) batches.push(start);
    const work = async () => {
      for (let start = batches.shift(); start !== undefined; start = batches.shift()) {
        const batch = messages.slice(start, start + BATCH);
        try {
          const { Failed = [] } = await clientOf(region).send(
            new SendMessageBatchCommand({
              QueueUrl: queueUrl,
              Entries: batch.map(({ body, delaySeconds }, index) => ({
                Id: String(start + index),
                MessageBody: body,
                DelaySeconds: delaySeconds,
              })),
            }),
            { abortSignal: AbortSignal.timeout(CALL_TIMEOUT_MS) },
          );
          for (const { Id, Code, Message } of Failed) {
            rejected.add(Number(Id));
            error = new Error(`${Code}: ${Message}`);
          }
        } catch (cause) {
          for (let index = 0; index < batch.length; index++) rejected.add(start + index);
          error = cause as Error;
        }
      }
    };
    await Promise.all(Array.from({ length: CALLS_AT_ONCE }, work));
    return { rejected, error };
  };
};
