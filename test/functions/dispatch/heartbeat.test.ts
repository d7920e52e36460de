import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createHeartbeat } from "../../../functions/probe/heartbeat.ts";
import { HOUR, NOW, startWatch } from "./fixture.ts";

let w: Awaited<ReturnType<typeof startWatch>>;
afterEach(() => w.stop());

describe("a heartbeat", () => {
  beforeEach(async () => {
    w = await startWatch(["a"]);
  });
  const iso = (seconds: number) => new Date(seconds * 1000).toISOString();
  const at = (seconds: number) => new Date(seconds * 1000);

  test("never moves backwards, unless the one before lies in the future", async () => {
    await w.store.beat("a", at(NOW), at(NOW));
    await w.store.beat("a", at(NOW - 60), at(NOW));
    expect(await w.store.get("a")).toMatchObject({ lastHeartbeatAt: iso(NOW), backSince: null });
    await w.store.beat("a", at(NOW + HOUR), at(NOW + HOUR)); // by a clock that is an hour ahead
    await w.store.beat("a", at(NOW + 60), at(NOW + 60));
    expect((await w.store.get("a"))?.lastHeartbeatAt).toBe(iso(NOW + 60));
  });

  test("that was asked for by a clock that is ahead counts as of now", async () => {
    await w.store.beat("a", at(NOW + HOUR), at(NOW));
    expect((await w.store.get("a"))?.lastHeartbeatAt).toBe(iso(NOW));
  });

  test("after silence says since when the location is back; one in time does not", async () => {
    await w.store.beat("a", at(NOW), at(NOW));
    await w.store.beat("a", at(NOW + 180), at(NOW + 180));
    expect((await w.store.get("a"))?.backSince).toBeNull();
    await w.store.beat("a", at(NOW + 361), at(NOW + 365));
    await w.store.beat("a", at(NOW + 420), at(NOW + 421));
    expect(await w.store.get("a")).toMatchObject({ backSince: iso(NOW + 361), lastHeartbeatAt: iso(NOW + 420) });
  });

  test("puts right since when the location is back, where a clock that was ahead had said so", async () => {
    await w.store.beat("a", at(NOW - HOUR), at(NOW - HOUR));
    await w.store.beat("a", at(NOW + HOUR), at(NOW + HOUR));
    expect(await w.store.get("a")).toMatchObject({ backSince: iso(NOW + HOUR) });
    await w.store.beat("a", at(NOW), at(NOW));
    expect(await w.store.get("a")).toMatchObject({ backSince: iso(NOW), lastHeartbeatAt: iso(NOW) });
  });

  test("ends being offline when control targets answer, and the location is back since that moment", async () => {
    let online = false;
    let now = NOW;
    const heartbeat = createHeartbeat({
      location: "a",
      locations: w.store,
      control: async () => (online ? "online" : "offline"),
      now: () => now * 1000,
    });
    await w.store.setOffline("a", iso(NOW - 5));
    await heartbeat(NOW);
    expect(await w.store.get("a")).toMatchObject({ offlineSince: iso(NOW - 5), backSince: null });
    [online, now] = [true, NOW + 63];
    await heartbeat(NOW + 60);
    expect(await w.store.get("a")).toMatchObject({
      offlineSince: null,
      backSince: iso(NOW + 63),
      lastHeartbeatAt: iso(NOW + 60),
    });
  });

  test("is asked for anew after a standstill, and after a clock that was ahead", async () => {
    const asked = async () => (await w.store.get("a"))?.askingSince;
    await w.store.ask("a", at(NOW), 180);
    await w.store.ask("a", at(NOW + 60), 180);
    expect(await asked()).toBe(iso(NOW));
    await w.store.ask("a", at(NOW + HOUR), 180);
    expect(await asked()).toBe(iso(NOW + HOUR));
    await w.store.ask("a", at(NOW + 120), 180);
    expect(await asked()).toBe(iso(NOW + 120));
  });
});
