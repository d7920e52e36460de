/** Writes whose answers are lost, as DynamoDB's own client repeats them. */
import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { StoredMonitor } from "../../../shared/store/monitor-item.ts";
import { createMonitorStore } from "../../../shared/store/monitors.ts";
import { inProcessClient } from "../../support/in-process-client.ts";
import { monitorOf } from "../../support/monitors.ts";
import { startTables } from "../../support/tables.ts";

const NOW = Date.parse("2026-11-23T10:00:00.000Z");
const later = (monitor: StoredMonitor, more: Partial<StoredMonitor>) => ({
  ...monitor,
  ...more,
  updatedAt: new Date(Date.parse(monitor.updatedAt) + 1000).toISOString(),
});

let isLost = false;
let tables: Awaited<ReturnType<typeof startTables>>;
let client: DynamoDBDocumentClient;
beforeEach(async () => {
  isLost = false;
  tables = await startTables({
    intercept: ({ operation }) => {
      if (!isLost || !/^(Put|Update)Item$/.test(operation)) return "proceed";
      isLost = false;
      return "fail-after";
    },
  });
  client = inProcessClient(tables.database, "test", { maxAttempts: 3 });
});
afterEach(async () => {
  client.destroy();
  await tables.stop();
});
const store = () => createMonitorStore(client, tables.tables.monitors);

test("a creation whose answer was lost is known as our own; somebody else's of the same id is not", async () => {
  isLost = true;
  expect(await store().create(monitorOf({ name: "Mine" }), NOW)).toBe(true);
  expect(isLost).toBe(false);
  expect(await store().create(monitorOf({ name: "Other" }), NOW)).toBe(false);
  isLost = true;
  expect(await store().create(monitorOf({ name: "Other" }), NOW)).toBe(false);
  expect((await store().get("m1"))?.name).toBe("Mine");
});

test("so is a change of settings, and a deletion; a change of what somebody else has changed is refused", async () => {
  await store().create(monitorOf(), NOW);
  const before = (await store().get("m1"))!;
  isLost = true;
  expect(await store().saveSettings(before, later(before, { name: "New" }), NOW)).toBe(true);
  expect(await store().saveSettings(before, later(before, { name: "Other" }), NOW)).toBe(false);
  const changed = (await store().get("m1"))!;
  expect(changed).toMatchObject({ name: "New", revision: before.revision + 1 });
  isLost = true;
  expect(await store().markDeleted(changed, new Date(NOW))).toBe(true);
  expect(await store().markDeleted(changed, new Date(NOW))).toBe(false);
});
