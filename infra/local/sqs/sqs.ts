import { AwsError } from "../http-server/aws-error.ts";
import { type Message, type MessageAttribute, md5, md5OfAttributes, type Queue } from "./queue.ts";

type Input = Record<string, unknown>;
type Output = Record<string, unknown>;

interface SendEntry {
  readonly Id?: string;
  readonly MessageBody?: string;
  readonly DelaySeconds?: number;
  readonly MessageAttributes?: Record<string, MessageAttribute>;
}

interface ReceiptEntry {
  readonly Id?: string;
  readonly ReceiptHandle?: string;
  readonly VisibilityTimeout?: number;
}

/** Longest delay and longest visibility timeout that SQS allows, in seconds. */
const MAX_DELAY = 900;
const MAX_VISIBILITY = 43_200;
/** XML 1.0 characters: SQS allows no others in a body. */
const ALLOWED_BODY = /^[\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]*$/u;

const invalid = (message: string) =>
  new AwsError("InvalidParameterValue", message, { queryCode: "InvalidParameterValue" });

/**
 * The SQS API (JSON protocol) over the template's queues.
 * @param queueByName finds a queue by its name, which is the last part of its URL
 */
export const createSqs = (queueByName: (name: string) => Queue | undefined, queueUrl: (queue: Queue) => string) => {
  const queueOf = (input: Input): Queue => {
    const url = required(input, "QueueUrl");
    const queue = queueByName(url.slice(url.lastIndexOf("/") + 1));
    if (queue) return queue;
    throw new AwsError("com.amazonaws.sqs#QueueDoesNotExist", "The specified queue does not exist.", {
      queryCode: "AWS.SimpleQueueService.NonExistentQueue",
    });
  };

  const send = (queue: Queue, entry: SendEntry, senderId: string): Output => {
    checkMessage(queue, entry);
    const attributes = entry.MessageAttributes ?? {};
    const message = queue.send(entry.MessageBody!, { attributes, delaySeconds: entry.DelaySeconds, senderId });
    const digest = md5OfAttributes(attributes);
    return {
      MessageId: message.id,
      MD5OfMessageBody: md5(message.body),
      ...(digest === undefined ? {} : { MD5OfMessageAttributes: digest }),
    };
  };

  const operations: Record<string, (input: Input, senderId: string) => Output | Promise<Output>> = {
    SendMessage: (input, senderId) => send(queueOf(input), input as SendEntry, senderId),

    SendMessageBatch: (input, senderId) => {
      const queue = queueOf(input);
      const entries = batch<SendEntry>(input);
      const total = entries.reduce((sum, entry) => sum + messageBytes(entry), 0);
      if (total > queue.settings.maxMessageBytes) {
        throw new AwsError(
          "com.amazonaws.sqs#BatchRequestTooLong",
          `Batch requests cannot be longer than ${queue.settings.maxMessageBytes} bytes. You have sent ${total} bytes.`,
          { queryCode: "AWS.SimpleQueueService.BatchRequestTooLong" },
        );
      }
      return eachEntry(entries, (entry) => send(queue, entry, senderId));
    },

    ReceiveMessage: async (input) => {
      const max = number(input, "MaxNumberOfMessages", 1, 10, 1);
      const messages = await queueOf(input).receive({
        max,
        waitSeconds: optionalNumber(input, "WaitTimeSeconds", 0, 20),
        visibilitySeconds: optionalNumber(input, "VisibilityTimeout", 0, MAX_VISIBILITY),
      });
      const wantedSystem = new Set([...list(input, "AttributeNames"), ...list(input, "MessageSystemAttributeNames")]);
      const wanted = list(input, "MessageAttributeNames");
      return messages.length === 0 ? {} : { Messages: messages.map((m) => describe(m, wantedSystem, wanted)) };
    },

    DeleteMessage: (input) => {
      const queue = queueOf(input);
      queue.delete(receiptOf(input as ReceiptEntry));
      return {};
    },

    DeleteMessageBatch: (input) => {
      const queue = queueOf(input);
      return eachEntry(batch<ReceiptEntry>(input), (entry) => {
        queue.delete(receiptOf(entry));
        return {};
      });
    },

    ChangeMessageVisibility: (input) => {
      changeVisibility(queueOf(input), input as ReceiptEntry);
      return {};
    },

    ChangeMessageVisibilityBatch: (input) => {
      const queue = queueOf(input);
      return eachEntry(batch<ReceiptEntry>(input), (entry) => {
        changeVisibility(queue, entry);
        return {};
      });
    },

    GetQueueAttributes: (input) => {
      const all = attributesOf(queueOf(input));
      const names = list(input, "AttributeNames");
      const unknown = names.find((name) => name !== "All" && !(name in all) && !KNOWN_ATTRIBUTES.has(name));
      if (unknown !== undefined) {
        throw new AwsError("InvalidAttributeName", `Unknown Attribute ${unknown}.`);
      }
      const isWanted = ([name]: [string, string]) => names.includes("All") || names.includes(name);
      return { Attributes: Object.fromEntries(Object.entries(all).filter(isWanted)) };
    },

    GetQueueUrl: (input) => {
      const queue = queueByName(required(input, "QueueName"));
      return { QueueUrl: queueUrl(queue ?? queueOf({ QueueUrl: "" })) };
    },

    PurgeQueue: (input) => {
      queueOf(input).purge();
      return {};
    },
  };

  return async (operation: string, input: Input, senderId: string): Promise<Output> => {
    const run = operations[operation];
    if (run) return run(input, senderId);
    throw new AwsError("InvalidAction", `The action ${operation} is not valid on the one-machine SQS.`);
  };
};

const KNOWN_ATTRIBUTES = new Set([
  "Policy",
  "RedriveAllowPolicy",
  "KmsMasterKeyId",
  "FifoQueue",
  "SqsManagedSseEnabled",
]);

const attributesOf = (queue: Queue): Record<string, string> => {
  const { visible, inFlight, delayed } = queue.counts();
  const { settings } = queue;
  return {
    QueueArn: queue.arn,
    ApproximateNumberOfMessages: String(visible),
    ApproximateNumberOfMessagesNotVisible: String(inFlight),
    ApproximateNumberOfMessagesDelayed: String(delayed),
    DelaySeconds: String(settings.delaySeconds),
    VisibilityTimeout: String(settings.visibilityTimeoutSeconds),
    MessageRetentionPeriod: String(settings.retentionSeconds),
    MaximumMessageSize: String(settings.maxMessageBytes),
    ReceiveMessageWaitTimeSeconds: String(settings.receiveWaitSeconds),
    ...(settings.redrive === null
      ? {}
      : {
          RedrivePolicy: JSON.stringify({
            deadLetterTargetArn: settings.redrive.deadLetterArn,
            maxReceiveCount: settings.redrive.maxReceiveCount,
          }),
        }),
  };
};

/** A message as `ReceiveMessage` shows it; also the start of a Lambda SQS event record. */
const describe = (message: Message, system: ReadonlySet<string>, wanted: readonly string[]): Output => {
  const attributes = Object.fromEntries(
    Object.entries(systemAttributes(message)).filter(([name]) => system.has("All") || system.has(name)),
  );
  const isWanted = ([name]: [string, MessageAttribute]) =>
    wanted.some((want) =>
      want === "All" || want === ".*" ? true : want.endsWith(".*") ? name.startsWith(want.slice(0, -2)) : want === name,
    );
  const messageAttributes = Object.fromEntries(Object.entries(message.attributes).filter(isWanted));
  const digest = md5OfAttributes(messageAttributes);
  return {
    MessageId: message.id,
    ReceiptHandle: message.receipt,
    Body: message.body,
    MD5OfBody: md5(message.body),
    ...(Object.keys(attributes).length > 0 ? { Attributes: attributes } : {}),
    ...(digest === undefined ? {} : { MessageAttributes: messageAttributes, MD5OfMessageAttributes: digest }),
  };
};

export const systemAttributes = (message: Message): Record<string, string> => ({
  SenderId: message.senderId,
  SentTimestamp: String(message.sentAtMs),
  ApproximateReceiveCount: String(message.receiveCount),
  ApproximateFirstReceiveTimestamp: String(message.firstReceivedAtMs ?? message.sentAtMs),
});

const changeVisibility = (queue: Queue, entry: ReceiptEntry): void => {
  const receipt = receiptOf(entry);
  const seconds = number(entry as Input, "VisibilityTimeout", 0, MAX_VISIBILITY);
  if (queue.changeVisibility(receipt, seconds)) return;
  throw new AwsError(
    "com.amazonaws.sqs#MessageNotInflight",
    `Value ${receipt} for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not available for visibility timeout change.`,
    { queryCode: "AWS.SimpleQueueService.MessageNotInflight" },
  );
};

const checkMessage = (queue: Queue, entry: SendEntry): void => {
  if (typeof entry.MessageBody !== "string" || entry.MessageBody === "") {
    throw new AwsError("MissingParameter", "The request must contain the parameter MessageBody.");
  }
  const bytes = messageBytes(entry);
  if (bytes > queue.settings.maxMessageBytes) {
    throw invalid(
      `One or more parameters are invalid. Reason: Message must be shorter than ${queue.settings.maxMessageBytes} bytes.`,
    );
  }
  if (!ALLOWED_BODY.test(entry.MessageBody)) {
    throw new AwsError(
      "com.amazonaws.sqs#InvalidMessageContents",
      "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF",
      { queryCode: "InvalidMessageContents" },
    );
  }
  optionalNumber(entry as Input, "DelaySeconds", 0, MAX_DELAY);
};

const messageBytes = ({ MessageBody, MessageAttributes }: SendEntry): number =>
  Object.entries(MessageAttributes ?? {}).reduce(
    (sum, [name, { DataType, StringValue, BinaryValue }]) =>
      sum +
      Buffer.byteLength(name) +
      Buffer.byteLength(DataType) +
      Buffer.byteLength(StringValue ?? "") +
      Buffer.byteLength(BinaryValue ?? "", "base64"),
    Buffer.byteLength(MessageBody ?? ""),
  );

const batch = <T extends { readonly Id?: string }>(input: Input): T[] => {
  const entries = (input.Entries ?? []) as T[];
  const refuse = (name: string, message: string) =>
    new AwsError(`com.amazonaws.sqs#${name}`, message, { queryCode: `AWS.SimpleQueueService.${name}` });
  if (entries.length === 0) throw refuse("EmptyBatchRequest", "There should be at least one entry in the request.");
  if (entries.length > 10) {
    throw refuse(
      "TooManyEntriesInBatchRequest",
      `Maximum number of entries per request are 10. You have sent ${entries.length}.`,
    );
  }
  for (const { Id } of entries) {
    if (!/^[\w-]{1,80}$/.test(Id ?? "")) {
      throw refuse(
        "InvalidBatchEntryId",
        "A batch entry id can only contain alphanumeric characters, hyphens and underscores.",
      );
    }
  }
  const ids = entries.map(({ Id }) => Id!);
  const repeated = ids.find((id, index) => ids.indexOf(id) !== index);
  if (repeated !== undefined) throw refuse("BatchEntryIdsNotDistinct", `Id ${repeated} repeated.`);
  return entries;
};

/** Runs each entry of a batch; one that fails does not fail the others. */
const eachEntry = <T extends { readonly Id?: string }>(entries: readonly T[], run: (entry: T) => Output): Output => {
  const Successful: Output[] = [];
  const Failed: Output[] = [];
  for (const entry of entries) {
    try {
      Successful.push({ Id: entry.Id, ...run(entry) });
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      Failed.push({ Id: entry.Id, Code: error.queryCode, Message: error.message, SenderFault: true });
    }
  }
  return { Successful, Failed };
};

const receiptOf = ({ ReceiptHandle }: ReceiptEntry): string => {
  if (/^[0-9a-f-]{36}-\d+-[0-9a-f]{8}$/.test(ReceiptHandle ?? "")) return ReceiptHandle!;
  throw new AwsError(
    "com.amazonaws.sqs#ReceiptHandleIsInvalid",
    `The input receipt handle "${ReceiptHandle}" is not valid.`,
    {
      queryCode: "ReceiptHandleIsInvalid",
    },
  );
};

const required = (input: Input, name: string): string => {
  const value = input[name];
  if (typeof value === "string") return value;
  throw new AwsError("MissingParameter", `The request must contain the parameter ${name}.`);
};

const list = (input: Input, name: string): string[] => (input[name] ?? []) as string[];

const optionalNumber = (input: Input, name: string, min: number, max: number): number | undefined => {
  const value = input[name];
  if (value === undefined) return undefined;
  if (Number.isInteger(value) && (value as number) >= min && (value as number) <= max) return value as number;
  throw invalid(
    `Value ${JSON.stringify(value)} for parameter ${name} is invalid. Reason: Must be between ${min} and ${max}, if provided.`,
  );
};

const number = (input: Input, name: string, min: number, max: number, fallback?: number): number => {
  const value = optionalNumber(input, name, min, max) ?? fallback;
  if (value !== undefined) return value;
  throw new AwsError("MissingParameter", `The request must contain the parameter ${name}.`);
};
