/** Lists that are spread over buckets: in one order, page by page, whoever stands in which bucket. */
import { PutCommand } from "@aws-sdk/lib-dynamodb";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { monitorKey } from "../../../shared/store/keys.ts";
import { attentionPlace, changePlace, createListing, namePlace } from "../../../shared/store/listing.ts";
import { startTables } from "../../support/tables.ts";

let tables: Awaited<ReturnType<typeof startTables>>;
beforeAll(async () => {
  tables = await startTables();
});
afterAll(() => tables.stop());

const listing = () => createListing(tables.client, tables.tables.monitors);
const STATUSES = ["up", "down", "degraded", "up", "unknown"] as const;
const names = ["Émile", "emil", "Zürich", "ÅNGSTRÖM", "angstrom", "a", "ﬁle", "File", "ж", "Ж2"];
const monitors = Array.from({ length: 40 }, (_, n) => ({
  id: `m${n}`,
  name: `${names[n % names.length]} ${n % 3}`,
  status: STATUSES[n % STATUSES.length]!,
  since: new Date(1_800_000_000_000 + 1000 * (n % 7)).toISOString(),
}));

test("pages of any size give every key once, by folded name and back", async () => {
  for (const { id, name, status, since } of monitors)
    await tables.client.send(
      new PutCommand({
        TableName: tables.tables.monitors,
        Item: {
          ...monitorKey(id),
          ...namePlace({ id, name }),
          ...attentionPlace(id, status, since),
          ...changePlace(id, since),
        },
      }),
    );
  const sorted = monitors.map((monitor) => namePlace(monitor).listKey).toSorted((a, b) => (a < b ? -1 : 1));
  const walk = async (limit: number, back: boolean) => {
    const seen: string[] = [];
    for (let after: string | undefined, more = true; more; after = seen.at(-1)) {
      const { keys, hasMore } = await listing().page("listed", "MONITORS", limit, { after, back });
      expect(keys.length).toBeLessThanOrEqual(limit);
      seen.push(...keys.map(({ position }) => position));
      more = hasMore;
    }
    return seen;
  };
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 45 }), fc.boolean(), async (limit, back) => {
      expect(await walk(limit, back)).toEqual(back ? sorted.toReversed() : sorted);
    }),
    { numRuns: 12 },
  );
});

test("pages miss no name beyond the basic plane: text is in the order of its code points, as the index has it", async () => {
  const names = ["\u{1F600} shop", "\uF8FF store", "\uFFFD", "\u{20000}", "zz"];
  for (let n = 0; n < 20; n++)
    await tables.client.send(
      new PutCommand({
        TableName: tables.tables.monitors,
        Item: { ...monitorKey(`x${n}`), ...namePlace({ id: `x${n}`, name: names[n % names.length]! }) },
      }),
    );
  for (const back of [false, true]) {
    const seen: string[] = [];
    for (let after: string | undefined, more = true; more; after = seen.at(-1)) {
      const { keys, hasMore } = await listing().page("listed", "MONITORS", 3, { after, back });
      seen.push(...keys.map(({ position }) => position));
      more = hasMore;
    }
    expect(seen.filter((key) => key.includes("\u0001x"))).toHaveLength(20);
  }
});

test("the longest name in any script fits the index's key", () => {
  for (const one of ["\uFDFA", "한", "각", "😀", "漢"]) {
    const { listKey } = namePlace({ id: "0123456789abcdef0123", name: one.repeat(200 / one.length) });
    expect(Buffer.byteLength(listKey), one).toBeLessThanOrEqual(1024);
    expect(listKey.isWellFormed() && listKey.endsWith("\u00010123456789abcdef0123")).toBe(true);
  }
});

test("a key that is too long for an index is refused, as by DynamoDB", async () => {
  const write = (length: number) =>
    tables.client.send(
      new PutCommand({
        TableName: tables.tables.monitors,
        Item: { ...monitorKey("long"), listBucket: "NONE#0", listKey: "é".repeat(length) },
      }),
    );
  await write(512);
  await expect(write(513)).rejects.toThrow("Size limit exceeded for Index Key listKey Actual Size: 1026 bytes");
});

test("names are in order without marks and case", () => {
  const keyOf = (name: string) => namePlace({ id: "1", name }).listKey;
  expect(keyOf("Zürich")).toBe("zurich\u00011");
  expect(keyOf("ﬁle")).toBe(keyOf("File"));
});

test("names are in the order of people: the shorter first, numbers by value, ligatures as their letters", () => {
  const inOrder = [
    "Änderung",
    "Apache",
    "port 2",
    "port 10",
    "port 010b",
    "port 123456789012",
    "Strasse",
    "Straße 2",
    "Website",
    "Website TLS",
    "website-2",
  ];
  const keyOf = (name: string) => namePlace({ id: "1", name }).listKey;
  expect(inOrder.toReversed().toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))).toEqual(inOrder);
});

test("numbers of any length are in order by value", () => {
  const keyOf = (number: bigint) => namePlace({ id: "1", name: `n${number}` }).listKey;
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 10n ** 190n }), fc.bigInt({ min: 0n, max: 10n ** 12n }), (a, b) => {
      expect(keyOf(a) < keyOf(b)).toBe(a < b);
    }),
  );
});

test("what is not up is found by its status, what changed by its moment", async () => {
  const idsOf = (pages: readonly (readonly { readonly pk: string }[])[]) =>
    pages.flat().map(({ pk }) => pk.slice("MONITOR#".length));
  const wanted = (status: string) => monitors.filter((monitor) => monitor.status === status).map(({ id }) => id);
  for (const status of ["down", "degraded", "unknown", "up"]) {
    const found = idsOf(await Array.fromAsync(listing().all("attention", "MONITORS", { prefix: `${status}#` })));
    expect(found.toSorted()).toEqual(status === "up" ? [] : wanted(status).toSorted());
  }
  const since = new Date(1_800_000_004_000).toISOString();
  const { keys } = await listing().page("changed", "MONITORS", 100, { after: since });
  const later = monitors.filter((monitor) => monitor.since > since);
  expect(keys.map(({ pk }) => pk).toSorted()).toEqual(later.map(({ id }) => `MONITOR#${id}`).toSorted());
});
