/**
 * Content codings of HTTP (RFC 9110, section 8.4; registry: gzip, deflate, br; zstd: RFC 8878), undone within bounds: a body of some
 * kilobytes can hold gigabytes. The request asks for none of them, and servers that store their pages compressed send them
 * all the same.
 */
import {
  constants,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createInflateRaw,
  createZstdDecompress,
} from "node:zlib";
import { ProbeFailure } from "../contract/protocol.ts";
import { printable } from "./cursor.ts";
import type { Body, ResponseHead } from "./http-message.ts";

/** Codings one over the other. Nobody has a use for two. */
const MAX_CODINGS = 4;
/** What is coded may be longer than what it holds: by the coding's own head and its words. */
const OVERHEAD_BYTES = 4096;
/** RFC 9659: what a client need not exceed, 8 MB. */
const ZSTD_WINDOW_LOG = 23;

/** The names of the codings, in the order in which they were applied; chunked is framing, and no concern of this file. */
const codingsOf = ({ headers }: ResponseHead): readonly string[] =>
  ["content-encoding", "transfer-encoding"]
    .flatMap((field) => (headers.get(field) ?? "").split(","))
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== "" && name !== "identity" && name !== "chunked");

/** Bytes that are to be read of a body so that this many come out of it, as far as they do. */
export const codedBytes = (head: ResponseHead, maxBytes: number): number =>
  codingsOf(head).length > 0 ? maxBytes + OVERHEAD_BYTES : maxBytes;

/** The zlib format, as RFC 9110 means it; without its head, as some servers have always sent it. */
const isZlib = (bytes: Buffer): boolean =>
  bytes.length >= 2 && (bytes[0]! & 0x0f) === 8 && bytes.readUInt16BE() % 31 === 0;

/** @param isWhole whether the end of the data is its end: of what was cut short, what is there comes out */
const createDecoder = (coding: string, bytes: Buffer, isWhole: boolean) => {
  const zlib = isWhole ? {} : { finishFlush: constants.Z_SYNC_FLUSH };
  switch (coding) {
    case "gzip":
    case "x-gzip":
      return createGunzip(zlib);
    case "deflate":
      return isZlib(bytes) ? createInflate(zlib) : createInflateRaw(zlib);
    case "br":
      return createBrotliDecompress(isWhole ? {} : { finishFlush: constants.BROTLI_OPERATION_FLUSH });
    case "zstd":
      return createZstdDecompress({
        params: { [constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG },
        ...(isWhole ? {} : { finishFlush: constants.ZSTD_e_flush }),
      });
    default:
      throw new ProbeFailure(
        "unexpected-answer",
        `the body is coded as ${printable(coding, 40)}, which nobody asked for and which cannot be read here`,
      );
  }
};

const undo = async (coding: string, { bytes, isWhole }: Body, maxBytes: number): Promise<Body> => {
  if (bytes.length === 0) return { bytes, isWhole };
  const decoder = createDecoder(coding, bytes, isWhole);
  const parts: Buffer[] = [];
  let total = 0;
  decoder.end(bytes);
  try {
    for await (const part of decoder as AsyncIterable<Buffer>) {
      parts.push(part);
      total += part.length;
      // Leaving the loop ends the decoder, whatever it still holds.
      if (total > maxBytes) break;
    }
  } catch (error) {
    throw new ProbeFailure(
      "unexpected-answer",
      `the body is not ${coding}, as its header says: ${printable((error as Error).message, 80)}`,
    );
  }
  return { bytes: Buffer.concat(parts).subarray(0, maxBytes), isWhole: isWhole && total <= maxBytes };
};

/** One at a time in this process: a decoder may claim a window of 16 MB, and its input is here already. */
let turn: Promise<unknown> = Promise.resolve();

/**
 * The body as it was before it was coded.
 * @param maxBytes of what comes out; what is beyond is left out
 * @throws ProbeFailure `unexpected-answer` for a coding that is not known, and for data that is not in it
 */
export const decodeBody = async (body: Body, head: ResponseHead, maxBytes: number): Promise<Body> => {
  const codings = codingsOf(head);
  if (codings.length === 0) return body;
  if (codings.length > MAX_CODINGS)
    throw new ProbeFailure("unexpected-answer", `the body has ${codings.length} codings, one over the other`);
  const decode = async () => {
    let decoded = body;
    for (const [left, coding] of [...codings.entries()].toReversed())
      decoded = await undo(coding, decoded, left === 0 ? maxBytes : codedBytes(head, maxBytes));
    return decoded;
  };
  const mine = turn.then(decode);
  turn = mine.catch(() => undefined);
  return mine;
};
