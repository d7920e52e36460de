/** UDP ports of a sweep: asked in their protocol, compared and looked at again like those of TCP. */
import { createSocket, type Socket } from "node:dgram";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { udpPorts, udpProtocolAt } from "../../../shared/protocols/sweeps.ts";
import { SWEPT, type Sweeping, startSweeping, TICK } from "./sweeping.ts";

/** Another test sweeps the usual address meanwhile. */
const HOST = "127.77.4.8";
const STUN = 3_478;
const COAP = 5_683;
const HOUR = 3_600;

let at: Sweeping;
let sockets: Socket[];
beforeEach(async () => {
  at = await startSweeping();
  sockets = [];
  await at.put({ host: HOST, settings: { ports: "2300-2301", udp: `${STUN},${COAP}` } });
});
afterEach(async () => {
  for (const socket of sockets) socket.close();
  await at.stop();
});

/** Answers questions about one's own address (STUN, RFC 8489): the header with the same id, and no attribute. */
const answering = async (isSilent = () => false): Promise<Socket> => {
  const socket = createSocket("udp4");
  socket.on("message", (question, { port, address }) => {
    const answer = Buffer.from(question.subarray(0, 20));
    answer.writeUInt16BE(0x01_01, 0);
    answer.writeUInt16BE(0, 2);
    if (!isSilent()) socket.send(answer, port, address);
  });
  await new Promise<void>((resolve) => socket.bind(STUN, HOST, resolve));
  sockets.push(socket);
  return socket;
};
const close = (socket: Socket) => {
  sockets = sockets.filter((one) => one !== socket);
  socket.close();
};
const udpFact = async () => (await at.view())?.facts?.values["ports.udp"];

test("one that answers is open, with its protocol; one that nothing is bound to is not", async () => {
  await answering();
  await at.listen(2_301, HOST);
  await at.wholeSweep();
  expect(await at.view()).toMatchObject({
    message: `2 ports are open on ${HOST}: 2301 (ssh), 3478/udp (stun)`,
    facts: { values: { "ports.tcp": [{ value: "2301" }], "ports.udp": [{ value: "3478" }] } },
  });
  expect(await at.sweeps.sweep(SWEPT, TICK)).toMatchObject({
    openCount: 2,
    closedCount: 1,
    udp: { hosts: { [HOST]: { open: "3478", services: { 3478: "stun" }, firstSeen: { [TICK]: "3478" } } } },
  });
});

describe("one that differs is looked at three times", () => {
  test("and closed for good, it is a change, and remembered", async () => {
    const socket = await answering();
    await at.wholeSweep();
    close(socket);
    await at.wholeSweep(TICK + HOUR);
    expect(await udpFact()).toEqual([{ value: "" }]);
    expect((await at.sweeps.sweep(SWEPT, TICK + HOUR))?.udp?.closedPorts).toEqual([
      { address: HOST, port: STUN, service: "stun", firstSeen: TICK, lastSeen: TICK },
    ]);
  });

  test("and silent for one question, it is none", async () => {
    let isSilent = false;
    await answering(() => isSilent);
    await at.wholeSweep();
    isSilent = true;
    const tick = TICK + HOUR;
    for (const step of [0, 1]) await at.run(step, { tick });
    isSilent = false;
    await at.run(2, { tick });
    expect(await udpFact()).toEqual([{ value: "3478" }]);
  });

  test("and open for a moment, it is none", async () => {
    await at.wholeSweep();
    const socket = await answering();
    at.pauses.meanwhile = () => sockets.includes(socket) && close(socket);
    await at.wholeSweep(TICK + HOUR);
    expect(await udpFact()).toEqual([{ value: "" }]);
  });
});

test("each port has a protocol that needs no settings and whose servers answer", () => {
  expect([53, 123, 161, STUN].map(udpProtocolAt)).toEqual(["dns", "ntp", "snmp", "stun"]);
  // A server of syslog says nothing, one of RADIUS only to who knows its secret.
  expect([514, 1_812, 22, 0].map(udpProtocolAt)).toEqual([undefined, undefined, undefined, undefined]);
  expect(udpPorts().size).toBeGreaterThan(8);
});
