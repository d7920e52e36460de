/** The largest monitor that the limits of the API allow, measured as DynamoDB counts: an item takes 400 KB at most. */
import { GetItemCommand } from "@aws-sdk/client-dynamodb";
import { PutCommand } from "@aws-sdk/lib-dynamodb";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readMonitorSettings } from "../../../functions/api/monitors/settings.ts";
import { newMonitor } from "../../../functions/api/monitors/with-settings.ts";
import { StoredItem } from "../../../infra/local/dynamodb/wire.ts";
import { MAX_EVIDENCE_BYTES } from "../../../shared/engine/evidence.ts";
import { MAX_MESSAGE_BYTES } from "../../../shared/engine/outcome.ts";
import { DEFAULT_RETENTION } from "../../../shared/history/retention.ts";
import type { Health, Monitor, View } from "../../../shared/model.ts";
import { MAX_EMAILS, MAX_OWN_RECEIVERS } from "../../../shared/monitor/escalation.ts";
import { MAX_LOCATIONS, MAX_TAG_BYTES, MAX_TAGS } from "../../../shared/monitor/fields.ts";
import { decide } from "../../../shared/rules/decide.ts";
import { chunksOf } from "../../../shared/rules/plan.ts";
import { monitorKey } from "../../../shared/store/keys.ts";
import { monitorItem } from "../../../shared/store/monitors.ts";
import { startTables } from "../../support/tables.ts";
import { place } from "./edge.ts";

let tables: Awaited<ReturnType<typeof startTables>>;
beforeAll(async () => {
  tables = await startTables();
});
afterAll(() => tables.stop());

const START = Date.parse("2026-11-23T10:00:00Z");
/** Three bytes a character, which is the most that UTF-8 needs for one of JavaScript's. */
const wide = (length: number) => "汉".repeat(length);
const numbered = (count: number, length: number) =>
  Array.from({ length: count }, (_, i) => `${i}`.padStart(3, "0").padEnd(length, "x"));

const locations = numbered(MAX_LOCATIONS, 32).map((name) => place(name));
const shares = Math.floor(MAX_TAG_BYTES / MAX_TAGS);
const addresses = numbered(MAX_OWN_RECEIVERS, 64).map((name) => `${name}@${`${"d".repeat(60)}.`.repeat(3)}com`);
const steps = [...chunksOf(addresses.slice(MAX_EMAILS), MAX_EMAILS)].map((emails, afterSeconds) => ({
  afterSeconds,
  emails,
}));
const settings = readMonitorSettings(
  {
    name: wide(200),
    key: "k".repeat(128),
    protocol: "tcp",
    host: ["h".repeat(63), "h".repeat(63), "h".repeat(63), "h".repeat(57), "com"].join("."),
    port: 65_535,
    locations: locations.map(({ name }) => name),
    alerts: { emails: addresses.slice(0, MAX_EMAILS), steps },
    tags: Object.fromEntries(numbered(MAX_TAGS, 64).map((name) => [name, "v".repeat(shares - 64)])),
  },
  locations,
);

const FACTS: View["facts"] = { checks: 3, values: { software: [{ value: wide(490) }] } };
/** As much as is kept of a device with many interfaces. */
const DEVICE_FACTS: View["facts"] = { checks: 3, values: { "if.e.link": [{ value: wide(2_715) }] } };

const viewAt = (health: Health, ms: number, facts: View["facts"]): View => ({
  health,
  state: "open|filtered",
  reason: "certificate-self-signed",
  message: wide(MAX_MESSAGE_BYTES / 3),
  evidence: { certificate: "e".repeat(MAX_EVIDENCE_BYTES - 18) },
  facts: facts ?? null,
  address: "0000:0000:0000:0000:0000:ffff:192.168.100.228",
  since: new Date(ms).toISOString(),
  tick: ms / 1000,
});

/** After so many changes of which no receiver could be told; the incidents' own items were written. */
function troubled(changes: number, facts = FACTS): Monitor {
  let monitor: Monitor = {
    ...newMonitor(
      "f".repeat(20),
      settings,
      { shard: "86400#9999", now: new Date(START), retention: DEFAULT_RETENTION },
      "c".repeat(64),
    ),
    settings: { certificates: "s".repeat(16_384) },
    placements: Array(50).fill({ shard: "86400#9999", fromTick: START / 1000, toTick: START / 1000 }),
  };
  const conditions = Object.fromEntries(locations.map(({ name }) => [name, "working" as const]));
  for (let change = 1; change <= changes; change++) {
    const ms = START + change * 60_000;
    const view = viewAt(change % 2 ? "down" : "up", ms, facts);
    const views = Object.fromEntries(locations.map(({ name }) => [name, view]));
    const pendingAlerts = Object.fromEntries(
      Object.entries(monitor.pendingAlerts).filter(([, { content }]) => content.kind !== "incident"),
    );
    const context = { conditions, url: () => `https://${"u".repeat(100)}`, channels: ["email", "sns"] };
    const verdict = decide({ ...monitor, views, pendingAlerts }, context, new Date(ms + 1_000));
    if (verdict.kind !== "store") throw new Error("nothing changed");
    monitor = { ...monitor, views, ...verdict.decision, revision: monitor.revision + 1 };
  }
  return monitor;
}

const sizeOf = async (monitor: Monitor) => {
  const { pk, sk } = monitorKey(monitor.id);
  const written = monitorItem({ creation: null, writtenBy: "", updatedBy: null, ...monitor });
  await tables.client.send(new PutCommand({ TableName: tables.tables.monitors, Item: written }));
  const Key = { pk: { S: pk }, sk: { S: sk } };
  const { Item } = await tables.client.send(new GetItemCommand({ TableName: tables.tables.monitors, Key }));
  return StoredItem.ofWire(Item as never).size;
};

const LIMIT_BYTES = 200 * 1024;

test("the largest monitor there may be, in trouble that two alerts tell of, takes half of what an item may", async () => {
  const bytes = await sizeOf(troubled(2));
  expect(bytes).toBeGreaterThan(LIMIT_BYTES / 2);
  expect(await sizeOf(troubled(1))).toBeLessThan(LIMIT_BYTES);
  expect(bytes).toBeLessThan(LIMIT_BYTES);
});

test("an outbox that neither receivers nor the history take anything from adds a tenth to that at most", async () => {
  for (const changes of [3, 20, 101, 205]) expect(await sizeOf(troubled(changes))).toBeLessThan(LIMIT_BYTES * 1.1);
});

test("a device with many interfaces, seen from all locations, fits too", async () => {
  expect(await sizeOf(troubled(205, DEVICE_FACTS))).toBeLessThan(400 * 1024);
});
