import { expect, test } from "vitest";
import { redis } from "../../../shared/protocols/redis.ts";
import { check } from "../../support/check.ts";
import { answers, protocolSuite } from "../../support/protocol-suite.ts";
import { serveBytes } from "../../support/servers.ts";

const bulk = (text: string) => `$${text.length}\r\n${text}\r\n`;

protocolSuite("redis", {
  protocol: redis,
  good: answers(
    "+PONG\r\n",
    bulk("# Server\r\nredis_version:7.0.15\r\nredis_mode:standalone\r\nos:Linux 6\r\n"),
    "+OK\r\n",
  ),
  expected: { facts: { software: "Redis 7.0.15" }, evidence: { version: "7.0.15", mode: "standalone", os: "Linux 6" } },
  wrong: [
    "ERROR\r\n",
    "HTTP/1.1 400 Bad Request\r\n\r\n",
    "-ERR unknown command\r\n",
    { says: "-LOADING Redis is loading the dataset in memory\r\n", reason: "service-unavailable" },
    { says: "-ERR max number of clients reached\r\n", reason: "service-unavailable" },
    { says: "+PONG\r\n$99999\r\n", reason: "answer-too-long" },
  ],
});

test.each(["-NOAUTH Authentication required.\r\n", "-DENIED Redis is running in protected mode\r\n"])(
  "redis that does not know us is open: %s",
  async (answer) => {
    await using listening = await serveBytes(answer);
    expect(await check({ protocol: redis, ...listening })).toMatchObject({
      state: "open",
      evidence: { answer: answer.trim() },
    });
  },
);

test("redis that refuses INFO is open without a version", async () => {
  await using listening = await serveBytes("+PONG\r\n-NOPERM this user has no permissions\r\n");
  expect(await check({ protocol: redis, ...listening })).toMatchObject({
    state: "open",
    evidence: { answer: "+PONG" },
  });
});
