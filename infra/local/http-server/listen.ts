import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";

export interface Listening {
  readonly port: number;
  /** Sets the listener. Until then every request gets a 503: the port must be known before the services are built. */
  answerWith(listener: RequestListener): void;
  /** Takes no new connection; open ones may end within the grace period. */
  close(graceMs: number): Promise<void>;
}

/** @throws {StartError} when the port is in use or not allowed */
export const listen = async (host: string, port: number): Promise<Listening> => {
  let answer: RequestListener = (_, response) => {
    response.writeHead(503, { "content-type": "application/json", "retry-after": "1" });
    response.end('{"message":"Service Unavailable"}');
  };
  const server = createServer((request, response) => answer(request, response));
  // As API Gateway answers what it cannot read; Node's own answer has no body.
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    if (!socket.writable) return void socket.destroy();
    const [status, message] =
      error.code === "HPE_HEADER_OVERFLOW" ? [431, "Request Header Fields Too Large"] : [400, "Bad Request"];
    const body = JSON.stringify({ message });
    socket.end(
      `HTTP/1.1 ${status} ${message}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    );
  });
  // Longer than SDK clients keep idle connections: closing one while a client reuses it would fail its request.
  server.keepAliveTimeout = 65_000;
  await bound(server, host, port);
  return {
    port: (server.address() as AddressInfo).port,
    answerWith: (listener) => {
      answer = listener;
    },
    close: async (graceMs) => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeIdleConnections();
      const timer = setTimeout(() => server.closeAllConnections(), graceMs);
      await closed;
      clearTimeout(timer);
    },
  };
};

const bound = (server: Server, host: string, port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const why: Record<string, string> = {
        EADDRINUSE: `port ${port} on ${host} is in use: stop what listens there, or choose another with HARBORLIGHT_PORT`,
        EACCES: `port ${port} needs more rights than this user has: choose one above 1023 with HARBORLIGHT_PORT`,
        EADDRNOTAVAIL: `${host} is no address of this machine: set HARBORLIGHT_HOST to one that is`,
        ENOTFOUND: `${host} cannot be resolved: set HARBORLIGHT_HOST to an address of this machine`,
      };
      reject(
        new StartError(why[error.code ?? ""] ?? `cannot listen on ${host}:${port}: ${error.message}`, { cause: error }),
      );
    });
    server.listen(port, host, resolve);
  });

/** An error that the owner can fix; the message says how. */
export class StartError extends Error {
  override readonly name = "StartError";
}
