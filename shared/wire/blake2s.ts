/**
 * BLAKE2s with a key and a digest length of one's own (RFC 7693): what WireGuard's MACs are, and what Node's crypto, which
 * has the plain 32-byte hash only, does not offer. For short messages that are no secret in time.
 */
const IV = Uint32Array.from([
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
]);
const SIGMA = [
  [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
  [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
  [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
  [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
  [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
  [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
  [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
  [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
  [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
  [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
];
/** Which words of the state the eight mixes of a round take: four columns, then four diagonals. */
const MIXES = [
  [0, 4, 8, 12],
  [1, 5, 9, 13],
  [2, 6, 10, 14],
  [3, 7, 11, 15],
  [0, 5, 10, 15],
  [1, 6, 11, 12],
  [2, 7, 8, 13],
  [3, 4, 9, 14],
] as const;
const BLOCK_BYTES = 64;

const rotate = (word: number, bits: number): number => (word >>> bits) | (word << (32 - bits));

const compress = (state: Uint32Array, block: Buffer, total: number, isLast: boolean): void => {
  const words = Array.from({ length: 16 }, (_, n) => block.readUInt32LE(4 * n));
  const v = Uint32Array.of(...state, ...IV);
  v[12]! ^= total;
  if (isLast) v[14] = ~v[14]!;
  for (const order of SIGMA)
    MIXES.forEach(([a, b, c, d], n) => {
      v[a]! += v[b]! + words[order[2 * n]!]!;
      v[d] = rotate(v[d]! ^ v[a]!, 16);
      v[c]! += v[d]!;
      v[b] = rotate(v[b]! ^ v[c]!, 12);
      v[a]! += v[b]! + words[order[2 * n + 1]!]!;
      v[d] = rotate(v[d]! ^ v[a]!, 8);
      v[c]! += v[d]!;
      v[b] = rotate(v[b]! ^ v[c]!, 7);
    });
  for (let n = 0; n < 8; n += 1) state[n]! ^= v[n]! ^ v[n + 8]!;
};

/** @param length of the digest in bytes, 1 to 32 @param key at most 32 bytes */
export const blake2s = (message: Uint8Array, length = 32, key: Uint8Array = new Uint8Array()): Buffer => {
  const state = Uint32Array.from(IV);
  state[0]! ^= 0x01010000 ^ (key.length << 8) ^ length;
  const keyBlock = Buffer.alloc(key.length ? BLOCK_BYTES : 0);
  keyBlock.set(key);
  const input = Buffer.concat([keyBlock, message]);
  const blocks = Math.max(1, Math.ceil(input.length / BLOCK_BYTES));
  for (let n = 0; n < blocks; n += 1) {
    const block = Buffer.alloc(BLOCK_BYTES);
    input.copy(block, 0, n * BLOCK_BYTES);
    compress(state, block, Math.min(input.length, (n + 1) * BLOCK_BYTES), n === blocks - 1);
  }
  const digest = Buffer.alloc(32);
  state.forEach((word, n) => {
    digest.writeUInt32LE(word, 4 * n);
  });
  return digest.subarray(0, length);
};
