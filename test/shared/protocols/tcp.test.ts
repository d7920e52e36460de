import { expect, test } from "vitest";
import { InvalidInput } from "../../../shared/errors.ts";
import { tcp } from "../../../shared/protocols/tcp.ts";
import { check } from "../../support/check.ts";
import {
  onLines,
  refusedPort,
  serve,
  serveBytes,
  serveEndlessly,
  serveSilence,
  serveSlowly,
  serveTls,
  trickle,
} from "../../support/servers.ts";

const steps = (...list: unknown[]) => ({ steps: list });

test("open when the connection is accepted", async () => {
  await using server = await serve(() => {});
  const outcome = await check({ protocol: "tcp", ...server });
  expect(outcome).toMatchObject({ state: "open", health: "up", reason: null, address: "127.0.0.1", attempts: 1 });
  expect(outcome.timings.connectMs).toBeGreaterThan(0);
  expect(outcome.timings.latencyMs).toBe(outcome.timings.connectMs);
});

test("open even if the server resets directly after the handshake", async () => {
  await using server = await serve((socket) => socket.resetAndDestroy());
  expect(await check({ protocol: "tcp", ...server })).toMatchObject({ state: "open" });
});

test("closed when nothing listens; and that is up where a closed port is expected", async () => {
  const port = await refusedPort();
  expect(await check({ protocol: "tcp", ...port })).toMatchObject({
    state: "closed",
    health: "down",
    reason: "connection-refused",
  });
  expect(await check({ protocol: "tcp", ...port, expectedState: "closed" })).toMatchObject({
    health: "up",
    reason: null,
  });
});

test("down when it is open and should be closed", async () => {
  await using server = await serveSilence();
  expect(await check({ protocol: "tcp", ...server, expectedState: "closed" })).toMatchObject({
    state: "open",
    health: "down",
    reason: "unexpectedly-open",
  });
});

test("steps send and expect in order, and bytes after a match belong to the next step", async () => {
  await using server = await serve((socket) => {
    socket.write("220 ready\r\n");
    onLines(socket, (line) => socket.write(line === "HELO me" ? "250 hello\r\n250 again\r\n" : "221 bye\r\n"));
  });
  const settings = steps(
    { expect: { contains: "220" } },
    { send: "HELO me\r\n", expect: { regex: "^250 hello\r$" } },
    { expect: { equals: "\n250 again\r\n" } },
    { send: { hex: "51 55 49 54 0d0a" }, expect: { contains: { base64: "MjIx" } } },
  );
  // The rest of the greeting's line is still there for the second step.
  const outcome = await check({ protocol: "tcp", ...server, settings });
  expect(outcome).toMatchObject({ state: "open", evidence: { received: "221" } });
  expect(outcome.traffic.bytesSent).toBe("HELO me\r\nQUIT\r\n".length);
});

test("nothing is added to what is sent, not even a line end", async () => {
  const received: Buffer[] = [];
  await using server = await serve((socket) =>
    socket.on("data", (chunk) => {
      received.push(chunk);
      socket.write("ok");
    }),
  );
  const settings = steps({ send: "PING", expect: { equals: "ok" } });
  expect(await check({ protocol: "tcp", ...server, settings })).toMatchObject({ state: "open" });
  expect(Buffer.concat(received).toString()).toBe("PING");
});

test("an answer that comes one byte at a time matches", async () => {
  await using server = await serveSlowly("SSH-2.0-OpenSSH_9.2p1\r\n");
  for (const expectation of [
    { contains: "OpenSSH" },
    { regex: "^SSH-2\\.0-.*p1\r$" },
    { equals: "SSH-2.0-OpenSSH_9.2p1\r\n" },
  ])
    expect(await check({ protocol: "tcp", ...server, settings: steps({ expect: expectation }) })).toMatchObject({
      state: "open",
    });
});

test("mismatch says what was expected and what came", async () => {
  await using server = await serveBytes("-ERR no\r\n", { end: true });
  await using binary = await serveBytes(Buffer.from([0, 1, 2, 255]), { end: true });
  const settings = steps({ send: "PING\r\n", expect: { contains: "PONG" } });
  expect(await check({ protocol: "tcp", ...server, settings })).toMatchObject({
    state: "mismatch",
    health: "down",
    reason: "unexpected-answer",
    message: expect.stringContaining('expected an answer containing "PONG" before the end, got "-ERR no"') as string,
    evidence: { received: "-ERR no" },
  });
  expect((await check({ protocol: "tcp", ...binary, settings })).message).toContain("got hex 000102ff");
});

test("exact bytes fail at the first wrong one, without waiting for the rest", async () => {
  await using server = await serveBytes("PONK");
  const settings = steps({ expect: { equals: "PONG\r\n" } });
  expect(await check({ protocol: "tcp", ...server, settings }, 20_000)).toMatchObject({ reason: "unexpected-answer" });
});

test("silence is no-answer; a partial answer fails with what came; a closed connection is connection-closed", async () => {
  await using silent = await serveSilence();
  await using half = await serveBytes("PO");
  await using closed = await serve((socket) => socket.end());
  const settings = steps({ expect: { contains: "PONG" } });
  expect(await check({ protocol: "tcp", ...silent, settings }, 200)).toMatchObject({
    state: "mismatch",
    reason: "no-answer",
  });
  expect(await check({ protocol: "tcp", ...half, settings }, 200)).toMatchObject({
    state: "mismatch",
    reason: "unexpected-answer",
    evidence: { received: "PO" },
  });
  expect(await check({ protocol: "tcp", ...closed, settings })).toMatchObject({ reason: "connection-closed" });
});

test("an endless answer ends at maxBytes", async () => {
  await using server = await serveEndlessly(Buffer.alloc(4096, "x"));
  for (const expectation of [{ contains: "y", maxBytes: 65_536 }, { regex: "y" }])
    expect(await check({ protocol: "tcp", ...server, settings: steps({ expect: expectation }) }, 10_000)).toMatchObject(
      {
        state: "mismatch",
        reason: "unexpected-answer",
      },
    );
});

test("inside TLS, steps are the same", async () => {
  await using server = await serveTls((socket) => onLines(socket, (line) => socket.write(`+${line}\r\n`)));
  const settings = {
    ...steps({ send: "PING\r\n", expect: { contains: "+PING" } }),
    tls: { ca: server.certificate.certificate },
  };
  const outcome = await check({ protocol: "tcp", ...server, settings });
  expect(outcome).toMatchObject({
    state: "open",
    health: "up",
    evidence: { received: "+PING", tls: { version: "TLSv1.3" } },
  });
});

test("a pattern prone to catastrophic backtracking takes milliseconds and delays no other check", async () => {
  await using server = await serve(async (socket) => {
    await trickle(socket, Buffer.from(`${"a".repeat(3000)}!`));
    socket.end();
  });
  const settings = steps({ expect: { regex: "^(a+)+b$" } });
  const started = performance.now();
  expect(await check({ protocol: "tcp", ...server, settings }, 10_000)).toMatchObject({ reason: "unexpected-answer" });
  expect(performance.now() - started).toBeLessThan(20_000);
});

const wrong: [path: string, settings: unknown][] = [
  ["stepz", { stepz: [] }],
  ["steps", { steps: [] }],
  ["steps[0]", steps({})],
  ["steps[0].expect", steps({ expect: {} })],
  ["steps[0].expect", steps({ expect: { contains: "a", equals: "b" } })],
  ["steps[0].expect", steps({ expect: { contains: "" } })],
  ["steps[0].expect.regex", steps({ expect: { regex: "(" } })],
  ["steps[0].expect.regex", steps({ expect: { regex: "(a)\\1" } })],
  ["steps[0].expect.regex", steps({ expect: { regex: "(?=a)b" } })],
  ["steps[0].expect.regex", steps({ expect: { regex: "((a{1,16}){1,16}){1,16}" } })],
  ["steps[0].expect.regex", steps({ expect: { regex: "a".repeat(201) } })],
  ["steps[0].expect.maxBytes", steps({ expect: { regex: "a", maxBytes: 5000 } })],
  ["steps[0].expect.maxBytes", steps({ expect: { contains: "abc", maxBytes: 2 } })],
  ["steps[1].send.hex", steps({ send: "a" }, { send: { hex: "abc" } })],
  ["steps[0].send", steps({ send: { hex: "00", text: "a" } })],
  ["steps[0].send.base64", steps({ send: { base64: "?" } })],
  ["tls.verifi", { tls: { verifi: true } }],
];
test.each(wrong)("refuses %s in %j", (path, settings) => {
  const errors = refusals(() => tcp.prepare(settings));
  expect(errors.map((error) => error.path)).toContain(path);
});

function refusals(action: () => unknown) {
  try {
    action();
  } catch (error) {
    if (error instanceof InvalidInput) return error.errors;
    throw error;
  }
  return [];
}
