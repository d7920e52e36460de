/** Starts a server that is installed on this machine, on free loopback ports and with a folder of its own, and stops it. */
import { spawn, spawnSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Outcome } from "../../../shared/model.ts";
import { type Certificate, makeCertificate } from "../certificates.ts";
import { check } from "../check.ts";

export interface RealServer {
  readonly name: string;
  /** The Debian packages it comes in. */
  readonly debian: string;
  readonly program: string;
  /** What starts the program, for those that need another user or an inetd. Default: the program itself. */
  readonly launcher?: string;
  /** Its first and second port, for those that behave otherwise on others. Default: any that are free. */
  readonly ports?: readonly [number, number];
  /** Arguments that make the program say its version; none: the package's version is taken. */
  readonly version: readonly string[];
  /** Relative paths are below the server's folder, which is its working directory. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Writes the configuration and gives the command line. The program has to stay in the foreground. */
  arguments(context: Context): readonly string[];
  /** A command to run once the server stands, for those configured while they run. */
  after?(context: Context): readonly string[];
  readonly checks: readonly RealCheck[];
}

export interface RealCheck {
  readonly protocol: string;
  readonly settings: Readonly<Record<string, unknown>>;
  /** At the second port, with the server's certificate in `settings.tls.ca`. */
  readonly secure?: boolean;
  readonly atSecurePort?: boolean;
  /** Pause before, for servers that take visits only so fast. */
  readonly afterMs?: number;
  /** A command of another implementation that prints the value in the evidence. */
  printedBy?(context: Context): readonly string[];
  /** Default: open and up. */
  readonly expected?: Readonly<Record<string, unknown>>;
}

export interface Context {
  readonly folder: string;
  /** Free for UDP and TCP alike. */
  readonly port: number;
  readonly securePort: number;
  /** Signed by itself, for localhost and 127.0.0.1. */
  readonly certificate: Certificate;
}

export interface Running extends AsyncDisposable {
  readonly context: Context;
  readonly log: () => string;
  run(wanted: RealCheck): Promise<Outcome>;
}

/** Servers take this long to stand on a busy machine. */
const READY_MS = 15_000;

export const isInstalled = ({ program }: RealServer): boolean => existsSync(program);

export const isAsExpected = (outcome: Outcome, { expected }: RealCheck): boolean =>
  Object.entries({ state: "open", health: "up", ...expected }).every(
    ([key, value]) => JSON.stringify(outcome[key as keyof Outcome]) === JSON.stringify(value),
  );

/** What the other implementation prints, without its quotes and the dot before an object identifier. */
const printed = ([command = "", ...rest]: readonly string[]): string =>
  spawnSync(command, rest, { encoding: "utf8", timeout: 5000 })
    .stdout.trim()
    .replace(/^"(.*)"$/s, "$1")
    .replace(/^\.(?=\d)/, "");

/** Whether the value is what the other implementation reads, where the check names one. */
export const isAsPrinted = ({ evidence }: Outcome, { printedBy }: RealCheck, context: Context): boolean =>
  !printedBy || printed(printedBy(context)) === evidence.value;

/** The first line with a version in what the program says of itself, or the package's version where it says none. */
export const versionOf = ({ program, version, debian }: RealServer): string => {
  const ask = (command: string, ...rest: readonly string[]) => {
    const { stdout, stderr } = spawnSync(command, rest, { encoding: "utf8", timeout: 5000 });
    return `${stdout}\n${stderr}`
      .split("\n")
      .find((line) => /\d+\.\d+/.test(line))
      ?.trim();
  };
  const package_ = debian.split(",")[0] ?? "";
  const own = version.length > 0 ? ask(program, ...version) : undefined;
  return own ?? ask("dpkg-query", "-W", package_) ?? "version unknown";
};

/** @throws Error with the server's own words when it does not come up */
export async function start(server: RealServer): Promise<Running> {
  const folder = mkdtempSync(join(tmpdir(), "harborlight-"));
  const [port, securePort] = server.ports ?? [await freePort(), await freePort()];
  const context = { folder, port, securePort, certificate: makeCertificate() };
  const env = { ...process.env, ...server.environment };
  for (const [name, value] of Object.entries(server.environment ?? {})) env[name] = join(folder, value);
  const child = spawn(server.launcher ?? server.program, [...server.arguments(context)], {
    cwd: folder,
    env,
    detached: true,
    // No socket as standard input: servers take that for a visit that an inetd hands them.
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  let ended: string | undefined;
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => {
      said = `${said}${chunk.toString("latin1")}`.slice(-8000);
    });
  child.on("error", (error) => {
    ended = error.message;
  });
  child.on("exit", (code, signal) => {
    ended = `ended with ${code ?? signal}`;
  });
  const run = ({ protocol, settings, secure, atSecurePort }: RealCheck) =>
    check(
      {
        protocol,
        host: "127.0.0.1",
        port: secure || atSecurePort ? context.securePort : context.port,
        settings: secure
          ? { ...settings, tls: { ...(settings.tls as object), ca: context.certificate.certificate } }
          : settings,
      },
      1500,
    );
  const stop = async () => {
    for (const signal of ["SIGTERM", "SIGKILL"] as const) {
      try {
        process.kill(-(child.pid ?? 0), signal);
      } catch {}
      for (let waited = 0; waited < 2000 && ended === undefined; waited += 50) await sleep(50);
    }
    rmSync(folder, { recursive: true, force: true });
  };
  const running = { context, log: () => said, run, [Symbol.asyncDispose]: stop };
  try {
    for (const until = Date.now() + READY_MS; ; await sleep(200)) {
      if (ended !== undefined) throw new Error(`${server.name} ${ended}: ${said.slice(-1000)}`);
      const outcome = await run(server.checks[0]!);
      if (isAsExpected(outcome, server.checks[0]!)) break;
      if (Date.now() < until) continue; // some accept connections long before they answer
      if (["closed", "unmeasured", "open|filtered"].includes(outcome.state))
        throw new Error(`${server.name} does not come up (${outcome.message}): ${said.slice(-1000)}`);
      break; // it answers, and not as expected: its checks say how
    }
    const [command, ...rest] = server.after?.(context) ?? [];
    if (command) {
      const { status, stderr } = spawnSync(command, rest, { cwd: folder, env, encoding: "utf8", timeout: 5000 });
      if (status !== 0) throw new Error(`${command} failed: ${stderr}`);
    }
    return running;
  } catch (error) {
    await stop();
    throw error;
  }
}

/** A port that is free for UDP and TCP, and whose neighbour below was not taken either. */
async function freePort(): Promise<number> {
  for (;;) {
    const tcp = createServer();
    await new Promise<void>((resolve) => tcp.listen(0, "127.0.0.1", resolve));
    const { port } = tcp.address() as { port: number };
    const udp = createSocket("udp4");
    const isFree = await new Promise<boolean>((resolve) => {
      udp.once("error", () => resolve(false)).bind(port, "127.0.0.1", () => resolve(true));
    });
    await new Promise<void>((resolve) => udp.close(() => resolve())).catch(() => {});
    await new Promise((resolve) => tcp.close(resolve));
    if (isFree) return port;
  }
}
