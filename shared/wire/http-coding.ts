/**
 * Decompresses HTTP content codings (RFC 9110, section 8.4: gzip, deflate, br; zstd: RFC 8878), with limits, because a body
 * of some kilobytes can expand to gigabytes. The request asks for no coding, but servers that store compressed pages send
 * them regardless.
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

/** Codings applied to one body; even two are unusual. */
const MAX_CODINGS = 4;
/** A compressed body may be longer than its content, by the format's header and dictionary. */
const OVERHEAD_BYTES = 4096;
/** 8 MB, the largest window that servers may use (RFC 9659). */
const ZSTD_WINDOW_LOG = 23;

/** Names of the codings in the order in which they were applied, without chunked, which `http-message.ts` handles. */
const codingsOf = ({ headers }: ResponseHead): readonly string[] =>
  ["content-encoding", "transfer-encoding"]
    .flatMap((field) => (headers.get(field) ?? "").split(","))
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== "" && name !== "identity" && name !== "chunked");

/** How many bytes of the body to read to get at least `maxBytes` decoded bytes, if it has as many. */
export const codedBytes = (head: ResponseHead, maxBytes: number): number =>
  codingsOf(head).length > 0 ? maxBytes + OVERHEAD_BYTES : maxBytes;

/** Whether deflate data has the zlib header, which RFC 9110 demands; some servers send it without. */
const isZlib = (bytes: Buffer): boolean =>
  bytes.length >= 2 && (bytes[0]! & 0x0f) === 8 && bytes.readUInt16BE() % 31 === 0;

/** @param isWhole false for a truncated body: then the decoder returns what it can and reports no error at the end */
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
        `the body has the content coding ${printable(coding, 40)}, which was not asked for and is not supported`,
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
      // Leaving the loop destroys the decoder.
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

/** One body at a time in this process, because a decoder may allocate a window of 16 MB. */
let turn: Promise<unknown> = Promise.resolve();

/**
 * Decodes a body by its content codings.
 * @param maxBytes limit of the decoded body; the rest is dropped
 * @throws ProbeFailure `unexpected-answer` for an unknown coding, and for data that cannot be decoded
 */
export const decodeBody = async (body: Body, head: ResponseHead, maxBytes: number): Promise<Body> => {
  const codings = codingsOf(head);
  if (codings.length === 0) return body;
  if (codings.length > MAX_CODINGS)
    throw new ProbeFailure(
      "unexpected-answer",
      `the body has ${codings.length} content codings, at most ${MAX_CODINGS}`,
    );
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
