/** That items of an earlier version are read as if this one had written them. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PutCommand, ScanCommand } from "@aws-sdk/lib-dynamodb";
import { afterEach, expect, test } from "vitest";
import { migrate } from "../../../../infra/local/dynamodb/migration.ts";
import { createDecisionStore } from "../../../../shared/store/decisions.ts";
import { createIncidentStore } from "../../../../shared/store/incidents.ts";
import { incidentKey, monitorKey } from "../../../../shared/store/keys.ts";
import { namePlace } from "../../../../shared/store/listing.ts";
import { createMonitorStore, monitorItem } from "../../../../shared/store/monitors.ts";
import { createUpkeepStore } from "../../../../shared/store/upkeep.ts";
import { createViewStore } from "../../../../shared/store/views.ts";
import { monitorOf, viewOf } from "../../../support/monitors.ts";
import { startTables } from "../../../support/tables.ts";

const folder = mkdtempSync(join(tmpdir(), "migration-"));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("monitors and incidents with an attribute for each field become what this version writes, once", async () => {
  await using tables = await startTables();
  const { client, database } = tables;
  const table = tables.tables.monitors;
  const put = (Item: Record<string, unknown>) => client.send(new PutCommand({ TableName: table, Item }));
  const old = [
    monitorOf({ id: "m1", name: "Über", status: "down", views: { a: viewOf("down", 100) }, shard: "10#0" }),
    monitorOf({ id: "m2", name: "각".repeat(200), status: "up", views: { a: viewOf("up", 90) }, tags: { team: "x" } }),
  ];
  for (const monitor of old) {
    const { nextEvaluationAt: _own, lookBy: _look, ...fields } = monitor;
    const collectionKey = `${monitor.name.toLowerCase()}#${monitor.id}`;
    await put({ ...monitorKey(monitor.id), ...fields, collection: "MONITORS", collectionKey });
  }
  const [open, ended] = ["2026-11-23T10:00:00.000Z", "2026-11-22T10:00:00.000Z"];
  for (const [startedAt, collection] of [
    [open, "INCIDENTS_OPEN"],
    [ended, "INCIDENTS"],
  ] as const)
    await put({
      ...incidentKey("m1", startedAt),
      monitorId: "m1",
      startedAt,
      endedAt: startedAt === open ? null : open,
      collection,
      collectionKey: `${startedAt}#m1`,
    });

  expect(await migrate(database, folder, [table])).toBe(4);
  expect(await migrate(database, folder, [table])).toBe(0);

  const store = createMonitorStore(client, table);
  expect((await store.list(10)).items).toEqual(old);
  expect(await createDecisionStore(client, table).monitor("m1")).toEqual(old[0]);
  const views = createViewStore(client, table);
  expect(await views.members("10#0")).toMatchObject([
    { id: "m1", host: "127.0.0.1", locations: ["a"], beliefs: { a: { health: "down", tick: 100 } } },
    { id: "m2", beliefs: { a: { health: "up", tick: 90 } } },
  ]);
  expect((await Array.fromAsync(createUpkeepStore(client, table).monitors())).flat()).toHaveLength(2);
  const incidents = createIncidentStore(client, table);
  const startsOf = async (state: "open" | "closed" | "all") =>
    (await incidents.list({ state }, 10)).items.map(({ startedAt }) => startedAt);
  expect([await startsOf("open"), await startsOf("closed"), await startsOf("all")]).toEqual([
    [open],
    [ended],
    [open, ended],
  ]);
});

test("monitors take the place by name that this version gives them, once", async () => {
  await using tables = await startTables();
  const { client, database } = tables;
  const table = tables.tables.monitors;
  const own = mkdtempSync(join(tmpdir(), "migration-"));
  const names = ["Website TLS", "Website", "port 10", "port 2", "Straße", "Ærø 7", "n12345678901234567890", "x"];
  for (const [n, name] of names.entries()) {
    const item = monitorItem(monitorOf({ id: `m${n}`, name }));
    const listKey = `${name.toLowerCase()}#m${n}`;
    await client.send(new PutCommand({ TableName: table, Item: name === "x" ? item : { ...item, listKey } }));
  }
  expect(await migrate(database, own, [table])).toBe(names.length - 1);
  expect(await migrate(database, own, [table])).toBe(0);
  const { Items = [] } = await client.send(new ScanCommand({ TableName: table }));
  for (const { id, name, listKey } of Items) expect(listKey).toBe(namePlace({ id, name }).listKey);
  const { items } = await createMonitorStore(client, table).list(10);
  expect(items.map(({ name }) => name)).toEqual([
    "Ærø 7",
    "n12345678901234567890",
    "port 2",
    "port 10",
    "Straße",
    "Website",
    "Website TLS",
    "x",
  ]);
  rmSync(own, { recursive: true });
});
