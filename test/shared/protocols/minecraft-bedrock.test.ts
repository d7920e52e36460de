import { expect, test } from "vitest";
import { minecraftBedrock } from "../../../shared/protocols/minecraft-bedrock.ts";
import { check } from "../../support/check.ts";
import { refuses } from "../../support/refuses.ts";
import { serveUdp } from "../../support/servers.ts";
import { udpProtocolSuite } from "../../support/udp-suite.ts";

const OFFLINE = Buffer.from("00ffff00fefefefefdfdfdfd12345678", "hex");
const pong = (question: Buffer, text?: string) =>
  Buffer.concat([
    Buffer.of(0x1c),
    question.subarray(1, 9),
    Buffer.alloc(8, 5),
    OFFLINE,
    ...(text === undefined ? [] : [Buffer.of(0, Buffer.byteLength(text)), Buffer.from(text)]),
  ]);
const TEXT = "MCPE;Pier \\; 7;527;1.19.1;3;20;13253860892328930865;Harbour;Survival;1;19132;19133;";

udpProtocolSuite("minecraft-bedrock", {
  protocol: minecraftBedrock,
  good: (question, reply) => {
    if (question[0] === 1 && question.subarray(9, 25).equals(OFFLINE)) reply(pong(question, TEXT));
  },
  expected: {
    facts: { software: "MCPE 1.19.1" },
    evidence: { edition: "MCPE", version: "1.19.1", players: 3, maxPlayers: 20, world: "Harbour", mode: "Survival" },
  },
  wrong: ["HTTP/1.1 400 Bad Request\r\n\r\n", Buffer.alloc(40), Buffer.alloc(40, 0x1c), ""],
  foreign: (answer) => Buffer.concat([answer.subarray(0, 1), Buffer.alloc(8, 1), answer.subarray(9)]),
  // A plain RakNet server sends only this.
  enoughBytes: 33,
});

test("colours are dropped, escaped semicolons kept, and an unescaped one does not give wrong numbers", async () => {
  await using coloured = await serveUdp((question, reply) =>
    reply(pong(question, "MCPE;§aPier \\; 7§r;527;1.19.1;3;20;1;Harbour;Survival;")),
  );
  const { evidence } = await check({ protocol: minecraftBedrock, ...coloured });
  expect(evidence).toMatchObject({ motd: "Pier ; 7", players: 3, maxPlayers: 20 });
  await using bare = await serveUdp((question, reply) =>
    reply(pong(question, "MCPE;Pier ; 7;527;1.19.1;3;20;1;Harbour;Survival;")),
  );
  const shifted = await check({ protocol: minecraftBedrock, ...bare });
  expect(shifted).toMatchObject({ state: "open", health: "up" });
  expect(JSON.stringify(shifted)).not.toMatch(/NaN|null,"maxPlayers"/);
  expect(shifted.evidence).not.toHaveProperty("players");
});

test("a RakNet server other than Minecraft", async () => {
  await using server = await serveUdp((question, reply) => reply(pong(question)));
  expect(await check({ protocol: minecraftBedrock, ...server })).toMatchObject({ state: "open", health: "up" });
});

refuses(minecraftBedrock, [
  [{ edition: "java" }, "edition"],
  [{ lossPercent: 5 }, "lossPercent"],
  [{ packets: { count: 0 } }, "packets.count"],
]);
