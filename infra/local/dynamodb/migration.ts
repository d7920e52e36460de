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

/** At most 960 bytes: a sort key of an index has at most 1024, and the id follows. */
const folded = (name: string) => {
  const whole = name.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  return whole.slice(0, new TextEncoder().encodeInto(whole, new Uint8Array(960)).read);
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
    listKey: { S: `${folded(text(item.name))}#${id}` },
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
      FilterExpression: "attribute_exists(#collection)",
      ExpressionAttributeNames: { "#collection": "collection" },
      ...(from && { ExclusiveStartKey: from }),
    });
    for (const item of Items) {
      await ask("PutItem", { Item: text(item.sk) === "MONITOR" ? monitorOf2026(item) : incidentOf2026(item) });
      count++;
    }
    from = LastEvaluatedKey;
  } while (from);
  return count;
}

/** Number of the present format. */
const VERSION = "2";

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
