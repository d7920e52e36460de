import { expect, test } from "vitest";
import { smb } from "../../../shared/protocols/smb.ts";
import { check } from "../../support/check.ts";
import { answers, protocolSuite } from "../../support/protocol-suite.ts";
import { serveBytes } from "../../support/servers.ts";

const negotiated = ({
  status = 0,
  command = 0,
  flags = 1,
  size = 65,
  mode = 1,
  dialect = 0x0311,
  length = 128,
} = {}) => {
  const bytes = Buffer.alloc(4 + 64 + 64);
  bytes.writeUInt32BE(length, 0);
  bytes.write("\xfeSMB", 4, "latin1");
  bytes.writeUInt16LE(64, 8);
  bytes.writeUInt32LE(status, 12);
  bytes.writeUInt16LE(command, 16);
  bytes.writeUInt32LE(flags, 20);
  bytes.writeUInt16LE(size, 68);
  bytes.writeUInt16LE(mode, 70);
  bytes.writeUInt16LE(dialect, 72);
  bytes.fill(0xab, 76, 92);
  bytes.writeUInt32LE(0x41, 92);
  return bytes.subarray(0, 4 + length);
};

protocolSuite("smb", {
  protocol: smb,
  good: answers(negotiated()),
  expected: {
    facts: { "smb.dialect": "3.1.1", "smb.signing": "enabled" },
    evidence: { dialect: "SMB 3.1.1", capabilities: ["DFS", "encryption"], serverId: "ab".repeat(16) },
  },
  wrong: [
    "SSH-2.0-OpenSSH_9.2\r\n",
    Buffer.concat([Buffer.from([0, 0, 0, 80]), Buffer.from("\xffSMB", "latin1"), Buffer.alloc(76)]),
    { says: negotiated({ status: 0xc000009a }), reason: "service-unavailable" },
    { says: negotiated({ command: 3 }), reason: "unexpected-answer" },
    { says: negotiated({ dialect: 0x0999 }), reason: "unexpected-answer" },
    { says: negotiated({ flags: 0 }), reason: "unexpected-answer" },
    { says: negotiated({ size: 36 }), reason: "unexpected-answer" },
    { says: negotiated({ length: 92 }), reason: "incomplete-answer" },
  ],
});

test("required signing can be demanded", async () => {
  const settings = { requireSigning: true };
  await using lax = await serveBytes(negotiated());
  expect(await check({ protocol: smb, ...lax, settings })).toMatchObject({ reason: "unexpected-answer" });
  await using strict = await serveBytes(negotiated({ mode: 3 }));
  expect(await check({ protocol: smb, ...strict, settings })).toMatchObject({
    state: "open",
    evidence: { signing: "required" },
  });
});
