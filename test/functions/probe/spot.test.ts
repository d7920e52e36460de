import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { refusedPort, serve } from "../../support/servers.ts";
import { startProbe } from "./fixture.ts";

describe("a spot check", () => {
  let p: Awaited<ReturnType<typeof startProbe>>;
  beforeEach(async () => {
    p = await startProbe();
  });
  afterEach(() => p.stop());

  test("fills an empty view at once, and never replaces one", async () => {
    await using server = await serve(() => {});
    await p.put({ port: server.port });
    await p.spot([{ id: "m1", settingsVersion: 1 }]);
    const view = await p.view();
    expect(view?.health).toBe("up");
    expect(await p.block(0)).toBeUndefined();
    await server[Symbol.asyncDispose]();
    await p.spot([{ id: "m1", settingsVersion: 1 }]);
    await p.spot([
      { id: "m1", settingsVersion: 7 },
      { id: "nobody", settingsVersion: 1 },
    ]);
    expect(await p.view()).toEqual(view);
  });

  test("of many monitors waits with nobody's view for the slowest, and asks after each failure whether the location is offline", async () => {
    await using quick = await serve(() => {});
    await using silent = await serve(() => {});
    const { port: dead } = await refusedPort();
    const settings = { steps: [{ expect: { contains: "hello" } }] };
    await p.put({ id: "m1", port: quick.port });
    await p.put({ id: "m2", port: silent.port, settings, timeoutMs: 1500 });
    await p.put({ id: "m3", port: dead });
    const all = ["m1", "m2", "m3"].map((id) => ({ id, settingsVersion: 1 }));
    p.state.online = false;
    const spot = p.spot(all);
    while (!(await p.view("m1"))) await sleep(10);
    expect(await p.view("m2")).toBeUndefined();
    await spot;
    expect([await p.view("m2"), await p.view("m3")]).toEqual([undefined, undefined]);
    expect(p.state.asked).toBe(2);
    p.state.online = true;
    await p.spot(all);
    expect([(await p.view("m2"))?.reason, (await p.view("m3"))?.reason]).toEqual(["no-answer", "connection-refused"]);
  });
});
