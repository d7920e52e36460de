import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";

/** SNS's timeout for an endpoint. */
const TIMEOUT_MS = 15_000;

export interface Post {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export type PostEnd =
  | { readonly kind: "delivered" }
  | { readonly kind: "failed"; readonly message: string; readonly isPermanent: boolean };

/**
 * One POST as SNS sends it: no redirects followed, credentials of the URL as basic authentication. Answers of 2xx
 * count as delivered; 4xx, except 429, as a permanent failure.
 */
export const post = ({ url, headers, body }: Post, signal: AbortSignal): Promise<PostEnd> =>
  new Promise((resolve) => {
    const target = new URL(url);
    const send = target.protocol === "https:" ? requestHttps : requestHttp;
    const failed = (message: string, isPermanent = false) => resolve({ kind: "failed", message, isPermanent });
    const request = send(
      target,
      {
        method: "POST",
        headers: { ...headers, "content-length": String(Buffer.byteLength(body)) },
        signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
        agent: false,
        ...(target.username === ""
          ? {}
          : { auth: `${decodeURIComponent(target.username)}:${decodeURIComponent(target.password)}` }),
      },
      (response) => {
        const status = response.statusCode ?? 0;
        response.resume();
        response.on("error", () => {}); // the status line is all that matters
        if (status >= 200 && status < 300) return resolve({ kind: "delivered" });
        failed(`${target.origin} answered ${status}`, status >= 400 && status < 500 && status !== 429);
      },
    );
    request.on("error", (error) => failed(error.message));
    request.end(body);
  });
