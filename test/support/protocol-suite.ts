/**
 * The seven answers every TCP protocol is held against: right, wrong, silent, refused, half, one byte at a time, endless.
 * A protocol's test says what a right server does and what a wrong one says; the cases run side by side, so that those
 * that wait cost their time only once.
 */
import type { Socket } from "node:net";
import { describe, expect } from "vitest";
import type { Protocol } from "../../shared/contract/protocol.ts";
import { type CheckInput, check } from "./check.ts";
import { onLines, refusedPort, serve, serveBytes, serveEndlessly, serveSilence, serveTls } from "./servers.ts";

/** The server's side of one connection: what it writes goes through the case's hands. */
export interface Peer {
  readonly write: (data: string | Uint8Array) => void;
  readonly end: (data?: string | Uint8Array) => void;
  /** For listening; writing to it goes past the case. */
  readonly socket: Socket;
}

export interface ProtocolCases {
  readonly protocol: Protocol;
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Serve inside TLS; `settings.tls.ca` is filled in. */
  readonly secure?: boolean;
  /** What a right server does with a connection. */
  readonly good: (peer: Peer) => void;
  /** What the outcome of the right answer must hold, beyond `open` and `up`. */
  readonly expected?: Readonly<Record<string, unknown>>;
  /** The same where the answer comes one byte at a time. Default: `expected`. */
  readonly expectedBytewise?: Readonly<Record<string, unknown>>;
  /** Answers of something else; each must end in `wrong-protocol` unless a reason stands beside it. */
  readonly wrong: readonly (string | Uint8Array | { readonly says: string | Uint8Array; readonly reason: string })[];
  /** Pieces a hostile server repeats for ever, beside bytes without any line end. `first` comes once, before. */
  readonly endless?: readonly (
    | string
    | Uint8Array
    | { readonly first: string | Uint8Array; readonly forever: string | Uint8Array }
  )[];
  /** Bytes of the right answer that a half answer has. Default: half of what the right server wrote. */
  readonly halfBytes?: number;
}

/** Long enough for a busy machine to connect, short enough to wait for. */
const SILENCE_MS = 250;
/** What an endless server may get rid of: the connection's own limit and what was under way. */
const MAX_RECEIVED = 1_400_000;

export function protocolSuite(name: string, cases: ProtocolCases): void {
  const { protocol, good, wrong, endless = [], expected = {} } = cases;

  /** Serves like the right server, with its writes in other hands. */
  const serveGood = async (handle: (socket: Socket) => Peer) => {
    const onConnection = (socket: Socket) => good(handle(socket));
    if (!cases.secure) return { server: await serve(onConnection), ca: undefined };
    const server = await serveTls(onConnection);
    return { server, ca: server.certificate.certificate };
  };
  const settingsWith = (ca?: string) => (ca ? { ...cases.settings, tls: { ca } } : { ...cases.settings });
  const run = (server: { host: string; port: number }, timeoutMs: number, ca?: string) =>
    check({ protocol, host: server.host, port: server.port, settings: settingsWith(ca) } as CheckInput, timeoutMs);

  describe.concurrent(name, (test) => {
    test("open on the right answer", async () => {
      const { server, ca } = await serveGood(directly);
      await using _ = server;
      const outcome = await run(server, 5000, ca);
      expect(outcome).toMatchObject({ state: "open", health: "up", reason: null, ...expected });
      expect(JSON.stringify(outcome.evidence).length).toBeLessThanOrEqual(1024);
    });

    test("open when the right answer comes one byte at a time", async () => {
      const { server, ca } = await serveGood(bytewise);
      await using _ = server;
      expect(await run(server, 10_000, ca)).toMatchObject({
        state: "open",
        reason: null,
        ...(cases.expectedBytewise ?? expected),
      });
    });

    for (const [index, answer] of wrong.entries()) {
      const { says, reason } =
        typeof answer === "object" && "says" in answer ? answer : { says: answer, reason: "wrong-protocol" };
      test(`${reason} on wrong answer ${index + 1}`, async () => {
        const server = await (cases.secure ? serveTls((socket) => void socket.write(says)) : serveBytes(says));
        await using _ = server;
        const ca = "certificate" in server ? (server.certificate as { certificate: string }).certificate : undefined;
        expect(await run(server, 2000, ca)).toMatchObject({ state: "mismatch", health: "down", reason });
      });
    }

    test("down on silence", async () => {
      await using server = await serveSilence();
      const outcome = await run(server, SILENCE_MS);
      expect(outcome.health).toBe("down");
      expect(cases.secure ? "tls-error timeout" : "mismatch no-answer").toBe(`${outcome.state} ${outcome.reason}`);
    });

    test("closed when refused", async () => {
      expect(await run(await refusedPort(), 2000)).toMatchObject({ state: "closed", reason: "connection-refused" });
    });

    test("down on half an answer, whether the server hangs or hangs up", async () => {
      const written = { bytes: 0 };
      await using whole = (await serveGood((socket) => counting(socket, written))).server;
      if (cases.halfBytes === undefined && !cases.secure) await run(whole, 5000);
      const limit = cases.halfBytes ?? (cases.secure ? 5 : Math.max(1, Math.floor(written.bytes / 2)));
      for (const then of ["hang", "hang up"] as const) {
        const { server, ca } = await serveGood((socket) => cutting(socket, limit, then));
        await using _ = server;
        const outcome = await run(server, then === "hang" ? SILENCE_MS : 2000, ca);
        expect(outcome).toMatchObject({ state: "mismatch", health: "down" });
        expect(["incomplete-answer", "connection-closed", "connection-reset"]).toContain(outcome.reason);
      }
    });

    const floods = ["x".repeat(16_384), Buffer.alloc(16_384, 0xff), Buffer.alloc(16_384), ...endless];
    for (const [index, flood] of floods.entries())
      test(`not open on endless answer ${index + 1}, and the limit holds`, async () => {
        const { first, forever } =
          typeof flood === "object" && "first" in flood ? flood : { first: "", forever: flood };
        const times = Math.max(1, Math.floor(16_384 / forever.length));
        const piece = Buffer.concat(Array.from({ length: times }, () => Buffer.from(forever as string)));
        await using server = await (first === ""
          ? serveEndlessly(piece)
          : serve((socket) => {
              socket.write(first);
              const more = () => {
                while (!socket.destroyed && socket.write(piece));
              };
              socket.on("drain", more);
              more();
            }));
        const outcome = await run(server, 3000);
        expect(outcome.state).not.toBe("open");
        expect(outcome.state).not.toBe("unmeasured");
        expect(outcome.traffic.bytesReceived).toBeLessThan(MAX_RECEIVED);
      });
  });
}

const directly = (socket: Socket): Peer => ({
  socket,
  write: (data) => void socket.write(data),
  end: (data) => void (data === undefined ? socket.end() : socket.end(data)),
});

const counting = (socket: Socket, written: { bytes: number }): Peer => ({
  ...directly(socket),
  write: (data) => {
    written.bytes += Buffer.byteLength(data);
    socket.write(data);
  },
});

/** Each byte in a segment of its own, in order. */
function bytewise(socket: Socket): Peer {
  socket.setNoDelay(true);
  let queue = Promise.resolve();
  const write = (data: string | Uint8Array) => {
    queue = queue.then(async () => {
      for (const byte of Buffer.from(data as string)) {
        if (socket.destroyed) return;
        socket.write(Uint8Array.of(byte));
        await new Promise(setImmediate);
      }
    });
  };
  return {
    socket,
    write,
    end: (data) => {
      if (data !== undefined) write(data);
      queue = queue.then(() => void socket.end());
    },
  };
}

/** Lets so many bytes through, and then hangs or hangs up. */
function cutting(socket: Socket, limit: number, then: "hang" | "hang up"): Peer {
  let left = limit;
  const write = (data: string | Uint8Array) => {
    if (left <= 0) return;
    const part = Buffer.from(data as string).subarray(0, left);
    left -= part.length;
    socket.write(part);
    if (left <= 0 && then === "hang up") socket.end();
  };
  return { socket, write, end: (data) => data !== undefined && write(data) };
}

/**
 * A server of lines: greets, then answers each line by the first word that it starts with.
 * @param replies by command; `end` after a reply to QUIT is the client's business
 */
export const lineServer =
  (greeting: string, replies: Readonly<Record<string, string>>, otherwise = "") =>
  ({ socket, write }: Peer): void => {
    if (greeting !== "") write(greeting);
    onLines(socket, (line) => {
      const command = Object.keys(replies).find((start) => line.startsWith(start));
      const reply = command === undefined ? otherwise : replies[command];
      if (reply) write(reply);
    });
  };

/** A server that waits for the first bytes of a client and then answers with these, once for each. */
export const answers =
  (...replies: (string | Uint8Array)[]) =>
  ({ socket, write }: Peer): void => {
    const left = [...replies];
    socket.on("data", () => {
      const reply = left.shift();
      if (reply !== undefined) write(reply);
    });
  };
