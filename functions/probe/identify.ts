/**
 * Finds which protocol answers on an open port: by its greeting, if only one protocol greets so; else by asking in the protocols that
 * greet alike, or whose default port it is, then in TLS and HTTP. Of those one counts whose check succeeds.
 */
import type { Protocol } from "../../shared/contract/protocol.ts";
import type { Engine } from "../../shared/engine/run.ts";
import type { Outcome } from "../../shared/model.ts";
import { singleCheck } from "./single-check.ts";

const GREETING_MS = 1_500;
const ANSWER_MS = 2_000;
/** Connections to one port, a second apart: services that count connections from one source must not mind. */
const MOST_CONNECTIONS = 6;
const APART_MS = 1_000;

/** Greetings that only one protocol begins with. */
const SURE: readonly (readonly [begins: RegExp, protocol: string])[] = [
  [/^SSH-/, "ssh"],
  [/^RFB \d/, "vnc"],
  [/^\* (OK|PREAUTH)/, "imap"],
  [/^\+OK/, "pop3"],
  [/^@RSYNCD:/, "rsync"],
];
/** Other greetings, and whose they may be, likeliest first. */
const PERHAPS: readonly (readonly [begins: RegExp, protocols: readonly string[]])[] = [
  [/^220[ -][^\r\n]*(SMTP|mail)/i, ["smtp", "ftp"]],
  [/^220[ -]/, ["ftp", "smtp"]],
  [/^20[01] /, ["nntp"]],
  [/mysql|mariadb|^[^\n]{0,5}(\d|Host|Too many)/i, ["mysql"]],
  [/^(\xff|\ufffd)/, ["telnet"]],
];
/** Asked of everything that does not greet, after the protocol whose port it is. */
const LIKELY = ["https", "http", "postgresql", "redis"];

interface OpenPort {
  readonly host: string;
  readonly port: number;
}

/** @returns the protocol's name, `tls` for something else inside TLS, `unknown` for an unknown greeting, `silent`, or `closes-at-once`; undefined if it did not answer */
export type Identify = (open: OpenPort, deadlineAtMs: number) => Promise<string | undefined>;

export const createIdentify = (
  engine: Pick<Engine, "runOne">,
  protocols: Readonly<Record<string, Protocol>>,
  now: () => number,
  sleep: (ms: number) => Promise<unknown>,
): Identify => {
  /** A protocol that says nothing proves nothing. */
  const talks = (name: string) => {
    const probe = protocols[name]?.prepare({});
    return probe?.transport === "tcp" && probe.talk !== undefined;
  };
  /** Whose certificate it is does not matter here. */
  const settingsFor = (name: string) => {
    const probe = protocols[name]?.prepare({});
    return probe?.transport === "tcp" && probe.tls ? { tls: { verify: false } } : {};
  };
  const byPort = (port: number) =>
    Object.entries(protocols)
      .filter(([name, { defaultPort }]) => defaultPort === port && talks(name))
      .map(([name]) => name);

  return async ({ host, port }, deadlineAtMs) => {
    const ask = (protocol: string, timeoutMs: number, settings: Readonly<Record<string, unknown>> = {}) =>
      engine.runOne(singleCheck({ protocol, host, port, timeoutMs, settings }), deadlineAtMs);

    const anything = { steps: [{ expect: { regex: "[\\s\\S]+" } }] };
    const greeted = await ask("tcp", GREETING_MS, anything);
    if (!greeted || greeted.state === "filtered" || greeted.state === "closed") return undefined;
    const greeting = greeted.state === "open" ? greetingIn(greeted) : undefined;
    if (greeted.reason === "connection-closed" || greeted.reason === "connection-reset") return "closes-at-once";
    const sure = greeting === undefined ? undefined : SURE.find(([begins]) => begins.test(greeting))?.[1];
    if (sure !== undefined) return sure;
    const candidates =
      greeting === undefined
        ? [...byPort(port), ...LIKELY]
        : [...(PERHAPS.find(([begins]) => begins.test(greeting))?.[1] ?? []), ...byPort(port)];
    let isTls = false;
    for (const name of [...new Set(candidates)].slice(0, MOST_CONNECTIONS - 1)) {
      await sleep(APART_MS);
      if (now() + ANSWER_MS > deadlineAtMs) return undefined;
      const outcome = await ask(name, ANSWER_MS, settingsFor(name));
      if (outcome?.state === "open") return name;
      isTls ||= outcome?.evidence.tls !== undefined;
    }
    if (isTls) return "tls";
    return greeting === undefined ? "silent" : "unknown";
  };
};

/** The first bytes as text; the check shows them as text or as bytes in hexadecimal. */
function greetingIn({ evidence }: Outcome): string {
  const { received } = evidence;
  return typeof received === "string" ? received : JSON.stringify(received);
}
