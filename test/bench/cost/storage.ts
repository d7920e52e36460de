/** What is stored after a simulation, by kind, as DynamoDB bills it: 100 bytes on top of each item. */
import { ScanCommand } from "@aws-sdk/lib-dynamodb";
import { inProcessClient } from "../../support/in-process-client.ts";
import type { Simulated } from "./simulation.ts";

const OVERHEAD_BYTES = 100;
/** `expiresAtSeconds` with a number of ten digits, and the name `data`. */
const REST_BYTES = "expiresAtSeconds".length + 6 + "data".length + "pk".length + "sk".length;

interface Stored {
  items: number;
  /** As billed. */
  bytes: number;
  /** Packed history alone. */
  data: number;
}

export async function storageOf({ database, tables }: Simulated) {
  const none = (): Stored => ({ items: 0, bytes: 0, data: 0 });
  const kinds = {
    blocks: none(),
    chunks: none(),
    days: none(),
    rosters: none(),
    monitors: none(),
    monitorItems: none(),
  };
  const client = inProcessClient(database, "measuring");
  let from: Record<string, unknown> | undefined;
  do {
    const page = await client.send(new ScanCommand({ TableName: tables.history, ExclusiveStartKey: from }));
    for (const { pk, sk, data } of page.Items ?? []) {
      if (!data) continue;
      const kind = pk.startsWith("SHARD#")
        ? "blocks"
        : pk.startsWith("ROSTER#")
          ? "rosters"
          : sk.startsWith("DAY#")
            ? "days"
            : "chunks";
      kinds[kind].items++;
      kinds[kind].data += data.length;
      kinds[kind].bytes += data.length + pk.length + sk.length + REST_BYTES + OVERHEAD_BYTES;
    }
    from = page.LastEvaluatedKey;
  } while (from);
  for (const row of await database.storage()) {
    if (row.table !== tables.monitors) continue;
    kinds.monitors.bytes += row.bytes;
    if (row.index === null) kinds.monitorItems.bytes += row.bytes;
  }
  return kinds;
}
