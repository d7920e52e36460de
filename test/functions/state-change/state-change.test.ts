import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Incident } from "../../../shared/model.ts";
import { LEAVING_SECONDS } from "../../../shared/rules/decide.ts";
import { createIncidentAlertStore } from "../../../shared/store/incident-alerts.ts";
import { leftKey, locationStateKey, monitorKey } from "../../../shared/store/keys.ts";
import { createLocationStore } from "../../../shared/store/locations.ts";
import { alertsOf, monitorOf, putMonitor } from "../../support/monitors.ts";
import { iso, START, startWorld } from "./fixture.ts";

describe("a monitor's life", () => {
  let w: Awaited<ReturnType<typeof startWorld>>;
  beforeEach(async () => {
    w = await startWorld();
  });
  afterEach(() => w.stop());

  test("goes down and comes back: status, one alert each, the incident's own item", async () => {
    await putMonitor(w, monitorOf({ alerts: alertsOf({ emails: ["ops@example.com"] }) }));
    await w.see("up", 10);
    await w.look();
    expect(await w.monitor()).toMatchObject({ status: "up", nextEvaluationAt: null });
    w.world.now = START + 21;
    await w.see("down", 20);
    await w.look();
    await w.look();
    expect(await w.incidents()).toMatchObject([
      { attentionKey: expect.stringMatching(/#m1$/), monitorId: "m1", severity: "down" },
    ]);
    w.world.now = START + 51;
    await w.see("up", 50);
    await w.look();
    await w.look();
    const [{ id }] = (await w.incidents()) as [{ id: string }];
    const alerts = await createIncidentAlertStore(w.client, w.tables.monitors).of(id);
    expect(alerts.map(({ alert: { event }, receivers }) => [event, receivers])).toEqual([
      ["down", ["email:ops@example.com", "people", "sns"]],
      ["recovered", ["email:ops@example.com", "people", "sns"]],
    ]);
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
    expect(await w.incidents()).toMatchObject([
      { listKey: expect.stringMatching(/#m1$/), endReason: "recovered", undeliverable: {} },
    ]);
  });

  test("a receiver that refuses for good delays nobody, and is noted on the incident and told to topic system", async () => {
    await putMonitor(w, monitorOf({ alerts: alertsOf({ emails: ["bad@example.com", "good@example.com"] }) }));
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

  test("an alert that cannot be posted for now is tried again, with the same alertId, while others go on", async () => {
    await putMonitor(w, monitorOf());
    w.world.isMailDown = true;
    await w.see("down", 0);
    await w.look();
    await w.look(); // at what the failure left
    expect(await w.incidents()).toHaveLength(1);
    expect((await w.monitor()).nextEvaluationAt).toBe(iso(10));
    expect(w.timers.at(-1)).toEqual({ pk: "MONITOR#m1", inSeconds: 10 });
    await w.look(); // not due yet
    w.world.now = START + 10;
    await w.look();
    await w.look();
    expect((await w.monitor()).nextEvaluationAt).toBe(iso(30));
    w.world.isMailDown = false;
    w.world.now = START + 31;
    await w.look();
    await w.look();
    expect(w.received.map(({ alert }) => alert.alertId)).toEqual([`m1.${START * 1000}.1`]);
    expect(await w.monitor()).toMatchObject({ pendingAlerts: {}, nextEvaluationAt: null });
  });

  test("afterSeconds sets a timer; when it rings, people hear", async () => {
    await putMonitor(w, monitorOf({ alerts: alertsOf({ afterSeconds: 60 }) }));
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
    expect(await w.incidents()).toMatchObject([{ endReason: "deleted", endedAt: iso(5) }]);
    expect(w.events()).toEqual(["down", "closed"]);
    expect(await w.look()).toBe(true); // a late record of what is gone
  });

  test("what a deleted monitor could not tell in a minute moves out, is told later, and its key is free", async () => {
    await putMonitor(w, monitorOf({ alerts: alertsOf({ emails: ["late@example.com"] }) }));
    w.world.isMailDown = true;
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

    w.world.isMailDown = false;
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
    ["a change of who is told", (world) => world.edit({ alerts: alertsOf({ afterSeconds: 9 }) })],
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
    await w.look(); // the end of its last stretch is recorded first
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
    const { status, since, lastStretch, incident, lastIncidentEndedAt, pendingAlerts } = decision;
    const { undecidedSince, unsettledSince, flapState, minority, baseline } = decision;
    const fields = {
      ...{ status, since, lastStretch, incident, lastIncidentEndedAt, pendingAlerts },
      ...{ undecidedSince, unsettledSince, flapState, minority, baseline },
    };
    expect(await w.decisions.save(read, { ...fields, nextEvaluationAt: null }, new Date())).toBe(false);
    expect(await w.timersBefore(9_999)).toEqual(["look 90"]);
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
  expect(await w.incidents()).toMatchObject([{ endedAt: iso(60), undeliverable: noted }]);
  await w.decisions.projectIncident(monitor, { ...closed, alertCount: 9 }, 90_001);
  expect(await w.incidents()).toMatchObject([{ alertCount: 9, undeliverable: noted }]);
});
