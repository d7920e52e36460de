import { expect, test } from "vitest";
import { memcached } from "../../../shared/protocols/memcached.ts";
import { check } from "../../support/check.ts";
import { lineServer, protocolSuite } from "../../support/protocol-suite.ts";
import { serveBytes } from "../../support/servers.ts";

protocolSuite("memcached", {
  protocol: memcached,
  good: lineServer("", { version: "VERSION 1.6.18\r\n" }, "ERROR\r\n"),
  expected: { facts: { software: "memcached 1.6.18" }, evidence: { version: "1.6.18" } },
  wrong: [
    "-ERR unknown command\r\n",
    "VERSION\r\n",
    "VERSION \x01\r\n",
    { says: "SERVER_ERROR out of memory\r\n", reason: "service-unavailable" },
  ],
});

test.each(["1.6.18", "mcrouter 41.0.0", "Hazelcast"])("the version is any text: %s", async (version) => {
  await using listening = await serveBytes(`VERSION ${version}\r\n`);
  expect(await check({ protocol: memcached, ...listening })).toMatchObject({ state: "open", evidence: { version } });
});

test("memcached that demands a login is open", async () => {
  await using listening = await serveBytes("CLIENT_ERROR unauthenticated\r\n");
  expect(await check({ protocol: memcached, ...listening })).toMatchObject({
    state: "open",
    facts: { "memcached.access": "login needed" },
  });
});
