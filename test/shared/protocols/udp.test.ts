import { createSocket } from "node:dgram";
import { expect, test } from "vitest";
import { udp } from "../../../shared/protocols/udp.ts";
import { check } from "../../support/check.ts";
import { refusedUdpPort, serveUdp } from "../../support/servers.ts";

const fast = { count: 3, spacingMs: 0 };
const echo = { send: "ping", expect: { equals: "ping" }, packets: fast };

test("open when every datagram is answered, with round trip, loss and jitter", async () => {
  await using server = await serveUdp((message, reply) => reply(message));
  const outcome = await check({ protocol: "udp", ...server, settings: echo });
  expect(outcome).toMatchObject({
    state: "open",
    health: "up",
    lossPercent: 0,
    traffic: { packetsSent: 3, packetsReceived: 3, bytesSent: 12, bytesReceived: 12 },
    evidence: { received: "ping", jitterMs: expect.any(Number) as number },
  });
  expect(outcome.timings.latencyMs).toBeGreaterThan(0);
  expect(server.received).toHaveLength(3);
});

test("closed when the host answers ICMP port unreachable", async () => {
  expect(await check({ protocol: "udp", ...(await refusedUdpPort()), settings: echo })).toMatchObject({
    state: "closed",
    health: "down",
    reason: "port-unreachable",
  });
});

test("silence is open|filtered, and the silence setting decides the health", async () => {
  await using server = await serveUdp(() => {});
  const run = (silence?: string) =>
    check({ protocol: "udp", ...server, settings: { ...echo, ...(silence ? { silence } : {}) } }, 200);
  expect(await run()).toMatchObject({ state: "open|filtered", health: "down", reason: "no-answer", lossPercent: 100 });
  expect(await run("up")).toMatchObject({ state: "open|filtered", health: "up", reason: "silent" });
  expect(await run("unknown")).toMatchObject({ state: "open|filtered", health: "unknown", reason: "silent" });
});

test("packet loss has two thresholds", async () => {
  let n = 0;
  await using server = await serveUdp((message, reply) => {
    if (n++ % 3 === 0) reply(message);
  });
  const run = (lossPercent: unknown) => check({ protocol: "udp", ...server, settings: { ...echo, lossPercent } }, 1500);
  expect(await run({ degradedAbove: null })).toMatchObject({ state: "open", health: "up", lossPercent: 66.7 });
  expect(await run({ degradedAbove: 50 })).toMatchObject({ state: "open", health: "degraded", reason: "packet-loss" });
  expect(await run({ degradedAbove: 10, downAbove: 60 })).toMatchObject({ health: "down", reason: "packet-loss" });
});

test("a wrong answer is a mismatch", async () => {
  await using server = await serveUdp((_message, reply) => reply("pong, and more"));
  expect(await check({ protocol: "udp", ...server, settings: echo })).toMatchObject({
    state: "mismatch",
    reason: "unexpected-answer",
    evidence: { received: "pong, and more" },
  });
});

test("datagrams of other senders are ignored", async () => {
  const stranger = createSocket("udp4");
  await using server = await serveUdp((_message, _reply, from) => stranger.send("ping", from.port, from.address));
  const outcome = await check({ protocol: "udp", ...server, settings: echo }, 300);
  stranger.close();
  expect(outcome).toMatchObject({ state: "open|filtered", reason: "no-answer" });
});

test("more answers than questions are counted and ignored", async () => {
  await using server = await serveUdp((message, reply) => {
    for (let i = 0; i < 3; i++) reply(message);
  });
  const settings = { ...echo, packets: { count: 2, spacingMs: 100 } };
  const outcome = await check({ protocol: "udp", ...server, settings });
  expect(outcome).toMatchObject({
    state: "open",
    lossPercent: 0,
    evidence: { ignoredDatagrams: expect.any(Number) as number },
  });
});

test("slower than degradedAboveMs is degraded", async () => {
  await using server = await serveUdp((message, reply) => setTimeout(() => reply(message), 60));
  expect(await check({ protocol: "udp", ...server, settings: echo, degradedAboveMs: 20 })).toMatchObject({
    health: expect.stringMatching(/degraded|up/) as string,
    state: "open",
  });
});

test("a monitor that expects nothing must say what silence means", () => {
  expect(() => udp.prepare({ send: "ping" })).toThrow(/silence: is required without expect/);
  expect(() => udp.prepare({ expect: { contains: "a" } })).toThrow(/send/);
  expect(() => udp.prepare({ send: "ping", silence: "up" })).not.toThrow();
});
