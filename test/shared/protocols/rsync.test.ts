import { expect, test } from "vitest";
import { rsync } from "../../../shared/protocols/rsync.ts";
import { check } from "../../support/check.ts";
import { lineServer, protocolSuite } from "../../support/protocol-suite.ts";
import { serve } from "../../support/servers.ts";

const LIST = "Welcome\r\nHours\t9 to 17\n\nbackup         \tNightly copies\nmirror         \t\n@RSYNCD: EXIT\n";
const server = lineServer("@RSYNCD: 31.0 sha512 sha256\n", { "#list": LIST });

protocolSuite("rsync", {
  protocol: rsync,
  good: server,
  expected: {
    facts: { "rsync.protocol": "31.0" },
    evidence: { moduleCount: 2, modules: ["backup", "mirror"], digests: "sha512 sha256" },
  },
  wrong: [
    "SSH-2.0-OpenSSH_9.2\r\n",
    "@RSYNCD: hello\n",
    { says: "@RSYNCD: 31.0\n@ERROR: max connections (2) reached -- try again later\n", reason: "service-unavailable" },
  ],
  endless: [{ first: "@RSYNCD: 31.0\n", forever: "module\tcomment\n" }],
});

test("a missing required module fails", async () => {
  await using listening = await serve((socket) =>
    server({ socket, write: (data) => socket.write(data), end: () => {} }),
  );
  expect(await check({ protocol: rsync, ...listening, settings: { module: "backup" } })).toMatchObject({
    state: "open",
  });
  expect(await check({ protocol: rsync, ...listening, settings: { module: "other" } })).toMatchObject({
    reason: "unexpected-answer",
  });
});
