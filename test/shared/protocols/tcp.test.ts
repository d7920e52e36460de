import { expect, test } from "vitest";
import { check } from "../../support/check.ts";
import { refusedPort, serve } from "../../support/servers.ts";

test("open when the connection is accepted", async () => {
  await using server = await serve(() => {});
  const outcome = await check({ protocol: "tcp", ...server });
  expect(outcome).toMatchObject({ state: "open", health: "up", reason: null, address: "127.0.0.1", attempts: 1 });
  expect(outcome.timings.connectMs).toBeGreaterThan(0);
});

test("closed when nothing listens", async () => {
  expect(await check({ protocol: "tcp", ...(await refusedPort()) })).toMatchObject({
    state: "closed",
    health: "down",
    reason: "connection-refused",
  });
});
