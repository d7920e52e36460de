/**
 * Starts every server of Debian's that is installed here, runs its protocols' checks against it, and then points every
 * protocol at every other one's server: none may call it open, none may throw. Those not installed are named.
 * Run by hand: `node test/real-servers.ts [name …]`; ends with 1 when anything was not as it should be.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { protocols } from "../shared/protocols/index.ts";
import { check } from "./support/check.ts";
import { realServers } from "./support/real-servers/index.ts";
import { isInstalled, type RealServer, type Running, start, versionOf } from "./support/real-servers/server.ts";

/** Speak what others speak too, or anything: `open` at another's server is right for them. */
const KIN: Readonly<Record<string, readonly string[]>> = {
  smtp: ["submission"],
  submission: ["smtp"],
  tcp: Object.keys(protocols),
  udp: Object.keys(protocols),
  // Says nothing but "a datagram left": no answer is expected of it.
  syslog: Object.keys(protocols),
};
/** Of each cell; a server that waits for more costs this long. */
const TIMEOUT_MS = 700;

let failures = 0;
const fail = (text: string) => {
  failures += 1;
  console.log(`FAILED  ${text}`);
};

const wanted = process.argv.slice(2);
const chosen = realServers.filter(({ name }) => wanted.length === 0 || wanted.some((part) => name.includes(part)));
const standing: { server: RealServer; running: Running }[] = [];

const runOwnChecks = async (server: RealServer, running: Running) => {
  for (const wantedCheck of server.checks) {
    await sleep(wantedCheck.afterMs ?? 0);
    const outcome = await running.run(wantedCheck);
    const expected = { state: "open", health: "up", ...wantedCheck.expected };
    const isRight = Object.entries(expected).every(
      ([key, value]) => JSON.stringify(outcome[key as keyof typeof outcome]) === JSON.stringify(value),
    );
    const what = `${wantedCheck.protocol} ${JSON.stringify(wantedCheck.settings)}${wantedCheck.secure ? " inside TLS" : ""}`;
    const saw = `${outcome.state} ${outcome.reason ?? ""} "${outcome.message}" ${JSON.stringify(outcome.evidence)}`;
    if (isRight) console.log(`  ${what}: ${saw} [${outcome.fingerprint ?? ""}]`);
    else fail(`${server.name}: ${what}: ${saw}`);
  }
};

const startAll = async () => {
  for (const server of chosen) {
    if (!isInstalled(server)) {
      console.log(`SKIPPED ${server.name}: not installed (apt-get install ${server.debian})`);
      continue;
    }
    try {
      const running = await start(server);
      standing.push({ server, running });
      console.log(`${server.name}: ${versionOf(server)}`);
      await runOwnChecks(server, running);
    } catch (error) {
      fail(`${server.name}: ${(error as Error).message}`);
    }
  }
};

/** One cell: what a protocol says of a server of another. */
const cross = async (protocol: string, { server, running }: (typeof standing)[number]): Promise<string> => {
  const own = new Set(server.checks.map((row) => row.protocol));
  const row = protocols[protocol]!;
  try {
    const outcome = await check(
      { protocol, host: "127.0.0.1", port: running.context.port, settings: row.example.settings },
      TIMEOUT_MS,
    );
    const isKin = own.has(protocol) || KIN[protocol]?.some((name) => own.has(name));
    if (outcome.state === "open" && !isKin) fail(`${protocol} says open at ${server.name}: ${outcome.message}`);
    if (outcome.state === "unmeasured") fail(`${protocol} at ${server.name} is unmeasured: ${outcome.message}`);
    return outcome.state === "open"
      ? isKin
        ? "+"
        : "!"
      : outcome.state === "tls-error"
        ? "t"
        : outcome.reason === "no-answer"
          ? "."
          : outcome.state === "mismatch"
            ? "x"
            : outcome.state === "closed"
              ? "c"
              : outcome.state === "filtered"
                ? "f"
                : "?";
  } catch (error) {
    fail(`${protocol} throws at ${server.name}: ${(error as Error).stack ?? String(error)}`);
    return "!";
  }
};

const printMatrix = async () => {
  const names = Object.keys(protocols);
  console.log("\nEvery protocol (across) at every server (down), with its example's settings:");
  console.log(
    "+ open, its own  x mismatch  . no answer  c closed  f filtered  t TLS error  ? open or filtered  ! wrong\n",
  );
  const height = Math.max(...names.map((name) => name.length));
  for (let line = 0; line < height; line += 1)
    console.log(`${"".padEnd(24)}${names.map((name) => name.padStart(height)[line]).join(" ")}`);
  for (const place of standing) {
    const cells: string[] = [];
    for (let at = 0; at < names.length; at += 8)
      cells.push(...(await Promise.all(names.slice(at, at + 8).map((name) => cross(name, place)))));
    console.log(`${place.server.name.padEnd(24)}${cells.join(" ")}`);
  }
};

const stopAll = () => Promise.all(standing.map(({ running }) => running[Symbol.asyncDispose]()));
for (const signal of ["SIGINT", "SIGTERM"] as const)
  process.once(signal, () => {
    void stopAll().finally(() => process.exit(1));
  });

try {
  await startAll();
  await printMatrix();
} finally {
  await stopAll();
}
console.log(`\n${standing.length} servers, ${failures === 0 ? "all as they should be" : `${failures} failures`}`);
process.exitCode = failures === 0 ? 0 : 1;
