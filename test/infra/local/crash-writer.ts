/**
 * Run as a process of its own and killed while it writes: prints each write once it was acknowledged. With `goes-on` as
 * its second argument it lives through a disk that refuses, and prints `<item> refused`.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { Disk } from "../../../infra/local/disk/disk.ts";
import { openDatabase } from "../../../infra/local/dynamodb/database.ts";
import { things } from "./things.ts";

const [, , dataFolder = "", mode] = process.argv;
const disk = new Disk({ folder: dataFolder, log: () => {} });
const database = await openDatabase({ dataFolder, tables: [things()], refused: (error) => disk.refused(error) });
disk.onRoom(database.reopen);

/** Each item is written again and again, moving through its index and its expiry. */
async function write(item: number): Promise<never> {
  for (let revision = 1; ; revision++) {
    const { status } = await database.handle("PutItem", {
      TableName: "things",
      Item: {
        pk: { S: `item${item}` },
        sk: { S: "x" },
        revision: { N: String(revision) },
        shard: { S: `shard${revision % 7}` },
        expiresAtSeconds: { N: String(4_000_000_000 + revision) },
      },
    });
    if (status === 507 && mode === "goes-on") {
      process.stdout.write(`${item} refused\n`);
      await sleep(50);
      continue;
    }
    if (status !== 200) throw new Error(`answered ${status}`);
    process.stdout.write(`${item} ${revision}\n`);
  }
}

await Promise.all(Array.from({ length: 20 }, (_, item) => write(item)));
