/**
 * What a protocol file provides. It holds its protocol and nothing else: no timer, clock, retry, table or log. The
 * runner (`engine/run.ts`) resolves the name, guards the address, connects, owns the deadline, measures, counts and
 * turns failures into outcomes.
 */
import type { z } from "zod";
import type { Evidence, PortState } from "../model.ts";
import type { Reason } from "../reasons.ts";
import type { Connection, TlsOptions } from "./connection.ts";

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
  /** Strict schema of `settings`; unknown fields are refused. Its JSON Schema stands in the catalogue. */
  readonly settings: z.ZodType;
  /** A monitor's `settings` (and port, where there is no default) that works as it is. */
  readonly example: { readonly port?: number; readonly settings: Readonly<Record<string, unknown>> };
  /**
   * Checks the settings and makes what the runner runs. Cheap: called for every check.
   * @throws InvalidInput with paths relative to `settings`
   */
  prepare(settings: unknown): Probe;
}

export type Probe = TcpProbe | UdpProbe;

/** What an answer taught us. */
export interface Finding {
  /** Facts worth reading; the runner cuts it to 1 KB. */
  readonly evidence?: Evidence;
  /** For people, when it went well: "SSH-2.0-OpenSSH_9.2p1". Default: a sentence by the runner. */
  readonly message?: string;
  /** Identifies the software, key or certificate; never salts, dates, counters or offsets. */
  readonly fingerprint?: string;
  /** The port is open, yet something is not well (expiring certificate, bad stratum). */
  readonly degraded?: { readonly reason: Reason; readonly message: string };
}

/** TCP. Without `talk` an accepted connection (and TLS handshake, where asked for) is the whole check. */
export interface TcpProbe {
  readonly transport: "tcp";
  /** TLS from the first byte on. STARTTLS is the protocol's own business (`connection.startTls`). */
  readonly tls?: TlsOptions;
  /** Speaks to the server and says what it learned; throws `ProbeFailure` when the answer is wrong. */
  readonly talk?: (connection: Connection, target: Target) => Promise<Finding>;
}

/** UDP: several datagrams per check, each a question of its own; answers are matched by `read`. */
export interface UdpProbe {
  readonly transport: "udp";
  /** Datagrams per check and the pause between their starts. */
  readonly packets: { readonly count: number; readonly spacingMs: number };
  /** What silence after every datagram means. */
  readonly silence: "down" | "up" | "unknown";
  /** Why a healthy server may be silent, for the message: "a RADIUS server is silent to a wrong secret". */
  readonly silenceMeans?: string;
  /**
   * Answers come from another port than the one asked (TFTP). Only the address is matched then, so an answer is as
   * trustworthy as its id. Default false.
   */
  readonly answersFromAnyPort?: boolean;
  /** Loss above which the check is degraded, and above which it is down. Null: never. 100 % loss is silence. */
  readonly lossPercent: { readonly degradedAbove: number | null; readonly downAbove: number | null };
  /**
   * The n-th datagram, from 0, each with an id of its own where the protocol has one.
   * @param random gives that many random bytes
   */
  ask(n: number, random: (bytes: number) => Buffer, target: Target): Buffer;
  /**
   * Says whether a datagram answers this question. `undefined`: not ours (other id, late, foreign), keep waiting.
   * A `followUp` is sent as a further datagram of the same question (cookies, engine discovery).
   * @throws ProbeFailure when it is ours, and wrong
   */
  read(answer: Buffer, question: Buffer, target: Target): Finding | { readonly followUp: Buffer } | undefined;
}

/** What is being checked, for protocols that say it (Host header, SNI, SIP URI). */
export interface Target {
  /** As the user wrote it, without a zone. */
  readonly host: string;
  /** The address in use. */
  readonly address: string;
  readonly port: number;
  /** Epoch milliseconds, for protocols that carry time (NTP) and for certificate dates. */
  readonly now: () => number;
  readonly random: (bytes: number) => Buffer;
}

/** The answer is not what was expected. An outcome like any other, never an exception of ours. */
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
