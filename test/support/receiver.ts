/** A service that alerts are posted to: a real HTTP server that answers as it is told, and keeps what it was sent. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createHttpSend, type HttpRequest, type HttpSend } from "../../shared/alerts/http.ts";

export interface Received {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | object;
}

/** `silent` never answers. */
export type Behaviour = (received: Received) => Reply | "silent";

export async function startReceiver(behaviour: Behaviour) {
  const received: Received[] = [];
  const current = { behaviour };
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { method = "", url = "", headers } = request;
    const all = { method, path: url, headers, body: Buffer.concat(chunks).toString() };
    received.push(all);
    const reply = current.behaviour(all);
    if (reply === "silent") return;
    const { status, headers: own = {}, body = "" } = reply;
    response.writeHead(status, own).end(typeof body === "string" ? body : JSON.stringify(body));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const direct = createHttpSend({ reach: "local", version: "1.2.3", timeoutMs: 400 });
  return {
    url,
    received,
    /** Changes how it answers. */
    answers: (next: Behaviour) => {
      current.behaviour = next;
    },
    /** Sends as channels do; requests to fixed hosts of services come here too. */
    http: ((request: HttpRequest, signal) =>
      direct({ ...request, url: request.url.replace(/^https?:\/\/[^/]+/, url) }, signal)) satisfies HttpSend,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
export type Receiver = Awaited<ReturnType<typeof startReceiver>>;
