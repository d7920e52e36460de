/** That what keeps late writes out lets this tick's own in. */
import { expect, test } from "vitest";
import { startProbe, startTarget } from "./fixture.ts";

test("a block that is stored after the next tick put up its fences does not cost that tick its views", async () => {
  await using p = await startProbe();
  await using first = await startTarget();
  await using second = await startTarget();
  await p.put({ id: "m1", port: first.port });
  await p.put({ id: "m2", port: second.port });
  await p.tick(0);
  await first.set(false);
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  const { promise: arrived, resolve: arrive } = Promise.withResolvers<void>();
  const slow = p.startProcess(async (operation, input) => {
    if (
      operation !== "Put" ||
      !(input.Item as { data?: unknown }).data ||
      !String((input.Item as { pk: string }).pk).startsWith("SHARD#")
    )
      return;
    arrive();
    await released;
  });
  const one = p.tick(1, 0.5, slow);
  await arrived;
  await second.set(false);
  let reads = 0;
  const next = p.startProcess(async (operation, input) => {
    // The second look at the tick before, once its outcomes are there.
    if (operation !== "Query" || input.Limit !== 1 || ++reads !== 2) return;
    release();
    await one;
  });
  await p.tick(2, 0.5, next);
  expect((await p.block(2))?.entries.map(({ view }) => view)).toEqual(["down", "down"]);
  expect((await p.view("m2"))?.health).toBe("down");
});

test("a fence that could not be put up costs no other monitor its view", async () => {
  await using p = await startProbe();
  await using first = await startTarget();
  await using second = await startTarget();
  await p.put({ id: "m1", port: first.port });
  await p.put({ id: "m2", port: second.port });
  await p.tick(0);
  await first.set(false);
  const dies = p.startProcess((operation, input) => {
    if (operation === "Put" && (input.Item as { data?: unknown }).data) throw new Error("killed");
  });
  await p.tick(1, 0.5, dies).catch(() => {});
  await second.set(false);
  const isRefused = (input: Record<string, unknown>) =>
    String(input.UpdateExpression).startsWith("SET #beliefs.#location.tick") &&
    (input.Key as { pk: string }).pk.endsWith("m1");
  const refused = p.startProcess((operation, input) => {
    if (operation === "Update" && isRefused(input)) throw new Error("throttled");
  });
  await expect(p.tick(2, 0.5, refused)).rejects.toThrow("throttled");
  expect((await p.view("m2"))?.health).toBe("down");
});

test("a fence that a clock which was ahead put up is no obstacle once the clock is right", async () => {
  await using p = await startProbe();
  await using target = await startTarget();
  await p.put({ port: target.port });
  await p.tick(0);
  await p.views.fence(["m1"], "a", p.at(360));
  await target.set(false);
  for (const n of [1, 2]) await p.tick(n);
  expect((await p.view())?.health).toBe("down");
});
