import { expect, test } from "vitest";
import { telnet } from "../../../shared/protocols/telnet.ts";
import { check } from "../../support/check.ts";
import { protocolSuite } from "../../support/protocol-suite.ts";
import { serve, serveBytes } from "../../support/servers.ts";

const IAC = 255;
const DO = 253;
const WILL = 251;
const negotiation = Buffer.from([IAC, DO, 24, IAC, WILL, 1, IAC, 250, 24, 1, IAC, 240]);

protocolSuite("telnet", {
  protocol: telnet,
  good: ({ socket, write }) => {
    write(negotiation);
    socket.once("data", () => write("\r\nharbor login: "));
  },
  expected: {
    facts: { "telnet.options": "echo,terminal-type" },
    evidence: { text: "harbor login:", options: ["terminal-type", "echo"] },
  },
  // The first text is the evidence; how much of it comes at once is the server's business.
  expectedBytewise: { evidence: { text: "h", options: ["terminal-type", "echo"] } },
  wrong: ["220 mail ESMTP\r\n", "SSH-2.0-x\r\n", "HTTP/1.1 400 Bad Request\r\n\r\n"],
  endless: [negotiation, "no options\r"],
  halfBytes: 6,
});

test("telnet refuses every option once", async () => {
  const received: Buffer[] = [];
  await using listening = await serve((socket) => {
    socket.write(Buffer.concat([negotiation, negotiation]));
    socket.on("data", (bytes) => {
      received.push(bytes);
      socket.write("login: ");
    });
  });
  expect(await check({ protocol: telnet, ...listening })).toMatchObject({ state: "open" });
  expect(Buffer.concat(received)).toEqual(Buffer.from([IAC, 252, 24, IAC, 254, 1]));
});

test("telnet: a banner may come before the options", async () => {
  await using listening = await serve((socket) => {
    socket.write("Welcome to the harbor\r\n");
    setTimeout(() => socket.write(negotiation), 50);
  });
  expect(await check({ protocol: telnet, ...listening })).toMatchObject({
    state: "open",
    evidence: { text: "Welcome to the harbor", options: ["terminal-type", "echo"] },
  });
});

test("telnet: negotiation alone is enough only where text is ignored", async () => {
  await using listening = await serveBytes(negotiation, { end: true });
  expect(await check({ protocol: telnet, ...listening })).toMatchObject({ reason: "incomplete-answer" });
  expect(await check({ protocol: telnet, ...listening, settings: { text: "ignored" } })).toMatchObject({
    state: "open",
  });
});
