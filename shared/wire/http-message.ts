/**
 * Reads an HTTP/1.1 response (RFC 9112) with limits: status line, header fields, and as much of the body as the caller
 * wants. The head of RTSP responses has the same form and is read here, too.
 */

import type { Connection } from "../contract/connection.ts";
import { ProbeFailure } from "../contract/protocol.ts";
import { printable } from "./cursor.ts";

export interface ResponseHead {
  readonly version: string;
  readonly status: number;
  readonly phrase: string;
  /** By lower-case name; repeated fields joined with ", ". */
  readonly headers: ReadonlyMap<string, string>;
}

/** Enough for the largest heads that servers send (Node itself takes 16 KiB). */
const MAX_HEAD_BYTES = 32_768;
/** Interim (1xx) responses before the final one, such as 103 Early Hints. */
const MAX_INTERIM = 20;
const MAX_TRAILERS = 50;
/** Versions with a text status line; HTTP/2 and later are binary. */
const VERSIONS = { HTTP: "1\\.\\d", RTSP: "[12]\\.\\d" } as const;

/** @param protocol as in the status line */
export const readHead = async (connection: Connection, protocol: keyof typeof VERSIONS): Promise<ResponseHead> => {
  const first = await connection.readLine();
  const match = new RegExp(`^${protocol}/(${VERSIONS[protocol]}) ([1-9]\\d\\d)(?: (.*))?$`).exec(first);
  if (!match)
    throw new ProbeFailure(
      "wrong-protocol",
      `expected a status line starting with ${protocol}/, got: ${printable(first)}`,
    );
  const headers = new Map<string, string>();
  let bytes = first.length;
  let last = "";
  while (true) {
    const line = await connection.readLine(16_384);
    if (line === "") break;
    bytes += line.length + 2;
    if (bytes > MAX_HEAD_BYTES)
      throw new ProbeFailure("answer-too-long", `the header fields take more than ${MAX_HEAD_BYTES} bytes`);
    const colon = line.indexOf(":");
    // A folded line (RFC 9112, section 5.2).
    if (/^[ \t]/.test(line) && last !== "") headers.set(last, `${headers.get(last) ?? ""} ${line.trim()}`);
    else if (colon > 0) {
      last = line.slice(0, colon).trim().toLowerCase();
      const value = line.slice(colon + 1).trim();
      headers.set(last, headers.has(last) ? `${headers.get(last)}, ${value}` : value);
    } // any other line is ignored
  }
  return { version: match[1]!, status: Number(match[2]), phrase: printable(match[3] ?? "", 80), headers };
};

/** Reads the head of the final response, after interim ones (1xx). */
export const readFinalHead = async (connection: Connection): Promise<ResponseHead> => {
  for (let count = 0; count <= MAX_INTERIM; count += 1) {
    const head = await readHead(connection, "HTTP");
    if (head.status >= 200 || head.status === 101) return head;
  }
  throw new ProbeFailure("unexpected-answer", `more than ${MAX_INTERIM} interim answers`);
};

export interface Body {
  readonly bytes: Buffer;
  /** False when there was more than `maxBytes`: the rest stays unread, and the connection cannot be used again. */
  readonly isWhole: boolean;
}

const readSized = async (connection: Connection, size: number, parts: Buffer[]): Promise<void> => {
  for (let left = size; left > 0; left -= 65_536) parts.push(await connection.read(Math.min(left, 65_536)));
};

/** Reads and ignores the trailer fields after a chunked body. */
const skipTrailers = async (connection: Connection): Promise<void> => {
  for (let count = 0; count <= MAX_TRAILERS; count += 1) if ((await connection.readLine()) === "") return;
  throw new ProbeFailure("answer-too-long", `more than ${MAX_TRAILERS} trailer fields after the body`);
};

const readChunked = async (connection: Connection, maxBytes: number): Promise<Body> => {
  const parts: Buffer[] = [];
  let total = 0;
  // The number of chunks is limited, too: a hostile server could send one byte per chunk.
  for (let count = 0; count <= maxBytes; count += 1) {
    const line = await connection.readLine(1024);
    const size = /^0*([0-9a-f]{1,8})\s*(?:;.*)?$/i.exec(line)?.[1];
    if (size === undefined)
      throw new ProbeFailure("unexpected-answer", `expected the size of a chunk, got: ${printable(line)}`);
    const length = Number.parseInt(size, 16);
    if (length === 0) {
      await skipTrailers(connection);
      return { bytes: Buffer.concat(parts), isWhole: true };
    }
    await readSized(connection, Math.min(length, maxBytes - total), parts);
    total += length;
    if (total >= maxBytes) return { bytes: Buffer.concat(parts), isWhole: false };
    const end = await connection.readLine(2);
    if (end !== "") throw new ProbeFailure("unexpected-answer", `expected the end of a chunk, got: ${printable(end)}`);
  }
  return { bytes: Buffer.concat(parts), isWhole: false };
};

const readToEnd = async (connection: Connection, maxBytes: number): Promise<Body> => {
  const parts: Buffer[] = [];
  let total = 0;
  while (total < maxBytes) {
    const part = await connection.readSome();
    if (part === null) return { bytes: Buffer.concat(parts), isWhole: true };
    parts.push(part);
    total += part.length;
  }
  return { bytes: Buffer.concat(parts).subarray(0, maxBytes), isWhole: false };
};

/** Responses that never have a body, whatever their fields say (RFC 9112, section 6.3). */
const hasNoBody = ({ status }: ResponseHead, method: string): boolean =>
  method === "HEAD" || status < 200 || status === 204 || status === 304;

const isChunked = ({ headers }: ResponseHead): boolean =>
  /(?:^|,)\s*chunked\s*$/i.test(headers.get("transfer-encoding") ?? "");

const listOf = (value: string | undefined): readonly string[] =>
  (value ?? "").split(",").map((word) => word.trim().toLowerCase());

/** Whether another request may follow on this connection once the body is read (RFC 9112, sections 6.1, 6.3 and 9.3). */
export const isPersistent = (head: ResponseHead, method: string): boolean => {
  const { version, headers } = head;
  const options = listOf(headers.get("connection"));
  if (options.includes("close") || (version === "1.0" && !options.includes("keep-alive"))) return false;
  if (hasNoBody(head, method)) return true;
  // Both framings at once, or one that HTTP/1.0 does not have, may be request smuggling: the connection is not reused.
  if (headers.has("transfer-encoding")) return isChunked(head) && version !== "1.0" && !headers.has("content-length");
  return headers.has("content-length");
};

/** Reads the body that follows this head, not decoded. @param method the request's: a response to HEAD has no body */
export const readBody = async (
  connection: Connection,
  head: ResponseHead,
  method: string,
  maxBytes: number,
): Promise<Body> => {
  const { headers } = head;
  if (hasNoBody(head, method)) return { bytes: Buffer.alloc(0), isWhole: true };
  if (isChunked(head)) return readChunked(connection, maxBytes);
  if (headers.has("transfer-encoding")) return readToEnd(connection, maxBytes);
  // A repeated identical length is valid (RFC 9110, section 8.6).
  const announced = headers.get("content-length")?.replace(/^(\d+)(?:\s*,\s*\1)+$/, "$1");
  if (announced === undefined) return readToEnd(connection, maxBytes);
  if (!/^\d{1,15}$/.test(announced))
    throw new ProbeFailure("unexpected-answer", `expected a content length, got: ${printable(announced, 40)}`);
  const parts: Buffer[] = [];
  await readSized(connection, Math.min(Number(announced), maxBytes), parts);
  return { bytes: Buffer.concat(parts), isWhole: Number(announced) <= maxBytes };
};
