import { expect, test } from "vitest";
import { createPacing } from "../../../shared/engine/pacing.ts";
import { TimerWheel } from "../../../shared/engine/timer-wheel.ts";

/** Starts `count` attempts at an address and tells when each began. */
function startAll(address: string, count: number, maxSockets = 900): Promise<number[]> {
  const pacing = createPacing({ wheel: new TimerWheel(), maxSockets });
  const startedAt: number[] = [];
  return new Promise((resolve) => {
    for (let i = 0; i < count; i++)
      pacing.start(address, false, () => {
        startedAt.push(performance.now());
        setTimeout(() => pacing.release(), 20);
        if (startedAt.length === count) resolve(startedAt);
      });
  });
}

test.each(["192.0.2.1", "2001:db8::1"])("at most four starts per 100 ms to %s", async (address) => {
  const startedAt = await startAll(address, 14);
  for (const [i, at] of startedAt.entries()) {
    const fourEarlier = startedAt[i - 4];
    // Two milliseconds for the turn of the event loop between the decision and the start.
    if (fourEarlier !== undefined) expect(at - fourEarlier).toBeGreaterThan(98);
  }
});

test("starts to loopback are not limited, and one starts per turn of the event loop", async () => {
  const turns: number[] = [];
  let turn = 0;
  const pacing = createPacing({ wheel: new TimerWheel(), maxSockets: 900 });
  const done = new Promise<void>((resolve) => {
    for (let i = 0; i < 20; i++)
      pacing.start("127.0.0.1", false, () => {
        turns.push(turn);
        if (turns.length === 20) resolve();
      });
  });
  const count = () => {
    turn += 1;
    if (turns.length < 20) setImmediate(count);
  };
  setImmediate(count);
  await done;
  const perTurn = Map.groupBy(turns, (at) => at);
  expect(Math.max(...[...perTurn.values()].map(({ length }) => length))).toBe(1);
});

test("an address that has to wait does not delay others", async () => {
  const pacing = createPacing({ wheel: new TimerWheel(), maxSockets: 900 });
  const order: string[] = [];
  await new Promise<void>((resolve) => {
    for (let i = 0; i < 6; i++) pacing.start("192.0.2.1", false, () => order.push("busy"));
    pacing.start("192.0.2.2", false, () => {
      order.push("free");
      resolve();
    });
  });
  expect(order).toEqual(["busy", "busy", "busy", "busy", "free"]);
});

test("with all sockets in use the next attempt waits for a release", async () => {
  const startedAt = await startAll("127.0.0.1", 6, 2);
  expect(startedAt[2]! - startedAt[0]!).toBeGreaterThan(15);
  expect(startedAt[4]! - startedAt[2]!).toBeGreaterThan(15);
});

test("sockets are closed together while others start, immediately when none starts, and are free only then", async () => {
  const pacing = createPacing({ wheel: new TimerWheel(), maxSockets: 900 });
  const order: string[] = [];
  await new Promise<void>((resolve) => {
    for (let i = 0; i < 20; i++)
      pacing.start("127.0.0.1", false, () => {
        order.push("start");
        pacing.release(() => {
          order.push("close");
          if (order.length === 40) resolve();
        });
      });
  });
  const runs = order.join(" ").match(/start( start)*|close( close)*/g)!;
  expect(runs.map((run) => run.split(" ").length)).toEqual([8, 8, 8, 8, 4, 4]);
});

test("with all sockets in use, pending closes make room for the next attempt", async () => {
  const pacing = createPacing({ wheel: new TimerWheel(), maxSockets: 2 });
  const [open, most] = [new Set<number>(), [0]];
  await new Promise<void>((resolve) => {
    for (let i = 0; i < 10; i++)
      pacing.start("127.0.0.1", false, () => {
        open.add(i);
        most.push(open.size);
        pacing.release(() => {
          open.delete(i);
          if (i === 9) resolve();
        });
      });
  });
  expect(Math.max(...most)).toBe(2);
});

test("those with priority start before all that wait", async () => {
  const pacing = createPacing({ wheel: new TimerWheel(), maxSockets: 900 });
  const order: string[] = [];
  await new Promise<void>((resolve) => {
    for (let i = 0; i < 5; i++)
      pacing.start("127.0.0.1", false, () => {
        order.push("other");
        if (order.length === 7) resolve();
      });
    for (let i = 0; i < 2; i++) pacing.start(i === 0 ? "127.0.0.1" : "192.0.2.1", true, () => order.push("first"));
  });
  expect(order).toEqual(["first", "first", "other", "other", "other", "other", "other"]);
});
