import { join } from "node:path";
import type { PutMetric } from "../cloudwatch/metrics.ts";
import type { Disk } from "../disk/disk.ts";
import type { Resource } from "../template/template.ts";
import { QUEUE_DEFAULTS, Queue } from "./queue.ts";

interface QueueProperties {
  readonly DelaySeconds?: number;
  readonly VisibilityTimeout?: number;
  readonly MessageRetentionPeriod?: number;
  readonly ReceiveMessageWaitTimeSeconds?: number;
  readonly MaximumMessageSize?: number;
  readonly RedrivePolicy?: { readonly deadLetterTargetArn: string; readonly maxReceiveCount: number | string };
  readonly FifoQueue?: boolean;
}

/**
 * The queues of the template, each in its own file.
 * @throws for a FIFO queue, which is not supported here, and for a dead-letter queue that does not exist.
 */
export const openQueues = (resources: readonly Resource[], dataFolder: string, disk?: Disk) => {
  const byArn = new Map<string, Queue>();
  for (const { type, name, arn, properties } of resources) {
    if (type !== "AWS::SQS::Queue") continue;
    const given = properties as QueueProperties;
    if (given.FifoQueue) throw new Error(`queue ${name}: FIFO queues are not supported here`);
    const settings = {
      delaySeconds: given.DelaySeconds ?? QUEUE_DEFAULTS.delaySeconds,
      visibilityTimeoutSeconds: given.VisibilityTimeout ?? QUEUE_DEFAULTS.visibilityTimeoutSeconds,
      retentionSeconds: given.MessageRetentionPeriod ?? QUEUE_DEFAULTS.retentionSeconds,
      receiveWaitSeconds: given.ReceiveMessageWaitTimeSeconds ?? QUEUE_DEFAULTS.receiveWaitSeconds,
      maxMessageBytes: given.MaximumMessageSize ?? QUEUE_DEFAULTS.maxMessageBytes,
      redrive: given.RedrivePolicy
        ? {
            deadLetterArn: given.RedrivePolicy.deadLetterTargetArn,
            maxReceiveCount: Number(given.RedrivePolicy.maxReceiveCount),
          }
        : null,
    };
    const file = join(dataFolder, "queues", `${name}.jsonl`);
    byArn.set(arn!, new Queue({ name, arn: arn!, settings, file, deadLetters: (target) => byArn.get(target), disk }));
  }
  for (const { name, settings } of byArn.values()) {
    const target = settings.redrive?.deadLetterArn;
    if (target !== undefined && !byArn.has(target))
      throw new Error(`queue ${name}: there is no dead-letter queue ${target}`);
  }
  const byName = new Map([...byArn.values()].map((queue) => [queue.name, queue]));
  return {
    all: [...byArn.values()] as readonly Queue[],
    byArn: (arn: string) => byArn.get(arn),
    byName: (name: string) => byName.get(name),
    /** The metrics that SQS puts into CloudWatch for each queue, once a minute. */
    measure: (put: PutMetric) => {
      for (const queue of byArn.values()) {
        const { visible, inFlight, delayed } = queue.counts();
        const measured = {
          ApproximateNumberOfMessagesVisible: visible,
          ApproximateNumberOfMessagesNotVisible: inFlight,
          ApproximateNumberOfMessagesDelayed: delayed,
          ApproximateAgeOfOldestMessage: queue.oldestSeconds(),
        };
        const dimensions = { QueueName: queue.name };
        for (const [name, value] of Object.entries(measured)) put({ namespace: "AWS/SQS", name, dimensions }, value);
      }
    },
    close: () => {
      for (const queue of byArn.values()) queue.close();
    },
  };
};

export type Queues = ReturnType<typeof openQueues>;
