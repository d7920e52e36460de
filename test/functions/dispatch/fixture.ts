import { GetCommand, PutCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { createAftermath } from "../../../functions/dispatch/aftermath.ts";
import { createLocationWatch } from "../../../functions/dispatch/locations.ts";
import { createStallWatch } from "../../../functions/dispatch/stalls.ts";
import type { PendingAlert, Status } from "../../../shared/model.ts";
import { createDueStore } from "../../../shared/store/due.ts";
import { createFreshness } from "../../../shared/store/freshness.ts";
import { blockKey, locationStateKey, monitorKey } from "../../../shared/store/keys.ts";
import { createLocationStore } from "../../../shared/store/locations.ts";
import { createPlanningStore } from "../../../shared/store/planning.ts";
import { createShardStore } from "../../../shared/store/shards.ts";
import { createStandingReader } from "../../../shared/store/standing.ts";
import { createViewStore } from "../../../shared/store/views.ts";
import { monitorOf, putMonitor } from "../../support/monitors.ts";
import { startTables } from "../../support/tables.ts";

export { HOUR_SECONDS as HOUR, MINUTE_SECONDS as MINUTE } from "../../../shared/durations.ts";

export const NOW = 1_800_000_000;

/** Dispatch's parts that watch locations, on real tables; what the probes would write, tests write. */
export async function startWatch(locations: readonly string[]) {
  let now = NOW;
  let ids = 0;
  const refused = { update: (_key: string): boolean => false };
  const tables = await startTables({
    intercept: ({ operation, body }) =>
      operation === "UpdateItem" && refused.update(JSON.stringify(body)) ? "fail-before" : "proceed",
  });
  const { client } = tables;
  const { monitors: table, history } = tables.tables;
  const clock = () => new Date(now * 1000);
  const store = createLocationStore(client, table);
  const planning = createPlanningStore(client, table);
  const views = createViewStore(client, table);
  const standing = createStandingReader(client, table);
  const due = createDueStore(client, table);
  const newId = () => String(++ids);
  const outside = { locations, store, planning, views, standing, due, now: clock, newId };
  const watchWith = (names: readonly string[]) => createLocationWatch({ ...outside, locations: names })();
  const goOn = createAftermath(outside);
  const stalls = createStallWatch({ ...outside, freshness: createFreshness(client, history) });
  const item = async (key: { pk: string; sk: string }) =>
    (await client.send(new GetCommand({ TableName: table, Key: key }))).Item ?? {};
  const outbox = async (name: string) =>
    Object.values(((await item(locationStateKey(name))).pendingAlerts ?? {}) as Record<string, PendingAlert>);
  return {
    ...tables,
    store,
    planning,
    shards: createShardStore(client, table),
    clock,
    refused,
    watchWith,
    watch: () => watchWith(locations),
    stalls: async () => stalls((await Array.fromAsync(planning.shards())).flat(), await store.all()),
    goOn: async (hasTime = () => true) =>
      goOn(
        (await store.all()).map(({ name }) => name),
        hasTime,
      ),
    item,
    outbox,
    pass: (seconds: number) => {
      now += seconds;
    },
    set: (seconds: number) => {
      now = seconds;
    },
    beat: (...names: string[]) => Promise.all(names.map((name) => store.beat(name, clock(), clock()))),
    told: async (name: string) =>
      (await outbox(name)).map(({ content }) => (content.kind === "system" ? content.subject : "")),
    put: (id: string, location: string, more: object = {}) =>
      putMonitor(tables, { ...monitorOf({ id, name: id, locations: [location] }), ...more }),
    revision: async (id: string) => (await item(monitorKey(id))).revision as number,
    judge: (id: string, status: Status) =>
      client.send(
        new UpdateCommand({
          TableName: table,
          Key: monitorKey(id),
          UpdateExpression: "SET #status = :status",
          ExpressionAttributeNames: { "#status": "status" },
          ExpressionAttributeValues: { ":status": status },
        }),
      ),
    block: (shard: string, location: string, tick: number, isDone = true) =>
      client.send(
        new PutCommand({
          TableName: history,
          Item: { ...blockKey(shard, location, tick), ...(isDone && { data: new Uint8Array(9) }) },
        }),
      ),
  };
}
