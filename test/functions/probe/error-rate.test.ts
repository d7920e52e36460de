/** A target that fails often, but never often enough in a row to be down. */
import { expect, test } from "vitest";
import { startProbe, startTarget } from "./fixture.ts";

/** Every third check fails, then none. */
const isGood = (n: number) => n > 40 || n % 3 !== 0;

test("is degraded while more of its last checks fail than its limit, and up again below half of that", async () => {
  await using p = await startProbe();
  await using target = await startTarget();
  await p.put({
    port: target.port,
    failureThreshold: 2,
    recoveryThreshold: 2,
    errorRate: { percentAbove: 20 },
    retries: { count: 2, delayMs: 0 },
  });
  const seen: string[] = [];
  for (let n = 1; n <= 75; n++) {
    await target.set(isGood(n));
    await p.tick(n);
    const view = await p.view();
    const now = `${view?.health} ${view?.reason}`;
    if (view && seen.at(-1) !== now) seen.push(now);
    if (n === 40) expect(view?.message).toMatch(/^3 of the last 10 checks failed \(30 %\), at most 20 % may$/);
  }
  expect(seen).toEqual(["up null", "degraded failures-frequent", "up null"]);
});
