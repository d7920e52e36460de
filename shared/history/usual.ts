/**
 * A usual week, packed in one item's `data`: a version, then 168 centres and 168 spreads in thousandths, 16 bits each, compressed with
 * zstd. An hour that is not known has a spread of 0.
 */
import { HOURS_OF_WEEK, type UsualHour, type UsualWeek } from "../measures/usual.ts";
import { CorruptHistory, pack, unpack } from "./packing.ts";

const VERSION = 1;
const PER_UNIT = 1_000;
const MOST = 0xffff;
const DATA_BYTES = 2 * 2 * HOURS_OF_WEEK;

const codeOf = (level: number) => Math.min(MOST, Math.max(0, Math.round(level * PER_UNIT)));

export function encodeUsual(week: UsualWeek): Uint8Array {
  const bytes = Buffer.alloc(DATA_BYTES);
  for (let hour = 0; hour < HOURS_OF_WEEK; hour++) {
    const { centre = 0, spread = 0 } = week.get(hour) ?? {};
    bytes.writeUInt16BE(codeOf(centre), 2 * hour);
    bytes.writeUInt16BE(codeOf(spread), 2 * (HOURS_OF_WEEK + hour));
  }
  return Buffer.concat([Uint8Array.of(VERSION), pack(bytes)]);
}

/** @throws CorruptHistory */
export function decodeUsual(data: Uint8Array, what: string): UsualWeek {
  if (data[0] !== VERSION)
    throw new CorruptHistory(`${what}: version ${data[0]} is unknown; this is version ${VERSION}`);
  const bytes = Buffer.from(unpack(data.subarray(1), what));
  if (bytes.length !== DATA_BYTES) throw new CorruptHistory(`${what}: ${bytes.length} bytes are not a week`);
  const week = new Map<number, UsualHour>();
  for (let hour = 0; hour < HOURS_OF_WEEK; hour++) {
    const spread = bytes.readUInt16BE(2 * (HOURS_OF_WEEK + hour)) / PER_UNIT;
    if (spread > 0) week.set(hour, { centre: bytes.readUInt16BE(2 * hour) / PER_UNIT, spread });
  }
  return week;
}
