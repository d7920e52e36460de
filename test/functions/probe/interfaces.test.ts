/** A switch followed from tick to tick: what its counters mean, what is stored of them, and what a cold start remembers. */
import { expect, test } from "vitest";
import { DEFAULT_RETENTION } from "../../../shared/history/retention.ts";
import { createCounterStore, targetOf } from "../../../shared/store/counters.ts";
import { Switch } from "../../support/switch.ts";
import { startProbe } from "./fixture.ts";

/** A probe of a lane of 60 s that polls a switch. */
async function follow(device: Switch, settings: object = {}) {
  const p = await startProbe({ lane: 60 });
  const server = await device.serve();
  const { port } = server;
  await p.put({
    protocol: "interfaces",
    port,
    settings: { community: "harbor", ...settings },
    timeoutMs: 2_000,
    retries: { count: 1, delayMs: 10 },
  });
  const counters = createCounterStore(p.client, p.tables.history, {
    history: p.history,
    retention: DEFAULT_RETENTION,
    now: p.now,
    unreadable: (error) => expect.unreachable(error.message),
  });
  let n = 0;
  return {
    p,
    server,
    counters,
    device: { id: "m1", location: "a", target: targetOf({ host: "127.0.0.1", port }) },
    /** Lets a minute pass at the switch, and runs the next tick. */
    minute: async (traffic?: Parameters<Switch["pass"]>[1], run?: Parameters<typeof p.tick>[2]) => {
      if (n > 0) device.pass(60, traffic);
      const report = await p.tick(n++, 0.5, run);
      expect(report.crashes).toEqual([]);
      return report.outcomes.get("m1")!;
    },
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]();
      await p[Symbol.asyncDispose]();
    },
  };
}

test("each check leaves its counters, in one item of two write units for 48 ports", async () => {
  const device = new Switch(48);
  await using f = await follow(device);
  const sizes: number[] = [];
  const run = f.p.startProcess((operation, { Item }) => {
    const { pk, data } = (Item ?? {}) as { pk?: string; data?: Uint8Array };
    if (operation === "Put" && pk?.startsWith("COUNTERS#")) sizes.push(data!.length);
  });
  for (let n = 0; n < 3; n++) {
    for (const port of device.ports) {
      port.inOctets += BigInt(Math.floor(Math.random() * 1e9));
      port.outOctets += BigInt(Math.floor(Math.random() * 1e9));
      port.inPackets += BigInt(Math.floor(Math.random() * 1e6));
      port.outPackets += BigInt(Math.floor(Math.random() * 1e6));
    }
    expect(await f.minute(undefined, run)).toMatchObject({ health: "up", reason: null });
  }
  const polls = await Array.fromAsync(f.counters.polls(f.device, f.p.at(0), f.p.at(3)));
  expect(polls.map(({ interfaces }) => interfaces.length)).toEqual([48, 48, 48]);
  expect(polls[2]!.interfaces[6]).toMatchObject({
    name: "Gi1/0/7",
    alias: "desk 7",
    inOctets: device.port("Gi1/0/7").inOctets,
  });
  expect(sizes).toHaveLength(3);
  expect(Math.max(...sizes)).toBeLessThan(2_000);
});

test("a link that was up and is down degrades the monitor, and is up again when it is", async () => {
  const device = new Switch(4);
  await using f = await follow(device);
  device.setLink("Gi1/0/4", 2); // was never up
  expect((await f.minute()).health).toBe("up");
  device.setLink("Gi1/0/2", 2);
  const down = await f.minute();
  expect(down).toMatchObject({ state: "open", health: "degraded", reason: "link-down" });
  expect(down.message).toContain("Gi1/0/2 (desk 2): the link is down and was up before: look at the cable");
  expect(down.evidence).toMatchObject({ faults: ["Gi1/0/2 link-down"] });
  expect(await f.p.view()).toMatchObject({ health: "degraded", reason: "link-down" });
  // A fault is no reason to check twice.
  const asked = f.server.received.length;
  expect((await f.minute()).attempts).toBe(1);
  expect(f.server.received.length - asked).toBe(3);
  device.setLink("Gi1/0/2", 1);
  const back = await f.minute();
  expect(back.health).toBe("up");
  // A check of a process that was stalled says nothing of latency, and ends no `degraded`.
  if (back.stalled) await f.minute();
  expect(await f.p.view()).toMatchObject({ health: "up" });
});

test("a process that knows nothing goes on from the stored counters", async () => {
  const device = new Switch(2);
  await using f = await follow(device);
  const fast = { in: 120_000_000, out: 1_000, packetBytes: 1_000 };
  await f.minute();
  for (let n = 0; n < 9; n++) expect((await f.minute(fast)).health).toBe("up");
  // The mean of 15 minutes needs ten of them, of which another process has seen nine.
  const loaded = await f.minute(fast, f.p.startProcess());
  expect(loaded).toMatchObject({ health: "degraded", reason: "utilisation-high" });
  expect(loaded.message).toContain("96 % of 1000 Mb/s in");
  // That process forgets nothing of the verdict either: it ends below 87 %, not below 90 %.
  const slower = { in: 100_000_000, out: 1_000, packetBytes: 1_000 };
  for (let n = 0; n < 6; n++) expect((await f.minute(slower, f.p.startProcess())).health).toBe("degraded");
  for (let n = 0; n < 10; n++) await f.minute(slower, f.p.startProcess());
  expect((await f.minute(slower, f.p.startProcess())).health).toBe("up");
});

test("which links were up outlasts an hour without a poll", async () => {
  const device = new Switch(2);
  await using f = await follow(device);
  await f.minute();
  device.setLink("Gi1/0/2", 2);
  device.pass(3_600);
  const { outcomes } = await f.p.tick(61, 0.5, f.p.startProcess());
  expect(outcomes.get("m1")).toMatchObject({ health: "degraded", reason: "link-down" });
});

test("counters that cannot be stored fail no check, and are told as a fault of ours", async () => {
  const device = new Switch(2);
  await using f = await follow(device);
  const broken = f.p.startProcess((operation, { Item }) => {
    if (operation === "Put" && String((Item as { pk?: string }).pk).startsWith("COUNTERS#")) throw new Error("full");
  });
  const { outcomes, crashes } = await f.p.tick(0, 0.5, broken);
  expect(outcomes.get("m1")).toMatchObject({ health: "up" });
  expect(crashes).toMatchObject([{ id: "m1" }]);
  expect(await f.p.block(0)).toBeDefined();
});

test("an agent that falls silent is down for that, and checked again before it counts", async () => {
  const device = new Switch(2);
  await using f = await follow(device, { critical: "Gi1/0/1" });
  await f.minute();
  device.setLink("Gi1/0/1", 2);
  expect(await f.minute()).toMatchObject({ health: "down", reason: "link-down" });
  device.community = "other";
  expect(await f.minute()).toMatchObject({ health: "down", reason: "no-answer" });
}, 20_000);

test("names of a hostile device fit into message and evidence", async () => {
  const device = new Switch(9);
  await using f = await follow(device);
  for (const port of device.ports) {
    port.name = `${"\u{1f600}".repeat(31)}${port.index}`;
    port.alias = "\u0085\u202e".repeat(32);
  }
  await f.minute();
  for (const port of device.ports) device.setLink(port.name, 2);
  const outcome = await f.minute();
  expect(outcome.reason).toBe("link-down");
  expect(Buffer.byteLength(outcome.message)).toBeLessThanOrEqual(600);
  expect(JSON.stringify(outcome.evidence).length).toBeLessThanOrEqual(1_024);
});
