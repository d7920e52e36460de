import { minecraft } from "../../../shared/protocols/minecraft.ts";
import { answers, protocolSuite } from "../../support/protocol-suite.ts";

const varint = (value: number) => (value < 128 ? [value] : [(value & 0x7f) | 0x80, value >> 7]);
const status = (text: string) => {
  const json = Buffer.from(text);
  const body = Buffer.concat([Buffer.from([0, ...varint(json.length)]), json]);
  return Buffer.concat([Buffer.from(varint(body.length)), body]);
};
const STATUS = {
  version: { name: "Paper 1.21.1", protocol: 767 },
  players: { max: 20, online: 3 },
  description: { text: "§aHarbor", extra: [{ text: " town" }] },
  favicon: "x".repeat(500),
};

protocolSuite("minecraft", {
  protocol: minecraft,
  good: answers(status(JSON.stringify(STATUS))),
  expected: {
    facts: { software: "Minecraft Paper 1.21.1" },
    evidence: { players: "3 of 20", description: "Harbor town" },
  },
  wrong: [
    "SSH-2.0-OpenSSH_9.2\r\n",
    "HTTP/1.1 400 Bad Request\r\n\r\n",
    { says: status("{}"), reason: "unexpected-answer" },
    { says: status("no JSON"), reason: "unexpected-answer" },
  ],
});
