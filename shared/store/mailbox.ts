/**
 * Mailboxes of receivers: state-change posts one item for each alert and receiver, `deliver` sends them. A mailbox
 * outlives the monitors that its mail is about.
 */
import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import {
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  UpdateCommand,
  type UpdateCommandInput,
} from "@aws-sdk/lib-dynamodb";
import { DAY_SECONDS } from "../durations.ts";
import type { Alert, PendingAlert, Timestamp } from "../model.ts";
import type { Lease, Mail, ReceiverState, Result } from "../rules/mailbox.ts";
import { entriesOf, type NewEntry, sequenceFrom } from "../rules/outbox.ts";
import { unlessRaced } from "./condition.ts";
import { mustLook } from "./due.ts";
import { dueBucket, mailKey, noticeKey, receiverKey } from "./keys.ts";
import type { Item } from "./read.ts";

/** Mail is kept, as the record of its delivery, for so long. */
const KEPT_SECONDS = 30 * DAY_SECONDS;
/** The state of a receiver that gets no mail goes after its last mail. */
const STATE_KEPT_SECONDS = KEPT_SECONDS + 10 * DAY_SECONDS;
/** Waiting mail that one pass reads, a kilobyte or two each: it must fit into the function's memory. */
const WAITING_AT_ONCE = 1_000;
/** Pages that it may read through for them, of at most 1 MB. */
const PAGES_AT_ONCE = 20;

/** One alert for one receiver, from an outbox. */
export interface Post extends Pick<PendingAlert, "createdAt" | "sequence"> {
  readonly receiver: string;
  readonly alert: Alert;
}

/** A message for topic `system`. */
export interface Notice {
  /** Of the message: one that stands already is not told again. */
  readonly name: string;
  readonly entry: NewEntry;
  /** How long it stands after it was told, so that it is not told again. Default: not at all. */
  readonly keptSeconds?: number;
}

/** Waiting mail of a receiver. */
export interface Waiting {
  readonly mail: readonly Mail[];
  /** Place of the last mail that was read, waiting or not. */
  readonly last: string;
  /** Whether there may be more. */
  readonly hasMore: boolean;
}

/** What a pass leaves of a receiver, however it ends. */
export type Standing = Pick<ReceiverState, "failures" | "recent" | "digestAt">;

/** What a pass leaves that has seen all mail. */
export interface PassEnd extends Standing, Pick<ReceiverState, "pausedUntil" | "retryAt"> {
  readonly doneUntil: string;
}

const stateOf = (item: Item): ReceiverState => ({
  revision: Number(item.revision),
  lease: (item.lease as Lease | undefined) ?? null,
  doneUntil: String(item.doneUntil),
  failures: Number(item.failures ?? 0),
  pausedUntil: (item.pausedUntil as Timestamp | undefined) ?? null,
  recent: (item.recent as readonly Timestamp[] | undefined) ?? [],
  digestAt: (item.digestAt as Timestamp | undefined) ?? null,
  retryAt: (item.retryAt as Timestamp | undefined) ?? null,
  lookBy: (item.lookBy as Timestamp | undefined) ?? null,
});

const mailOf = ({ sk, receiver, alert, createdAt, sequence, attempts, nextAttemptAt, hadFault }: Item): Mail => ({
  place: String(sk),
  receiver: String(receiver),
  alert: alert as Alert,
  createdAt: String(createdAt),
  sequence: Number(sequence),
  attempts: Number(attempts),
  nextAttemptAt: String(nextAttemptAt),
  hadFault: hadFault === true,
});

/** @param waitingAtOnce waiting mail that one read returns at most; fewer in tests */
export const createMailboxStore = (
  client: DynamoDBDocumentClient,
  tableName: string,
  waitingAtOnce = WAITING_AT_ONCE,
) => {
  const update = (receiver: string, input: Omit<UpdateCommandInput, "TableName" | "Key">) =>
    client.send(new UpdateCommand({ TableName: tableName, Key: receiverKey(receiver), ...input }));

  const state = async (receiver: string): Promise<ReceiverState | undefined> => {
    const { Item } = await client.send(
      new GetCommand({ TableName: tableName, Key: receiverKey(receiver), ConsistentRead: true }),
    );
    return Item && stateOf(Item);
  };

  /** Notes that mail was posted at a place, from which on the next pass has to read. */
  const noteMail = async (receiver: string, place: string, now: Date): Promise<void> => {
    const { set, values } = mustLook(receiverKey(receiver).pk, now.getTime());
    const expiresAtSeconds = Math.floor(now.getTime() / 1000) + STATE_KEPT_SECONDS;
    const note = (doneUntil: string, condition: string) =>
      unlessRaced(
        update(receiver, {
          UpdateExpression: `SET ${doneUntil}, expiresAtSeconds = :expiresAtSeconds, ${set} ADD revision :one`,
          ConditionExpression: condition,
          ExpressionAttributeValues: { ...values, ":place": place, ":expiresAtSeconds": expiresAtSeconds, ":one": 1 },
        }),
      );
    // Another post may set it back between the two.
    while (
      !(await note(
        "doneUntil = if_not_exists(doneUntil, :place)",
        "attribute_not_exists(doneUntil) OR doneUntil <= :place",
      )) &&
      !(await note("doneUntil = :place", "doneUntil > :place"))
    );
  };

  return {
    /** Puts mail into a receiver's mailbox. Repeated, it changes nothing but that the mailbox is looked at again. */
    async post({ receiver, alert, createdAt, sequence }: Post, now: Date): Promise<void> {
      const key = mailKey(receiver, createdAt, alert.alertId);
      const item = {
        ...key,
        receiver,
        alert,
        createdAt,
        sequence,
        state: "waiting",
        attempts: 0,
        nextAttemptAt: createdAt,
        expiresAtSeconds: Math.floor(now.getTime() / 1000) + KEPT_SECONDS,
      };
      const ConditionExpression = "attribute_not_exists(pk)";
      await unlessRaced(client.send(new PutCommand({ TableName: tableName, Item: item, ConditionExpression })));
      await noteMail(receiver, key.sk, now);
    },

    state,

    /**
     * Takes the lease on a receiver, unless another process has taken it since the state was read; the lease that was
     * read, if any, is over. A timer brings the receiver up again in case the holder dies.
     * @returns the state as it is now; undefined if the lease was not taken
     */
    async take(receiver: string, seen: ReceiverState, lease: Lease): Promise<ReceiverState | undefined> {
      const { pk } = receiverKey(receiver);
      try {
        const { Attributes } = await update(receiver, {
          UpdateExpression: "SET lease = :lease, nextEvaluationAt = :end, dueBucket = :bucket ADD revision :one",
          ConditionExpression: seen.lease
            ? "lease.#token = :seen"
            : "attribute_exists(pk) AND attribute_not_exists(lease)",
          ...(seen.lease && { ExpressionAttributeNames: { "#token": "token" } }),
          ExpressionAttributeValues: {
            ":lease": lease,
            ":end": lease.until,
            ":bucket": dueBucket(pk),
            ":one": 1,
            ...(seen.lease && { ":seen": seen.lease.token }),
          },
          ReturnValues: "ALL_NEW",
        });
        return Attributes && stateOf(Attributes);
      } catch (error) {
        if (error instanceof ConditionalCheckFailedException) return undefined;
        throw error;
      }
    },

    /** Waiting mail from a place on, oldest first. */
    async waiting(receiver: string, from: string): Promise<Waiting> {
      const mail: Mail[] = [];
      let start: Item | undefined;
      let last = from;
      for (let page = 0; page < PAGES_AT_ONCE && mail.length < waitingAtOnce; page++) {
        const { Items = [], LastEvaluatedKey } = await client.send(
          new QueryCommand({
            TableName: tableName,
            KeyConditionExpression: "pk = :pk AND sk >= :from",
            ExpressionAttributeValues: { ":pk": mailKey(receiver, "", "").pk, ":from": from },
            ConsistentRead: true,
            Limit: waitingAtOnce,
            ExclusiveStartKey: start,
          }),
        );
        mail.push(...Items.filter((item) => item.state === "waiting").map(mailOf));
        last = String(Items.at(-1)?.sk ?? last);
        start = LastEvaluatedKey;
        if (!start) break;
      }
      return { mail, last, hasMore: start !== undefined };
    },

    /** Records an attempt. @returns false if somebody else has recorded one since the mail was read */
    record({ receiver, place, attempts }: Mail, result: Result, now: Date): Promise<boolean> {
      return unlessRaced(
        client.send(
          new UpdateCommand({
            TableName: tableName,
            Key: { pk: mailKey(receiver, "", "").pk, sk: place },
            UpdateExpression:
              "SET #state = :state, attempts = :attempts, nextAttemptAt = :next, hadFault = :fault, answer = :answer, digest = :digest, attemptedAt = :now",
            ConditionExpression: "#state = :waiting AND attempts = :read",
            ExpressionAttributeNames: { "#state": "state" },
            ExpressionAttributeValues: {
              ":state": result.state,
              ":attempts": result.attempts,
              ":next": result.nextAttemptAt,
              ":fault": result.hadFault,
              ":answer": result.answer,
              ":digest": result.digest,
              ":now": now.toISOString(),
              ":waiting": "waiting",
              ":read": attempts,
            },
          }),
        ),
      );
    },

    /**
     * Ends a pass that has seen all mail, gives the lease back, and sets the timer of the next retry.
     * @returns false if mail was posted meanwhile, or the lease is another's: nothing was changed
     */
    finish(receiver: string, { revision }: ReceiverState, { token }: Lease, end: PassEnd): Promise<boolean> {
      const { failures, recent, digestAt, pausedUntil, retryAt, doneUntil } = end;
      const gone = ["lease", "lookBy", "lookBucket", "touches"];
      const timer = retryAt && {
        ":retryAt": retryAt,
        ":bucket": dueBucket(receiverKey(receiver).pk),
      };
      const set = timer ? ", retryAt = :retryAt, nextEvaluationAt = :retryAt, dueBucket = :bucket" : "";
      if (!timer) gone.push("retryAt", "nextEvaluationAt", "dueBucket");
      return unlessRaced(
        update(receiver, {
          UpdateExpression: `SET doneUntil = :doneUntil, failures = :failures, recent = :recent, digestAt = :digestAt, pausedUntil = :pausedUntil${set} REMOVE ${gone.join(", ")} ADD revision :one`,
          ConditionExpression: "revision = :revision AND lease.#token = :token",
          ExpressionAttributeNames: { "#token": "token" },
          ExpressionAttributeValues: {
            ...timer,
            ":doneUntil": doneUntil,
            ":failures": failures,
            ":recent": recent,
            ":digestAt": digestAt,
            ":pausedUntil": pausedUntil,
            ":revision": revision,
            ":token": token,
            ":one": 1,
          },
        }),
      );
    },

    /** Gives the lease back although mail is left: the stream then brings the receiver up again at once. */
    release(receiver: string, { token }: Lease, standing: Standing, now: Date): Promise<boolean> {
      const { failures, recent, digestAt } = standing;
      const { set, values } = mustLook(receiverKey(receiver).pk, now.getTime());
      return unlessRaced(
        update(receiver, {
          UpdateExpression: `SET failures = :failures, recent = :recent, digestAt = :digestAt, ${set} REMOVE lease ADD revision :one`,
          ConditionExpression: "lease.#token = :token",
          ExpressionAttributeNames: { "#token": "token" },
          ExpressionAttributeValues: {
            ...values,
            ":failures": failures,
            ":recent": recent,
            ":digestAt": digestAt,
            ":token": token,
            ":one": 1,
          },
        }),
      );
    },

    /** Leaves a message for topic `system` in an outbox of its own. */
    async notify({ name, entry, keptSeconds }: Notice, now: Date): Promise<void> {
      const key = noticeKey(name);
      const revision = 1;
      const Item = {
        ...key,
        revision,
        pendingAlerts: entriesOf([entry], sequenceFrom(revision), now),
        ...(keptSeconds !== undefined && { expiresAtSeconds: Math.floor(now.getTime() / 1000) + keptSeconds }),
        ...mustLook(key.pk, now.getTime()).attributes,
      };
      const ConditionExpression = "attribute_not_exists(pk)";
      await unlessRaced(client.send(new PutCommand({ TableName: tableName, Item, ConditionExpression })));
    },
  };
};
export type MailboxStore = ReturnType<typeof createMailboxStore>;
