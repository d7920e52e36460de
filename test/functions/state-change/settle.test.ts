import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Receiver } from "../../../shared/receiver.ts";
import { pending } from "../../../shared/rules/outbox.ts";
import { monitorKey } from "../../../shared/store/keys.ts";
import { alertsOf, monitorOf, putMonitor } from "../../support/monitors.ts";
import { iso, startWorld } from "./fixture.ts";

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
    await putMonitor(w, monitorOf({ alerts: alertsOf({ afterSeconds: 100 }), pendingAlerts: { a: entry(1) } }));
    const read = (await w.decisions.outbox(monitorKey("m1")))!;
    await w.see("down", 0); // decided while a receiver takes its time
    w.world.isMailDown = true;
    await w.look();
    const before = await w.item();
    expect(before?.nextEvaluationAt).toBeDefined();
    await w.decisions.settle(monitorKey("m1"), read, [gone("a", 1)], null);
    expect(await w.item()).toMatchObject({
      nextEvaluationAt: before?.nextEvaluationAt,
      dueBucket: before?.dueBucket,
    });
  });

  test("removes the entry that was delivered, not another one that took its place", async () => {
    await putMonitor(w, monitorOf({ pendingAlerts: { a: entry(1), b: entry(2) } }));
    const read = (await w.decisions.outbox(monitorKey("m1")))!;
    await putMonitor(w, monitorOf({ pendingAlerts: { a: entry(300), b: entry(2), c: entry(4) } }));
    await w.decisions.settle(monitorKey("m1"), read, [gone("a", 1), gone("b", 2)], null);
    expect(Object.keys(await pendingNow()).toSorted()).toEqual(["a", "c"]);
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
      null,
    );
    expect((await pendingNow()).a.deliveries).toEqual({ "email:x": next });
  });

  test("of a monitor that is gone creates nothing", async () => {
    const item = { revision: 1, pendingAlerts: { a: entry(1) }, nextEvaluationAt: null, lookBy: null };
    await w.decisions.settle(monitorKey("m1"), item, [gone("a", 1)], null);
    expect(await w.item()).toBeUndefined();
  });
});
