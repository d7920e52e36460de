import { describe, expect, test } from "vitest";
import { vnc } from "../../../shared/protocols/vnc.ts";
import { check } from "../../support/check.ts";
import { type Peer, protocolSuite } from "../../support/protocol-suite.ts";
import { serve } from "../../support/servers.ts";

const server =
  (version: string, ...security: number[]) =>
  ({ socket, write }: Peer) => {
    write(`RFB ${version}\n`);
    socket.once("data", () => write(Buffer.from(security)));
  };
const reason = (text: string) => [0, 0, 0, text.length, ...Buffer.from(text)];
const serveWith = (version: string, ...security: number[]) =>
  serve((socket) => server(version, ...security)({ socket, write: (data) => socket.write(data), end: () => {} }));

protocolSuite("vnc", {
  protocol: vnc,
  good: server("003.008", 2, 19, 2),
  expected: {
    facts: { "vnc.version": "3.8", "vnc.security": "VeNCrypt, VNC password" },
    evidence: { security: ["VeNCrypt", "VNC password"] },
  },
  wrong: [
    "SSH-2.0-OpenSSH_9.2\r\n",
    "220 mail ESMTP Postfix\r\n",
    {
      says: Buffer.concat([Buffer.from("RFB 003.008\n"), Buffer.from([0, ...reason("no display")])]),
      reason: "service-unavailable",
    },
    { says: Buffer.concat([Buffer.from("RFB 003.008\n"), Buffer.from([0, 9, 9, 9, 9])]), reason: "answer-too-long" },
  ],
});

describe("vnc", () => {
  test.each([
    ["003.003", [0, 0, 0, 2], "VNC password"],
    ["003.006", [0xff, 0xff, 0xff, 0xfa], "MS-Logon"],
    ["003.007", [1, 1], "none"],
    ["003.889", [1, 30], "Apple"],
    ["005.000", [1, 5], "RA2"],
  ])("RFB %s tells its security", async (version, security, name) => {
    await using listening = await serveWith(version, ...security);
    expect(await check({ protocol: vnc, ...listening })).toMatchObject({
      state: "open",
      evidence: { security: [name] },
    });
  });

  test("text is refused as a security type of RFB 3.3", async () => {
    await using listening = await serveWith("003.003", ...Buffer.from("ABCD"));
    expect(await check({ protocol: vnc, ...listening })).toMatchObject({
      state: "mismatch",
      reason: "unexpected-answer",
    });
  });

  test("being blocked for too many unauthenticated connections is open", async () => {
    await using listening = await serveWith("003.008", 0, ...reason("Too many security failures"));
    expect(await check({ protocol: vnc, ...listening })).toMatchObject({
      state: "open",
      evidence: { shutOut: "Too many security failures" },
    });
  });
});
