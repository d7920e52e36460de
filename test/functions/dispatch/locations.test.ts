import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { monitorKey } from "../../../shared/store/keys.ts";
import { MINUTE, startWatch } from "./fixture.ts";

let w: Awaited<ReturnType<typeof startWatch>>;
afterEach(() => w.stop());

describe("a location's news", () => {
  beforeEach(async () => {
    w = await startWatch(["a", "b"]);
    await w.shards.place(10, ["a", "b"]);
    await w.put("ma", "a");
    await w.put("mb", "b");
  });

  const silence = async () => {
    await w.watch();
    await w.beat("a", "b");
    await w.watch();
    for (let minute = 0; minute < 4; minute++) {
      w.pass(MINUTE);
      await w.beat("b");
      await w.watch();
    }
  };

  test("is its return also where heartbeats of the silence waited in a queue, and are worked off in order", async () => {
    await silence();
    const at = (secondsAgo: number) => new Date(w.clock().getTime() - secondsAgo * 1000);
    for (const ago of [240, 180, 120, 60, 0]) await w.store.beat("a", at(ago), w.clock());
    const [a, b] = await w.store.all();
    expect(Date.parse(a!.backSince ?? "")).toBeGreaterThan(at(240).getTime());
    expect(b!.backSince).toBeNull();
  });

  test("of silence and return is told once each, and its monitors are decided again", async () => {
    await silence();
    await w.goOn();
    expect(await w.told("a")).toEqual(["Location a: silent"]);
    expect(await w.told("b")).toEqual([]);
    expect([await w.revision("ma"), await w.revision("mb")]).toEqual([2, 1]);
    expect(await w.item(monitorKey("ma"))).toHaveProperty("lookBy");
    await w.beat("a");
    await w.watch();
    await w.goOn();
    await w.goOn();
    // What was not delivered yet stands beside it, in the order in which it was said.
    const said = (await w.outbox("a")).toSorted((x, y) => x.sequence! - y.sequence!);
    expect(said.map(({ content }) => (content.kind === "system" ? content.subject : ""))).toEqual([
      "Location a: silent",
      "Location a: working",
    ]);
    expect(said.map(({ content }) => content)).toMatchObject([
      { event: "system.location-silent", about: "location.a" },
      { event: "system.location-working", about: "location.a" },
    ]);
    expect(await w.revision("ma")).toBe(3);
    await w.store.setOffline("a", w.clock().toISOString());
    await w.watch();
    expect(await w.told("a")).toContain("Location a: offline");
  });

  test("is told first, however many monitors it has and whatever becomes of them", async () => {
    w.refused.update = (body) => body.includes("MONITOR#ma");
    await silence();
    expect(await w.told("a")).toEqual(["Location a: silent"]);
    await expect(w.goOn()).rejects.toThrow("injected fault");
    expect((await w.store.state("a")).toNudge).toEqual(["10#0"]);
    w.refused.update = () => false;
    await w.goOn();
    expect(await w.revision("ma")).toBe(2);
    expect((await w.store.state("a")).toNudge).toEqual([]);
  });

  test("goes on in the next run where the time of this one ended", async () => {
    await w.shards.place(20, ["a"]);
    await w.put("mc", "a", { shard: "20#0" });
    await silence();
    let left = 2;
    await w.goOn(() => left-- > 0);
    expect((await w.store.state("a")).toNudge).toEqual(["20#0"]);
    expect(await w.revision("ma")).toBe(2);
    await w.goOn();
    expect((await w.store.state("a")).toNudge).toEqual([]);
    expect([await w.revision("ma"), await w.revision("mc")]).toEqual([2, 2]);
  });

  test("that comes while its monitors are brought up has them brought up again", async () => {
    await silence();
    const before = await w.store.state("a");
    await w.store.announce(await w.store.state("a"), { condition: "working", toNudge: ["10#0"] }, w.clock());
    expect(await w.store.nudged(before, "10#0")).toBe(false);
    expect((await w.store.state("a")).toNudge).toEqual(["10#0"]);
  });

  test("says once, after six minutes, how many monitors cannot be judged because of it", async () => {
    for (let n = 0; n < 6; n++) {
      await w.put(`x${n}`, "a");
      await w.judge(`x${n}`, "unknown");
    }
    await w.put("other", "b");
    await w.judge("other", "unknown");
    await silence();
    await w.goOn();
    w.pass(5 * MINUTE);
    await w.goOn();
    expect(await w.told("a")).toEqual(["Location a: silent"]);
    w.pass(MINUTE);
    await w.goOn();
    await w.goOn();
    expect((await w.told("a")).toSorted()).toEqual([
      "Location a: monitors that cannot be judged: 6",
      "Location a: silent",
    ]);
    const { content } = (await w.outbox("a")).find((entry) => JSON.stringify(entry).includes("judged"))!;
    expect(content).toMatchObject({ event: "system.monitors-unjudged", about: "location.a" });
    expect(content).toMatchObject({ message: expect.stringContaining("(x0, x1, x2, x3, x4, …). It is silent") });
  });

  test("says nothing of monitors where all can be judged", async () => {
    await silence();
    await w.goOn();
    w.pass(6 * MINUTE);
    await w.goOn();
    expect(await w.told("a")).toEqual(["Location a: silent"]);
  });

  test("that it is configured no more is told as long as monitors name it, and that it is back", async () => {
    await w.beat("a", "b", "c");
    await w.watchWith(["a", "b", "c"]);
    await w.watchWith(["a"]);
    expect((await w.outbox("b")).map(({ content }) => content)).toMatchObject([
      {
        subject: "Location b: removed",
        message: expect.stringMatching(/not configured any more. Monitors that still name it.*: 1\./),
      },
    ]);
    expect(await w.told("c")).toEqual([]);
    await w.watchWith(["a"]);
    expect((await w.store.state("b")).condition).toBe("removed");
    await w.watchWith(["a", "b"]);
    expect(await w.told("b")).toContain("Location b: working");
  });
});
