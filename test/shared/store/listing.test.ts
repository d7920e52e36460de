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

test("names are in order without marks and case", () => {
  const keyOf = (name: string) => namePlace({ id: "1", name }).listKey;
  expect(keyOf("Zürich")).toBe("zurich#1");
  expect(keyOf("ﬁle")).toBe(keyOf("File"));
});

test("what is not up is found by its status, what changed by its moment", async () => {
  const idsOf = (pages: readonly (readonly { readonly pk: string }[])[]) =>
    pages.flat().map(({ pk }) => pk.slice("MONITOR#".length));
  const wanted = (status: string) => monitors.filter((monitor) => monitor.status === status).map(({ id }) => id);
  for (const status of ["down", "degraded", "unknown", "up"]) {
    const found = idsOf(await Array.fromAsync(listing().all("attention", "MONITORS", `${status}#`)));
    expect(found.toSorted()).toEqual(status === "up" ? [] : wanted(status).toSorted());
  }
  const since = new Date(1_800_000_004_000).toISOString();
  const { keys } = await listing().page("changed", "MONITORS", 100, { after: since });
  const later = monitors.filter((monitor) => monitor.since > since);
  expect(keys.map(({ pk }) => pk).toSorted()).toEqual(later.map(({ id }) => `MONITOR#${id}`).toSorted());
});
