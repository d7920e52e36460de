import { describe, expect, test } from "vitest";
import { viewOf } from "../../support/monitors.ts";
import { serve } from "../../support/servers.ts";
import { SHARD, startProbe, startTarget } from "./fixture.ts";

describe("what a location believes of its monitors", () => {
  test("survives the death of a run at any request: the tick after is right, whatever the target has become", async () => {
    const live = async (n: number, isOpenLater: boolean) => {
      await using p = await startProbe();
      await using target = await startTarget();
      await p.put({ port: target.port });
      await p.tick(0);
      await target.set(false);
      let requests = 0;
      const dies = () => {
        if (++requests >= n) throw new Error("killed");
      };
      await p.tick(1, 0.5, p.startProcess(dies)).catch(() => {});
      await target.set(isOpenLater);
      // The job comes again while the claim of the dead run stands, then the next tick does.
      await p.tick(1, 2, p.startProcess());
      await p.tick(2, 0.5, p.startProcess());
      expect((await p.view())?.health, `killed at request ${n}`).toBe(isOpenLater ? "up" : "down");
      expect((await p.block(2))?.entries[0]?.view).toBe(isOpenLater ? "up" : "down");
      return requests;
    };
    const requests = await live(999, true);
    expect(requests).toBeGreaterThanOrEqual(8);
    for (let n = 1; n <= requests; n++) for (const isOpenLater of [true, false]) await live(n, isOpenLater);
  }, 120_000);

  test("is written by one of two runs of a tick, however they interleave", async () => {
    /** B stops before its n-th request while A runs to its end. @returns whether B came so far */
    const race = async (n: number, isOkOfA: boolean) => {
      await using p = await startProbe();
      let isA = true;
      // Whoever asks is told what the test wants this run to see.
      const says = { a: isOkOfA, b: !isOkOfA };
      await using server = await serve((socket) => socket.end((isA ? says.a : says.b) ? "hello" : "other"));
      await p.put({ port: server.port, settings: { steps: [{ expect: { contains: "hello" } }] } });
      says.a = true;
      await p.tick(0);
      says.a = isOkOfA;
      const { promise: resumed, resolve: resume } = Promise.withResolvers<void>();
      const { promise: stopped, resolve: stop } = Promise.withResolvers<void>();
      let requests = 0;
      const b = p.startProcess(async () => {
        if (++requests !== n) return;
        isA = true;
        stop();
        await resumed;
        isA = false;
      });
      isA = false;
      const ofB = p.tick(1, 0.5, b);
      const hasEnded = await Promise.race([stopped.then(() => false), ofB.then(() => true)]);
      isA = true;
      const ofA = await p.tick(1, 1, p.startProcess());
      isA = false;
      resume();
      const results = [ofA.result, (await ofB).result];
      const where = `B stopped at request ${n}, A saw ${isOkOfA ? "up" : "down"}`;
      expect(results.toSorted(), where).toEqual(["checked", "done"]);
      const [entry] = (await p.block(1))!.entries;
      const owner = results[0] === "checked" ? isOkOfA : !isOkOfA;
      expect([(await p.view())?.health, entry?.view, entry?.health], where).toEqual(
        Array(3).fill(owner ? "up" : "down"),
      );
      return !hasEnded;
    };
    for (const isOkOfA of [true, false]) for (let n = 1; await race(n, isOkOfA); n++);
  }, 120_000);

  test("is read from the table while a write may be under way, and after a gap; else the block will do", async () => {
    await using p = await startProbe();
    await using target = await startTarget();
    await p.put({ port: target.port });
    const seen: [doubt: number | undefined, reads: number][] = [];
    const run = async (n: number) => {
      p.usage.reset();
      await p.tick(n);
      const reads = p.usage.rows().filter(({ operation }) => operation === "BatchGetItem");
      seen.push([(await p.block(n))?.entries[0]?.doubt, reads.length]);
    };
    for (let n = 0; n <= 14; n++) await run(n);
    expect(seen).toEqual([...Array.from({ length: 13 }, (_, n) => [12 - n, 1]), [0, 0], [0, 0]]);
    await run(16);
    expect(seen.at(-1)).toEqual([12, 1]);
  });

  test("is put right as members are read anew where the block is wrong and nothing tells of it", async () => {
    await using p = await startProbe({ lane: 600 });
    await using target = await startTarget();
    await p.put({ port: target.port });
    for (const n of [0, 1, 2]) await p.tick(n);
    expect((await p.block(2))?.entries[0]).toMatchObject({ view: "up", doubt: 0 });
    await p.setView(viewOf("down", p.at(2)));
    const reads: number[] = [];
    for (let n = 3; n < 9; n++) {
      p.usage.reset();
      await p.tick(n);
      if (p.usage.rows().some(({ operation }) => operation === "BatchGetItem")) reads.push(n);
    }
    expect(await p.view()).toMatchObject({ health: "up" });
    expect((await p.block(8))?.entries[0]?.view).toBe("up");
    expect(reads.length).toBeLessThanOrEqual(2); // the contradiction, and the doubt that it raised
  });

  test("begins anew with a monitor that was made again by the same key", async () => {
    await using p = await startProbe();
    await using target = await startTarget();
    await p.put({ port: target.port });
    for (const n of [0, 1]) await p.tick(n);
    await target.set(false);
    await p.put({
      port: target.port,
      settingsVersion: 257,
      settingsChangedAt: new Date(p.at(1) * 1000 + 4_000).toISOString(),
    });
    await p.shards.settingsChanged(SHARD, ["a"]);
    await p.tick(2);
    expect((await p.block(2))?.entries[0]).toMatchObject({ bitCount: 1, view: "down" });
    expect((await p.view())?.health).toBe("down");
  });
});
