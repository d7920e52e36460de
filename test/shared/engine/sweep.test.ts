import { createServer } from "node:net";
import { expect, test } from "vitest";
import { type SweptState, sweep } from "../../../shared/engine/sweep.ts";

const HOST = "127.77.0.7";

const run = async (ports: readonly number[], perSecond = 1_000, startUntilMs = Date.now() + 30_000) => {
  const states = new Map<number, SweptState>();
  const startedAt = performance.now();
  await sweep(
    ports.map((port) => ({ address: HOST, port })),
    { perSecond, startUntilMs, found: ({ port }, state) => states.set(port, state) },
  );
  return { states, tookMs: performance.now() - startedAt };
};
const range = (first: number, count: number) => Array.from({ length: count }, (_, at) => first + at);

test("finds the open port among closed ones, and answers for each once", async () => {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(2_450, HOST, resolve));
  const { states } = await run(range(2_400, 100));
  server.close();
  expect(states.size).toBe(100);
  expect([...states].filter(([, state]) => state !== "closed")).toEqual([[2_450, "open"]]);
});

test("keeps to its rate", async () => {
  const { tookMs } = await run(range(2_400, 100), 100);
  expect(tookMs).toBeGreaterThan(900);
});

test("what has no time left is unmeasured", async () => {
  const { states } = await run(range(2_400, 50), 1_000, Date.now() - 1);
  expect([...states.values()]).toEqual(Array(50).fill("unmeasured"));
});

test("ends where there is nothing to do", async () => {
  expect((await run([])).states.size).toBe(0);
});
