/** Audit log of the API: who changed what, when. Entries are kept by month, and listed by resource in `listed`. */
import { type DynamoDBDocumentClient, PutCommand, QueryCommand } from "@aws-sdk/lib-dynamodb";
import { DAY_SECONDS } from "../durations.ts";
import type { Timestamp } from "../model.ts";
import { isAliveAt } from "./alive.ts";
import type { Page } from "./cursor.ts";
import { AUDIT_KEPT_DAYS, auditKey, auditMonth, auditPlace } from "./keys.ts";
import { type Item, readMany, type Waiting } from "./read.ts";

/** Who made a change: a token, or null for a command that IAM guards. */
export type Author = { readonly id: string; readonly name: string } | null;

export interface AuditEntry {
  readonly id: string;
  readonly at: Timestamp;
  readonly requestId: string;
  readonly by: Author;
  /** Operation of the document, such as `updateMonitor`. */
  readonly operation: string;
  /** Id of what was changed; null if the call names none, or several. */
  readonly resource: string | null;
  /** Its name; null if it has none. */
  readonly name: string | null;
  /**
   * `begun`: stored before the change. If it stays so, the process ended before it could say whether, and what, it
   * changed.
   */
  readonly outcome: "begun" | "done";
  /** Value before and after by path; secrets are masked. */
  readonly changes: Readonly<Record<string, readonly [before: unknown, after: unknown]>>;
}

export interface AuditQuestion {
  readonly resource?: string | undefined;
  readonly token?: string | undefined;
  readonly operation?: string | undefined;
  /** Inclusive. */
  readonly from: Timestamp;
  /** Exclusive. */
  readonly to: Timestamp;
}

const fromItem = ({
  pk: _pk,
  sk: _sk,
  listBucket: _bucket,
  listKey: _key,
  expiresAtSeconds: _expiry,
  ...entry
}: Item) => entry as unknown as AuditEntry;

interface Reading {
  readonly items: readonly Item[];
  readonly isLast: boolean;
}

/** Sorts after every entry of the month before. */
const endOfMonthBefore = (month: string) => `${new Date(Date.parse(`${month}-01`) - 1).toISOString()}~`;

/** Reads of one call, so that a filter that matches little costs several short calls and not a long one. */
const MOST_READS = 20;
const KEYS_PER_READ = 100;

export const createAuditStore = (client: DynamoDBDocumentClient, tableName: string, waiting: Waiting = {}) => {
  const put = async (entry: AuditEntry, expiresAtSeconds: number) => {
    const item = { ...auditKey(entry.at, entry.id), ...entry, ...auditPlace(entry), expiresAtSeconds };
    await client.send(new PutCommand({ TableName: tableName, Item: item }));
  };
  const secondsOf = ({ at }: AuditEntry) => Math.floor(Date.parse(at) / 1000);

  const isWanted = (entry: AuditEntry, { token, operation }: AuditQuestion) =>
    (token === undefined || entry.by?.id === token) && (operation === undefined || entry.operation === operation);

  /** One read, newest first, of a month or of a resource's entries. */
  const read = async (question: AuditQuestion, month: string, before: string): Promise<Reading> => {
    const { resource, from } = question;
    const [key, indexed] =
      resource === undefined
        ? [{ pk: "pk", sk: "sk", value: `AUDIT#${month}` }, {}]
        : [{ pk: "listBucket", sk: "listKey", value: `AUDIT#${resource}` }, { IndexName: "listed" }];
    const { Items = [], LastEvaluatedKey } = await client.send(
      new QueryCommand({
        TableName: tableName,
        ...indexed,
        KeyConditionExpression: `${key.pk} = :pk AND ${key.sk} BETWEEN :from AND :before`,
        ExpressionAttributeValues: { ":pk": key.value, ":from": from, ":before": before },
        ScanIndexForward: false,
        Limit: KEYS_PER_READ,
      }),
    );
    const isLast = LastEvaluatedKey === undefined;
    if (resource === undefined) return { items: Items as Item[], isLast };
    const found = new Map<string, Item>();
    const keys = Items.map(({ pk, sk }) => ({ pk: String(pk), sk: String(sk) }));
    for await (const page of readMany(client, tableName, keys, {}, waiting))
      for (const item of page) found.set(String(item.sk), item);
    return { items: keys.map(({ sk }) => found.get(sk)).filter((item) => item !== undefined), isLast };
  };

  return {
    put: (entry: AuditEntry) => put(entry, secondsOf(entry) + AUDIT_KEPT_DAYS * DAY_SECONDS),

    /** Takes back an entry of a call that changed nothing: it expires at once. */
    drop: (entry: AuditEntry) => put(entry, secondsOf(entry)),

    /**
     * A page of entries, newest first. It may be short or empty and still have a next one.
     * @param after position of the last one seen: `<at>#<id>`
     */
    async list(question: AuditQuestion, limit: number, now: Date, after?: string): Promise<Page<AuditEntry>> {
      const items: AuditEntry[] = [];
      let before = after ?? question.to;
      for (let reads = 0; reads < MOST_READS; reads++) {
        const month = auditMonth(before);
        const some = await read(question, month, before);
        for (const item of some.items) {
          const position = String(item.sk);
          if (position >= before) continue;
          before = position;
          const entry = fromItem(item);
          if (!isAliveAt(item, now.getTime()) || !isWanted(entry, question)) continue;
          items.push(entry);
          if (items.length === limit) return { items, next: position };
        }
        if (!some.isLast) continue;
        if (question.resource !== undefined || month <= auditMonth(question.from)) return { items, next: null };
        before = endOfMonthBefore(month);
      }
      return { items, next: before };
    },
  };
};
export type AuditStore = ReturnType<typeof createAuditStore>;
