/**
 * Chunk: one monitor's outcomes from one location in one window, packed in one item's `data`.
 *
 * A window is 360 ticks of the lane, counted from UTC midnight and ending there at the latest. State, reason, health
 * and view hardly change: the chunk lists the combinations that occur, then their run lengths; ticks without outcome
 * are runs as well. Latencies are noise and hardly compress: each is stored as the difference of its code from a slow
 * moving average, Golomb-Rice coded (Rice 1979) with the best parameter for this chunk.
 *
 * Measured with `npm run bench -- cost` on its realistic day: 0.8 bytes an outcome, where columns under zstd took 0.98.
 */
import { DAY_SECONDS } from "../durations.ts";
import { HEALTHS, PORT_STATES } from "../model.ts";
import { REASONS } from "../reasons.ts";
import { BitReader, BitWriter } from "./bits.ts";
import { lossCode, lossOf, reasonCode } from "./block.ts";
import { latencyCode, latencyOf, MAX_LATENCY_CODE } from "./latency.ts";
import type { PastOutcome } from "./outcome.ts";
import { CorruptHistory } from "./packing.ts";

export const CHUNK_TICKS = 360;

const VERSION = 1;
/** Code of a run of ticks without outcome; combinations are numbered from 1. */
const GAP = 0;

/** The chunk window of a lane that contains a moment, in epoch seconds: `start <= moment < end`. */
export function chunkWindow(intervalSeconds: number, moment: number) {
  const midnight = Math.floor(moment / DAY_SECONDS) * DAY_SECONDS;
  const length = intervalSeconds * CHUNK_TICKS;
  const start = midnight + Math.floor((moment - midnight) / length) * length;
  return { start, end: Math.min(start + length, midnight + DAY_SECONDS) };
}

/** @param outcomes of one lane, at least one, oldest first, their ticks whole intervals apart */
export function encodeChunk(outcomes: readonly PastOutcome[]): Uint8Array {
  const { intervalSeconds, tick: firstTick } = outcomes[0]!;
  const kinds = new Map<string, number>();
  const kindOf = (outcome: PastOutcome) => {
    const key = kindBytes(outcome).join();
    if (!kinds.has(key)) kinds.set(key, kinds.size + 1);
    return kinds.get(key)!;
  };
  const runs = new Runs();
  const losses = new Runs();
  const latencies: number[] = [];
  let slot = 0;
  for (const outcome of outcomes) {
    const gap = (outcome.tick - firstTick) / intervalSeconds - slot;
    if (gap < 0 || !Number.isInteger(gap) || outcome.intervalSeconds !== intervalSeconds) {
      throw new RangeError(`tick ${outcome.tick} does not follow in steps of ${intervalSeconds} s from ${firstTick}`);
    }
    runs.add(GAP, gap);
    runs.add(kindOf(outcome), 1);
    slot += gap + 1;
    if (outcome.latencyMs !== null) latencies.push(latencyCode(outcome.latencyMs));
    if (outcome.lossPercent !== null) losses.add(lossCode(outcome.lossPercent), 1);
  }

  const writer = new BitWriter();
  writer.bits(VERSION, 8);
  writer.varint(intervalSeconds);
  writer.varint(kinds.size);
  for (const key of kinds.keys()) for (const byte of key.split(",")) writer.bits(Number(byte), 8);
  runs.write(writer);
  losses.write(writer);
  writeLatencies(writer, latencies);
  return writer.finish();
}

/** Reads what `encodeChunk` wrote, oldest first. @param what names the item in errors. @throws CorruptHistory */
export function decodeChunk(data: Uint8Array, firstTick: number, what = `chunk ${firstTick}`): PastOutcome[] {
  const reader = new BitReader(data, what);
  const version = reader.bits(8);
  if (version !== VERSION)
    throw new CorruptHistory(`${what}: version ${version} is unknown; this is version ${VERSION}`);
  const intervalSeconds = reader.varint();
  const kinds = Array.from({ length: reader.varint() }, () =>
    readKind([reader.bits(8), reader.bits(8), reader.bits(8)], what),
  );
  const runs = readRuns(reader, what);
  const losses = each(readRuns(reader, what));
  const latency = latencyReader(reader, what);
  const outcomes: PastOutcome[] = [];
  let tick = firstTick;
  for (const [code, length] of runs) {
    const kind = kinds[code - 1];
    if (code !== GAP && !kind) throw new CorruptHistory(`${what}: refers to a combination that it does not list`);
    for (let i = 0; i < length; i++, tick += intervalSeconds) {
      if (!kind) continue;
      const { state, reason, health, view, offline } = kind;
      const latencyMs = kind.hasLatency ? latency() : null;
      const lossPercent = kind.hasLoss ? lossOf(losses.next().value ?? 0) : null;
      outcomes.push({ tick, intervalSeconds, state, reason, health, view, offline, latencyMs, lossPercent });
    }
  }
  return outcomes;
}

const OFFLINE = 1;
const HAS_LATENCY = 2;
const HAS_LOSS = 4;

function kindBytes({ state, reason, health, view, offline, latencyMs, lossPercent }: PastOutcome) {
  const viewCode = view === null ? 0 : HEALTHS.indexOf(view) + 1;
  return [
    PORT_STATES.indexOf(state) | (HEALTHS.indexOf(health) << 3) | (viewCode << 5),
    reasonCode(reason),
    (offline ? OFFLINE : 0) | (latencyMs === null ? 0 : HAS_LATENCY) | (lossPercent === null ? 0 : HAS_LOSS),
  ];
}

function readKind([status, reason, flags]: [number, number, number], what: string) {
  const kind = {
    state: PORT_STATES[status & 7]!,
    health: HEALTHS[(status >> 3) & 3]!,
    view: status >> 5 === 0 ? null : HEALTHS[(status >> 5) - 1],
    reason: reason === 0 ? null : REASONS[reason - 1],
    offline: (flags & OFFLINE) !== 0,
    hasLatency: (flags & HAS_LATENCY) !== 0,
    hasLoss: (flags & HAS_LOSS) !== 0,
  };
  const { view, reason: known } = kind;
  if (view === undefined || known === undefined) throw new CorruptHistory(`${what}: unknown view or reason`);
  return { ...kind, view, reason: known };
}

/** Run-length encoding: codes, each with the number of its repetitions. */
class Runs {
  private readonly runs: [code: number, length: number][] = [];

  add(code: number, length: number) {
    const last = this.runs.at(-1);
    if (last?.[0] === code) last[1] += length;
    else if (length > 0) this.runs.push([code, length]);
  }

  write(writer: BitWriter) {
    writer.varint(this.runs.length);
    for (const [code, length] of this.runs) {
      writer.varint(code);
      writer.varint(length);
    }
  }
}

function readRuns(reader: BitReader, what: string): [number, number][] {
  const runs = Array.from({ length: reader.varint() }, (): [number, number] => [reader.varint(), reader.varint()]);
  const ticks = runs.reduce((sum, [, length]) => sum + length, 0);
  if (ticks > CHUNK_TICKS)
    throw new CorruptHistory(`${what}: holds ${ticks} ticks, at most ${CHUNK_TICKS} are possible`);
  return runs;
}

function* each(runs: [number, number][]): Generator<number, undefined> {
  for (const [code, length] of runs) for (let i = 0; i < length; i++) yield code;
}

/** Number of ones that marks a distance written in full: otherwise a spike would cost hundreds of bits. */
const ESCAPE = 12;
/** Enough bits for the folded distance of any two codes. */
const FULL_BITS = 14;
const PARAMETER_BITS = 4;

/** Moving average that follows the level slowly and limits the influence of spikes. */
class SlowAverage {
  private level: number;
  constructor(start: number) {
    this.level = start;
  }
  get code() {
    return Math.round(this.level);
  }
  add(code: number) {
    this.level += Math.max(-100, Math.min(100, code - this.code)) / 16;
  }
}

function writeLatencies(writer: BitWriter, codes: readonly number[]) {
  if (codes.length === 0) return;
  const start = [...codes].sort((a, b) => a - b)[codes.length >> 1]!;
  const average = new SlowAverage(start);
  const distances = codes.map((code) => {
    const distance = fold(code - average.code);
    average.add(code);
    return distance;
  });
  const cost = (parameter: number) => distances.reduce((bits, distance) => bits + riceBits(distance, parameter), 0);
  let parameter = 0;
  for (let candidate = 1; candidate < FULL_BITS; candidate++)
    if (cost(candidate) < cost(parameter)) parameter = candidate;
  writer.bits(start, FULL_BITS);
  writer.bits(parameter, PARAMETER_BITS);
  for (const distance of distances) {
    const ones = Math.min(distance >> parameter, ESCAPE);
    writer.bits((1 << ones) - 1, ones);
    if (ones === ESCAPE) writer.bits(distance, FULL_BITS);
    else writer.bits(distance & ((1 << parameter) - 1), parameter + 1); // its leading zero ends the ones
  }
}

/** Reads the latencies one by one, lazily: the section is missing if no combination has a latency. */
function latencyReader(reader: BitReader, what: string): () => number | null {
  let average: SlowAverage | undefined;
  let parameter = 0;
  return () => {
    if (!average) {
      average = new SlowAverage(reader.bits(FULL_BITS));
      parameter = reader.bits(PARAMETER_BITS);
    }
    const ones = reader.ones(ESCAPE);
    const distance = ones === ESCAPE ? reader.bits(FULL_BITS) : (ones << parameter) | reader.bits(parameter);
    const code = average.code + unfold(distance);
    if (code < 1 || code > MAX_LATENCY_CODE) throw new CorruptHistory(`${what}: holds a latency out of range`);
    average.add(code);
    return latencyOf(code);
  };
}

const riceBits = (distance: number, parameter: number) =>
  distance >> parameter < ESCAPE ? (distance >> parameter) + 1 + parameter : ESCAPE + FULL_BITS;

/** Zigzag encoding: 0, -1, 1, -2, 2 … as 0, 1, 2, 3, 4 … */
const fold = (distance: number) => (distance < 0 ? -2 * distance - 1 : 2 * distance);
const unfold = (folded: number) => (folded & 1 ? -(folded + 1) / 2 : folded / 2);
