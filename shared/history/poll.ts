/**
 * A poll of a device's interfaces, packed in one item's `data`, with what is remembered of each interface.
 *
 *   byte 0      version
 *   bytes 1-16  hash of the roster: name, alias and type of each interface, in the order of the rows
 *   the rest    compressed with zstd: epoch milliseconds and uptime, then the numbers of the interfaces, each of their bytes as a
 *               column of its own, because the high bytes of neighbours are mostly the same and compress to nothing
 *
 * A number that the agent does not have is all ones.
 */
import type { InterfacePoll, InterfaceReading } from "../contract/poll.ts";
import { type InterfaceMemory, VERDICTS } from "../rules/interface-verdicts.ts";
import { CorruptHistory, pack, unpack } from "./packing.ts";

export interface StoredPoll extends InterfacePoll {
  readonly memory: ReadonlyMap<string, InterfaceMemory>;
}

const VERSION = 1;
const HASH_BYTES = 16;
const HEADER_BYTES = 1 + HASH_BYTES;
const TIME_BYTES = 16;
const IS_WIDE = 1;
const WAS_UP = 2;

type Row = Readonly<Record<string, bigint | number | null>>;
/** Numbers of a row and their bytes, in this order. */
const FIELDS = [
  ["index", 4],
  ["admin", 1],
  ["oper", 1],
  ["duplex", 1],
  ["flags", 1],
  ["verdicts", 1],
  ["speedMbps", 4],
  ["bestMbps", 4],
  ["duplexSignSeconds", 4],
  ["lastChange", 4],
  ["discontinuity", 4],
  ["inErrors", 4],
  ["outErrors", 4],
  ["inDiscards", 4],
  ["outDiscards", 4],
  ["fcsErrors", 4],
  ["lateCollisions", 4],
  ["inOctets", 8],
  ["outOctets", 8],
  ["inPackets", 8],
  ["outPackets", 8],
] as const satisfies readonly (readonly [string, number])[];
type Field = (typeof FIELDS)[number][0];
/** Four bytes of ones. */
const ALL_ONES = 2 ** 32 - 1;
const ROW_BYTES = FIELDS.reduce((sum, [, bytes]) => sum + bytes, 0);

const bitsOf = (verdicts: readonly string[]) =>
  VERDICTS.reduce((bits, verdict, place) => bits | (verdicts.includes(verdict) ? 1 << place : 0), 0);

const rowOf = (reading: InterfaceReading, memory: InterfaceMemory | undefined): Row => ({
  ...(reading as unknown as Row),
  flags: (reading.isWide ? IS_WIDE : 0) | (memory?.wasUp ? WAS_UP : 0),
  verdicts: bitsOf(memory?.verdicts ?? []),
  bestMbps: memory?.bestMbps ?? 0,
  duplexSignSeconds: Math.floor((memory?.duplexSignMs ?? 0) / 1000),
});

/** Name, alias and type of each interface, as the lines of a roster. */
export const rosterOf = ({ interfaces }: InterfacePoll): string[] =>
  interfaces.map(({ name, alias, type }) =>
    [name, alias, type].map((one) => String(one).replace(/\s/g, " ")).join("\t"),
  );

/** @param roster hash of `rosterOf` */
export function encodePoll({ atMs, upHundredths, interfaces, memory }: StoredPoll, roster: string): Uint8Array {
  const count = interfaces.length;
  const bytes = Buffer.alloc(TIME_BYTES + count * ROW_BYTES);
  bytes.writeDoubleBE(atMs, 0);
  bytes.writeDoubleBE(upHundredths, 8);
  for (const [place, reading] of interfaces.entries()) {
    const row = rowOf(reading, memory.get(reading.name));
    let column = 0;
    for (const [name, width] of FIELDS) {
      const ones = (1n << BigInt(8 * width)) - 1n;
      const value = row[name] ?? null;
      let left = value === null ? ones : BigInt(value) & ones;
      for (let byte = width - 1; byte >= 0; byte--) {
        bytes[TIME_BYTES + (column + byte) * count + place] = Number(left & 0xffn);
        left >>= 8n;
      }
      column += width;
    }
  }
  return Buffer.concat([Uint8Array.of(VERSION), Buffer.from(roster, "base64url"), pack(bytes)]);
}

/** Hash of the roster that a packed poll needs. @throws CorruptHistory */
export function rosterOfPoll(data: Uint8Array, what: string): string {
  if (data.length < HEADER_BYTES || data[0] !== VERSION)
    throw new CorruptHistory(`${what}: version ${data[0]} is unknown; this is version ${VERSION}`);
  return Buffer.from(data.subarray(1, HEADER_BYTES)).toString("base64url");
}

/**
 * Reads what `encodePoll` wrote.
 * @param roster the lines of its roster
 * @param only name of the only interface that is wanted
 * @throws CorruptHistory
 */
export function decodePoll(data: Uint8Array, roster: readonly string[], what: string, only?: string): StoredPoll {
  const bytes = Buffer.from(unpack(data.subarray(HEADER_BYTES), what));
  const count = roster.length;
  if (bytes.length !== TIME_BYTES + count * ROW_BYTES)
    throw new CorruptHistory(`${what}: ${bytes.length} bytes are not those of ${count} interfaces`);
  const memory = new Map<string, InterfaceMemory>();
  const interfaces: InterfaceReading[] = [];
  for (const [place, line] of roster.entries()) {
    const [name = "", alias = "", type = "0"] = line.split("\t");
    if (only !== undefined && name !== only) continue;
    const row = readRow(bytes, place, count);
    const counter = (field: Field) => (row[field] === null ? null : Number(row[field]));
    const number = (field: Field) => Number(row[field] ?? 0);
    const wide = (field: Field) => (row[field] === null ? null : BigInt(row[field]));
    memory.set(name, {
      wasUp: (number("flags") & WAS_UP) !== 0,
      bestMbps: number("bestMbps"),
      verdicts: VERDICTS.filter((_, bit) => number("verdicts") & (1 << bit)),
      duplexSignMs: number("duplexSignSeconds") * 1000,
    });
    interfaces.push({
      index: number("index"),
      name,
      alias,
      type: Number(type),
      admin: number("admin"),
      oper: number("oper"),
      lastChange: number("lastChange"),
      discontinuity: number("discontinuity"),
      speedMbps: number("speedMbps"),
      duplex: number("duplex"),
      isWide: (number("flags") & IS_WIDE) !== 0,
      inOctets: wide("inOctets"),
      outOctets: wide("outOctets"),
      inPackets: wide("inPackets"),
      outPackets: wide("outPackets"),
      inErrors: counter("inErrors"),
      outErrors: counter("outErrors"),
      inDiscards: counter("inDiscards"),
      outDiscards: counter("outDiscards"),
      fcsErrors: counter("fcsErrors"),
      lateCollisions: counter("lateCollisions"),
    });
  }
  return { atMs: bytes.readDoubleBE(0), upHundredths: bytes.readDoubleBE(8), interfaces, memory };
}

/** The numbers of one interface; 64 bits are put together of two halves, because steps of single bytes take ten times as long. */
function readRow(bytes: Buffer, place: number, count: number): Record<Field, number | bigint | null> {
  const row = {} as Record<Field, number | bigint | null>;
  let column = 0;
  const part = (width: number) => {
    let value = 0;
    for (let byte = 0; byte < width; byte++, column++)
      value = value * 256 + bytes[TIME_BYTES + column * count + place]!;
    return value;
  };
  for (const [name, width] of FIELDS) {
    if (width === 8) {
      const [high, low] = [part(4), part(4)];
      row[name] = high === ALL_ONES && low === ALL_ONES ? null : (BigInt(high) << 32n) | BigInt(low);
    } else {
      const value = part(width);
      row[name] = width === 4 && value === ALL_ONES ? null : value;
    }
  }
  return row;
}
