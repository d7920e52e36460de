import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import type { Protocol } from "../../../shared/contract/protocol.ts";
import { type CheckRequest, createEngine, type EngineOptions } from "../../../shared/engine/run.ts";
import type { Health, Outcome } from "../../../shared/model.ts";
import { protocols } from "../../../shared/protocols/index.ts";
import { type CheckInput, check, checkSettings } from "../../support/check.ts";
import { serveDns } from "../../support/dns-server.ts";
import { refusedPort, serve, serveSilence, serveUdp } from "../../support/servers.ts";

const local: EngineOptions = { location: { kind: "local", families: ["ipv4", "ipv6"] }, protocols };
const request = (input: CheckInput, timeoutMs = 1000): CheckRequest => ({
  id: "a",
  check: checkSettings(input, timeoutMs),
});
const soon = (ms = 10_000) => Date.now() + ms;

/** Runs one monitor with retries, given the location's present view. */
async function retried(input: CheckInput, present: Health | null, deadlineAtMs = soon()): Promise<Outcome | undefined> {
  const withRetries = { retries: { count: 2, delayMs: 30 }, ...input };
  const { outcomes } = await createEngine(local).runBatch([request(withRetries)], {
    deadlineAtMs,
    presentHealth: () => present,
  });
  return outcomes.get("a");
}

const rules: [present: Health | null, isOpen: boolean, attempts: number][] = [
  [null, true, 1],
  [null, false, 3],
  ["up", true, 1],
  ["up", false, 3],
  ["degraded", false, 3],
  ["down", false, 1],
  ["down", true, 3],
  ["unknown", true, 1],
  ["unknown", false, 3],
];
test.each(rules)("present view %s, port open %s: %i attempts", async (present, isOpen, attempts) => {
  await using server = await serveSilence();
  const port = isOpen ? server : await refusedPort();
  expect(await retried({ protocol: "tcp", ...port }, present)).toMatchObject({
    attempts,
    health: isOpen ? "up" : "down",
  });
});

test("a retry that agrees with the present view ends the check", async () => {
  let connections = 0;
  await using server = await serve((socket) => socket.end(connections++ === 0 ? "no\n" : "yes\n"));
  const settings = { steps: [{ expect: { contains: "yes" } }] };
  expect(await retried({ protocol: "tcp", ...server, settings }, "up")).toMatchObject({ health: "up", attempts: 2 });
});

test("a retry that would not fit before the deadline is not made", async () => {
  const input = { protocol: "tcp", ...(await refusedPort()), timeoutMs: 1000, retries: { count: 2, delayMs: 60_000 } };
  expect(await retried(input, "up", soon(5_000))).toMatchObject({ attempts: 1, health: "down" });
});

test("a check that cannot fit one attempt is late, and not run", async () => {
  await using server = await serveSilence();
  const { outcomes, late } = await createEngine(local).runBatch([request({ protocol: "tcp", ...server }, 5000)], {
    deadlineAtMs: soon(4000),
  });
  expect(late).toEqual(["a"]);
  expect(outcomes.size).toBe(0);
  expect(server.connections).toBe(0);
});

test("a shorter timeout for a target known to be down makes it fit", async () => {
  await using server = await serveSilence();
  const shorter = { ...request({ protocol: "tcp", ...server }, 5000), effectiveTimeoutMs: 1000 };
  const { outcomes } = await createEngine(local).runBatch([shorter], { deadlineAtMs: soon(4000) });
  expect(outcomes.get("a")).toMatchObject({ state: "open" });
});

test("each outcome is reported as it comes, not when the slowest check is done", async () => {
  await using silent = await serveSilence();
  await using quick = await serve((socket) => socket.end("hello"));
  const settings = { steps: [{ expect: { contains: "hello" } }] };
  const seen: string[] = [];
  await createEngine(local).runBatch(
    [
      { ...request({ protocol: "tcp", ...silent, settings }, 400), id: "slow" },
      { ...request({ protocol: "tcp", ...quick, settings }), id: "quick" },
    ],
    { deadlineAtMs: soon(), onOutcome: (id) => seen.push(id) },
  );
  expect(seen).toEqual(["quick", "slow"]);
});

test("an internal error makes its own check unmeasured, and no other", async () => {
  await using server = await serve((socket) => socket.write("hello"));
  const broken: Protocol = {
    title: "broken",
    summary: "",
    reference: "",
    transports: ["tcp"],
    defaultPort: null,
    settings: z.unknown(),
    example: { settings: {} },
    prepare: () => ({
      transport: "tcp",
      async talk(connection) {
        await connection.readSome();
        throw new TypeError("undefined is not a function");
      },
    }),
  };
  const plain: Protocol = { ...broken, prepare: () => ({ transport: "tcp" }) };
  const engine = createEngine({ ...local, protocols: { broken, plain } });
  const requests = ["broken", "plain"].map((protocol) => ({ ...request({ protocol, ...server }), id: protocol }));
  const { outcomes, crashes } = await engine.runBatch(requests, { deadlineAtMs: soon() });
  expect(crashes).toMatchObject([{ id: "broken", error: expect.any(TypeError) as Error }]);
  expect(outcomes.get("broken")).toMatchObject({ state: "unmeasured", health: "unknown", reason: "cut-short" });
  expect(outcomes.get("plain")).toMatchObject({ state: "open" });
  await expect(check({ protocol: broken, ...server })).rejects.toThrow("undefined is not a function");
});

test("a protocol that does not wait for its connection ends at the deadline, too", async () => {
  await using server = await serveSilence();
  const stuck: Protocol = {
    title: "stuck",
    summary: "",
    reference: "",
    transports: ["tcp"],
    defaultPort: null,
    settings: z.unknown(),
    example: { settings: {} },
    prepare: () => ({ transport: "tcp", talk: () => new Promise(() => {}) }),
  };
  expect(await check({ protocol: stuck, ...server }, 200)).toMatchObject({ state: "mismatch", reason: "no-answer" });
});

test("filtered when the handshake is not answered", async () => {
  // A child process listens with the shortest backlog and never accepts: once it is full, the kernel drops SYNs.
  const listen = `require("node:net").createServer().listen({ port: 0, host: "127.0.0.1", backlog: 1 }, function () {
    process.stdout.write(String(this.address().port), () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0));
  })`;
  const child = spawn(process.execPath, ["-e", listen], { stdio: ["ignore", "pipe", "inherit"] });
  const [printed] = (await once(child.stdout, "data")) as [Buffer];
  const port = Number(printed.toString());
  const fillers = Array.from({ length: 4 }, () => connect(port, "127.0.0.1").on("error", () => {}));
  await new Promise((resolve) => setTimeout(resolve, 200));
  const outcome = await check({ protocol: "tcp", port }, 300);
  for (const filler of fillers) filler.destroy();
  child.kill("SIGKILL");
  expect(outcome).toMatchObject({ state: "filtered", health: "down", reason: "timeout" });
  expect(outcome.message).toMatch(/^127\.0\.0\.1:\d+ did not answer within 300 ms$/);
});

test("a missing route on this machine is unmeasured, not the target's failure", async () => {
  // The kernel itself refuses addresses of class E, on every machine.
  const outcome = await check({ protocol: "tcp", host: "255.255.255.255", port: 9 }, 500);
  expect(outcome).toMatchObject({ state: "unmeasured", health: "unknown" });
});

test("a process without free descriptors reports unmeasured, not down", async () => {
  await using server = await serveSilence();
  const script = `
    import { createEngine } from "${new URL("../../../shared/engine/run.ts", import.meta.url).href}";
    import { protocols } from "${new URL("../../../shared/protocols/index.ts", import.meta.url).href}";
    import { checkSettings } from "${new URL("../../support/check.ts", import.meta.url).href}";
    const engine = createEngine({ location: { kind: "local", families: ["ipv4"] }, protocols });
    const settings = { steps: [{ expect: { contains: "x" } }] };
    const check = checkSettings({ protocol: "tcp", port: ${server.port}, settings }, 1500);
    const requests = Array.from({ length: 200 }, (_, i) => ({ id: String(i), check }));
    const { outcomes, crashes } = await engine.runBatch(requests, { deadlineAtMs: Date.now() + 10000 });
    const states = [...outcomes.values()].map(({ state, reason, health }) => [state, reason, health].join());
    console.log(JSON.stringify({ states, crashes: crashes.length }));`;
  const command = `ulimit -n 100 && exec "$0" --input-type=module -e "$1"`;
  const { stdout } = await promisify(execFile)("sh", ["-c", command, process.execPath, script]);
  const { states, crashes } = JSON.parse(stdout) as { states: string[]; crashes: number };
  expect(crashes).toBe(0);
  expect(states).toHaveLength(200);
  expect(new Set(states)).toEqual(new Set(["mismatch,no-answer,down", "unmeasured,too-many-open-files,unknown"]));
  // Checks that got a descriptor were measured as usual.
  expect(states.filter((state) => state.startsWith("mismatch")).length).toBe(server.connections);
});

test("never more sockets at once than allowed", async () => {
  let open = 0;
  let most = 0;
  await using server = await serve((socket) => {
    most = Math.max(most, ++open);
    socket.on("close", () => open--);
    setTimeout(() => socket.write("x"), 30);
  });
  const settings = { steps: [{ expect: { contains: "x" } }] };
  const requests = Array.from({ length: 60 }, (_, i) => ({
    ...request({ protocol: "tcp", ...server, settings }, 5000),
    id: String(i),
  }));
  const { outcomes } = await createEngine({ ...local, maxSockets: 10 }).runBatch(requests, {
    deadlineAtMs: soon(30_000),
  });
  expect([...outcomes.values()].every(({ state }) => state === "open")).toBe(true);
  expect(most).toBeLessThanOrEqual(12); // what was destroyed here may not have been closed there yet
});

test("an answer that arrived during a stall counts, and its latency is flagged", async () => {
  await using server = await serveSilence();
  const engine = createEngine(local);
  const settings = { steps: [{ expect: { contains: "x" } }] };
  await using answering = await serve((socket) => socket.write("x"));
  const running = engine.runBatch(
    [
      { ...request({ protocol: "tcp", ...answering, settings }, 200), id: "spoken" },
      { ...request({ protocol: "tcp", ...server }, 200), id: "plain" },
    ],
    { deadlineAtMs: soon() },
  );
  setImmediate(() =>
    setImmediate(() => {
      const until = performance.now() + 400; // longer than every timeout
      while (performance.now() < until);
    }),
  );
  const { outcomes } = await running;
  expect(outcomes.get("spoken")).toMatchObject({ state: "open", health: "up", stalled: true });
  expect(outcomes.get("plain")).toMatchObject({ state: "open", health: "up" });
});

describe("an event-loop stall", () => {
  /** Blocks the event loop, and with it the servers of this test: longer than every timeout here. */
  const standStill = (ms: number) => {
    const until = performance.now() + ms;
    while (performance.now() < until);
  };
  /** Answers in two steps, each with a delay. */
  const serveSlowly = () =>
    serve((socket) => {
      setTimeout(() => socket.write("a"), 50);
      socket.on("data", () => setTimeout(() => socket.write("b"), 50));
    });
  const settings = { steps: [{ expect: { contains: "a" } }, { send: "x", expect: { contains: "b" } }] };
  const run = async (input: CheckInput, deadlineAtMs: number) => {
    const running = createEngine(local).runBatch([request(input, 200)], { deadlineAtMs });
    setTimeout(() => standStill(400), 20);
    return (await running).outcomes.get("a");
  };

  test.each([
    ["nothing", settings],
    ["half of it", { steps: [{ expect: { contains: "half of it" } }] }],
  ])("repeats the attempt instead of reporting down after %s", async (_seen, steps) => {
    await using server = await serve((socket) => {
      const [first, second] = steps === settings ? ["a", "b"] : [" of", " it"];
      if (steps !== settings) socket.write("half");
      setTimeout(() => {
        socket.write(first);
        setTimeout(() => socket.write(second), 50);
      }, 50);
    });
    const outcome = await run({ protocol: "tcp", ...server, settings: steps }, soon());
    expect(outcome).toMatchObject({ state: "open", health: "up" });
    expect(server.connections).toBe(2);
  });

  test("does not repeat the attempt when the target is already believed down", async () => {
    await using server = await serveSlowly();
    const running = createEngine(local).runBatch([request({ protocol: "tcp", ...server, settings }, 200)], {
      deadlineAtMs: soon(),
      presentHealth: () => "down",
    });
    setTimeout(() => standStill(400), 20);
    expect((await running).outcomes.get("a")).toMatchObject({ health: "down" });
    expect(server.connections).toBe(1);
  });

  test("is unmeasured when the deadline leaves no time to repeat", async () => {
    await using server = await serveSlowly();
    const outcome = await run({ protocol: "tcp", ...server, settings }, soon(300));
    expect(outcome).toMatchObject({ state: "unmeasured", health: "unknown", reason: "cut-short" });
    expect(outcome?.message).toContain("this process was stalled meanwhile");
  });

  test("still reports an outage afterwards", async () => {
    await using server = await serveSilence();
    expect(await run({ protocol: "tcp", ...server, settings }, soon())).toMatchObject({
      health: "down",
      reason: "no-answer",
    });
  });

  test("repeats DNS queries", async () => {
    await using server = await serveSilence();
    await using dns = await serveDns(() => ({ addresses: ["127.0.0.1"], delayMs: 50 }));
    const engine = createEngine({
      location: { kind: "local", families: ["ipv4"] },
      protocols,
      nameServers: [dns.address],
      hostsFile: null,
    });
    const names = ["a.example", "b.example"].map((host) => ({
      id: host,
      check: checkSettings({ protocol: "tcp", host, port: server.port }, 200),
    }));
    await engine.runBatch([names[0]!], { deadlineAtMs: soon() }); // so that the resolver is known to answer
    const running = engine.runBatch([names[1]!], { deadlineAtMs: soon() });
    setTimeout(() => standStill(400), 20);
    expect((await running).outcomes.get("b.example")).toMatchObject({ state: "open", health: "up" });
  });

  test("reports no packet loss", async () => {
    let count = 0;
    await using server = await serveUdp((message, reply) => void setTimeout(() => reply(message), count++ % 5 && 30));
    const udp = {
      send: "ping",
      expect: { equals: "ping" },
      packets: { count: 5, spacingMs: 10 },
      lossPercent: { degradedAbove: 0, downAbove: 10 },
    };
    for (const ms of [10_000, 300]) {
      count = 0;
      expect(await run({ protocol: "udp", ...server, settings: udp }, soon(ms))).toMatchObject({ health: "up" });
    }
  });
});

test("evidence is printable and at most 1 KB, whatever the server sends", async () => {
  await using server = await serve((socket) => socket.end(`\u001b[31m${"ü".repeat(2000)}END`));
  const settings = { steps: [{ expect: { contains: "END", maxBytes: 8192 } }] };
  const { evidence, message } = await check({ protocol: "tcp", ...server, settings });
  expect(Buffer.byteLength(JSON.stringify(evidence))).toBeLessThanOrEqual(1024);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: their absence is the point
  expect(JSON.stringify(evidence) + message).not.toMatch(/[\u0000-\u001f]/);
});
