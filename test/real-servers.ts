/**
 * Starts every server of Debian's that is installed here, runs its protocols' checks against it, and then points every
 * protocol at every other one's server: none may call it open, none may throw. Those not installed are named.
 * Run by hand: `node test/real-servers.ts [name …]`; ends with 1 when anything was not as it should be.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { InvalidInput } from "../shared/errors.ts";
import { protocols } from "../shared/protocols/index.ts";
import { check } from "./support/check.ts";
import { realServers } from "./support/real-servers/index.ts";
import {
  isAsExpected,
  isAsPrinted,
  isInstalled,
  type RealServer,
  type Running,
  start,
  versionOf,
} from "./support/real-servers/server.ts";

interface Kin {
  /** Protocols whose servers it may call open too. */
  readonly of: readonly string[];
  readonly because: string;
}
const EVERY = Object.keys(protocols).filter((name) => !protocols[name]!.isSweep);
/** Who may say `open` at another protocol's server, and why that is right. */
const KIN: Readonly<Record<string, Kin>> = {
  smtp: { of: ["submission", "smtps"], because: "SMTP and submission are one protocol on two ports" },
  smtps: { of: ["smtp", "submission"], because: "SMTP inside TLS" },
  submission: { of: ["smtp", "smtps"], because: "SMTP and submission are one protocol on two ports" },
  https: { of: ["quic"], because: "a server of HTTP/3 serves HTTPS on the same port by TCP" },
  sip: { of: ["sips"], because: "one server, one protocol, with TLS or without" },
  tcp: { of: EVERY, because: "without `expect`, an accepted connection is all it asks" },
  udp: { of: EVERY, because: "its settings say what is sent and expected" },
  syslog: { of: EVERY, because: "nothing ever answers a syslog message: by TCP the connection is all there is to see" },
};
/** Of each cell; a server that waits for more costs this long. */
const TIMEOUT_MS = 700;
const SIDE_BY_SIDE = 16;

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
    const what = `${wantedCheck.protocol} ${JSON.stringify(wantedCheck.settings)}${wantedCheck.secure ? " inside TLS" : ""}`;
    const saw = `${outcome.state} ${outcome.reason ?? ""} "${outcome.message}" ${JSON.stringify(outcome.evidence)}`;
    if (!isAsPrinted(outcome, wantedCheck, running.context)) fail(`${server.name}: ${what}: not as printed: ${saw}`);
    else if (isAsExpected(outcome, wantedCheck))
      console.log(`  ${what}: ${saw} [${JSON.stringify(outcome.facts ?? {})}]`);
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

/** A way in which a protocol can be spoken: over its default transport, or over TCP where it has both. */
interface Way {
  readonly name: string;
  readonly protocol: string;
  readonly settings: Readonly<Record<string, unknown>>;
}
/** One port of a server that stands. */
interface Place {
  readonly name: string;
  readonly port: number;
  readonly isTls: boolean;
  readonly own: ReadonlySet<string>;
}

/** The first settings that the protocol takes. The fewest wishes come first: what asks for little is easiest to fool. */
const firstTaken = (protocol: string, ...candidates: readonly Way["settings"][]) =>
  candidates.find((settings) => {
    try {
      protocols[protocol]!.prepare(settings);
      return true;
    } catch (error) {
      if (error instanceof InvalidInput) return false;
      throw error;
    }
  }) ?? {};

const waysInto = (isTls: boolean): readonly Way[] =>
  EVERY.flatMap((protocol) => {
    const { example, prepare, transports } = protocols[protocol]!;
    const anyCertificate = { tls: { verify: false } };
    const plain = firstTaken(protocol, {}, example.settings);
    const probe = prepare(plain);
    const startsWithTls = isTls || (probe.transport === "tcp" && probe.tls !== undefined);
    const settings = startsWithTls ? firstTaken(protocol, anyCertificate, plain) : plain;
    const way = { name: protocol, protocol, settings };
    if (transports.length === 1) return [way];
    const overTcp = { ...plain, transport: "tcp" };
    const tcpSettings = isTls ? firstTaken(protocol, { ...overTcp, ...anyCertificate }, overTcp) : overTcp;
    return [way, { name: `${protocol}/tcp`, protocol, settings: tcpSettings }];
  });

/** One cell: what a protocol says of a server, of its own or of another. */
const cross = async ({ name, protocol, settings }: Way, place: Place): Promise<string> => {
  const isKin = place.own.has(protocol) || KIN[protocol]?.of.some((other) => place.own.has(other)) === true;
  try {
    const outcome = await check({ protocol, host: "127.0.0.1", port: place.port, settings }, TIMEOUT_MS);
    const { state, reason, message } = outcome;
    if (state === "unmeasured") fail(`${name} at ${place.name} is unmeasured: ${message}`);
    if (state === "open" && !isKin) fail(`${name} says open at ${place.name}: ${message}`);
    if (state === "open") return isKin ? "+" : "!";
    return reason === "no-answer" && state === "mismatch" ? "." : (LETTERS[state] ?? "!");
  } catch (error) {
    fail(`${name} throws at ${place.name}: ${(error as Error).stack ?? String(error)}`);
    return "!";
  }
};
const LETTERS: Readonly<Record<string, string>> = {
  mismatch: "x",
  closed: "c",
  filtered: "f",
  "tls-error": "t",
  "open|filtered": "?",
};

const printMatrix = async () => {
  const places = standing.flatMap(({ server, running }): Place[] => {
    const { port, securePort } = running.context;
    const own = new Set(server.checks.map(({ protocol }) => protocol));
    const place = { name: server.name, port, isTls: false, own };
    const hasTls = server.checks.some(({ secure }) => secure);
    return hasTls ? [place, { name: `${server.name}, TLS`, port: securePort, isTls: true, own }] : [place];
  });
  const names = waysInto(false).map(({ name }) => name);
  console.log("\nEvery protocol (across) at every server (down), with the fewest wishes its settings allow:");
  console.log(
    "+ open, as expected  x mismatch  . accepted, no answer  c closed  f filtered  t TLS error  ? UDP silence  ! wrong\n",
  );
  const height = Math.max(...names.map((name) => name.length));
  for (let line = 0; line < height; line += 1)
    console.log(`${"".padEnd(24)}${names.map((name) => name.padStart(height)[line]).join(" ")}`);
  const columns = new Map<string, string[]>(names.map((name) => [name, []]));
  for (const place of places) {
    const ways = waysInto(place.isTls);
    const cells: string[] = [];
    for (let at = 0; at < ways.length; at += SIDE_BY_SIDE)
      cells.push(...(await Promise.all(ways.slice(at, at + SIDE_BY_SIDE).map((way) => cross(way, place)))));
    for (const [index, cell] of cells.entries()) columns.get(names[index]!)?.push(cell);
    console.log(`${place.name.padEnd(24)}${cells.join(" ")}`);
  }
  console.log("");
  for (const [name, cells] of columns) {
    const count = (cell: string) => cells.filter((one) => one === cell).length;
    const open = count("+");
    const because = open > 0 ? KIN[name.replace("/tcp", "")]?.because : undefined;
    console.log(
      `${name.padEnd(20)}${cells.length} ports: ${open} open as expected, ${count("!")} wrong${because ? ` (${because})` : ""}`,
    );
  }
};

const stopAll = () => Promise.all(standing.splice(0).map(({ running }) => running[Symbol.asyncDispose]()));
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
  process.once(signal, () => {
    void stopAll().finally(() => process.exit(1));
  });

let stood = 0;
try {
  await startAll();
  await printMatrix();
} finally {
  stood = standing.length;
  await stopAll();
}
console.log(`\n${stood} servers, ${failures === 0 ? "all as they should be" : `${failures} failures`}`);
// Some servers leave children that hold the pipes we read them by.
process.exit(failures === 0 ? 0 : 1);
