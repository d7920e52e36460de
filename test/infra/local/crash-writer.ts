/** Run as a process of its own and killed while it writes: prints each write once it was acknowledged. */
import { openDatabase } from "../../../infra/local/dynamo.ts";
import { things } from "./things.ts";

const database = await openDatabase({ dataFolder: process.argv[2]!, tables: [things()] });

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
    if (status !== 200) throw new Error(`answered ${status}`);
    process.stdout.write(`${item} ${revision}\n`);
  }
}

await Promise.all(Array.from({ length: 20 }, (_, item) => write(item)));
