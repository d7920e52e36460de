/**
 * One day of an interface in sums of 5 minutes, packed in one item's `data`: a version, then columns of 16-bit numbers with three
 * significant digits, the two bytes of each apart, compressed with zstd.
 */
import { DAY_SECONDS } from "../durations.ts";
import { noSums, SLOT_SECONDS, type Stretch, type Sums } from "../measures/slots.ts";
import { CorruptHistory, pack, unpack } from "./packing.ts";

const VERSION = 1;
const SLOTS = DAY_SECONDS / SLOT_SECONDS;
/** What is kept, in this order: wrong checksums and late collisions are among the errors. */
const COLUMNS = [
  "seconds",
  "inBytes",
  "outBytes",
  "inPackets",
  "outPackets",
  "errors",
  "discards",
  "flaps",
  "speedMbps",
] as const satisfies readonly (keyof Sums)[];
const DATA_BYTES = COLUMNS.length * SLOTS * 2;

const PER_DECADE = 900;
/** Smallest number that is kept is 1.00 x 10^-2. */
const LOWEST_EXPONENT = -4;
const HIGHEST_CODE = 20 * PER_DECADE;

/** Three significant digits in 16 bits; 0 is 0. */
const codeOf = (value: number): number => {
  if (value < 0.01) return 0;
  const [digits, exponent] = value.toExponential(2).split("e") as [string, string];
  const code = (Number(exponent) - 2 - LOWEST_EXPONENT) * PER_DECADE + Number(digits.replace(".", "")) - 100 + 1;
  return Math.min(code, HIGHEST_CODE);
};
const numberOf = (code: number): number => {
  if (code === 0) return 0;
  const exponent = Math.floor((code - 1) / PER_DECADE) + LOWEST_EXPONENT;
  const digits = ((code - 1) % PER_DECADE) + 100;
  return exponent < 0 ? digits / 10 ** -exponent : digits * 10 ** exponent;
};

/** @param slots of a whole day */
export function encodeRates(slots: readonly Sums[]): Uint8Array {
  const bytes = new Uint8Array(DATA_BYTES);
  for (const [column, name] of COLUMNS.entries())
    for (let slot = 0; slot < SLOTS; slot++) {
      const code = codeOf(slots[slot]![name]);
      bytes[2 * column * SLOTS + slot] = code >> 8;
      bytes[(2 * column + 1) * SLOTS + slot] = code & 0xff;
    }
  return Buffer.concat([Uint8Array.of(VERSION), pack(bytes)]);
}

/** @param from first second of the day. @throws CorruptHistory */
export function decodeRates(data: Uint8Array, from: number, what: string): Stretch[] {
  if (data[0] !== VERSION)
    throw new CorruptHistory(`${what}: version ${data[0]} is unknown; this is version ${VERSION}`);
  const bytes = unpack(data.subarray(1), what);
  if (bytes.length !== DATA_BYTES) throw new CorruptHistory(`${what}: ${bytes.length} bytes are not a day`);
  return Array.from({ length: SLOTS }, (_, slot) => {
    const sums = noSums();
    for (const [column, name] of COLUMNS.entries())
      sums[name] = numberOf((bytes[2 * column * SLOTS + slot]! << 8) | bytes[(2 * column + 1) * SLOTS + slot]!);
    return { ...sums, from: from + slot * SLOT_SECONDS, to: from + (slot + 1) * SLOT_SECONDS };
  });
}
