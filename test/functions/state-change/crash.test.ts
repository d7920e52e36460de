import { describe, expect, test } from "vitest";
import { LEAVING_SECONDS } from "../../../shared/rules/decide.ts";
import { leftKey, monitorKey } from "../../../shared/store/keys.ts";
import { monitorOf, putMonitor } from "../../support/monitors.ts";
import { iso, START, startWorld } from "./fixture.ts";

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
    // A stretch that the history did not take is delivered again after a pause.
    [95, async () => {}],
  ];

  test("at any write, before or after it: nothing is lost, and nothing is told twice", async () => {
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
          const isDone = await w.decideOn(monitorKey(w.world.id));
          const item = await w.item();
          isQuiet = isDone && item?.revision === revision;
          revision = item?.revision;
        }
        armed = false;
        await w.deliver();
      }
      return {
        received: w.world.received.map(({ alert }) => alert),
        monitor: await w.item(),
        incidents: await w.incidents(),
        stretches: (await w.stretches.within(w.world.id, START, START + 999)).map(({ status }) => status),
      };
    };
    const statuses = ["pending", "down", "up", "degraded", "pending", "down", "paused", "deleted"];
    const events = ["down", "recovered", "degraded", "closed", "down", "closed"];
    await live(0);
    const all = writes;
    expect(all).toBeGreaterThan(15);
    // Every second write: the simulator kills at any. Before a write the table is as it was after the one before, whose reply was
    // lost: some of these are enough.
    for (fault of ["fail-after", "fail-before"] as const)
      for (let n = 1; n <= all; n += fault === "fail-after" ? 2 : 9) {
        const { received, monitor, incidents, stretches } = await live(n);
        const where = `${fault} at write ${n}`;
        expect(
          received.map(({ event }) => event),
          where,
        ).toEqual(events);
        expect(monitor, where).toBeUndefined();
        expect(stretches, where).toEqual(statuses);
        const ends = incidents.map(({ endReason, attentionKey }) => [endReason, attentionKey]);
        expect(ends, where).toEqual(["recovered", "changed", "paused"].map((reason) => [reason, undefined]));
      }
  }, 240_000);

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
        w.world.isMailDown = true;
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
        w.world.isMailDown = false;
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
  w.world.isMailDown = true;
  await w.see("down", 0);
  await w.look();
  await w.delete();
  await w.look();
  await w.look();
  w.world.now += LEAVING_SECONDS + 120;
  w.world.isMailDown = false;
  nudge = () => w.due.nudge(monitorKey("m1"), w.world.now * 1000);
  await w.look();
  expect(await nudged).toBe(true);
  expect(await w.monitor()).toBeUndefined();
  for (let look = 0; look < 4; look++) await w.lookAt(leftKey("m1", iso(0)));
  expect(w.events()).toEqual(["down", "closed"]);
});
