/**
 * Summary: for each monitor of a bucket, the seconds it spent in each status within one hour or one UTC day. Most
 * monitors have one status all the time, which takes one byte; the bytes are then compressed. Ids are in a roster.
 */
import { BitReader, BitWriter } from "./bits.ts";
import { CorruptHistory, pack, unpack } from "./packing.ts";
import { type RecordedStretch, statusAt, timeOf, timeStatusOf } from "./status-time.ts";
import { TIME_STATUSES } from "./tally.ts";
import type { TimeStatus } from "./timeline.ts";

const VERSION = 1;
/** Code of "no data". The others are the place in `TIME_STATUSES` plus one. */
export const NO_DATA = 0;
/** Marks a row with several statuses; the lower bits are the code of the last one. */
const MIXED = 0x80;
const STATUS_COUNT = TIME_STATUSES.length;

export const codeOf = (status: TimeStatus | undefined) =>
  status === undefined ? NO_DATA : TIME_STATUSES.indexOf(status) + 1;

/** Seconds by place in `TIME_STATUSES`; the rest of the period is no data. */
export type Seconds = Uint32Array;
const noSeconds = (): Seconds => new Uint32Array(STATUS_COUNT);

/** One monitor's share of a period. */
export interface Row {
  /** Code of the status at the end, which continues into the next period. */
  readonly end: number;
  /** Undefined if the status was the same all the time. */
  readonly seconds?: Seconds | undefined;
}

/** The rows of a bucket's monitors, in the order of their ids. */
export interface Summary {
  readonly ids: readonly string[];
  readonly rows: readonly Row[];
}

/** Leaves out monitors without any data. */
export function summaryOf(rows: ReadonlyMap<string, Row>): Summary {
  const ids = [...rows.keys()].filter((id) => rows.get(id) !== constantRow(NO_DATA)).toSorted();
  return { ids, rows: ids.map((id) => rows.get(id)!) };
}

const CONSTANT: readonly Row[] = Array.from({ length: STATUS_COUNT + 1 }, (_, end) => ({ end }));
/** The row of a monitor whose status does not change within a period. */
export const constantRow = (code: number): Row => CONSTANT[code]!;

/**
 * Adds a row's seconds to a sum.
 * @param length of the period, in seconds
 * @param at where the sum begins
 */
export function addRow(sum: Seconds, { end, seconds }: Row, length: number, at = 0) {
  if (seconds) for (let place = 0; place < STATUS_COUNT; place++) sum[at + place]! += seconds[place]!;
  else if (end !== NO_DATA) sum[at + end - 1]! += length;
}

/** Makes a row of sums. */
function rowOf(end: number, seconds: Seconds, length: number): Row {
  const isConstant = end === NO_DATA ? seconds.every((one) => one === 0) : seconds[end - 1] === length;
  return isConstant ? constantRow(end) : { end, seconds };
}

/** The row of a monitor in `from <= t < to`, from its stretches. */
export function rowFrom(starts: readonly RecordedStretch[], from: number, to: number): Row {
  const seconds = noSeconds();
  for (const stretch of timeOf(starts, from, to)) seconds[codeOf(stretch.status) - 1]! += stretch.to - stretch.from;
  const last = statusAt(starts, to - 1);
  return rowOf(last ? codeOf(timeStatusOf(last)) : NO_DATA, seconds, to - from);
}

/** Adds up adjoining periods, oldest first. @param parts each with its length in seconds */
export function joined(parts: readonly { readonly summary: Summary; readonly length: number }[]): Summary {
  const whole = parts.reduce((sum, { length }) => sum + length, 0);
  const sums = new Map<string, Seconds>();
  for (const { summary, length } of parts)
    summary.ids.forEach((id, place) => {
      const sum = sums.get(id) ?? noSeconds();
      addRow(sum, summary.rows[place]!, length);
      sums.set(id, sum);
    });
  const last = parts.at(-1)?.summary;
  const ends = new Map(last?.ids.map((id, place) => [id, last.rows[place]!.end]));
  return summaryOf(new Map([...sums].map(([id, seconds]) => [id, rowOf(ends.get(id) ?? NO_DATA, seconds, whole)])));
}

/** Encodes rows in the order of their roster. */
export function encodeRows(rows: readonly Row[]): Uint8Array {
  const writer = new BitWriter();
  writer.bits(VERSION, 8);
  for (const { end, seconds } of rows) {
    writer.bits(seconds ? MIXED | end : end, 8);
    if (!seconds) continue;
    writer.bits(
      seconds.reduce((mask, one, place) => (one > 0 ? mask | (1 << place) : mask), 0),
      8,
    );
    for (const one of seconds) if (one > 0) writer.varint(one);
  }
  return pack(writer.finish());
}

/** @param count of the roster. @throws CorruptHistory */
export function decodeRows(data: Uint8Array, count: number, what: string): Row[] {
  const reader = new BitReader(unpack(data, what), what);
  const version = reader.bits(8);
  if (version !== VERSION)
    throw new CorruptHistory(`${what}: version ${version} is unknown; this is version ${VERSION}`);
  return Array.from({ length: count }, () => {
    const first = reader.bits(8);
    const end = first & ~MIXED;
    if (end > STATUS_COUNT) throw new CorruptHistory(`${what}: unknown status`);
    if (!(first & MIXED)) return constantRow(end);
    const mask = reader.bits(8);
    const seconds = noSeconds();
    for (let place = 0; place < STATUS_COUNT; place++) if (mask & (1 << place)) seconds[place] = reader.varint();
    return { end, seconds };
  });
}
