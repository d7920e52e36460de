import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { viewOf } from "../../support/monitors.ts";
import { serve } from "../../support/servers.ts";
import { SHARD, startProbe, startTarget } from "./fixture.ts";

describe("a view that turns down", () => {
  test("is stored as its outcome comes, before a slow neighbour's; after a gap all wait to the end", async () => {
    await using p = await startProbe();
    await using target = await startTarget();
    const held = new Set<Socket>();
    let isHeld = false;
    await using slow = await serve((socket) => {
      if (isHeld) held.add(socket);
      else socket.write("hello");
    });
    await p.put({ id: "m1", port: target.port });
    const settings = { steps: [{ expect: { contains: "hello" } }] };
    await p.put({ id: "m2", port: slow.port, settings, timeoutMs: 7_000 });
    await p.tick(0);
    /** What the view says while the neighbour has not answered, and after the tick. */
    const whileHeld = async (n: number, isAwaited: (health: string | undefined) => boolean) => {
      isHeld = true;
      const running = p.tick(n);
      const until = performance.now() + 3_000;
      let health = (await p.view())?.health;
      while (!isAwaited(health) && performance.now() < until) {
        await sleep(10);
        health = (await p.view())?.health;
      }
      isHeld = false;
      for (const socket of held) socket.write("hello");
      held.clear();
      await running;
      return [health, (await p.view())?.health];
    };
    await target.set(false);
    expect(await whileHeld(1, (health) => health === "down")).toEqual(["down", "down"]);
    await target.set(true);
    const startedAt = performance.now();
    expect(await whileHeld(3, () => performance.now() - startedAt > 500)).toEqual(["down", "up"]);
  });

  test("waits for control targets, asked at the first failure and after the last attempt", async () => {
    await using p = await startProbe();
    await using target = await startTarget();
    await p.put({ port: target.port, retries: { count: 1, delayMs: 300 } });
    await p.tick(0);
    expect(p.state.asked).toBe(0);
    await target.set(false);
    // The network is away for a moment, and back before the check ends.
    p.state.answers = ["offline"];
    expect(await p.tick(1)).toMatchObject({ offline: true });
    expect(p.state.asked).toBeGreaterThanOrEqual(1);
    expect((await p.view())?.health).toBe("up");
    expect(await p.block(1)).toMatchObject({ offline: true, entries: [{ view: "up", bits: 1, bitCount: 1 }] });
    // And the other way round: it goes away between the first attempt and the last.
    p.state.answers = ["online", "online", "offline"];
    expect(await p.tick(2)).toMatchObject({ offline: true });
    expect((await p.view())?.health).toBe("up");
    expect(await p.tick(3)).toMatchObject({ offline: false });
    expect((await p.view())?.health).toBe("down");
  });

  test("counts no checks that were lost to our own network", async () => {
    await using p = await startProbe();
    await using target = await startTarget();
    await p.put({ port: target.port, failureThreshold: 3 });
    await p.tick(0);
    await target.set(false);
    const seen = [];
    for (let n = 1; n <= 6; n++) {
      p.state.online = n > 3;
      await p.tick(n);
      seen.push((await p.view())?.health);
    }
    expect(seen).toEqual(["up", "up", "up", "up", "up", "down"]);
  });

  test("is refused for a monitor that was paused or deleted meanwhile", async () => {
    await using p = await startProbe();
    const save = (id: string) => p.views.save(id, 1, "a", viewOf("down", p.at(0)), p.now());
    await p.put({ id: "here" });
    await p.put({ id: "paused", paused: true });
    await p.put({ id: "deleted", deletedAt: "2026-11-23T10:00:00.000Z" });
    expect(await Promise.all(["here", "paused", "deleted", "gone"].map(save))).toEqual([true, false, false, false]);
  });

  test("degraded takes its threshold too", async () => {
    await using p = await startProbe();
    await using target = await startTarget();
    await p.put({ port: target.port, failureThreshold: 3 });
    await p.tick(0);
    await p.put({ port: target.port, failureThreshold: 3, degradedAboveMs: 0, views: { a: (await p.view())! } });
    await p.shards.settingsChanged(SHARD, ["a"]);
    const seen = [];
    for (const n of [1, 2, 3]) {
      await p.tick(n);
      seen.push((await p.view())?.health);
    }
    expect(seen).toEqual(["up", "up", "degraded"]);
  });

  test.each([
    ["its own limit", { a: 0 }, "degraded"],
    ["another location's limit", { b: 0 }, "up"],
  ])("a location judges latency by %s", async (_, degradedAboveMsByLocation, health) => {
    await using p = await startProbe();
    await using target = await startTarget();
    await p.put({ port: target.port, degradedAboveMs: 1_000, degradedAboveMsByLocation });
    await p.tick(0);
    expect((await p.view())?.health).toBe(health);
    await p.put({ id: "m2", port: target.port, degradedAboveMs: 1_000, degradedAboveMsByLocation });
    await p.spot([{ id: "m2", settingsVersion: 1 }]);
    expect((await p.view("m2"))?.health).toBe(health);
  });
});
