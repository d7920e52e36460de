import { GetCommand, QueryCommand } from "@aws-sdk/lib-dynamodb";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createDeliver, type Send } from "../../../functions/state-change/deliver.ts";
import { keyOf, newestOfEachItem } from "../../../functions/state-change/records.ts";
import { createStateChange } from "../../../functions/state-change/state-change.ts";
import type { Intercept } from "../../../infra/local/dynamo.ts";
import type { Alert, Health, Monitor } from "../../../shared/model.ts";
import { createDecisionStore } from "../../../shared/store/decisions.ts";
import { createDueStore } from "../../../shared/store/due.ts";
import { locationStateKey, monitorKey } from "../../../shared/store/keys.ts";
import { createLocationStore } from "../../../shared/store/locations.ts";
import { createViewStore } from "../../../shared/store/views.ts";
import { monitorOf, putMonitor, viewOf } from "../../support/monitors.ts";
import { startTables } from "../../support/tables.ts";

const START = Date.parse("2026-11-23T10:00:00.000Z") / 1000;

/** State-change on real tables; only the receivers and the clock belong to the test. */
async function startWorld(intercept?: Intercept) {
  const tables = await startTables(intercept ? { intercept } : {});
  const { client } = tables;
  const decisions = createDecisionStore(client, tables.tables.monitors);
  const views = createViewStore(client, tables.tables.monitors);
  const world = {
    ...tables,
    decisions,
    views,
    now: START,
    received: [] as { receiver: string; alert: Alert }[],
    system: [] as string[],
    timers: [] as { pk: string; inSeconds: number }[],
    refuse: {} as Record<string, "permanent" | "temporary">,
    clock: () => new Date(world.now * 1000),
    events: (receiver = "sns") =>
      world.received.filter((one) => one.receiver === receiver).map(({ alert }) => alert.event),
    see: (health: Health, tick: number, id = "m1") => views.save(id, 1, "a", viewOf(health, tick)),
    monitor: async () => (await decisions.monitor("m1"))!,
    incidents: async () => {
      const { Items = [] } = await client.send(
        new QueryCommand({
          TableName: tables.tables.monitors,
          KeyConditionExpression: "pk = :pk AND begins_with(sk, :incident)",
          ExpressionAttributeValues: { ":pk": monitorKey("m1").pk, ":incident": "INCIDENT#" },
        }),
      );
      return Items;
    },
  };
  const send: Send = async (receiver, content, item) => {
    const refusal = world.refuse[receiver];
    if (refusal) return { ok: false, permanent: refusal === "permanent", error: "refused" };
    if (content.kind === "incident") await decisions.projectIncident(item as never, content.incident);
    else if (content.kind === "alert") world.received.push({ receiver, alert: content.alert });
    else world.system.push(`${content.subject}: ${content.message}`);
    return { ok: true };
  };
  const look = createStateChange({
    decisions,
    conditions: async () => ({ a: "working" }),
    url: () => null,
    mail: true,
    deliver: createDeliver({ decisions, send, now: world.clock, log: () => {} }),
    ring: ({ pk, dueAt }) => void world.timers.push({ pk, inSeconds: Date.parse(dueAt) / 1000 - world.now }),
    now: world.clock,
  });
  return { ...world, look: (id = "m1") => look(monitorKey(id)), lookAt: look, world };
}

describe("a monitor's life", () => {
  let w: Awaited<ReturnType<typeof startWorld>>;
  beforeEach(async () => {
    w = await startWorld();
  });
  afterEach(() => w.stop());

  test("goes down and comes back: status, one alert each, the incident's own item", async () => {
    await putMonitor(w, monitorOf({ alerts: { afterSeconds: 0, emails: ["ops@example.com"] } }));
    await w.see("up", START + 10);
    await w.look();
    expect(await w.monitor()).toMatchObject({ status: "up", nextEvaluationAt: null });
    w.world.now = START + 21;
    await w.see("down", START + 20);
    await w.look();
    await w.look();
    expect(await w.incidents()).toMatchObject([{ collection: "INCIDENTS_OPEN", monitorId: "m1", severity: "down" }]);
    w.world.now = START + 51;
    await w.see("up", START + 50);
    await w.look();
    await w.look();
    for (const receiver of ["sns", "email:ops@example.com"]) expect(w.events(receiver)).toEqual(["down", "recovered"]);
    expect(w.received.at(-1)?.alert.durationSeconds).toBe(30);
    expect(await w.monitor()).toMatchObject({
      status: "up",
      incident: null,
      pendingAlerts: {},
      nextEvaluationAt: null,
    });
    expect(await w.incidents()).toMatchObject([{ collection: "INCIDENTS", endReason: "recovered", undeliverable: {} }]);
  });

  test("a receiver that refuses for good delays nobody, and is noted on the incident and told to topic system", async () => {
    await putMonitor(w, monitorOf({ alerts: { afterSeconds: 0, emails: ["bad@example.com", "good@example.com"] } }));
    w.world.refuse["email:bad@example.com"] = "permanent";
    await w.see("down", START);
    await w.look();
    expect(w.events()).toEqual(["down"]);
    expect(w.events("email:good@example.com")).toEqual(["down"]);
    expect(w.system).toHaveLength(1);
    expect(w.system[0]).toMatch(/could not be delivered to email:bad@example.com: refused/);
    const [incident] = await w.incidents();
    expect(Object.keys(incident?.undeliverable)).toEqual([`m1.${START * 1000}.1 email:bad@example.com`]);
    expect(await w.monitor()).toMatchObject({ pendingAlerts: {}, nextEvaluationAt: null });
  });

  test("a delivery that fails for now is tried again, with the same alertId, while others go on", async () => {
    await putMonitor(w, monitorOf());
    w.world.refuse.sns = "temporary";
    await w.see("down", START);
    await w.look();
    const first = await w.monitor();
    expect(first.nextEvaluationAt).toBe(new Date((START + 10) * 1000).toISOString());
    expect(w.timers).toEqual([{ pk: "MONITOR#m1", inSeconds: 10 }]);
    await w.look(); // not due yet
    w.world.now = START + 10;
    await w.look();
    expect((await w.monitor()).nextEvaluationAt).toBe(new Date((START + 30) * 1000).toISOString());
    w.world.refuse = {};
    w.world.now = START + 31;
    await w.look();
    expect(w.received.map(({ alert }) => alert.alertId)).toEqual([`m1.${START * 1000}.1`]);
    expect(await w.monitor()).toMatchObject({ pendingAlerts: {}, nextEvaluationAt: null });
  });

  test("afterSeconds sets a timer; when it rings, people hear", async () => {
    await putMonitor(w, monitorOf({ alerts: { afterSeconds: 60, emails: [] } }));
    await w.see("down", START);
    await w.look();
    expect(w.timers).toEqual([{ pk: "MONITOR#m1", inSeconds: 60 }]);
    const due = createDueStore(w.client, w.tables.monitors);
    const timers = (await Array.fromAsync(due.before(new Date((START + 61) * 1000)))).flat();
    expect(timers).toMatchObject([{ pk: "MONITOR#m1", sk: "MONITOR" }]);
    w.world.now = START + 60;
    const { revision } = await w.monitor();
    expect(await due.touch(timers[0]!, w.world.now * 1000)).toBe(true);
    expect((await w.monitor()).revision).toBe(revision + 1);
    await w.look();
    expect(w.events()).toEqual(["down"]);
    expect((await Array.fromAsync(due.before(new Date((START + 9999) * 1000)))).flat()).toEqual([]);
  });

  test("a deleted monitor ends its incident and goes", async () => {
    await putMonitor(w, monitorOf());
    await w.see("down", START);
    await w.look();
    await putMonitor(w, { ...(await w.monitor()), deletedAt: new Date((START + 5) * 1000).toISOString() } as Monitor);
    w.world.now = START + 6;
    await w.look();
    await w.look();
    expect(await w.decisions.monitor("m1")).toBeUndefined();
    expect(await w.incidents()).toMatchObject([{ endReason: "deleted", collection: "INCIDENTS" }]);
    expect(w.events()).toEqual(["down"]);
    await w.look(); // a late record of what is gone
  });

  test("a deleted monitor does not wait for a receiver that keeps failing", async () => {
    await putMonitor(w, monitorOf({ alerts: { afterSeconds: 0, emails: ["late@example.com"] } }));
    w.world.refuse["email:late@example.com"] = "temporary";
    await w.see("down", START);
    await w.look();
    expect(Object.keys((await w.monitor()).pendingAlerts)).toHaveLength(1);
    await putMonitor(w, { ...(await w.monitor()), deletedAt: new Date((START + 5) * 1000).toISOString() } as Monitor);
    w.world.now = START + 6;
    for (let look = 0; look < 4; look++) await w.look();
    expect(await w.decisions.monitor("m1")).toBeUndefined();
    expect(w.system).toEqual([expect.stringMatching(/could not be delivered to email:late@example.com/)]);
    expect(await w.incidents()).toMatchObject([{ endReason: "deleted" }]);
  });

  test("a location's news is told once", async () => {
    const locations = createLocationStore(w.client, w.tables.monitors);
    const content = { kind: "system", subject: "Location a: silent", message: "no heartbeat" } as const;
    const news = { condition: "silent", message: { key: "system#1", content } } as const;
    const before = await locations.state("a");
    expect(await locations.announce(before, news, w.clock())).toBe(true);
    expect(await locations.announce(before, news, w.clock())).toBe(false);
    await w.lookAt(locationStateKey("a"));
    await w.lookAt(locationStateKey("a"));
    expect(w.system).toEqual(["Location a: silent: no heartbeat"]);
    const { Item } = await w.client.send(new GetCommand({ TableName: w.tables.monitors, Key: locationStateKey("a") }));
    expect(Item).toMatchObject({ condition: "silent", pendingAlerts: {} });
    expect(Item?.nextEvaluationAt).toBeUndefined();
  });
});

describe("the process dies", () => {
  /** Down, then up again, with a fault at the n-th write; what failed is looked at again, as the stream would. */
  async function live(n: number, fault: "fail-before" | "fail-after") {
    let writes = 0;
    const isWrite = (operation: string) => operation === "UpdateItem" || operation === "DeleteItem";
    const w = await startWorld(({ operation }) => {
      if (!isWrite(operation) || !armed) return "proceed";
      return ++writes === n ? fault : "proceed";
    });
    let armed = false;
    await putMonitor(w, monitorOf());
    for (const [health, tick] of [
      ["up", 0],
      ["down", 10],
      ["up", 30],
    ] as const) {
      armed = false;
      w.world.now = START + tick + 1;
      await w.see(health, START + tick);
      armed = true;
      for (let tries = 0; tries < 3; tries++) {
        try {
          await w.look();
        } catch {
          // the stream delivers the record again
        }
      }
    }
    const result = {
      received: w.received.map(({ alert }) => alert),
      monitor: await w.monitor(),
      incidents: await w.incidents(),
      writes,
    };
    await w.stop();
    return result;
  }

  test("at any write, before or after it: nothing is lost, and what is told twice carries the same alertId", async () => {
    const { writes } = await live(0, "fail-before");
    expect(writes).toBeGreaterThan(4);
    const lives = [];
    for (let n = 1; n <= writes; n++)
      for (const fault of ["fail-before", "fail-after"] as const)
        lives.push(live(n, fault).then((life) => ({ ...life, n, fault })));
    for (const { received, monitor, incidents, n, fault } of await Promise.all(lives)) {
      const where = `${fault} at write ${n}`;
      const first = received.filter(({ alertId }, i) => received.findIndex((one) => one.alertId === alertId) === i);
      expect(
        first.map(({ event }) => event),
        where,
      ).toEqual(["down", "recovered"]);
      expect(received.length, where).toBeLessThanOrEqual(3);
      expect(monitor, where).toMatchObject({ status: "up", incident: null, pendingAlerts: {} });
      expect(incidents, where).toMatchObject([{ endReason: "recovered", alertCount: 2 }]);
    }
  });
});

test("of several records of one item only the newest is looked at, in the stream's order", () => {
  const record = (pk: string, sequence: string) =>
    ({ dynamodb: { Keys: { pk: { S: pk }, sk: { S: "MONITOR" } }, SequenceNumber: sequence } }) as never;
  const newest = newestOfEachItem([record("a", "1"), record("b", "2"), record("a", "3")]);
  expect(newest.map((one) => [keyOf(one).pk, one.dynamodb?.SequenceNumber])).toEqual([
    ["b", "2"],
    ["a", "3"],
  ]);
});
