/**
 * TCP connection of one check: reads with limits, counts bytes, measures TLS and first-byte times, starts TLS on demand.
 * Protocols get it connected; the engine closes it.
 */
import { connect, isIP, type Socket } from "node:net";
import type { Connection, TlsOptions } from "../contract/connection.ts";
import { ProbeFailure, type Target } from "../contract/protocol.ts";
import type { Timings } from "../model.ts";
import type { Stage } from "./failure.ts";
import type { TimerWheel } from "./timer-wheel.ts";
import { handshake, type TlsSession } from "./tls.ts";

/** Back-pressure: with this many unread bytes the socket is paused until the protocol reads some. */
const HIGH_WATER_BYTES = 65_536;
/** Bytes kept of the first line that the server sends. */
const MAX_GREETING_BYTES = 200;
/** Bytes received per check; a server that sends more is flooding the check, and it ends. */
const MAX_BYTES = 1_048_576;

/** Implements `Connection`, and keeps for the outcome how far the check came, the byte counts and the timings. */
export class ProbeConnection implements Connection {
  readonly #target: Target;
  readonly #tlsDefaults: TlsOptions;
  #raw: Socket;
  #socket: Socket;
  #data: Buffer = Buffer.alloc(0);
  #start = 0;
  #end = 0;
  #received = 0;
  #ended = false;
  #failure: unknown;
  /** The engine ended the check, not the socket: `reopen` must not connect again. */
  #isOver = false;
  #tlsOptions: TlsOptions = {};
  /** Bytes of the connections before the last `reopen`. */
  readonly #before = { sent: 0, received: 0 };
  #greeting: Buffer = Buffer.alloc(0);
  #hasGreeted = false;
  #wake: (() => void) | undefined;
  #session: TlsSession | undefined;
  readonly #connectedAt = performance.now();
  readonly #timings: { tlsMs?: number; firstByteMs?: number } = {};
  #wrote = false;
  stage: Stage = "talk";

  constructor(raw: Socket, target: Target, tlsDefaults: TlsOptions = {}) {
    this.#raw = raw;
    this.#socket = raw;
    this.#target = target;
    this.#tlsDefaults = tlsDefaults;
    this.#listen(raw);
  }

  write(data: string | Uint8Array) {
    this.#wrote = true;
    this.#socket.write(data);
  }

  async readLine(maxBytes = 8192): Promise<string> {
    const line = await this.readUntil("\n", maxBytes);
    return line.toString("latin1").replace(/\r?\n$/, "");
  }

  async read(bytes: number): Promise<Buffer> {
    if (bytes > HIGH_WATER_BYTES)
      throw new ProbeFailure(
        "answer-too-long",
        `asked to read ${bytes} bytes at once, at most ${HIGH_WATER_BYTES} are taken`,
      );
    while (this.buffered < bytes) if (!(await this.#more())) this.#endedEarly(`${bytes} bytes`);
    return this.#take(bytes);
  }

  async readSome(): Promise<Buffer | null> {
    while (this.buffered === 0) if (!(await this.#more())) return null;
    return this.#take(Math.min(this.buffered, 16_384));
  }

  async readUntil(delimiter: string | Buffer, maxBytes = HIGH_WATER_BYTES): Promise<Buffer> {
    const end = Buffer.from(delimiter as string);
    let searched = 0;
    for (;;) {
      const pending = this.#data.subarray(this.#start, this.#end);
      const at = pending.indexOf(end, Math.max(0, searched - end.length + 1));
      const length = at < 0 ? pending.length : at + end.length;
      if (length > maxBytes)
        throw new ProbeFailure(
          "answer-too-long",
          `${maxBytes} bytes came without ${JSON.stringify(end.toString("latin1"))}`,
        );
      if (at >= 0) return this.#take(length);
      searched = pending.length;
      if (!(await this.#more())) this.#endedEarly(JSON.stringify(end.toString("latin1")));
    }
  }

  async startTls(options: TlsOptions = {}): Promise<void> {
    if (this.#session) throw new Error("TLS was started twice on one connection");
    // Plaintext after the server's agreement may be injected by a man in the middle (CVE-2011-0411).
    if (this.buffered > 0)
      throw new ProbeFailure("unexpected-answer", `${this.buffered} bytes came unencrypted where TLS was to begin`);
    this.#unlisten(this.#raw);
    this.stage = "tls";
    const startedAt = performance.now();
    this.#tlsOptions = { ...this.#tlsDefaults, ...options };
    this.#session = await handshake(this.#raw, this.#tlsOptions, this.#target);
    this.#timings.tlsMs ??= performance.now() - startedAt;
    this.stage = "talk";
    this.#socket = this.#session.socket;
    this.#listen(this.#socket);
  }

  async reopen(): Promise<void> {
    if (this.#isOver) throw this.#failure;
    const { address, port } = this.#target;
    const isInsideTls = this.#session !== undefined;
    this.#before.sent += this.#raw.bytesWritten;
    this.#before.received += this.#raw.bytesRead;
    this.#unlisten(this.#socket);
    for (const old of [this.#socket, this.#raw]) old.off("error", this.#onError).on("error", () => {});
    this.destroy();
    this.stage = "connect";
    this.#raw = this.#socket = connect({ host: address, port, family: isIP(address), autoSelectFamily: false });
    this.#session = undefined;
    this.#failure = undefined;
    this.#ended = false;
    this.#start = this.#end = 0;
    this.#listen(this.#raw);
    this.#raw.once("connect", () => this.#wake?.());
    while (this.#raw.connecting && !this.#failure) await this.#woken();
    if (this.#failure) throw this.#failure;
    this.stage = "talk";
    if (isInsideTls) await this.startTls(this.#tlsOptions);
  }

  get tls() {
    return this.#session?.evidence;
  }
  get buffered() {
    return this.#end - this.#start;
  }

  /** For the engine: the certificate's SHA-256 and its expiry warning. */
  get session() {
    return this.#session;
  }
  get timings(): Pick<Timings, "tlsMs" | "firstByteMs"> {
    return this.#timings;
  }
  get bytesSent() {
    return this.#before.sent + this.#raw.bytesWritten;
  }
  get bytesReceived() {
    return this.#before.received + this.#raw.bytesRead;
  }

  /** The first line received, if it is text: many servers say their name in it. */
  get greeting(): string | undefined {
    return /^[\t\x20-\x7e\x80-\xff]{4,}(?=\r?\n|$)/.exec(this.#greeting.toString("latin1"))?.[0];
  }

  /** Whether the server spoke first, as servers do that say their name. */
  get hasGreeted(): boolean {
    return this.#hasGreeted;
  }

  /** Makes the pending read and all later ones throw this failure. */
  fail(failure: unknown) {
    this.#isOver = true;
    this.#onError(failure);
  }

  /**
   * Closes gracefully, with a FIN, where something was sent or TLS is on, so that the protocol's goodbye arrives and servers
   * log no broken connection; any other connection is destroyed at once.
   * @param lingerMs how long the graceful close may take; 0 destroys the connection
   * @param closed called once, when the socket is gone
   */
  close(lingerMs: number, wheel: TimerWheel, closed: () => void) {
    const socket = this.#socket;
    if (!(this.#wrote || this.#session) || this.#failure || lingerMs <= 0 || socket.destroyed) {
      this.destroy();
      closed();
      return;
    }
    const timer = wheel.after(lingerMs, () => this.destroy());
    socket.once("close", () => {
      timer.cancel();
      this.#raw.destroy();
      closed();
    });
    socket.off("data", this.#onData).resume();
    socket.end();
  }

  destroy() {
    this.#socket.destroy();
    this.#raw.destroy();
  }

  readonly #onData = (chunk: Buffer) => {
    this.#timings.firstByteMs ??= performance.now() - this.#connectedAt;
    this.#received += chunk.length;
    if (this.#received === chunk.length) this.#hasGreeted = !this.#wrote;
    if (this.#greeting.length === 0) this.#greeting = chunk.subarray(0, MAX_GREETING_BYTES);
    else if (this.#greeting.length < MAX_GREETING_BYTES)
      this.#greeting = Buffer.concat([this.#greeting, chunk]).subarray(0, MAX_GREETING_BYTES);
    this.#append(chunk);
    if (this.#received > MAX_BYTES) this.fail(new ProbeFailure("answer-too-long", `more than ${MAX_BYTES} bytes came`));
    if (this.buffered >= HIGH_WATER_BYTES) this.#socket.pause();
    this.#wake?.();
  };
  readonly #onEnd = () => {
    this.#ended = true;
    this.#wake?.();
  };
  readonly #onError = (error: unknown) => {
    this.#failure ??= error;
    this.#wake?.();
  };

  #listen(socket: Socket) {
    socket.on("data", this.#onData).on("end", this.#onEnd).on("close", this.#onEnd).on("error", this.#onError);
    if (socket.destroyed) this.#onEnd();
  }

  #unlisten(socket: Socket) {
    socket.pause();
    socket.off("data", this.#onData).off("end", this.#onEnd).off("close", this.#onEnd);
  }

  /** Waits for more bytes. @returns whether some came; false when the peer has closed its side */
  async #more(): Promise<boolean> {
    const before = this.#received;
    for (;;) {
      if (this.#received > before) return true;
      if (this.#failure) throw this.#failure;
      if (this.#ended) return false;
      if (this.#wake) throw new Error("two reads at once on one connection");
      if (this.#socket.isPaused()) this.#socket.resume();
      await this.#woken();
    }
  }

  async #woken(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    this.#wake = undefined;
  }

  #endedEarly(wanted: string): never {
    if (this.buffered === 0 && this.#received === 0)
      throw new ProbeFailure("connection-closed", "closed the connection without sending anything");
    throw new ProbeFailure(
      "incomplete-answer",
      `closed the connection before its answer was complete: ${this.#received} bytes came, ${wanted} expected next`,
    );
  }

  /** Appends in place or in a new buffer: the protocol may still hold views of bytes it read, so these never move. */
  #append(chunk: Buffer) {
    if (this.buffered === 0) {
      this.#data = chunk;
      this.#start = 0;
      this.#end = chunk.length;
      return;
    }
    if (this.#end + chunk.length > this.#data.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(256, 2 * (this.buffered + chunk.length)));
      this.#data.copy(grown, 0, this.#start, this.#end);
      this.#end = this.buffered;
      this.#start = 0;
      this.#data = grown;
    }
    chunk.copy(this.#data, this.#end);
    this.#end += chunk.length;
  }

  #take(bytes: number): Buffer {
    const taken = this.#data.subarray(this.#start, this.#start + bytes);
    this.#start += bytes;
    return taken;
  }
}
