/**
 * HTTP client of the alert channels, guarded against server-side request forgery (SSRF): the connection goes to an
 * address that the address guard has checked, redirects are not followed, and answers are read up to a limit.
 */
import { type LookupAddress, lookup } from "node:dns";
import { type ClientRequest, request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import type { LookupFunction } from "node:net";
import { checkHost, type LocationKind, refuseAddress } from "../engine/address-guard.ts";

export interface HttpRequest {
  readonly method: "POST" | "PUT" | "PATCH";
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface HttpReply {
  readonly status: number;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** At most `MAX_BYTES`. */
  readonly body: string;
}

/** @throws Error, for people, if no answer came or the address may not be reached */
export type HttpSend = (request: HttpRequest, signal: AbortSignal) => Promise<HttpReply>;

interface Options {
  /** Which addresses may be reached: `local` also private ones. */
  readonly reach: LocationKind;
  readonly version: string;
  /** Default 10 s, for the name, the connection and the answer together. */
  readonly timeoutMs?: number;
  /** PEM certificates that replace the public roots; for tests. */
  readonly ca?: string;
  /** Resolves names. Default: the system's resolver. */
  readonly resolve?: typeof lookup;
}

const TIMEOUT_MS = 10_000;
/** Enough for an error message; what follows is not read. */
const MAX_BYTES = 16 * 1024;

/** Resolves a name to those of its addresses that may be reached. */
const guardedLookup =
  (reach: LocationKind, resolve: typeof lookup): LookupFunction =>
  (host, options, callback) =>
    resolve(host, { ...options, all: true }, (error, found) => {
      const fail = (cause: NodeJS.ErrnoException) => callback(cause, [] as LookupAddress[]);
      if (error) return fail(error);
      const refusals = found.map(({ address }) => refuseAddress(address, reach));
      const allowed = found.filter((_, index) => refusals[index] === undefined);
      const [first] = allowed;
      if (!first) return fail(new Error(`${host} may not be reached: ${refusals[0] ?? "it has no address"}`));
      return options.all ? callback(null, allowed) : callback(null, first.address, first.family);
    });

/** Reads a body up to the limit, then drops the connection. */
const readBody = async (response: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes >= MAX_BYTES) break; // leaving the loop destroys the response
  }
  return Buffer.concat(chunks).subarray(0, MAX_BYTES).toString();
};

const answerOf = (request: ClientRequest, body: string) =>
  new Promise<IncomingMessage>((resolve, reject) => {
    request.once("response", resolve).on("error", reject).end(body);
  });

export const createHttpSend = (options: Options): HttpSend => {
  const { reach, version, timeoutMs = TIMEOUT_MS, ca, resolve = lookup } = options;
  const guarded = guardedLookup(reach, resolve);
  return async ({ method, url, headers, body }, signal) => {
    const target = new URL(url);
    // Literal addresses are not looked up.
    const refused = checkHost(target.hostname, reach);
    if (refused) throw new Error(`${target.hostname} may not be reached: ${refused}`);
    const timeout = AbortSignal.timeout(timeoutMs);
    const how = {
      method,
      headers: {
        "user-agent": `harborlight/${version}`,
        ...headers,
        "content-length": String(Buffer.byteLength(body)),
      },
      lookup: guarded,
      signal: AbortSignal.any([signal, timeout]),
      // A connection of its own: one kept open may have died while Lambda froze the process.
      agent: false,
      ...(ca !== undefined && { ca }),
    };
    try {
      const request = target.protocol === "https:" ? httpsRequest(target, how) : httpRequest(target, how);
      const response = await answerOf(request, body);
      const replied = Object.entries(response.headers).map(([name, value]) => [name, [value].flat().join(", ")]);
      return { status: response.statusCode ?? 0, headers: Object.fromEntries(replied), body: await readBody(response) };
    } catch (error) {
      if (timeout.aborted || signal.aborted) throw new Error(`${target.host} did not answer in time`, { cause: error });
      throw error;
    }
  };
};
