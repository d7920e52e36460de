/**
 * Sorted lists of item keys, from indexes that are spread over buckets so that no partition takes all writes. `listed`
 * holds everything; `attention` monitors that are not up and open incidents; `changed` monitors by their last change.
 * All three project keys only, so a write that changes no key costs nothing there.
 */
import { type DynamoDBDocumentClient, QueryCommand } from "@aws-sdk/lib-dynamodb";
import type { ItemKey, Status, Timestamp } from "../model.ts";
import { INDEX_KEYS } from "./indexes.ts";
import { placeOf } from "./keys.ts";
import { pagesOf } from "./read.ts";

type ListedKind = "MONITORS" | "INCIDENTS" | "SESSIONS" | "CHANGES";

/** A partition takes 1,000 writes a second: 10,000 monitors that change within 20 s write 125 into each. */
const BUCKETS = 4;

type ListIndex = "listed" | "attention" | "changed";

const bucketOf = (kind: ListedKind, id: string) => `${kind}#${placeOf(id, BUCKETS)}`;
const bucketsOf = (kind: ListedKind) => Array.from({ length: BUCKETS }, (_, number) => `${kind}#${number}`);

/** Longest folded name in bytes: a sort key of an index has at most 1024, and an id follows. */
const MAX_FOLDED_BYTES = 960;

/** Ends the name in a sort key. It sorts before all characters of names, so that "Website" comes before "Website TLS". */
const END = "\u0001";

/** Letters that NFKD does not take apart, as they are sorted: "Straße" beside "Strasse". */
const LETTERS: Readonly<Record<string, string>> = {
  ß: "ss",
  æ: "ae",
  œ: "oe",
  ø: "o",
  ł: "l",
  đ: "d",
  ð: "d",
  þ: "th",
};

/** Folds text for comparing and searching, without accents and case: NFKD without combining marks, in lower case. */
export const foldText = (text: string) =>
  text
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replace(/[ßæœøłđðþ]/g, (letter) => LETTERS[letter] ?? letter);

/**
 * Makes digits sort as numbers ("port 2" before "port 10"), by writing how many follow before them: one digit up to 8,
 * else 9 and three digits. Leading zeros are left out.
 */
const numbersInOrder = (text: string) =>
  text.replace(/\d+/g, (digits) => {
    const number = digits.replace(/^0+(?=\d)/, "");
    return `${number.length < 9 ? number.length : `9${String(number.length).padStart(3, "0")}`}${number}`;
  });

/** Sort key of a name, cut because NFKD makes up to 18 characters of one. */
const sortable = (name: string) => {
  const whole = numbersInOrder(foldText(name));
  const { read } = new TextEncoder().encodeInto(whole, new Uint8Array(MAX_FOLDED_BYTES));
  return whole.slice(0, read);
};

/** Compares text by its bytes in UTF-8, as DynamoDB does; `<` compares UTF-16, which puts emoji before U+E000. */
export const compareText = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));

/** Index key of a monitor in the list of all, by name. */
export const namePlace = ({ id, name }: { readonly id: string; readonly name: string }) => ({
  listBucket: bucketOf("MONITORS", id),
  listKey: `${sortable(name)}${END}${id}`,
});

/** Index key of an incident in the list of all, by start. */
export const incidentPlace = (monitorId: string, startedAt: Timestamp) => ({
  listBucket: bucketOf("INCIDENTS", monitorId),
  listKey: `${startedAt}#${monitorId}`,
});

/** Index key of a change in the list of all, by when it was found. */
export const foundChangePlace = (monitorId: string, id: string, since: Timestamp) => ({
  listBucket: bucketOf("CHANGES", monitorId),
  listKey: `${since}#${id}`,
});

/** Index key of an open change in `attention`. */
export const openChangePlace = (monitorId: string, id: string, since: Timestamp) => ({
  attentionBucket: bucketOf("CHANGES", monitorId),
  attentionKey: `${since}#${id}`,
});

/** Index key of a session in the list of all, by start. */
export const sessionPlace = (id: string, createdAt: Timestamp) => ({
  listBucket: bucketOf("SESSIONS", id),
  listKey: `${createdAt}#${id}`,
});

/** Index key of an open incident in `attention`. */
export const openIncidentPlace = (monitorId: string, startedAt: Timestamp) => ({
  attentionBucket: bucketOf("INCIDENTS", monitorId),
  attentionKey: `${startedAt}#${monitorId}`,
});

/** Index key of a monitor that is not up in `attention`, by status; undefined for one that is up. */
export const attentionPlace = (id: string, status: Status, since: Timestamp) =>
  status === "up" ? undefined : { attentionBucket: bucketOf("MONITORS", id), attentionKey: `${status}#${since}#${id}` };

/** Index key of a monitor in `changed`. @param at when its settings or status changed last */
export const changePlace = (id: string, at: Timestamp) => ({
  changedBucket: bucketOf("MONITORS", id),
  changedAt: at,
});

export interface ListedKey extends ItemKey {
  /** Place in the list. */
  readonly position: string;
}

/** Positions that a query reads: after `from` (before it, if last come first), with a prefix, or between two. */
interface Range {
  readonly from?: string | undefined;
  readonly prefix?: string | undefined;
  readonly between?: readonly [string, string];
}

interface ListedKeys {
  readonly keys: readonly ListedKey[];
  /** Whether there are more. */
  readonly hasMore: boolean;
}

export const createListing = (client: DynamoDBDocumentClient, tableName: string) => {
  const query = (index: ListIndex, bucket: string, { from, prefix, between }: Range, back: boolean) => {
    const [hash, key] = INDEX_KEYS[index];
    const condition = between
      ? ` AND ${key} BETWEEN :from AND :to`
      : from !== undefined
        ? ` AND ${key} ${back ? "<" : ">"} :from`
        : prefix !== undefined
          ? ` AND begins_with(${key}, :from)`
          : "";
    const [first = from ?? prefix, last] = between ?? [];
    return {
      TableName: tableName,
      IndexName: index,
      KeyConditionExpression: `${hash} = :bucket${condition}`,
      ExpressionAttributeValues: {
        ":bucket": bucket,
        ...(first !== undefined && { ":from": first }),
        ...(last !== undefined && { ":to": last }),
      },
      ScanIndexForward: !back,
    };
  };

  return {
    /**
     * A page of keys, in the order of the list, merged from all buckets.
     * @param after position of the last one seen
     * @param back newest or last first
     */
    async page(
      index: ListIndex,
      kind: ListedKind,
      limit: number,
      { after, back = false }: { readonly after?: string | undefined; readonly back?: boolean } = {},
    ): Promise<ListedKeys> {
      const [, key] = INDEX_KEYS[index];
      const found = await Promise.all(
        bucketsOf(kind).map(async (bucket) => {
          const { Items = [], LastEvaluatedKey } = await client.send(
            new QueryCommand({ ...query(index, bucket, { from: after }, back), Limit: limit + 1 }),
          );
          return { items: Items, isWhole: LastEvaluatedKey === undefined };
        }),
      );
      const order = (a: string, b: string) => compareText(a, b) * (back ? -1 : 1);
      const all = found
        .flatMap(({ items }) => items.map(({ pk, sk, [key]: position }) => ({ pk, sk, position: String(position) })))
        .sort((a, b) => order(a.position, b.position));
      // A bucket whose page was cut (1 MB of keys) may have more keys after its last one: stop the merged page there.
      const cut = found
        .filter(({ items, isWhole }) => !isWhole && items.length <= limit)
        .map(({ items }) => String(items.at(-1)?.[key] ?? after ?? ""))
        .sort(order)[0];
      const known = cut === undefined ? all : all.filter(({ position }) => order(position, cut) <= 0);
      return { keys: known.slice(0, limit), hasMore: known.length > limit || cut !== undefined };
    },

    /**
     * All keys of a list, page by page, bucket by bucket.
     * @param range `prefix` of their positions, or the position `from` which they follow
     */
    async *all(index: ListIndex, kind: ListedKind, range: Range = {}): AsyncGenerator<ListedKey[]> {
      const [, key] = INDEX_KEYS[index];
      for (const bucket of bucketsOf(kind))
        for await (const page of pagesOf(client, query(index, bucket, range, false)))
          yield page.map(({ pk, sk, [key]: position }) => ({
            pk: String(pk),
            sk: String(sk),
            position: String(position),
          }));
    },

    /**
     * How many keys a list has. Reads all of them (0.5 read units for 4 KB), but transfers none.
     * @param between first and last position
     * @param mostPages of 1 MB to read in each bucket
     * @returns null if there are more
     */
    async count(
      index: ListIndex,
      kind: ListedKind,
      between?: readonly [from: string, to: string],
      mostPages = Number.POSITIVE_INFINITY,
    ): Promise<number | null> {
      const counts = await Promise.all(
        bucketsOf(kind).map(async (bucket) => {
          let count = 0;
          let from: Record<string, unknown> | undefined;
          for (let page = 0; page === 0 || from; page++) {
            if (page === mostPages) return null;
            const range = query(index, bucket, between ? { between } : {}, false);
            const { Count = 0, LastEvaluatedKey } = await client.send(
              new QueryCommand({ ...range, Select: "COUNT", ExclusiveStartKey: from }),
            );
            count += Count;
            from = LastEvaluatedKey;
          }
          return count;
        }),
      );
      return counts.reduce((sum, count) => (sum === null || count === null ? null : sum + count), 0);
    },
  };
};
