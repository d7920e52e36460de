/** A child whose parent is down, on real tables: what is read, noted under the parent, and touched by its recovery. */
import { QueryCommand } from "@aws-sdk/lib-dynamodb";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Health } from "../../../shared/model.ts";
import { heldPrefix, monitorKey } from "../../../shared/store/keys.ts";
import { createViewStore } from "../../../shared/store/views.ts";
import { monitorOf, putMonitor, viewOf } from "../../support/monitors.ts";
import { iso, START, startWorld } from "./fixture.ts";

let w: Awaited<ReturnType<typeof startWorld>>;
beforeEach(async () => {
  w = await startWorld();
  await putMonitor(w, monitorOf({ id: "router" }));
  await putMonitor(w, monitorOf({ id: "web", dependsOn: ["router", "gone"] }));
});
afterEach(() => w[Symbol.asyncDispose]());

const see = async (id: string, health: Health, seconds: number) => {
  w.world.now = START + seconds;
  const views = createViewStore(w.client, w.tables.monitors);
  await views.save(id, 1, "a", viewOf(health, w.world.now), w.world.now * 1000);
  await w.lookAt(monitorKey(id));
};
const heldUnderRouter = async () => {
  const { Items = [] } = await w.client.send(
    new QueryCommand({
      TableName: w.tables.monitors,
      KeyConditionExpression: "pk = :pk AND begins_with(sk, :held)",
      ExpressionAttributeValues: { ":pk": monitorKey("router").pk, ":held": "HELD#" },
    }),
  );
  return Items;
};
const told = () => w.world.received.map(({ alert }) => `${alert.monitor.id} ${alert.event}`);

test("is held back, noted under its parent, and decided again when the parent is back", async () => {
  await see("router", "down", 100);
  await see("web", "down", 105);
  expect(told()).toEqual(["router down"]);
  expect(await heldUnderRouter()).toMatchObject([
    { sk: `${heldPrefix(iso(100))}web`, monitorId: "web", name: "Orders", at: iso(105) },
  ]);
  const before = (await w.monitors.get("web"))!;
  await see("router", "up", 200);
  const touched = (await w.monitors.get("web"))!;
  expect([touched.revision - before.revision, touched.lookBy]).toEqual([1, iso(200 + 90)]);
  // It gets the time to be checked again, and is told of then.
  await w.lookAt(monitorKey("web"));
  expect((await w.monitors.get("web"))?.nextEvaluationAt).toBe(iso(200 + 22));
  w.world.now = START + 222;
  await w.lookAt(monitorKey("web"));
  expect(told()).toEqual(["router down", "router recovered", "web down"]);
  expect(w.world.received.map(({ alert }) => alert.held)).toEqual([
    undefined,
    { count: 1, names: ["Orders"] },
    undefined,
  ]);
});

test("a change of what its service says is told when the parent is back", async () => {
  const say = async (key: string, seconds: number) => {
    const facts = { checks: 3, values: { "ssh.hostKey.ssh-ed25519": [{ value: key }] } };
    w.world.now = START + seconds;
    await createViewStore(w.client, w.tables.monitors).save(
      "web",
      1,
      "a",
      { ...viewOf("up", w.world.now), facts },
      w.world.now * 1000,
    );
    await w.lookAt(monitorKey("web"));
  };
  await say("old", 90);
  await see("router", "down", 100);
  await say("new", 105);
  expect(told()).toEqual(["router down"]);
  await see("router", "up", 200);
  w.world.now = START + 400;
  await w.lookAt(monitorKey("web"));
  expect(told()).toEqual(["router down", "router recovered", "web changed"]);
});

test("a recovery names twenty of those that were held back, and counts the others", async () => {
  for (let n = 0; n < 25; n++)
    await putMonitor(
      w,
      monitorOf({ id: `m${10 + n}`, name: `Shop ${10 + n} ${"x".repeat(100)}`, dependsOn: ["router"] }),
    );
  await see("router", "down", 100);
  for (let n = 0; n < 25; n++) await see(`m${10 + n}`, "down", 105);
  await see("router", "up", 200);
  const { alert } = w.world.received.at(-1)!;
  expect([alert.event, alert.held?.count, alert.held?.names.length]).toEqual(["recovered", 25, 20]);
  expect(alert.held?.names[0]).toBe(`Shop 10 ${"x".repeat(52)}`);
});

test("a second look at a held child writes nothing", async () => {
  await see("router", "down", 100);
  await see("web", "down", 105);
  const before = await w.item(monitorKey("web"));
  await w.lookAt(monitorKey("web"));
  expect(await w.item(monitorKey("web"))).toEqual(before);
  expect(await heldUnderRouter()).toHaveLength(1);
});

test("a monitor that was stored before there were dependencies depends on none", async () => {
  const { dependsOn: _none, ...old } = monitorOf({ id: "old" });
  await putMonitor(w, old as typeof old & { dependsOn: [] });
  await see("old", "down", 100);
  expect(told()).toEqual(["old down"]);
});
