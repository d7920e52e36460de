/**
 * Block: the outcomes of one shard at one tick from one location, in roster order, packed in one item's `data`.
 *
 *   byte 0      version
 *   byte 1      flags: bit 0 = the location was offline
 *   bytes 2-17  hash of the roster, which lists the monitors in the order of the entries
 *   the rest    columns, one after the other, compressed with zstd (RFC 8878) with its checksum
 *
 * The two bytes of a number are in two columns, because the high bytes hardly differ and compress to nothing. Shard,
 * location and tick are in the item's key and not repeated. A quiet tick of 250 monitors takes one write unit (1 KB)
 * with room to spare.
 *
 * Version 2 adds the columns `streaks` and `doubt`. Version 1 is still read.
 *
 * Paused members stay in the roster with `pausedEntry`, so that paused time is distinguished from a gap.
 */
import { createHash } from "node:crypto";
import { HEALTHS, type Health, PORT_STATES, type PortState } from "../model.ts";
import { REASONS, type Reason } from "../reasons.ts";
import { latencyCode, latencyOf, MAX_LATENCY_CODE } from "./latency.ts";
import { CorruptHistory, pack, unpack } from "./packing.ts";

export interface BlockEntry {
  readonly state: PortState;
  readonly reason: Reason | null;
  readonly health: Health;
  /** Kept to three significant digits. */
  readonly latencyMs: number | null;
  /** Kept to 0.01. */
  readonly lossPercent: number | null;
  /** uint32 of measured outcomes; bit 0 = the newest; 1 = up or degraded, 0 = down. */
  readonly bits: number;
  /** Measured outcomes in `bits`, 0 to 32. */
  readonly bitCount: number;
  /** Low byte of `settingsVersion`; the bits restart when it differs. */
  readonly settingsByte: number;
  /** The location's view after this tick; null while it has none. */
  readonly view: Health | null;
  /** Unmeasured outcomes in a row up to this tick, 0 to 15; saturates at 15. */
  readonly unmeasuredStreak: number;
  /** Measured outcomes in a row that were up, or not up; one of the two is 0. Saturates at 127. */
  readonly upStreak: number;
  readonly notUpStreak: number;
  /** Number of further ticks for which `view` may be outdated, so that the view is read from the table. 0 to 255. */
  readonly doubt: number;
}

export interface Block {
  readonly version: 1 | 2;
  readonly shard: string;
  readonly location: string;
  readonly tick: number;
  /** The location's control targets failed at this tick: its outcomes say nothing about the targets. */
  readonly offline: boolean;
  /** Hash of the roster, see `rosterHash`. */
  readonly roster: string;
  readonly entries: readonly BlockEntry[];
}

/** The parts of a block that are in the item's key. */
export type BlockPlace = Pick<Block, "shard" | "location" | "tick">;

const VERSION = 2;
/** Version of the roster format. */
const ROSTER_VERSION = 1;
const OFFLINE = 1;
const HASH_BYTES = 16;
const HEADER_BYTES = 2 + HASH_BYTES;
/** Bytes per entry before compression by version, one column each, in this order. */
const COLUMNS: Readonly<Record<number, number>> = { 1: 13, 2: 15 };
const NOW_COLUMNS = 15;
/** A streak has seven bits; the eighth marks a streak of up. */
const UP = 0x80;
const LONGEST_STREAK = 0x7f;

/** The entry of a paused member. */
export const pausedEntry = (settingsVersion: number): BlockEntry => ({
  state: "unmeasured",
  reason: "paused",
  health: "unknown",
  latencyMs: null,
  lossPercent: null,
  bits: 0,
  bitCount: 0,
  settingsByte: settingsVersion & 0xff,
  view: null,
  unmeasuredStreak: 0,
  upStreak: 0,
  notUpStreak: 0,
  doubt: 0,
});

/** Encodes a block's `data`. @throws RangeError if a number of an entry is out of range */
export function encodeBlock(block: Omit<Block, keyof BlockPlace | "version">): Uint8Array {
  const count = block.entries.length;
  const columns = new Uint8Array(count * NOW_COLUMNS);
  block.entries.forEach((entry, row) => {
    const bytes = entryBytes(entry);
    for (let column = 0; column < NOW_COLUMNS; column++) columns[column * count + row] = bytes[column]!;
  });
  const hash = Buffer.from(block.roster, "base64url");
  if (hash.length !== HASH_BYTES) throw new RangeError(`roster must be a hash of ${HASH_BYTES} bytes`);
  return Buffer.concat([Uint8Array.of(VERSION, block.offline ? OFFLINE : 0), hash, pack(columns)]);
}

/** Reads what `encodeBlock` wrote. @throws CorruptHistory */
export function decodeBlock(data: Uint8Array, place: BlockPlace): Block {
  const block = openBlock(data, place);
  return {
    ...place,
    ...block.header,
    entries: Array.from({ length: block.count }, (_, i) => block.entry(i)),
  };
}

/**
 * Opens a block whose entries are decoded one by one: history of one monitor needs one of 250. @throws CorruptHistory
 */
export function openBlock(data: Uint8Array, place: BlockPlace) {
  const what = `block ${place.shard} ${place.location} ${place.tick}`;
  const header = blockHeader(data, what);
  const columns = unpack(data.subarray(HEADER_BYTES), what);
  const width = COLUMNS[header.version]!;
  if (columns.length % width !== 0) {
    throw new CorruptHistory(`${what}: ${columns.length} bytes of columns are no multiple of ${width}`);
  }
  const count = columns.length / width;
  return {
    header,
    count,
    /** @throws CorruptHistory */
    entry(row: number): BlockEntry {
      const at = (column: number) => columns[column * count + row] ?? 0;
      return readEntry(at, header.version, what);
    },
  };
}

/** Reads version, roster and offline flag without decompressing the rest. @throws CorruptHistory */
export function blockHeader(data: Uint8Array, what = "block"): Pick<Block, "version" | "roster" | "offline"> {
  if (data.length < HEADER_BYTES) throw new CorruptHistory(`${what}: ${data.length} bytes are too few`);
  const version = data[0];
  if (version !== 1 && version !== VERSION)
    throw new CorruptHistory(`${what}: version ${version} is unknown; this is version ${VERSION}`);
  return {
    version,
    offline: (data[1]! & OFFLINE) !== 0,
    roster: Buffer.from(data.subarray(2, HEADER_BYTES)).toString("base64url"),
  };
}

function entryBytes(entry: BlockEntry): number[] {
  const state = PORT_STATES.indexOf(entry.state);
  const view = entry.view === null ? 0 : HEALTHS.indexOf(entry.view) + 1;
  const latency = latencyCode(entry.latencyMs);
  const loss = lossCode(entry.lossPercent);
  if (entry.bitCount < 0 || entry.bitCount > 32)
    throw new RangeError(`bitCount must be 0 to 32, got ${entry.bitCount}`);
  return [
    state | (HEALTHS.indexOf(entry.health) << 3) | (view << 5),
    reasonCode(entry.reason),
    latency >> 8,
    latency & 0xff,
    loss >> 8,
    loss & 0xff,
    (entry.bits >>> 24) & 0xff,
    (entry.bits >>> 16) & 0xff,
    (entry.bits >>> 8) & 0xff,
    entry.bits & 0xff,
    entry.bitCount,
    entry.settingsByte & 0xff,
    Math.min(entry.unmeasuredStreak, 15),
    entry.upStreak > 0 ? UP | Math.min(entry.upStreak, LONGEST_STREAK) : Math.min(entry.notUpStreak, LONGEST_STREAK),
    Math.min(entry.doubt, 255),
  ];
}

function readEntry(at: (column: number) => number, version: 1 | 2, what: string): BlockEntry {
  const known = <T>(value: T | undefined, name: string): T => {
    if (value === undefined) throw new CorruptHistory(`${what}: unknown ${name}`);
    return value;
  };
  const view = at(0) >> 5;
  const streaks = version === 1 ? 0 : at(13);
  const latency = (at(2) << 8) | at(3);
  return {
    state: known(PORT_STATES[at(0) & 7], "state"),
    health: known(HEALTHS[(at(0) >> 3) & 3], "health"),
    view: view === 0 ? null : known(HEALTHS[view - 1], "view"),
    reason: at(1) === 0 ? null : known(REASONS[at(1) - 1], "reason"),
    latencyMs: known(latency > MAX_LATENCY_CODE ? undefined : latencyOf(latency), "latency"),
    lossPercent: lossOf((at(4) << 8) | at(5)),
    bits: ((at(6) << 24) | (at(7) << 16) | (at(8) << 8) | at(9)) >>> 0,
    bitCount: at(10),
    settingsByte: at(11),
    unmeasuredStreak: at(12),
    upStreak: streaks & UP ? streaks & LONGEST_STREAK : 0,
    notUpStreak: streaks & UP ? 0 : streaks,
    doubt: version === 1 ? 0 : at(14),
  };
}

/** 0 means no reason; otherwise the index in `REASONS` plus one. */
export const reasonCode = (reason: Reason | null) => (reason === null ? 0 : REASONS.indexOf(reason) + 1);

/** 0 means none; otherwise hundredths of a per cent plus one. */
export const lossCode = (lossPercent: number | null) => (lossPercent === null ? 0 : Math.round(lossPercent * 100) + 1);
export const lossOf = (code: number) => (code === 0 ? null : (code - 1) / 100);

/**
 * Content hash of a roster: the first 16 bytes of the SHA-256 of its ids, one per line, in base64url (22 characters).
 */
export const rosterHash = (ids: readonly string[]) =>
  createHash("sha256").update(ids.join("\n")).digest().subarray(0, HASH_BYTES).toString("base64url");

/** Encodes a roster's `data`. Ids keep their order and contain no line break. */
export const encodeRoster = (ids: readonly string[]): Uint8Array =>
  Buffer.concat([Uint8Array.of(ROSTER_VERSION), pack(Buffer.from(ids.join("\n")))]);

/** @throws CorruptHistory, also if the ids do not match the hash */
export function decodeRoster(data: Uint8Array, hash: string): string[] {
  const what = `roster ${hash}`;
  if (data[0] !== ROSTER_VERSION)
    throw new CorruptHistory(`${what}: version ${data[0]} is unknown; this is version ${ROSTER_VERSION}`);
  const text = Buffer.from(unpack(data.subarray(1), what)).toString();
  const ids = text === "" ? [] : text.split("\n");
  if (rosterHash(ids) !== hash) throw new CorruptHistory(`${what}: holds other ids than its hash says`);
  return ids;
}
