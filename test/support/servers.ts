/**
 * Real servers on 127.0.0.1 for one test each: `await using server = await serve((socket) => socket.end("hello"))`.
 * Each has `host` and `port`, so that `check({ protocol, ...server })` reads as a sentence.
 */
import { createSocket, type RemoteInfo, type Socket as UdpSocket } from "node:dgram";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type TLSSocket, type TlsOptions } from "node:tls";
import { type Certificate, type CertificateOptions, makeCertificate } from "./certificates.ts";

export interface Listening extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
}

export interface TcpServer extends Listening {
  /** Connections accepted so far. */
  readonly connections: number;
}

/** A TCP server; errors of its connections are nobody's business. @param address default 127.0.0.1 */
export async function serve(
  onConnection: (socket: Socket) => void,
  address = "127.0.0.1",
  port = 0,
): Promise<TcpServer> {
  return listen(createServer(), "connection", onConnection, address, port);
}

/** Accepts and says nothing, ever. */
export const serveSilence = () => serve(() => {});

/** Sends this, whatever is asked, and then keeps the connection open (or ends it). */
export const serveBytes = (data: string | Uint8Array, { end = false } = {}) =>
  serve((socket) => (end ? socket.end(data) : socket.write(data)));

/** Answers like `serveBytes`, one byte at a time. */
export const serveSlowly = (data: string | Uint8Array) =>
  serve((socket) => {
    void trickle(socket, Buffer.from(data as string));
  });

/** Sends this again and again until nobody listens any more. */
export const serveEndlessly = (data: string | Uint8Array) =>
  serve((socket) => {
    const more = () => {
      while (!socket.destroyed && socket.write(data));
    };
    socket.on("drain", more);
    more();
  });

/** Writes one byte per turn of the event loop, as separate segments. */
export async function trickle(socket: Socket, data: Uint8Array) {
  socket.setNoDelay(true);
  for (const byte of data) {
    if (socket.destroyed) return;
    socket.write(Uint8Array.of(byte));
    await new Promise(setImmediate);
  }
}

/** Echo-like line servers in tests: reads lines and calls back with each, without its line end. */
export function onLines(socket: Socket, onLine: (line: string) => void) {
  let text = "";
  socket.on("data", (chunk) => {
    text += chunk.toString("latin1");
    const lines = text.split(/\r?\n/);
    text = lines.pop() ?? "";
    for (const line of lines) onLine(line);
  });
}

export interface SecureServer extends TcpServer {
  readonly certificate: Certificate;
}

/** A TLS server. Its certificate, signed by itself unless `issuer` is given, is for localhost and 127.0.0.1. */
export async function serveTls(
  onConnection: (socket: TLSSocket) => void,
  options: CertificateOptions & { readonly tls?: TlsOptions } = {},
): Promise<SecureServer> {
  const certificate = makeCertificate(options);
  const { certificate: cert, key } = certificate;
  const server = createTlsServer({ cert, key, ...options.tls });
  server.on("tlsClientError", () => {});
  const listening = await listen(server, "secureConnection", onConnection, "127.0.0.1", 0);
  return Object.assign(listening, { certificate });
}

export interface UdpServer extends Listening {
  readonly socket: UdpSocket;
  /** Datagrams received so far. */
  readonly received: readonly Buffer[];
}

/** A UDP server: `reply` answers the sender of this datagram. */
export async function serveUdp(
  onMessage: (message: Buffer, reply: (data: string | Uint8Array) => void, from: RemoteInfo) => void,
): Promise<UdpServer> {
  const socket = createSocket("udp4");
  const received: Buffer[] = [];
  let isOpen = true;
  socket.on("message", (message, from) => {
    received.push(message);
    onMessage(message, (data) => void (isOpen && socket.send(data, from.port, from.address)), from);
  });
  socket.on("error", () => {});
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  return {
    host: "127.0.0.1",
    port: socket.address().port,
    socket,
    received,
    [Symbol.asyncDispose]: () => {
      isOpen = false;
      return new Promise<void>((resolve) => socket.close(resolve));
    },
  };
}

/** A TCP port where nothing listens (any more). */
export async function refusedPort(): Promise<{ host: string; port: number }> {
  const { host, port, [Symbol.asyncDispose]: close } = await serve(() => {});
  await close();
  return { host, port };
}

/** A UDP port where nothing listens: the kernel answers ICMP port unreachable. */
export async function refusedUdpPort(): Promise<{ host: string; port: number }> {
  const { host, port, [Symbol.asyncDispose]: close } = await serveUdp(() => {});
  await close();
  return { host, port };
}

async function listen<S extends Socket>(
  server: Server,
  event: string,
  onConnection: (socket: S) => void,
  address: string,
  wantedPort: number,
): Promise<TcpServer> {
  const sockets = new Set<Socket>();
  let connections = 0;
  server.on("connection", (socket: Socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on("error", () => {}).on("close", () => sockets.delete(socket));
  });
  server.on(event, (socket: S) => {
    socket.on("error", () => {});
    onConnection(socket);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(wantedPort, address, resolve);
  });
  return {
    host: address,
    port: (server.address() as AddressInfo).port,
    get connections() {
      return connections;
    },
    [Symbol.asyncDispose]: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
