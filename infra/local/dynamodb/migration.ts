/**
 * Migrates items that an earlier version wrote to the present format, once, before anything reads them. The code here is
 * frozen: it describes the old format and the new one, and imports nothing that may change later.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { writeAtomically } from "../disk/atomic-file.ts";
import type { LocalDatabase } from "./database.ts";

type Value = Readonly<Record<string, unknown>>;
type Item = Readonly<Record<string, Value>>;

/** Settings of a check, which were an attribute each and became one map. */
const CHECK = [
  "protocol",
  "host",
  "port",
  "settings",
  "family",
  "addresses",
  "expectedState",
  "timeoutMs",
  "retries",
  "degradedAboveMs",
  "failureThreshold",
  "recoveryThreshold",
  "intervalSeconds",
  "locations",
];

const text = (value: Value | undefined) => String(value?.S ?? "");

const bucket = (kind: string, monitorId: string): Value => {
  let hash = 0;
  for (const char of monitorId) hash = (hash * 31 + char.charCodeAt(0)) >>> 0;
  return { S: `${kind}#${hash % 4}` };
};

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

/**
 * Place in the list by name: without accents and case, digits after how many there are, so that they sort as numbers.
 * At most 960 bytes of a name: a sort key of an index has at most 1024, and the id follows.
 */
const listKey = (name: string, id: string): Value => {
  const folded = name
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replace(/[ßæœøłđðþ]/g, (letter) => LETTERS[letter] ?? letter)
    .replace(/\d+/g, (digits) => {
      const number = digits.replace(/^0+(?=\d)/, "");
      return `${number.length < 9 ? number.length : `9${String(number.length).padStart(3, "0")}`}${number}`;
    });
  const { read } = new TextEncoder().encodeInto(folded, new Uint8Array(960));
  return { S: `${folded.slice(0, read)}\u0001${id}` };
};

const belief = ([location, view]: readonly [string, Value]) => {
  const { health, tick } = view.M as Item;
  return [location, { M: { health, tick } }];
};

function monitorOf2026(item: Item): Item {
  const { collection: _c, collectionKey: _k, ...kept } = item;
  const [id, status] = [text(item.id), text(item.status)];
  const left = Object.entries(kept).filter(([name]) => !CHECK.includes(name));
  const views = Object.entries((item.views?.M ?? {}) as Item);
  return {
    ...Object.fromEntries(left),
    check: { M: Object.fromEntries(CHECK.flatMap((name) => (item[name] ? [[name, item[name]]] : []))) },
    beliefs: { M: Object.fromEntries(views.map(belief)) },
    listBucket: bucket("MONITORS", id),
    listKey: listKey(text(item.name), id),
    changedBucket: bucket("MONITORS", id),
    changedAt: { S: text(item.updatedAt) },
    ...(status !== "up" && {
      attentionBucket: bucket("MONITORS", id),
      attentionKey: { S: `${status}#${text(item.since)}#${id}` },
    }),
  };
}

function incidentOf2026(item: Item): Item {
  const { collection, collectionKey, ...kept } = item;
  const monitorId = text(item.monitorId);
  return {
    ...kept,
    listBucket: bucket("INCIDENTS", monitorId),
    listKey: { S: text(collectionKey) },
    ...(text(collection) === "INCIDENTS_OPEN" && {
      attentionBucket: bucket("INCIDENTS", monitorId),
      attentionKey: { S: text(collectionKey) },
    }),
  };
}

/** @returns undefined for an item that stays as it is */
function migrated(item: Item): Item | undefined {
  const isMonitor = text(item.sk) === "MONITOR";
  if (item.collection) return isMonitor ? monitorOf2026(item) : incidentOf2026(item);
  if (!isMonitor || !item.listKey) return undefined;
  // Version 2 sorted "Website TLS" before "Website", and "port 10" before "port 2".
  const key = listKey(text(item.name), text(item.id));
  return key.S === item.listKey.S ? undefined : { ...item, listKey: key };
}

/** @param tableName of the table that holds monitors */
async function migrateTable(database: LocalDatabase, tableName: string): Promise<number> {
  const ask = async (operation: string, input: object) => {
    const { status, body } = await database.handle(operation, { TableName: tableName, ...input });
    if (status !== 200) throw new Error(`${operation} of ${tableName} failed: ${JSON.stringify(body)}`);
    return body as { readonly Items?: readonly Item[]; readonly LastEvaluatedKey?: Item };
  };
  let count = 0;
  let from: Item | undefined;
  do {
    const { Items = [], LastEvaluatedKey } = await ask("Scan", {
      FilterExpression: "attribute_exists(#collection) OR attribute_exists(#listKey)",
      ExpressionAttributeNames: { "#collection": "collection", "#listKey": "listKey" },
      ...(from && { ExclusiveStartKey: from }),
    });
    for (const item of Items) {
      const Item = migrated(item);
      if (!Item) continue;
      await ask("PutItem", { Item });
      count++;
    }
    from = LastEvaluatedKey;
  } while (from);
  return count;
}

/** Number of the present format. */
const VERSION = "3";

/**
 * Migrates the items in the data folder, unless that was done before. If it is cut short, the next start continues it.
 * @returns how many items it changed
 */
export async function migrate(
  database: LocalDatabase,
  dataFolder: string,
  tableNames: readonly string[],
): Promise<number> {
  const mark = join(dataFolder, `items-version-${VERSION}`);
  if (existsSync(mark)) return 0;
  let count = 0;
  for (const name of tableNames) count += await migrateTable(database, name);
  writeAtomically(mark, "");
  return count;
}
