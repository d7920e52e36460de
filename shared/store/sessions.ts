/**
 * Sessions of people who logged in with a token, and failed logins by source. A session holds the SHA-256 of its secrets
 * and the hash of the token's secret that made it: it ends when that secret no longer works.
 */
import {
  DeleteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  UpdateCommand,
} from "@aws-sdk/lib-dynamodb";
import { DAY_SECONDS, HOUR_SECONDS } from "../durations.ts";
import type { Timestamp } from "../model.ts";
import { unlessRaced } from "./condition.ts";
import type { Page } from "./cursor.ts";
import { loginCodeKey, loginFailuresKey, sessionKey } from "./keys.ts";
import { createListing, sessionPlace } from "./listing.ts";
import { readMany, type Waiting } from "./read.ts";

export interface Session {
  readonly id: string;
  readonly tokenId: string;
  /** Hash of the token's secret that was used to log in. */
  readonly tokenSecretHash: string;
  /** Hex SHA-256 of the secret in the cookie. */
  readonly secretHash: string;
  /** Hex SHA-256 of the secret that a header has to repeat; null over https, where the cookie is enough. */
  readonly headerSecretHash: string | null;
  /** Whether it outlives the browser: it then ends after 30 days without use, else after 12 hours. */
  readonly isRemembered: boolean;
  readonly createdAt: Timestamp;
  readonly sourceIp: string;
  readonly userAgent: string;
  readonly expiresAtSeconds: number;
}

/** What a code that logs in once stands for. */
export type LoginCode = Pick<Session, "tokenId" | "tokenSecretHash" | "expiresAtSeconds">;

const fromItem = ({ pk: _pk, sk: _sk, listBucket: _bucket, listKey: _key, ...session }: Record<string, unknown>) =>
  session as unknown as Session;

/** Where a session stands in the list. */
export const sessionPosition = ({ id, createdAt }: Session) => sessionPlace(id, createdAt).listKey;

/** How long a session lasts without use. */
export const idleSeconds = ({ isRemembered }: Pick<Session, "isRemembered">) =>
  isRemembered ? 30 * DAY_SECONDS : 12 * HOUR_SECONDS;

/** Failures of a minute are counted in an item of their own, which nobody reads after that minute. */
const FAILURES_KEPT_SECONDS = HOUR_SECONDS;

const seconds = (now: Date) => Math.floor(now.getTime() / 1000);

export const createSessionStore = (client: DynamoDBDocumentClient, tableName: string, waiting: Waiting = {}) => {
  const listing = createListing(client, tableName);
  const isAlive = ({ expiresAtSeconds }: Session, now: Date) => expiresAtSeconds > seconds(now);

  const update = (id: string, expression: string, values: Record<string, unknown>) =>
    unlessRaced(
      client.send(
        new UpdateCommand({
          TableName: tableName,
          Key: sessionKey(id),
          UpdateExpression: expression,
          ConditionExpression: "expiresAtSeconds > :now",
          ExpressionAttributeValues: values,
        }),
      ),
    );

  return {
    async put(session: Session): Promise<void> {
      const item = { ...sessionKey(session.id), ...session, ...sessionPlace(session.id, session.createdAt) };
      await client.send(new PutCommand({ TableName: tableName, Item: item }));
    },

    /** Undefined once it has ended. Strongly consistent: an ended session stops working with the next call. */
    async get(id: string, now: Date): Promise<Session | undefined> {
      const { Item } = await client.send(
        new GetCommand({ TableName: tableName, Key: sessionKey(id), ConsistentRead: true }),
      );
      const session = Item && fromItem(Item);
      return session && isAlive(session, now) ? session : undefined;
    },

    /** Sets the end of a session, unless it has ended meanwhile. */
    extend: (id: string, expiresAtSeconds: number, now: Date) =>
      update(id, "SET expiresAtSeconds = :end", { ":end": expiresAtSeconds, ":now": seconds(now) }),

    /** Ends a session and takes it off the list; DynamoDB removes the item later. @returns false if it had ended */
    end: (id: string, now: Date) =>
      update(id, "SET expiresAtSeconds = :now REMOVE listBucket, listKey", { ":now": seconds(now) }),

    /**
     * Sessions that go on, newest first. A page may be short and still have a next one.
     * @param before position of the last one seen
     */
    async list(limit: number, now: Date, before?: string): Promise<Page<Session>> {
      const { keys, hasMore } = await listing.page("listed", "SESSIONS", limit, { after: before, back: true });
      const found = new Map<unknown, Session>();
      for await (const page of readMany(client, tableName, keys, { ConsistentRead: true }, waiting))
        for (const item of page) found.set(item.pk, fromItem(item));
      const sessions = keys.flatMap(({ pk }) => found.get(pk) ?? []);
      return {
        items: sessions.filter((session) => isAlive(session, now)),
        next: hasMore ? (keys.at(-1)?.position ?? null) : null,
      };
    },

    /** @param hash hex SHA-256 of the code */
    async putCode(hash: string, code: LoginCode): Promise<void> {
      await client.send(new PutCommand({ TableName: tableName, Item: { ...loginCodeKey(hash), ...code } }));
    },

    /** Uses a code up. @returns undefined if there is none, it was used, or its time is over */
    async takeCode(hash: string, now: Date): Promise<LoginCode | undefined> {
      const { Attributes } = await client.send(
        new DeleteCommand({ TableName: tableName, Key: loginCodeKey(hash), ReturnValues: "ALL_OLD" }),
      );
      const code = Attributes as LoginCode | undefined;
      return code && code.expiresAtSeconds > seconds(now) ? code : undefined;
    },

    /** Failed logins of a source in this minute. */
    async failures(source: string, now: Date): Promise<number> {
      const { Item } = await client.send(
        new GetCommand({ TableName: tableName, Key: loginFailuresKey(source, now), ConsistentRead: true }),
      );
      return Number(Item?.failures ?? 0);
    },

    async countFailure(source: string, now: Date): Promise<void> {
      await client.send(
        new UpdateCommand({
          TableName: tableName,
          Key: loginFailuresKey(source, now),
          UpdateExpression: "ADD failures :one SET expiresAtSeconds = :end",
          ExpressionAttributeValues: { ":one": 1, ":end": seconds(now) + FAILURES_KEPT_SECONDS },
        }),
      );
    },
  };
};
export type SessionStore = ReturnType<typeof createSessionStore>;
