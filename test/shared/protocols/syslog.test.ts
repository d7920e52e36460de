import { once } from "node:events";
import { expect, test } from "vitest";
import { syslog } from "../../../shared/protocols/syslog.ts";
import { check } from "../../support/check.ts";
import { refuses } from "../../support/refuses.ts";
import { refusedPort, refusedUdpPort, serve, serveUdp } from "../../support/servers.ts";

/** RFC 5424, section 6: priority, version, timestamp, host, application, three absent fields, message. */
const LINE = /^<(\d+)>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (\S+) harborlight - - - (.+)$/;

test.each([
  [{}, "unknown", "silent"],
  [{ silence: "up" }, "up", "silent"],
  [{ silence: "down" }, "down", "no-answer"],
])("silence under %o is %s, and the message says that it is normal", async (settings, health, reason) => {
  await using server = await serveUdp(() => {});
  const outcome = await check({ protocol: syslog, ...server, settings }, 250);
  expect(outcome).toMatchObject({ state: "open|filtered", health, reason });
  expect(outcome.message).toContain("syslog never answers");
  expect(server.received[0]!.toString()).toMatch(LINE);
});

test("closed when ICMP says so", async () => {
  expect(await check({ protocol: syslog, ...(await refusedUdpPort()) })).toMatchObject({
    state: "closed",
    health: "down",
    reason: "port-unreachable",
  });
});

test("an answer by UDP is wrong-protocol", async () => {
  await using server = await serveUdp((_question, reply) => reply("HTTP/1.1 400 Bad Request\r\n\r\n"));
  expect(await check({ protocol: syslog, ...server })).toMatchObject({ state: "mismatch", reason: "wrong-protocol" });
});

test("by TCP one framed message is sent and the connection is enough", async () => {
  const received = Promise.withResolvers<string>();
  await using server = await serve((socket) => {
    let text = "";
    socket.on("data", (chunk) => {
      text += chunk.toString();
    });
    void once(socket, "end").then(() => received.resolve(text));
  });
  const settings = { transport: "tcp", facility: "local7", severity: "warning", hostname: "pier", message: "tide" };
  expect(await check({ protocol: syslog, ...server, settings })).toMatchObject({ state: "open", health: "up" });
  const [, length, line] = /^(\d+) (.*)$/.exec(await received.promise)!;
  expect(Number(length)).toBe(Buffer.byteLength(line!));
  expect(LINE.exec(line!)?.slice(1)).toEqual([String(23 * 8 + 4), "pier", "tide"]);
});

test("by TCP refused is closed", async () => {
  const settings = { transport: "tcp" };
  expect(await check({ protocol: syslog, ...(await refusedPort()), settings })).toMatchObject({ state: "closed" });
});

refuses(syslog, [
  [{ facility: "local8" }, "facility"],
  [{ severity: "loud" }, "severity"],
  [{ hostname: "two words" }, "hostname"],
  [{ message: "two\nlines" }, "message"],
  [{ transport: "tcp", silence: "up" }, "silence"],
  [{ tls: {} }, "tls"],
]);
