/** The API, state-change and compact on one pair of tables with one clock: what happens to a monitor, and what is shown. */
import type { SNSClient } from "@aws-sdk/client-sns";
import type { DynamoDBRecord } from "aws-lambda";
import { withSettings } from "../../../../functions/api/monitors/with-settings.ts";
import { createHourlyRun } from "../../../../functions/compact/wiring.ts";
import { createRecordHandler } from "../../../../functions/state-change/wiring.ts";
import { DEFAULT_RETENTION } from "../../../../shared/history/retention.ts";
import type { Health, MonitorSettings } from "../../../../shared/model.ts";
import { monitorKey } from "../../../../shared/store/keys.ts";
import type { StoredMonitor } from "../../../../shared/store/monitor-item.ts";
import { createViewStore } from "../../../../shared/store/views.ts";
import { monitorOf, viewOf } from "../../../support/monitors.ts";
import { type Edge, startEdge } from "../edge.ts";

/** 2026-11-20T00:00:00Z, epoch seconds. */
export const MIDNIGHT = 1_795_132_800;
export const iso = (seconds: number) => new Date(seconds * 1000).toISOString();

export async function startWorld() {
  const edge: Edge = await startEdge();
  const { client, tables, stores } = edge;
  const time = { now: MIDNIGHT };
  const now = () => new Date(time.now * 1000);
  edge.clock.now = now;
  const views = createViewStore(client, tables.monitors);
  const handle = createRecordHandler({
    client,
    tables,
    locations: ["local"],
    queues: async () => ({ rejected: new Set(), errors: new Map() }),
    sns: { send: async () => ({}) } as unknown as SNSClient,
    topics: { alerts: "alerts", people: "people", system: "system" },
    sender: undefined,
    url: () => null,
    now,
    log: () => {},
  });
  const compact = () =>
    createHourlyRun({
      client,
      tables,
      locations: ["local"],
      retention: DEFAULT_RETENTION,
      now: () => time.now * 1000,
      sleep: async () => {},
      unreadable: (error) => {
        throw error;
      },
    })("schedule", () => true);
  /** Lets the stream's records of a monitor be handled until nothing changes any more. */
  const settle = async (id: string) => {
    for (let round = 0; round < 4; round++) {
      const { pk, sk } = monitorKey(id);
      const record = { dynamodb: { Keys: { pk: { S: pk }, sk: { S: sk } }, SequenceNumber: "1" } } as DynamoDBRecord;
      await handle([record]);
    }
  };
  const present = async (id: string) => (await stores.monitors.get(id))!;
  return {
    ...edge,
    time,
    compact,
    settle,
    present,
    async create(id: string, more: Partial<StoredMonitor> = {}) {
      const at = iso(time.now);
      const target = { version: 1, changedAt: at, reason: "created" as const };
      const moments = { since: at, createdAt: at, updatedAt: at, settingsChangedAt: at, target };
      const revision = time.now * 1000;
      const monitor = monitorOf({ id, name: id, locations: ["local"], shard: "60#0", revision, ...moments, ...more });
      await stores.monitors.create(monitor, time.now * 1000);
      await settle(id);
    },
    async see(id: string, health: Health) {
      const { settingsVersion } = await present(id);
      await views.save(id, settingsVersion, "local", viewOf(health, time.now), time.now * 1000);
      await settle(id);
    },
    async edit(id: string, settings: Partial<MonitorSettings>) {
      const before = await present(id);
      const placing = {
        shard: settings.intervalSeconds ? "120#0" : before.shard,
        now: now(),
        retention: DEFAULT_RETENTION,
      };
      const after = withSettings(before, { ...before, ...settings }, placing);
      await stores.monitors.saveSettings(before, after, time.now * 1000);
      await settle(id);
    },
    async remove(id: string) {
      await stores.monitors.markDeleted(await present(id), now());
      await settle(id);
    },
    /** Creates a maintenance window. @returns its id */
    async maintain(window: object): Promise<string> {
      const { status, body } = await edge.call("POST", "/v1/maintenance-windows", { body: { name: "W", ...window } });
      if (status !== 201) throw new Error(`${status} ${JSON.stringify(body)}`);
      return body.id;
    },
    /** GET, which must succeed. */
    async get(path: string) {
      const { status, body } = await edge.call("GET", path);
      if (status !== 200) throw new Error(`${path}: ${status} ${JSON.stringify(body)}`);
      return body;
    },
    /** Read units that something takes. */
    async unitsOf(work: () => Promise<unknown>): Promise<number> {
      edge.usage.reset();
      await work();
      const reads = edge.usage.rows().filter(({ operation }) => !/Put|Update|Write|Delete/.test(operation));
      return reads.reduce((sum, { units }) => sum + units, 0);
    },
  };
}
export type World = Awaited<ReturnType<typeof startWorld>>;
