/** Harborlight as its users meet it: the HTTP API with a token, and an HTTP endpoint that alerts are posted to. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Alert } from "../../shared/model.ts";
import { checkAnswer } from "./document.ts";

export interface Answer<T = Record<string, unknown>> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: T;
}

/** @param isChecked whether each answer is compared with the OpenAPI document; benchmarks measure without */
export const createClient =
  (apiUrl: string, token?: string, { isChecked = true } = {}) =>
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of many shapes
  async <T = any>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer<T>> => {
    const response = await fetch(`${apiUrl}${path}`, {
      method,
      headers: {
        ...(token && { authorization: `Bearer ${token}` }),
        ...(body !== undefined && { "content-type": "application/json" }),
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = /json/.test(response.headers.get("content-type") ?? "");
    const { status, headers: received } = response;
    const parsed: unknown = isJson && text ? JSON.parse(text) : text;
    const [pathOnly = ""] = path.split("?");
    if (isChecked) checkAnswer({ method, path: pathOnly, status, headers: Object.fromEntries(received), body: parsed });
    return { status, headers: received, body: parsed as T };
  };
export type Client = ReturnType<typeof createClient>;

/** Waits until something is there. @throws after `timeoutMs`, saying what was waited for */
export async function until<T>(
  what: string,
  look: () => T | Promise<T>,
  timeoutMs = 20_000,
): Promise<NonNullable<Exclude<T, false>>> {
  const deadline = Date.now() + timeoutMs;
  // Longer and longer, because what is waited for would have to share the processor with a look every moment.
  for (let pauseMs = 30; ; pauseMs = Math.min(400, pauseMs * 1.3)) {
    const found = await look();
    if (found) return found as NonNullable<Exclude<T, false>>;
    if (Date.now() > deadline) throw new Error(`after ${timeoutMs} ms there was still no ${what}`);
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

/** A subscriber that confirms its subscriptions and keeps what it is told, with the moment it came. */
export async function startSubscriber(port = 0) {
  const received: { readonly at: number; readonly alert: Alert; readonly envelope: Record<string, unknown> }[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    response.end();
    const envelope = JSON.parse(Buffer.concat(chunks).toString());
    if (envelope.Type === "SubscriptionConfirmation") await fetch(envelope.SubscribeURL);
    if (envelope.Type === "Notification") {
      let alert: Alert;
      try {
        alert = JSON.parse(envelope.Message);
      } catch {
        alert = envelope.Message; // topic system speaks text
      }
      received.push({ at: Date.now(), alert, envelope });
    }
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const stop = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/alerts`,
    received,
    of: (monitorId: string) => received.filter(({ alert }) => alert.monitor?.id === monitorId),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
