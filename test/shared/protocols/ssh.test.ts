import { describe, expect, test } from "vitest";
import { ssh } from "../../../shared/protocols/ssh.ts";
import { check } from "../../support/check.ts";
import { protocolSuite } from "../../support/protocol-suite.ts";
import { serve, serveBytes } from "../../support/servers.ts";
import { FINGERPRINT, HOST_KEY, packet, sshServer, text, u32 } from "../../support/ssh-server.ts";

protocolSuite("ssh", {
  protocol: ssh,
  good: sshServer("curve25519-sha256,ecdh-sha2-nistp256"),
  expected: {
    facts: { "ssh.software": "TestSSH_1.2 Harbor", "ssh.hostKey.ssh-ed25519": FINGERPRINT },
    evidence: { software: "TestSSH_1.2 Harbor", hostKey: { type: "ssh-ed25519", fingerprint: FINGERPRINT } },
  },
  wrong: [
    "220 mail.example.com ESMTP Postfix\r\n",
    "HTTP/1.1 400 Bad Request\r\n\r\n",
    { says: "SSH-1.5-Old\r\n", reason: "unexpected-answer" },
    { says: "Exceeded MaxStartups\r\n", reason: "service-unavailable" },
    `SSH-2.0-x\r\n${"y".repeat(40)}`,
  ],
  endless: ["a line before\r\n", { first: "SSH-2.0-x\r\n", forever: packet(Buffer.from([2, 0, 0, 0, 0])) }],
});

describe("ssh", () => {
  test.each(["ecdh-sha2-nistp256", "diffie-hellman-group14-sha256", "diffie-hellman-group14-sha1"])(
    "gets the key by %s, and says goodbye",
    async (exchange) => {
      const received: Buffer[] = [];
      await using listening = await serve((socket) =>
        sshServer(exchange, received)({ socket, write: (data) => socket.write(data), end: () => socket.end() }),
      );
      expect(await check({ protocol: ssh, ...listening })).toMatchObject({
        state: "open",
        evidence: { hostKey: { fingerprint: FINGERPRINT } },
      });
      await expect.poll(() => received.at(-1)?.[0]).toBe(1);
    },
  );

  test("open without the host key when there is no common key exchange", async () => {
    await using listening = await serve((socket) =>
      sshServer("sntrup761x25519-sha512@openssh.com")({ socket, write: (data) => socket.write(data), end: () => {} }),
    );
    expect(await check({ protocol: ssh, ...listening })).toMatchObject({
      state: "open",
      evidence: { hostKey: "not shown: no key exchange in common" },
    });
  });

  test("unexpected-answer when the host key differs", async () => {
    await using listening = await serve((socket) =>
      sshServer("curve25519-sha256")({ socket, write: (data) => socket.write(data), end: () => {} }),
    );
    const settings = { fingerprint: `SHA256:${"A".repeat(43)}` };
    expect(await check({ protocol: ssh, ...listening, settings })).toMatchObject({
      state: "mismatch",
      reason: "unexpected-answer",
      evidence: { hostKey: { fingerprint: FINGERPRINT } },
    });
  });

  test("the identification is enough with hostKey off", async () => {
    await using listening = await serveBytes("a banner first\r\nSSH-2.0-Quiet_1.0\r\n");
    expect(await check({ protocol: ssh, ...listening, settings: { hostKey: false } })).toMatchObject({
      state: "open",
      facts: { "ssh.software": "Quiet_1.0" },
    });
  });

  test.each([
    ["* Authorised users only *"],
    ["220 welcome"],
    [": note"],
    ["ERROR none"],
    ["sixty lines", "x\r\n".repeat(60)],
  ])("may send %s before its identification", async (what, line = what) => {
    await using listening = await serve((socket) => {
      socket.write(`${line}\r\n`);
      setTimeout(() => socket.write("SSH-2.0-Late_1.0\r\n"), 50);
    });
    expect(await check({ protocol: ssh, ...listening, settings: { hostKey: false } })).toMatchObject({
      state: "open",
      facts: { "ssh.software": "Late_1.0" },
    });
  });

  test("wrong-protocol when a server of another protocol greets and closes", async () => {
    await using listening = await serveBytes("220 mail.example.com ESMTP\r\n", { end: true });
    expect(await check({ protocol: ssh, ...listening })).toMatchObject({
      reason: "wrong-protocol",
      message: expect.stringContaining("220 mail.example.com"),
    });
  });

  test.each([
    ["a key that was not negotiated", [text(text("ssh-dss")), text("f"), text("signature")], "unexpected-answer"],
    ["no public value", [text(HOST_KEY), text(""), text("signature")], "unexpected-answer"],
    ["no signature", [text(HOST_KEY), text(Buffer.alloc(32)), text("")], "unexpected-answer"],
    ["the key alone", [text(HOST_KEY)], "incomplete-answer"],
  ])("a key exchange answered with %s fails", async (_what, fields, reason) => {
    const reply = Buffer.concat([Buffer.from([31]), ...fields]);
    await using listening = await serve((socket) =>
      sshServer("curve25519-sha256", [], reply)({ socket, write: (data) => socket.write(data), end: () => {} }),
    );
    expect(await check({ protocol: ssh, ...listening })).toMatchObject({ state: "mismatch", reason });
  });

  test("service-unavailable when the server disconnects", async () => {
    const bye = packet(Buffer.concat([Buffer.from([1]), u32(12), text("too many users"), text("")]));
    await using listening = await serveBytes(Buffer.concat([Buffer.from("SSH-2.0-x\r\n"), bye]));
    expect(await check({ protocol: ssh, ...listening })).toMatchObject({
      reason: "service-unavailable",
      message: expect.stringContaining("too many users"),
    });
  });

  test("names the setting that is wrong", () => {
    expect(() => ssh.prepare({ fingerprint: "MD5:aa" })).toThrow("fingerprint: must look like SHA256:");
    expect(() => ssh.prepare({ user: "root" })).toThrow("user: there is no such setting");
  });
});
