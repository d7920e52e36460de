/** Compression of all packed history (zstd with checksum), and the error for corrupt data. */
import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";

/** Stored history cannot be decoded: it is damaged, or was written by a newer version. The message names the item. */
export class CorruptHistory extends Error {
  override readonly name = "CorruptHistory";
}

/** Returns undefined if `read` throws CorruptHistory, and reports it: one corrupt item must not block other history. */
export function readable<T>(read: () => T, tell: (error: CorruptHistory) => void): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof CorruptHistory)) throw error;
    tell(error);
    return undefined;
  }
}

/** An item's packed `data`. @param what names the item in the error. @throws CorruptHistory when it holds none */
export function bytesOf({ data }: Readonly<Record<string, unknown>>, what: string): Uint8Array {
  if (data instanceof Uint8Array) return data;
  throw new CorruptHistory(`${what}: holds no bytes`);
}

/** Limit on the decompressed size, larger than any item, so that a damaged length does not exhaust memory. */
const MAX_UNPACKED_BYTES = 1 << 20;

/** Smallest window of zstd, as a power of two. */
const LEAST_WINDOW_LOG = 10;

/**
 * Level 6: blocks get as small as with level 19 (within 2 %) in a twentieth of its time. The window is as large as the
 * data: with the level's own of 2 MB, packing and unpacking a block take half as long again, for memory that is not used.
 */
export const pack = (bytes: Uint8Array): Uint8Array =>
  zstdCompressSync(bytes, {
    params: {
      [constants.ZSTD_c_compressionLevel]: 6,
      [constants.ZSTD_c_checksumFlag]: 1,
      [constants.ZSTD_c_windowLog]: Math.max(LEAST_WINDOW_LOG, Math.ceil(Math.log2(bytes.length))),
    },
  });

/** @param what names the item in the error. @throws CorruptHistory */
export function unpack(packed: Uint8Array, what: string): Uint8Array {
  try {
    return zstdDecompressSync(packed, { maxOutputLength: MAX_UNPACKED_BYTES });
  } catch (cause) {
    throw new CorruptHistory(`${what}: cannot be unpacked`, { cause });
  }
}
