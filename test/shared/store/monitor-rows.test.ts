/** Rows that are kept in memory and brought up to date equal those that are read anew, whatever happened between. */
import { DeleteCommand } from "@aws-sdk/lib-dynamodb";
import fc from "fast-check";
import { expect, test } from "vitest";
import { withSettings } from "../../../functions/api/monitors/with-settings.ts";
import { DEFAULT_RETENTION } from "../../../shared/history/retention.ts";
import { createFormerStore } from "../../../shared/store/former.ts";
import { monitorKey } from "../../../shared/store/keys.ts";
import { createMonitorRows } from "../../../shared/store/monitor-rows.ts";
import { createMonitorStore } from "../../../shared/store/monitors.ts";
import { monitorOf } from "../../support/monitors.ts";
import { startTables } from "../../support/tables.ts";

const START = Date.parse("2026-11-27T10:00:00Z");

const IDS = ["m0", "m1", "m2", "m3", "m4"];
const step = fc.record({
  id: fc.constantFrom(...IDS),
  what: fc.constantFrom("create", "rename", "tag", "pause", "mark", "remove", "nothing"),
  seconds: fc.constantFrom(0, 1, 29, 31, 300, 1_700, 7_300),
});

test("rows in memory equal the rows in the table after any changes, deletions and waits", async () => {
  await using tables = await startTables();
  const { client } = tables;
  const table = tables.tables.monitors;
  const former = createFormerStore(client, table);
  const erase = (id: string) => client.send(new DeleteCommand({ TableName: table, Key: monitorKey(id) }));
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 15 }), async (steps) => {
      await Promise.all(IDS.map(erase));
      const store = createMonitorStore(client, table);
      const kept = createMonitorRows(client, table);
      let now = new Date(START);
      const change = async (id: string, changed: object) => {
        const before = await store.get(id);
        if (!before || before.deletedAt) return;
        const placing = { shard: before.shard, now, retention: DEFAULT_RETENTION };
        await store.saveSettings(before, withSettings(before, { ...before, ...changed }, placing), now.getTime());
      };
      for (const { id, what, seconds } of steps) {
        now = new Date(now.getTime() + seconds * 1000);
        const at = now.toISOString();
        const name = `name ${now.getTime() % 7}`;
        if (what === "create")
          await store.create(monitorOf({ id, name, createdAt: at, updatedAt: at, since: at }), now.getTime());
        if (what === "rename") await change(id, { name });
        if (what === "tag") await change(id, { tags: { at } });
        if (what === "pause") await change(id, { paused: true });
        const present = what === "mark" ? await store.get(id) : undefined;
        if (present && !present.deletedAt) await store.markDeleted(present, now);
        const gone = what === "remove" ? await store.get(id) : undefined;
        if (gone) {
          await former.remember(gone, now);
          await erase(id);
        }
        if (seconds === 29) continue; // several changes before the next look
        const byId = (a: { id: string }, b: { id: string }) => (a.id < b.id ? -1 : 1);
        const anew = await createMonitorRows(client, table).rows(now);
        expect(await kept.rows(now)).toEqual(anew);
        const paused = anew.filter((row) => row.paused).toSorted(byId);
        const found = (await kept.rowsWithStatus(["paused"], now)).toSorted(byId);
        expect(found).toEqual(paused);
        expect(await kept.count()).toBe(anew.length);
      }
    }),
    { numRuns: 8 },
  );
}, 60_000);
