import { afterAll, beforeAll, expect, test } from "vitest";
import type { RecordedChange } from "../../../shared/rules/changes.ts";
import { createChangeStore } from "../../../shared/store/changes.ts";
import { startTables } from "../../support/tables.ts";

let tables: Awaited<ReturnType<typeof startTables>>;
beforeAll(async () => {
  tables = await startTables();
});
afterAll(() => tables[Symbol.asyncDispose]());

const SINCE = "2026-11-27T10:00:00.000Z";
const change: RecordedChange = {
  id: "m1.0a1b2c3d4e5f",
  key: "software",
  value: "nginx 2",
  from: ["nginx 1"],
  since: SINCE,
  locations: ["a"],
  state: "open",
  endedAt: null,
  accepted: null,
};

test("a record that comes late does not open a change again that has ended", async () => {
  const store = createChangeStore(tables.client, tables.tables.monitors);
  const monitor = { id: "m1", name: "Orders" };
  await store.project(monitor, { ...change, state: "reverted", endedAt: "2026-11-27T11:00:00.000Z" }, 2);
  await store.project(monitor, change, 1);
  expect(await store.of("m1", new Date(SINCE))).toMatchObject([{ state: "reverted", monitorName: "Orders" }]);
  expect((await store.list("open", 10)).items).toEqual([]);
  expect((await store.list("all", 10)).items).toMatchObject([{ id: change.id, state: "reverted" }]);
});
