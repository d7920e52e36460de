import { sign } from "node:crypto";
import { AwsError } from "../http-server/aws-error.ts";

/** A message attribute as SNS shows it: the value of a `String.Array` is JSON text. */
export interface Attribute {
  readonly Type: string;
  readonly Value: string;
}

/** What was published, with the text already chosen for one protocol. */
export interface Notification {
  readonly messageId: string;
  readonly topicArn: string;
  readonly subject: string | undefined;
  readonly message: string;
  readonly attributes: Readonly<Record<string, Attribute>>;
  /** ISO 8601 with milliseconds. */
  readonly timestamp: string;
}

export interface Signer {
  /** PEM. */
  readonly privateKey: string;
  readonly certificateUrl: string;
}

export const MAX_MESSAGE_BYTES = 262_144;

const invalid = (what: string) => new AwsError("InvalidParameter", `Invalid parameter: ${what}`);

/** ASCII that begins with something visible, no control characters, under 100 characters (SNS API, `Publish`). */
export const checkSubject = (subject: string | undefined): void => {
  if (subject !== undefined && !/^[!-~][ -~]{0,98}$/.test(subject)) throw invalid("Subject");
};

/** The text for each protocol: one for all, or by name with a default (`MessageStructure: json`). */
export const messageTexts = (message: string, structure: string | undefined): ((protocol: string) => string) => {
  if (message === "") throw invalid("Empty message");
  if (structure === undefined || structure === "") return () => message;
  if (structure !== "json") throw invalid("MessageStructure");
  let parsed: Record<string, unknown> | null;
  try {
    parsed = JSON.parse(message);
  } catch {
    throw invalid("Message Structure - JSON message body failed to parse");
  }
  const texts = parsed;
  if (texts === null || typeof texts !== "object" || typeof texts.default !== "string") {
    throw invalid("Message Structure - No default entry in JSON message body");
  }
  return (protocol) => (typeof texts[protocol] === "string" ? (texts[protocol] as string) : (texts.default as string));
};

const badAttribute = (name: string, why: string) =>
  new AwsError("ParameterValueInvalid", `The message attribute '${name}' ${why}`);

/** @throws {AwsError} as SNS does for types and values that do not fit together. */
export const checkAttribute = (name: string, { Type, Value }: Attribute): void => {
  const [base] = Type.split(".");
  if (!/^[\w.-]{1,256}$/.test(name)) throw badAttribute(name, "has an invalid name");
  if (!["String", "Number", "Binary"].includes(base!)) {
    throw badAttribute(
      name,
      `has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String.`,
    );
  }
  if (Value === "") {
    throw badAttribute(name, `must contain non-empty message attribute value for message attribute type '${Type}'.`);
  }
  if (base === "Number" && !/^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(Value)) {
    throw badAttribute(name, `has an invalid value for type Number: ${Value}`);
  }
  if (Type === "String.Array" && arrayOf(Value) === undefined) {
    throw badAttribute(name, "must be a JSON array of strings, numbers, booleans or null for type 'String.Array'.");
  }
};

const arrayOf = (text: string): unknown[] | undefined => {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) && value.every((one) => one === null || typeof one !== "object") ? value : undefined;
  } catch {
    return undefined;
  }
};

/** Attributes in the shape that filter policies look at. */
export const filterable = (attributes: Readonly<Record<string, Attribute>>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(attributes)
      .filter(([, { Type }]) => !Type.startsWith("Binary"))
      .map(([name, { Type, Value }]) => {
        if (Type === "String.Array") return [name, arrayOf(Value)];
        return [name, Type.startsWith("Number") ? Number(Value) : Value];
      }),
  );

/**
 * Signature version 1 of SNS ("Verifying the signatures of Amazon SNS messages"): RSA with SHA-1 over chosen fields.
 * The key is this installation's own and its certificate self-signed: it shows that a message came from this machine,
 * not that it came from AWS.
 */
const signed = (fields: Readonly<Record<string, unknown>>, names: readonly string[], signer: Signer) => {
  const text = names
    .filter((name) => fields[name] !== undefined)
    .map((name) => `${name}\n${String(fields[name])}\n`)
    .join("");
  return {
    SignatureVersion: "1",
    Signature: sign("sha1", Buffer.from(text), signer.privateKey).toString("base64"),
    SigningCertURL: signer.certificateUrl,
  };
};

export const notificationEnvelope = (notification: Notification, unsubscribeUrl: string, signer: Signer): string => {
  const fields = {
    Type: "Notification",
    MessageId: notification.messageId,
    TopicArn: notification.topicArn,
    ...(notification.subject === undefined ? {} : { Subject: notification.subject }),
    Message: notification.message,
    Timestamp: notification.timestamp,
  };
  return JSON.stringify({
    ...fields,
    ...signed(fields, ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"], signer),
    UnsubscribeURL: unsubscribeUrl,
    ...(Object.keys(notification.attributes).length > 0 ? { MessageAttributes: notification.attributes } : {}),
  });
};

export const confirmationText = (topicArn: string): string =>
  `You have chosen to subscribe to the topic ${topicArn}.\nTo confirm the subscription, visit the SubscribeURL included in this message.`;

export const confirmationEnvelope = (
  confirmation: { messageId: string; token: string; topicArn: string; timestamp: string; subscribeUrl: string },
  signer: Signer,
): string => {
  const fields = {
    Type: "SubscriptionConfirmation",
    MessageId: confirmation.messageId,
    Token: confirmation.token,
    TopicArn: confirmation.topicArn,
    Message: confirmationText(confirmation.topicArn),
    SubscribeURL: confirmation.subscribeUrl,
    Timestamp: confirmation.timestamp,
  };
  const names = ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"];
  return JSON.stringify({ ...fields, ...signed(fields, names, signer) });
};
