import { expect, test } from "vitest";
import { createHandshakes } from "../../../shared/engine/handshakes.ts";
import { createEngine } from "../../../shared/engine/run.ts";
import type { StallWatch } from "../../../shared/engine/stalls.ts";
import { TimerWheel } from "../../../shared/engine/timer-wheel.ts";
import { protocols } from "../../../shared/protocols/index.ts";
import { checkSettings } from "../../support/check.ts";
import { serve } from "../../support/servers.ts";

interface Run {
  readonly count: number;
  /** How long each takes. */
  readonly tookMs: number;
  /** Until all have to have begun. */
  readonly withinMs?: number;
  readonly stalls?: Partial<StallWatch>;
}

/** Starts so many at once. @returns how many were in flight when each began, and when that was */
async function runAll({ count, tookMs, withinMs = 60_000, stalls = {} }: Run) {
  const watch = { lateSince: () => 0, spoils: () => false, start: () => {}, stop: () => {}, ...stalls };
  const handshakes = createHandshakes({ wheel: new TimerWheel(), stalls: watch });
  const startedAt: number[] = [];
  const inFlight: number[] = [];
  const beganAt = performance.now();
  let running = 0;
  await new Promise<void>((resolve) => {
    for (let i = 0; i < count; i++)
      handshakes.start(beganAt + withinMs, false, (over) => {
        inFlight.push(++running);
        startedAt.push(performance.now() - beganAt);
        setTimeout(() => {
          running -= 1;
          over();
        }, tookMs);
        if (startedAt.length === count) resolve();
      });
  });
  return { startedAt, most: Math.max(...inFlight) };
}

test("without stalls more run at once, at most eight", async () => {
  const { most, startedAt } = await runAll({ count: 80, tookMs: 5 });
  expect(most).toBeGreaterThan(4);
  expect(most).toBeLessThanOrEqual(8);
  expect(startedAt.at(-1)).toBeLessThan(500);
});

test("after stalls they run one at a time, with a pause", async () => {
  const { most, startedAt } = await runAll({ count: 12, tookMs: 5, stalls: { lateSince: () => 18 } });
  expect(most).toBeLessThanOrEqual(2);
  const gaps = startedAt.slice(4).map((at, i) => at - startedAt[i + 3]!);
  expect(Math.min(...gaps)).toBeGreaterThan(25);
});

test("silent peers delay others for at most a tenth of a second", async () => {
  const { startedAt } = await runAll({ count: 10, tookMs: 5_000 });
  expect(startedAt.at(-1)).toBeGreaterThan(100);
  expect(startedAt.at(-1)).toBeLessThan(800);
});

test("none waits beyond its deadline", async () => {
  const { startedAt } = await runAll({ count: 50, tookMs: 5_000, withinMs: 300, stalls: { lateSince: () => 18 } });
  expect(startedAt.at(-1)).toBeLessThan(450);
});

test("those with priority start before all that wait", async () => {
  const stalls = { lateSince: () => 0, spoils: () => false, start: () => {}, stop: () => {} };
  const handshakes = createHandshakes({ wheel: new TimerWheel(), stalls });
  const order: string[] = [];
  await new Promise<void>((resolve) => {
    for (const [name, first] of [
      ["other", false],
      ["other", false],
      ["first", true],
    ] as const)
      handshakes.start(performance.now() + 1000, first, (over) => {
        order.push(name);
        setTimeout(over, 5);
        if (order.length === 3) resolve();
      });
  });
  expect(order).toEqual(["first", "other", "other"]);
});

test.each([
  ["TLS from the first byte on", "tcp", { tls: { verify: false } }],
  ["STARTTLS", "smtp", { starttls: "if-offered" }],
])("%s: of thirty checks due together not all run at once", async (_how, protocol, settings) => {
  let [running, most] = [0, 0];
  await using server = await serve((socket) => {
    most = Math.max(most, ++running);
    setTimeout(() => {
      running -= 1;
      socket.destroy();
    }, 30);
  });
  const engine = createEngine({ location: { kind: "local", families: ["ipv4"] }, protocols });
  const check = checkSettings({ protocol, ...server, settings }, 2000);
  const requests = Array.from({ length: 30 }, (_, i) => ({ id: String(i), check, retry: false }));
  const { outcomes, late } = await engine.runBatch(requests, { deadlineAtMs: Date.now() + 30_000 });
  expect([outcomes.size, late.length]).toEqual([30, 0]);
  // The server's end of one may be seen after the next has begun.
  expect(most).toBeLessThanOrEqual(10);
});
