import type { SESClient, SendEmailCommand } from "@aws-sdk/client-ses";
import type { PublishCommand, SNSClient } from "@aws-sdk/client-sns";
import { GetCommand, QueryCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import type { DynamoDBRecord } from "aws-lambda";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { revised } from "../../../functions/api/monitors/revise.ts";
import { keyOf, newestOfEachItem } from "../../../functions/state-change/records.ts";
import { createRecordHandler } from "../../../functions/state-change/wiring.ts";
import type { Intercept } from "../../../infra/local/dynamodb/database.ts";
import type { Receiver } from "../../../shared/alerts/receiver.ts";
import { DEFAULT_RETENTION } from "../../../shared/history/retention.ts";
import type { Alert, Health, Incident, ItemKey, MonitorSettings } from "../../../shared/model.ts";
import { LEAVING_SECONDS } from "../../../shared/rules/decide.ts";
import { pending } from "../../../shared/rules/outbox.ts";
import { createDecisionStore } from "../../../shared/store/decisions.ts";
import { createDueStore } from "../../../shared/store/due.ts";
import { leftKey, locationStateKey, monitorKey } from "../../../shared/store/keys.ts";
import { createLocationStore } from "../../../shared/store/locations.ts";
import { createMonitorStore } from "../../../shared/store/monitors.ts";
import { createViewStore } from "../../../shared/store/views.ts";
import { inProcessClient } from "../../bench/cost/in-process.ts";
import { monitorOf, putMonitor, viewOf } from "../../support/monitors.ts";
import { startTables } from "../../support/tables.ts";

const START = Date.parse("2026-11-23T10:00:00.000Z") / 1000;
const iso = (seconds: number) => new Date((START + seconds) * 1000).toISOString();

/** State-change on real tables; only the receivers and the clock belong to the test. */
async function startWorld(intercept?: Intercept) {
  const tables = await startTables(intercept ? { intercept } : {});
  const client = inProcessClient(tables.database, "state-change");
  const decisions = createDecisionStore(client, tables.tables.monitors);
  const monitors = createMonitorStore(client, tables.tables.monitors);
  const views = createViewStore(client, tables.tables.monitors);
  const due = createDueStore(client, tables.tables.monitors);
  const world = {
    ...tables,
    client,
    decisions,
    monitors,
    due,
    id: "m1",
    now: START,
    received: [] as { receiver: string; alert: Alert }[],
    system: [] as string[],
    undeliverable: 0,
    timers: [] as { pk: string; inSeconds: number }[],
    refuse: {} as Record<string, "permanent" | "temporary">,
    clock: () => new Date(world.now * 1000),
    events: (receiver = "sns") =>
      world.received.filter((one) => one.receiver === receiver).map(({ alert }) => alert.event),
    see: (health: Health, seconds: number, version = 1) =>
      views.save(world.id, version, "a", viewOf(health, START + seconds), world.now * 1000),
    edit: async (settings: Partial<MonitorSettings>) => {
      const before = (await monitors.get(world.id))!;
      const placing = { shard: before.shard, now: world.clock(), retention: DEFAULT_RETENTION };
      return monitors.saveSettings(before, revised(before, { ...before, ...settings }, placing), world.now * 1000);
    },
    delete: async () => monitors.markDeleted((await monitors.get(world.id))!, world.clock()),
    monitor: async () => (await monitors.get(world.id))!,
    item: async (key: ItemKey = monitorKey(world.id)) =>
      (await client.send(new GetCommand({ TableName: tables.tables.monitors, Key: { ...key } }))).Item,
    incidents: async () => {
      const { Items = [] } = await client.send(
        new QueryCommand({
          TableName: tables.tables.monitors,
          KeyConditionExpression: "pk = :pk AND begins_with(sk, :incident)",
          ExpressionAttributeValues: { ":pk": monitorKey(world.id).pk, ":incident": "INCIDENT#" },
        }),
      );
      return Items;
    },
    /** What dispatch would touch by then, of both kinds. */
    timersBefore: async (seconds: number) => {
      const moment = new Date((START + seconds) * 1000);
      return (await Array.fromAsync([due.before(moment), due.overdueLooks(moment)], (pages) => Array.fromAsync(pages)))
        .flat(2)
        .map(({ kind, dueAt }) => `${kind} ${Date.parse(dueAt) / 1000 - START}`);
    },
  };
  const hear = (receiver: string, note: () => void) => {
    const refusal = world.refuse[receiver];
    if (refusal)
      throw Object.assign(new Error("refused"), { name: refusal === "permanent" ? "MessageRejected" : "Throttling" });
    note();
  };
  const handle = createRecordHandler({
    client,
    tables: tables.tables,
    locations: ["a", "b"],
    queues: async (jobs) => {
      for (const { job } of jobs)
        if (job.kind === "touch")
          for (const { pk, dueAt } of job.timers)
            world.timers.push({ pk, inSeconds: Date.parse(dueAt) / 1000 - world.now });
      return { rejected: new Set(), errors: new Map() };
    },
    sns: {
      send: async ({ input }: PublishCommand) => {
        if (input.TopicArn === "system") hear("system", () => world.system.push(`${input.Subject}: ${input.Message}`));
        else {
          const alert: Alert = JSON.parse(JSON.parse(input.Message!).default);
          hear("sns", () => world.received.push({ receiver: "sns", alert }));
        }
      },
    } as unknown as SNSClient,
    ses: {
      send: async ({ input }: SendEmailCommand) => {
        const receiver = `email:${input.Destination?.ToAddresses?.[0]}`;
        const event = /^\[(\w+)/.exec(input.Message?.Subject?.Data ?? "")?.[1]?.toLowerCase();
        hear(receiver, () => world.received.push({ receiver, alert: { event } as Alert }));
      },
    } as unknown as SESClient,
    topics: { alerts: "alerts", system: "system" },
    sender: "sender@example.com",
    url: () => null,
    now: world.clock,
    log: () => {},
    delivered: ({ undeliverable }) => {
      world.undeliverable += undeliverable;
    },
  });
  /** What a stream record of an item leads to. @returns whether it need not come again */
  const lookAt = async ({ pk, sk }: ItemKey) => {
    const record = { dynamodb: { Keys: { pk: { S: pk }, sk: { S: sk } }, SequenceNumber: "1" } } as DynamoDBRecord;
    return (await handle([record])).length === 0;
  };
  return { ...world, look: () => lookAt(monitorKey(world.id)), lookAt, world };
}

describe("a monitor's life", () => {
  let w: Awaited<ReturnType<typeof startWorld>>;
  beforeEach(async () => {
    w = await startWorld();
  });
  afterEach(() => w.stop());

  test("goes down and comes back: status, one alert each, the incident's own item", async () => {
    await putMonitor(w, monitorOf({ alerts: { afterSeconds: 0, emails: ["ops@example.com"] } }));
    await w.see("up", 10);
    await w.look();
    expect(await w.monitor()).toMatchObject({ status: "up", nextEvaluationAt: null });
    w.world.now = START + 21;
    await w.see("down", 20);
    await w.look();
    await w.look();
    expect(await w.incidents()).toMatchObject([{ collection: "INCIDENTS_OPEN", monitorId: "m1", severity: "down" }]);
    w.world.now = START + 51;
    await w.see("up", 50);
    await w.look();
    await w.look();
    for (const receiver of ["sns", "email:ops@example.com"])
      expect(w.events(receiver).map((event) => event.replace("up", "recovered"))).toEqual(["down", "recovered"]);
    expect(w.received.findLast(({ receiver }) => receiver === "sns")?.alert.durationSeconds).toBe(30);
    expect(await w.monitor()).toMatchObject({
      status: "up",
      incident: null,
      pendingAlerts: {},
      nextEvaluationAt: null,
      lookBy: null,
    });
    expect(await w.incidents()).toMatchObject([{ collection: "INCIDENTS", endReason: "recovered", undeliverable: {} }]);
  });

  test("a receiver that refuses for good delays nobody, and is noted on the incident and told to topic system", async () => {
    await putMonitor(w, monitorOf({ alerts: { afterSeconds: 0, emails: ["bad@example.com", "good@example.com"] } }));
    w.world.refuse["email:bad@example.com"] = "permanent";
    await w.see("down", 0);
    await w.look();
    expect(w.events()).toEqual(["down"]);
    expect(w.events("email:good@example.com")).toEqual(["down"]);
    expect(w.system).toHaveLength(1);
    expect(w.system[0]).toMatch(/could not be delivered to email:bad@example.com: MessageRejected: refused/);
    const [incident] = await w.incidents();
    expect(Object.keys(incident?.undeliverable)).toEqual([`m1.${START * 1000}.1 email:bad@example.com`]);
    await w.look();
    expect(await w.monitor()).toMatchObject({ pendingAlerts: {}, nextEvaluationAt: null });
  });

  test("an alert that cannot be rendered is a fault of ours: told to system, tried again, and the receiver is not to blame", async () => {
    await putMonitor(w, monitorOf());
    w.world.refuse.sns = "temporary";
    await w.see("down", 0);
    await w.look();
    w.world.refuse = {};
    const alertId = `m1.${START * 1000}.1`;
    const { attempts } = (await w.monitor()).pendingAlerts[alertId]!.deliveries.sns!;
    expect(attempts).toBe(1);
    /** Changes the stored alert, as no version should. */
    const store = (path: string, value: unknown) =>
      w.client.send(
        new UpdateCommand({
          TableName: w.tables.monitors,
          Key: { ...monitorKey("m1") },
          UpdateExpression: `SET pendingAlerts.#alert.${path} = :value`,
          ExpressionAttributeNames: { "#alert": alertId },
          ExpressionAttributeValues: { ":value": value },
        }),
      );
    await store("content.alert.locations", null);
    for (const seconds of [10, 40, 100]) {
      w.world.now = START + seconds;
      await w.look();
      await w.look();
    }
    expect(w.system).toHaveLength(1);
    expect(w.system[0]).toMatch(/^An alert cannot be sent by a fault of Harborlight: .*sns.* TypeError: .*tried again/);
    expect((await w.monitor()).pendingAlerts[alertId]?.deliveries.sns).toMatchObject({ attempts: 4, hadFault: true });

    await store("deliveries.sns.attempts", 100);
    w.world.now = START + 86_401;
    await w.see("up", 86_401);
    await w.look();
    await w.look();
    expect(w.system).toHaveLength(2);
    expect(w.system[1]).toMatch(/is given up/);
    expect(w.world.undeliverable).toBe(0);
    expect(await w.incidents()).toMatchObject([{ undeliverable: {} }]);
    expect(w.events()).toEqual(["recovered"]);
    expect(await w.monitor()).toMatchObject({ pendingAlerts: {}, nextEvaluationAt: null });
  });

  test("a delivery that fails for now is tried again, with the same alertId, while others go on", async () => {
    await putMonitor(w, monitorOf());
    w.world.refuse.sns = "temporary";
    await w.see("down", 0);
    await w.look();
    await w.look(); // at what the failure left
    expect((await w.monitor()).nextEvaluationAt).toBe(iso(10));
    expect(w.timers.at(-1)).toEqual({ pk: "MONITOR#m1", inSeconds: 10 });
    await w.look(); // not due yet
    w.world.now = START + 10;
    await w.look();
    await w.look();
    expect((await w.monitor()).nextEvaluationAt).toBe(iso(30));
    w.world.refuse = {};
    w.world.now = START + 31;
    await w.look();
    await w.look();
    expect(w.received.map(({ alert }) => alert.alertId)).toEqual([`m1.${START * 1000}.1`]);
    expect(await w.monitor()).toMatchObject({ pendingAlerts: {}, nextEvaluationAt: null });
  });

  test("afterSeconds sets a timer; when it rings, people hear", async () => {
    await putMonitor(w, monitorOf({ alerts: { afterSeconds: 60, emails: [] } }));
    await w.see("down", 0);
    await w.look();
    expect(w.timers).toEqual([{ pk: "MONITOR#m1", inSeconds: 60 }]);
    const [timer] = (await Array.fromAsync(w.due.before(new Date((START + 61) * 1000)))).flat();
    expect(timer).toMatchObject({ pk: "MONITOR#m1", sk: "MONITOR" });
    w.world.now = START + 60;
    const { revision } = await w.monitor();
    expect(await w.due.touch(timer!, w.world.now * 1000)).toBe(true);
    expect((await w.monitor()).revision).toBe(revision + 1);
    await w.look();
    await w.look();
    expect(w.events()).toEqual(["down"]);
    expect(await w.timersBefore(9_999)).toEqual([]);
  });

  test("a deleted monitor ends its incident, says so, and goes", async () => {
    await putMonitor(w, monitorOf());
    await w.see("down", 0);
    await w.look();
    w.world.now = START + 5;
    await w.delete();
    w.world.now = START + 6;
    await w.look();
    await w.look();
    expect(await w.monitor()).toBeUndefined();
    expect(await w.incidents()).toMatchObject([{ endReason: "deleted", collection: "INCIDENTS", endedAt: iso(5) }]);
    expect(w.events()).toEqual(["down", "closed"]);
    expect(await w.look()).toBe(true); // a late record of what is gone
  });

  test("what a deleted monitor could not tell in a minute moves out, is told later, and its key is free", async () => {
    await putMonitor(w, monitorOf({ alerts: { afterSeconds: 0, emails: ["late@example.com"] } }));
    w.world.refuse = { "email:late@example.com": "temporary" };
    await w.see("down", 0);
    await w.look();
    w.world.now = START + 5;
    await w.delete();
    for (let look = 0; look < 4; look++) await w.look();
    expect(Object.keys((await w.monitor()).pendingAlerts)).toHaveLength(2);
    expect((await w.monitor()).nextEvaluationAt! <= iso(5 + LEAVING_SECONDS)).toBe(true);
    w.world.now = START + 5 + LEAVING_SECONDS;
    await w.look();
    expect(await w.monitor()).toBeUndefined();
    const left = leftKey("m1", iso(5));
    expect(await w.timersBefore(5 + LEAVING_SECONDS + 91)).toEqual([`look ${5 + LEAVING_SECONDS + 90}`]);
    expect(await w.monitors.create(monitorOf({ name: "Next" }), w.world.now * 1000)).toBe(true);

    w.world.refuse = {};
    w.world.now += 120;
    for (let look = 0; look < 4; look++) await w.lookAt(left);
    expect(w.events("email:late@example.com")).toEqual(["down", "closed"]);
    expect(w.events()).toEqual(["down", "closed"]);
    expect(await w.item(left)).toBeUndefined();
    expect(await w.incidents()).toMatchObject([{ endReason: "deleted", monitorName: "Orders" }]);
    expect(await w.monitor()).toMatchObject({ name: "Next" });
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
    const item = await w.item(locationStateKey("a"));
    expect(item).toMatchObject({ condition: "silent", pendingAlerts: {} });
    expect(item?.nextEvaluationAt).toBeUndefined();
  });
});

describe("the dead man's timer", () => {
  let w: Awaited<ReturnType<typeof startWorld>>;
  beforeEach(async () => {
    w = await startWorld();
  });
  afterEach(() => w.stop());

  test.each<[string, (world: typeof w) => Promise<unknown>]>([
    ["a view", (world) => world.see("up", 100)],
    ["a change of settings", (world) => world.edit({ port: 1 })],
    ["a change of who is told", (world) => world.edit({ alerts: { afterSeconds: 9, emails: [] } })],
    ["a pause", (world) => world.edit({ paused: true })],
    ["a nudge", (world) => world.due.nudge(monitorKey("m1"), world.world.now * 1000)],
  ])("is set by %s in the same write, and cleared by the decision", async (_, write) => {
    await putMonitor(w, monitorOf());
    await w.see("down", 0);
    await w.look();
    await w.look();
    expect(await w.timersBefore(9_999)).toEqual([]);
    w.world.now = START + 101;
    expect(await write(w)).toBe(true);
    expect(await w.timersBefore(9_999)).toEqual(["look 191"]);
    w.world.now = START + 120;
    expect(await w.edit({ tags: { a: "b" } })).toBe(true);
    expect(await w.timersBefore(9_999)).toEqual(["look 191"]); // the earlier one stands
    await w.look();
    await w.look();
    expect((await w.timersBefore(9_999)).filter((one) => one.startsWith("look"))).toEqual([]);
    expect(await w.item()).not.toHaveProperty("lookBucket");
  });

  test("is set by a creation and by a deletion", async () => {
    expect(await w.monitors.create(monitorOf(), w.world.now * 1000)).toBe(true);
    expect(await w.timersBefore(9_999)).toEqual(["look 90"]);
    await w.look();
    expect((await w.timersBefore(9_999)).filter((one) => one.startsWith("look"))).toEqual([]);
    await w.delete();
    expect(await w.timersBefore(9_999)).toContain("look 90");
    await w.look();
    expect(await w.monitor()).toBeUndefined();
  });

  test("brings up a change whose looks all failed: the alert is late, and not lost", async () => {
    let isBroken = true;
    await using broken = await startWorld(({ operation, body }) =>
      isBroken && operation === "UpdateItem" && JSON.stringify(body).includes("undecidedSince")
        ? "fail-before"
        : "proceed",
    );
    await putMonitor(broken, monitorOf());
    await broken.see("down", 0);
    for (let attempt = 0; attempt < 6; attempt++) expect(await broken.look()).toBe(false);
    isBroken = false;
    broken.world.now = START + 91;
    const [timer] = (await Array.fromAsync(broken.due.overdueLooks(broken.clock()))).flat();
    expect(await broken.due.touch(timer!, broken.world.now * 1000)).toBe(true);
    await broken.look();
    expect(broken.events()).toEqual(["down"]);
    await broken.look();
    expect(await broken.timersBefore(9_999)).toEqual([]);
    expect(await broken.item()).not.toHaveProperty("touches");
  });

  test("of a change that comes while a decision is being made stays", async () => {
    await putMonitor(w, monitorOf());
    await w.see("down", 0);
    const read = (await w.decisions.monitor("m1"))!;
    await w.see("up", 10);
    const decision = { ...read, status: "down" as const };
    const { status, since, incident, lastIncidentEndedAt, pendingAlerts, undecidedSince, unsettledSince } = decision;
    const fields = { status, since, incident, lastIncidentEndedAt, pendingAlerts, undecidedSince, unsettledSince };
    expect(await w.decisions.save(read, { ...fields, nextEvaluationAt: null })).toBe(false);
    expect(await w.timersBefore(9_999)).toEqual(["look 90"]);
  });
});

describe("settling deliveries", () => {
  let w: Awaited<ReturnType<typeof startWorld>>;
  beforeEach(async () => {
    w = await startWorld();
  });
  afterEach(() => w.stop());
  const entry = (sequence: number, receivers: readonly Receiver[] = ["sns"]) =>
    pending({ kind: "system", subject: `${sequence}`, message: "" }, receivers, sequence, iso(0));
  const gone = (key: string, sequence: number, receiver = "sns") => ({ key, receiver, sequence, next: null });
  const pendingNow = async () => (await w.item())?.pendingAlerts;

  test("never clears or moves a timer that a decision set meanwhile", async () => {
    await putMonitor(w, monitorOf({ alerts: { afterSeconds: 100, emails: [] }, pendingAlerts: { a: entry(1) } }));
    const read = (await w.decisions.outbox(monitorKey("m1")))!;
    await w.see("down", 0); // decided while a receiver takes its time
    w.world.refuse = { incident: "temporary", sns: "temporary", system: "temporary" };
    await w.look();
    const before = await w.item();
    expect(before?.nextEvaluationAt).toBeDefined();
    await w.decisions.settle(monitorKey("m1"), read, [gone("a", 1)], {}, null);
    expect(await w.item()).toMatchObject({
      nextEvaluationAt: before?.nextEvaluationAt,
      dueBucket: before?.dueBucket,
    });
  });

  test("removes the entry that was delivered, not another one that took its place", async () => {
    await putMonitor(w, monitorOf({ pendingAlerts: { a: entry(1), b: entry(2) } }));
    const read = (await w.decisions.outbox(monitorKey("m1")))!;
    await putMonitor(w, monitorOf({ pendingAlerts: { a: entry(300), b: entry(2), c: entry(4) } }));
    await w.decisions.settle(monitorKey("m1"), read, [gone("a", 1), gone("b", 2)], { news: entry(5) }, null);
    expect(Object.keys(await pendingNow()).toSorted()).toEqual(["a", "c", "news"]);
    expect(await pendingNow()).toMatchObject({ a: { sequence: 300 } });
  });

  test("of some receivers leaves the entry to the others", async () => {
    await putMonitor(w, monitorOf({ pendingAlerts: { a: entry(1, ["sns", "email:x"]) } }));
    const read = (await w.decisions.outbox(monitorKey("m1")))!;
    const next = { attempts: 1, nextAttemptAt: iso(10) };
    await w.decisions.settle(
      monitorKey("m1"),
      read,
      [gone("a", 1), { key: "a", receiver: "email:x", sequence: 1, next }],
      {},
      null,
    );
    expect((await pendingNow()).a.deliveries).toEqual({ "email:x": next });
  });

  test("of a monitor that is gone creates nothing", async () => {
    const item = { revision: 1, pendingAlerts: { a: entry(1) }, nextEvaluationAt: null, lookBy: null };
    await w.decisions.settle(monitorKey("m1"), item, [gone("a", 1)], { b: entry(2) }, null);
    expect(await w.item()).toBeUndefined();
  });
});

test("an incident's item is never put back by a projection that arrives late", async () => {
  await using w = await startWorld();
  await putMonitor(w, monitorOf());
  await w.see("down", 0);
  await w.look();
  const open = (await w.monitor()).incident!;
  const monitor = await w.monitor();
  const closed: Incident = { ...open, endedAt: iso(60), endReason: "recovered" };
  await w.decisions.projectIncident(monitor, closed, 90_000);
  await w.decisions.noteUndeliverable("m1", open.startedAt, "x", { error: "refused", at: iso(61) });
  for (const late of [80_000, 90_000]) await w.decisions.projectIncident(monitor, open, late);
  const noted = { x: { error: "refused" } };
  expect(await w.incidents()).toMatchObject([{ endedAt: iso(60), collection: "INCIDENTS", undeliverable: noted }]);
  await w.decisions.projectIncident(monitor, { ...closed, alertCount: 9 }, 90_001);
  expect(await w.incidents()).toMatchObject([{ alertCount: 9, undeliverable: noted }]);
});

describe("the process dies", () => {
  type Act = (w: Awaited<ReturnType<typeof startWorld>>) => Promise<unknown>;
  const LIFE: readonly (readonly [seconds: number, act: Act])[] = [
    [10, (w) => w.see("down", 10)],
    [30, (w) => w.see("up", 30)],
    [40, (w) => w.see("degraded", 40)],
    [50, (w) => w.edit({ port: 1 })],
    [60, (w) => w.see("down", 60, 2)],
    [70, (w) => w.edit({ paused: true })],
    [80, (w) => w.delete()],
  ];

  test("at any write, before or after it: nothing is lost, and what is told twice carries the same alertId", async () => {
    const isWrite = (operation: string) => ["PutItem", "UpdateItem", "DeleteItem"].includes(operation);
    let armed = false;
    let writes = 0;
    let broken = 0;
    let fault: "fail-before" | "fail-after" = "fail-before";
    await using w = await startWorld(({ operation }) =>
      armed && isWrite(operation) && ++writes === broken ? fault : "proceed",
    );
    /** The life with a fault at the n-th write of state-change; what failed is looked at again, as the stream would. */
    const live = async (n: number) => {
      [writes, broken] = [0, n];
      Object.assign(w.world, { id: `m${n}${fault}`, received: [] });
      await putMonitor(w, monitorOf({ id: w.world.id }));
      for (const [seconds, act] of LIFE) {
        w.world.now = START + seconds + 1;
        await act(w);
        armed = true;
        let [isQuiet, revision] = [false, 0];
        for (let records = 0; records < 5 && !isQuiet; records++) {
          const isDone = await w.look();
          const item = await w.item();
          isQuiet = isDone && item?.revision === revision;
          revision = item?.revision;
        }
        armed = false;
      }
      return {
        received: w.world.received.map(({ alert }) => alert),
        monitor: await w.item(),
        incidents: await w.incidents(),
      };
    };
    const events = ["down", "recovered", "degraded", "closed", "down", "closed"];
    await live(0);
    const all = writes;
    expect(all).toBeGreaterThan(15);
    for (fault of ["fail-before", "fail-after"] as const)
      for (let n = 1; n <= all; n++) {
        const { received, monitor, incidents } = await live(n);
        const where = `${fault} at write ${n}`;
        const first = received.filter(({ alertId }, i) => received.findIndex((one) => one.alertId === alertId) === i);
        expect(
          first.map(({ event }) => event),
          where,
        ).toEqual(events);
        expect(received.length, where).toBeLessThanOrEqual(events.length + 1);
        expect(monitor, where).toBeUndefined();
        const ends = incidents.map(({ endReason, collection }) => `${endReason} ${collection}`);
        expect(ends, where).toEqual(["recovered", "changed", "paused"].map((reason) => `${reason} INCIDENTS`));
      }
  }, 120_000);

  test("as a deleted monitor's outbox moves out: it moves once, and everybody is told", async () => {
    for (const fault of ["fail-before", "fail-after"] as const)
      for (const operation of ["PutItem", "DeleteItem"]) {
        let broken = "";
        await using w = await startWorld((request) => {
          if (request.operation !== broken) return "proceed";
          broken = "";
          return fault;
        });
        await putMonitor(w, monitorOf());
        w.world.refuse = { sns: "temporary" };
        await w.see("down", 0);
        await w.look();
        await w.delete();
        await w.look();
        await w.look();
        w.world.now += LEAVING_SECONDS;
        broken = operation;
        expect(await w.look(), `${fault} ${operation}`).toBe(false);
        await w.look();
        expect(await w.monitor()).toBeUndefined();
        w.world.refuse = {};
        w.world.now += 120;
        for (let look = 0; look < 4; look++) await w.lookAt(leftKey("m1", iso(0)));
        expect(w.events()).toEqual(["down", "closed"]);
        expect(await w.item(leftKey("m1", iso(0)))).toBeUndefined();
      }
  });
});

test("a deleted monitor that somebody brings up while its outbox moves out tells nothing that has moved", async () => {
  let nudge: (() => Promise<unknown>) | undefined;
  let nudged: Promise<unknown> | undefined;
  await using w = await startWorld(({ operation }) => {
    if (operation === "PutItem") nudged ??= nudge?.();
    return "proceed";
  });
  await putMonitor(w, monitorOf());
  w.world.refuse = { sns: "temporary" };
  await w.see("down", 0);
  await w.look();
  await w.delete();
  await w.look();
  await w.look();
  w.world.now += LEAVING_SECONDS + 120;
  w.world.refuse = {};
  nudge = () => w.due.nudge(monitorKey("m1"), w.world.now * 1000);
  await w.look();
  expect(await nudged).toBe(true);
  expect(await w.monitor()).toBeUndefined();
  for (let look = 0; look < 4; look++) await w.lookAt(leftKey("m1", iso(0)));
  expect(w.events()).toEqual(["down", "closed"]);
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
