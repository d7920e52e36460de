/**
 * Interface that each protocol file implements. A protocol file holds no timer, clock, retry, table or log: the engine
 * (`engine/run.ts`) resolves the name, guards the address, connects, owns the deadline, measures, counts and turns
 * failures into outcomes.
 */
import type { z } from "zod";
import type { Evidence, Facts, PortState } from "../model.ts";
import type { Reason } from "../reasons.ts";
import type { Connection, TlsOptions } from "./connection.ts";
import type { JudgedPoll } from "./poll.ts";

/** One row of the registry. */
export interface Protocol {
  /** For people: "SSH". */
  readonly title: string;
  /** One sentence on what makes it `open`. */
  readonly summary: string;
  /** The documents it follows: "RFC 4253, section 4.2". */
  readonly reference: string;
  /** The transports it can use; the first is the default. */
  readonly transports: readonly ("tcp" | "udp")[];
  /** Null where no default makes sense and the user must name the port. */
  readonly defaultPort: number | null;
  /** Strict schema of `settings`; unknown fields are refused. Its JSON Schema is part of the API's catalogue of protocols. */
  readonly settings: z.ZodType;
  /** `settings` of a monitor (and its port, where there is no default) that the API accepts unchanged. */
  readonly example: { readonly port?: number; readonly settings: Readonly<Record<string, unknown>> };
  /** Whether it looks at many ports of a host or a network over minutes, and so has no port of its own. Default false. */
  readonly isSweep?: boolean;
  /** Whether its checks read counters of interfaces, of which rates are made. Default false. */
  readonly readsCounters?: boolean;
  /**
   * Validates the settings and creates the probe that the engine runs. Must be cheap: called for every check.
   * @throws InvalidInput with paths relative to `settings`
   */
  prepare(settings: unknown): Probe;
}

export type Probe = TcpProbe | UdpProbe | DialogProbe | SweepProbe;

/** What a protocol learned from a correct answer. */
export interface Finding {
  /** Facts for people to read; the engine cuts them to 1 KB. */
  readonly evidence?: Evidence;
  /** For people: "SSH-2.0-OpenSSH_9.2p1". Default: a sentence by the engine. */
  readonly message?: string;
  /** What the service says of itself and should say the next time too: never salts, dates, serial numbers, counters, offsets. */
  readonly facts?: Facts;
  /** The port is open, but something is wrong (expiring certificate, bad stratum). */
  readonly degraded?: { readonly reason: Reason; readonly message: string };
  /** Counters that were read; what they mean is decided with those of the checks before (`functions/probe/interfaces.ts`). */
  readonly poll?: JudgedPoll;
}

/** TCP. Without `talk` an accepted connection (and TLS handshake, where asked for) is the whole check. */
export interface TcpProbe {
  readonly transport: "tcp";
  /** TLS from the first byte on. For STARTTLS the protocol calls `connection.startTls` itself. */
  readonly tls?: TlsOptions;
  /** Talks to the server and returns what it learned; throws `ProbeFailure` when the answer is wrong. */
  readonly talk?: (connection: Connection, target: Target) => Promise<Finding>;
}

/** UDP: several datagrams per check, each a separate question; `read` matches answers to questions. */
export interface UdpProbe {
  readonly transport: "udp";
  /** Datagrams per check and the pause between their starts. */
  readonly packets: { readonly count: number; readonly spacingMs: number };
  /** What silence after every datagram means. */
  readonly silence: "down" | "up" | "unknown";
  /** Why a healthy server may be silent, for the message: "a RADIUS server is silent to a wrong secret". */
  readonly silenceMeans?: string;
  /**
   * Answers come from another port than the one asked (TFTP). Then only the address is matched, and the protocol's id
   * is the only proof that an answer is genuine. Default false.
   */
  readonly answersFromAnyPort?: boolean;
  /** Loss above which the check is degraded, and above which it is down. Null: never. 100 % loss is silence. */
  readonly lossPercent: { readonly degradedAbove: number | null; readonly downAbove: number | null };
  /**
   * Builds the n-th datagram, counted from 0, with a different id each time where the protocol has one.
   * @param random returns that many random bytes
   */
  ask(n: number, random: (bytes: number) => Buffer, target: Target): Buffer;
  /**
   * Reads a datagram as the answer to this question. `undefined`: it is not (other id, late, foreign), keep waiting.
   * A `followUp` is sent as a further datagram of the same question (cookies, engine discovery).
   * @throws ProbeFailure when it answers this question, but wrongly
   */
  read(answer: Buffer, question: Buffer, target: Target): Finding | { readonly followUp: Buffer } | undefined;
}

/** A conversation over UDP: requests that depend on the answers before them. */
export interface DialogProbe {
  readonly transport: "udp";
  /** What it means when nothing is answered at all. */
  readonly silence: UdpProbe["silence"];
  /** As in `UdpProbe`. */
  readonly silenceMeans?: string;
  /** @throws ProbeFailure when an answer is wrong */
  readonly converse: (dialog: Dialog, target: Target) => Promise<Finding>;
}

/** One side of a conversation over UDP. */
export interface Dialog {
  /**
   * Sends a request, repeats it twice, a second apart, and waits for its answer until the check's deadline. At most four are
   * under way; further ones wait for their turn.
   * @param ask makes the datagram when its turn has come
   * @param read as in `UdpProbe`: `undefined` for what answers another request
   */
  request<T>(
    ask: () => Buffer,
    read: (answer: Buffer, question: Buffer) => { readonly value: T } | { readonly followUp: Buffer } | undefined,
  ): Promise<T>;
}

/** A sweep: the probe function runs it in slices of a minute (`functions/probe/sweep.ts`), the engine's checks never do. */
export interface SweepProbe {
  readonly transport: "sweep";
  readonly ports: readonly number[];
  /** UDP ports, each of which is asked in the protocol whose default port it is. */
  readonly udp: readonly number[];
  /** Attempts a second at one address. Null: what the kind of location allows without being asked. */
  readonly perSecond: number | null;
  /** The ports that must be open, where their absence makes the monitor down; null for none. */
  readonly expected: readonly number[] | null;
  /** Ports that may be open or not. */
  readonly mayBe: readonly number[];
  /** Whether an expected port that is not open makes the monitor down. */
  readonly isDownWithoutExpected: boolean;
  /** Whether newly open ports are asked what speaks there. */
  readonly identify: boolean;
}

/** The host, address and port being checked, for protocols that send them (Host header, SNI, SIP URI). */
export interface Target {
  /** As the user wrote it, without an IPv6 zone. */
  readonly host: string;
  /** The address in use. */
  readonly address: string;
  readonly port: number;
  /** Epoch milliseconds, for protocols that carry time (NTP) and for certificate dates. */
  readonly now: () => number;
  readonly random: (bytes: number) => Buffer;
}

/** The target's answer was wrong or missing. The engine turns it into an outcome; it is never an internal error. */
export class ProbeFailure extends Error {
  readonly state: PortState;
  readonly reason: Reason;
  readonly evidence: Evidence;
  constructor(
    reason: Reason,
    message: string,
    { state = "mismatch", evidence = {}, cause }: { state?: PortState; evidence?: Evidence; cause?: unknown } = {},
  ) {
    super(message, { cause });
    this.state = state;
    this.reason = reason;
    this.evidence = evidence;
  }
}
