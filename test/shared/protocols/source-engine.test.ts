import { expect, test } from "vitest";
import { sourceEngine } from "../../../shared/protocols/source-engine.ts";
import { check } from "../../support/check.ts";
import { refuses } from "../../support/refuses.ts";
import { serveUdp } from "../../support/servers.ts";
import { udpProtocolSuite } from "../../support/udp-suite.ts";

const QUESTION = Buffer.from("\xff\xff\xff\xffTSource Engine Query\0", "latin1");
const CHALLENGE = Buffer.of(1, 2, 3, 4);
const packet = (text: string) => Buffer.from(`\xff\xff\xff\xff${text}`, "latin1");
const info = packet("I\x11Pier 7\0cp_harbour\0tf\0Team Fortress\0\xb8\x01\x05\x18\x02dl\0\x011.2.3.4\0\xb1\x87\x69");

udpProtocolSuite("source-engine", {
  protocol: sourceEngine,
  good: (question, reply) => {
    if (question.equals(QUESTION)) reply(Buffer.concat([packet("A"), CHALLENGE]));
    if (question.equals(Buffer.concat([QUESTION, CHALLENGE]))) reply(info);
  },
  expected: {
    facts: { software: "Team Fortress 1.2.3.4" },
    evidence: {
      name: "Pier 7",
      map: "cp_harbour",
      game: "Team Fortress",
      appId: 440,
      players: 5,
      maxPlayers: 24,
      bots: 2,
      kind: "dedicated",
      system: "Linux",
      password: false,
      antiCheat: true,
      version: "1.2.3.4",
    },
  },
  wrong: [
    "HTTP/1.1 400 Bad Request\r\n\r\n",
    Buffer.alloc(40),
    "\xff\xff\xff\xff",
    packet("Z"),
    "",
    Buffer.from("fffffffe00", "hex"),
    Buffer.from("feffffff00", "hex"),
  ],
  // What follows the version is optional.
  enoughBytes: info.length - 3,
});

test("an application id above 16 bits is read from the optional fields", async () => {
  const gameId = Buffer.alloc(8);
  gameId.writeUIntLE(252_490, 0, 6);
  const before = packet("I\x11Rusty\0Barren\0rust\0Rust\0\x4a\xda\x05\x18\x02dl\0\x012581\0");
  const more = Buffer.from("\xf1\x87\x69\x01\x02\x03\x04\x05\x06\x07\x08\x88\x69TV\0tags,more\0", "latin1");
  await using server = await serveUdp((_question, reply) => reply(Buffer.concat([before, more, gameId])));
  expect(await check({ protocol: sourceEngine, ...server })).toMatchObject({
    state: "open",
    evidence: { name: "Rusty", appId: 252_490 },
  });
});

test("an answer in several parts counts", async () => {
  await using server = await serveUdp((_question, reply) =>
    reply(Buffer.from("feffffff010000000200e004ffffffff49", "hex")),
  );
  expect(await check({ protocol: sourceEngine, ...server })).toMatchObject({
    state: "open",
    evidence: { split: true },
  });
});

test("GoldSrc servers answer in their older format", async () => {
  await using server = await serveUdp((_question, reply) =>
    reply(packet("m192.0.2.1:27015\0Old pier\0crossfire\0valve\0Half-Life\0\x03\x10\x2fdl\0\0\0\x01\x00")),
  );
  expect(await check({ protocol: sourceEngine, ...server })).toMatchObject({
    state: "open",
    evidence: { name: "Old pier", map: "crossfire", game: "Half-Life", players: 3, maxPlayers: 16 },
  });
});

test("endless challenges end the check", async () => {
  await using server = await serveUdp((_question, reply) => reply(Buffer.concat([packet("A"), CHALLENGE])));
  const outcome = await check({ protocol: sourceEngine, ...server }, 300);
  expect(outcome).toMatchObject({ state: "open|filtered", health: "down" });
  expect(server.received.length).toBeLessThan(8);
});

refuses(sourceEngine, [
  [{ rules: true }, "rules"],
  [{ packets: { count: "1" } }, "packets.count"],
  [{ silence: null }, "silence"],
]);
