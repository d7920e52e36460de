import { describe, expect, test } from "vitest";
import { startProbe, startTarget } from "./fixture.ts";

describe("a clock", () => {
  test("an early job waits for its tick, one before a clock that was set back runs at once, one of another hour never", async () => {
    await using p = await startProbe();
    await using target = await startTarget();
    await p.put({ port: target.port });
    expect((await p.tick(0, -151)).result).toBe("late");
    expect(await p.view()).toBeUndefined();
    expect((await p.tick(0, -15)).result).toBe("checked");
    expect(p.state.slept).toBeGreaterThan(14_000);
    const { slept } = p.state;
    expect((await p.tick(1, -50)).result).toBe("checked");
    expect(p.state.slept).toBe(slept);
  });

  test("that was an hour ahead leaves neither views nor blocks that stand in the way", async () => {
    await using p = await startProbe();
    await using target = await startTarget();
    await p.put({ port: target.port });
    await p.tick(0);
    await target.set(false);
    for (let n = 360; n <= 372; n++) await p.tick(n);
    expect(await p.view()).toMatchObject({ health: "down", tick: p.at(360) });
    await target.set(true); // and the clock is right again
    expect((await p.tick(1)).result).toBe("checked");
    expect(await p.view()).toMatchObject({ health: "up", tick: p.at(1) });
    await target.set(false);
    await p.tick(359);
    expect(await p.tick(360)).toMatchObject({ result: "checked" });
    expect((await p.block(360))?.entries[0]?.bitCount).toBeLessThan(10);
    await p.tick(361);
    expect(await p.view()).toMatchObject({ health: "down" });
  });
});
