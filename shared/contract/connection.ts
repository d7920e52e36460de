/**
 * The connection that a TCP protocol speaks over, and the TLS that it may ask for: interfaces only, so that protocols
 * depend on no socket. `engine/connection.ts` implements them.
 */
import type { Evidence } from "../model.ts";

/** TLS of a monitor (`settings.tls`). */
export interface TlsOptions {
  /** Name to ask for and to verify. Default: the monitor's host, unless that is an address. */
  readonly serverName?: string;
  readonly alpn?: readonly string[];
  readonly minVersion?: "TLSv1" | "TLSv1.1" | "TLSv1.2" | "TLSv1.3";
  /** PEM; replaces the public roots. */
  readonly ca?: string;
  /** PEM client certificate and key. */
  readonly certificate?: string;
  readonly key?: string;
  /** Default true: chain, dates and name must hold. False: the handshake is enough. */
  readonly verify?: boolean;
  /** Degraded when the certificate ends within so many days. Default 14; 0 turns it off. */
  readonly warnDays?: number;
}

/** The connection a protocol talks over. Every method throws `ProbeFailure` when the peer closes, resets or breaks a limit. */
export interface Connection {
  /** Sends; does not wait. */
  write(data: string | Uint8Array): void;
  /**
   * The next line without its line end (LF or CRLF), latin1-decoded by default.
   * @param maxBytes longest line taken, default 8192 → `answer-too-long`
   */
  readLine(maxBytes?: number): Promise<string>;
  /** Reads exactly `bytes` bytes, at most 65536. */
  read(bytes: number): Promise<Buffer>;
  /** Whatever arrived next, at least one byte and at most 16 KiB; null when the peer has closed its side. */
  readSome(): Promise<Buffer | null>;
  /** Up to and including the delimiter. @param maxBytes default 65536 */
  readUntil(delimiter: string | Buffer, maxBytes?: number): Promise<Buffer>;
  /** Upgrades to TLS in place (STARTTLS); afterwards reads and writes are inside TLS. */
  startTls(options?: TlsOptions): Promise<void>;
  /** Connects to the same address again, with TLS if TLS was on: for peers that close a connection between two answers. */
  reopen(): Promise<void>;
  /** Evidence of the TLS session; undefined before a handshake. The runner merges it into the outcome by itself. */
  readonly tls: Evidence | undefined;
  /** Bytes received so far and not yet consumed. */
  readonly buffered: number;
}
