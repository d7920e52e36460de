import { expect, test } from "vitest";
import { irc } from "../../../shared/protocols/irc.ts";
import { check } from "../../support/check.ts";
import { lineServer, protocolSuite } from "../../support/protocol-suite.ts";
import { serveBytes } from "../../support/servers.ts";

protocolSuite("irc", {
  protocol: irc,
  good: lineServer(":irc.example.net NOTICE * :*** Looking up your hostname...\r\n", {
    CAP: ":irc.example.net CAP * LS * :sasl=PLAIN account-tag\r\n:irc.example.net CAP * LS :tls\r\n",
    QUIT: "ERROR :Closing Link\r\n",
  }),
  expected: { evidence: { server: "irc.example.net", capabilities: ["sasl", "account-tag", "tls"] } },
  wrong: [
    "SSH-2.0-OpenSSH_9.2\r\n",
    "220 mail ESMTP\r\n",
    "+OK POP3\r\n",
    // An echo of what was asked, and what answers something else.
    "CAP LS 302\r\n",
    ":irc CAP * NAK :LS\r\n",
    "451 not registered : yet\r\n",
    { says: ":irc 465 * :You are banned from this server\r\n", reason: "service-unavailable" },
    { says: "ERROR :Closing Link: (Trying to reconnect too fast.)\r\n", reason: "service-unavailable" },
  ],
  endless: [":irc NOTICE * :wait\r\n", "PING :x\r\n", ":irc CAP * LS * :more\r\n"],
});

test("an IRC server without a name is open", async () => {
  await using listening = await serveBytes("451 * :You have not registered\r\n");
  expect(await check({ protocol: irc, ...listening })).toMatchObject({ state: "open" });
});

test("an IRC server without CAP is open", async () => {
  await using listening = await serveBytes(":old.example.net 451 * CAP :Register first.\r\n");
  expect(await check({ protocol: irc, ...listening })).toMatchObject({
    state: "open",
    evidence: { server: "old.example.net" },
  });
});
