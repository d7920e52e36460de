/**
 * Virtual time and seeded chance. Time stands still while code runs and jumps from event to event, so hours pass in
 * seconds, and the same seed gives the same run to the last write.
 */

/** FNV-1a, then a final mix, so that names that differ in one letter give unrelated numbers. */
function hash(text: string): number {
  let sum = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) sum = Math.imul(sum ^ text.charCodeAt(index), 0x01000193);
  sum = Math.imul(sum ^ (sum >>> 16), 0x85ebca6b);
  sum = Math.imul(sum ^ (sum >>> 13), 0xc2b2ae35);
  return (sum ^ (sum >>> 16)) >>> 0;
}

const UINT32 = 2 ** 32;

/**
 * A number in [0, 1) that belongs to a name. It depends on nothing else: taking one thing out of a scenario does not
 * move what was drawn for the others, and that is what lets a scenario shrink.
 */
export const draw = (seed: string, name: string): number => hash(`${seed}/${name}`) / UINT32;

/** A stream of chance, for making scenarios: each draw depends on all draws before it. */
export interface Chance {
  /** In [0, 1). */
  next(): number;
  /** A whole number, `0 <= n < below`. */
  int(below: number): number;
  /** True with this probability. */
  chance(probability: number): boolean;
  /** In [from, to). */
  range(from: number, to: number): number;
  pick<T>(list: readonly T[]): T;
}

/** Mulberry32: 32 bits of state, good enough for tests, and the same on every machine. */
export function chanceOf(seed: string): Chance {
  let state = hash(seed);
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / UINT32;
  };
  return {
    next,
    int: (below) => Math.floor(next() * below),
    chance: (probability) => next() < probability,
    range: (from, to) => from + next() * (to - from),
    pick: (list) => list[Math.floor(next() * list.length)]!,
  };
}

interface Event {
  readonly atMs: number;
  /** Events of one moment happen in the order in which they were asked for. */
  readonly order: number;
  /** Undefined once it was called off. */
  act: (() => void) | undefined;
}

const isBefore = (one: Event, other: Event) =>
  one.atMs < other.atMs || (one.atMs === other.atMs && one.order < other.order);

/** One turn of Node's event loop: every microtask that is ready runs before it ends. */
const turn = () => new Promise<void>((resolve) => void setImmediate(resolve));

export class Clock {
  /** Epoch milliseconds; may have a fraction. */
  #nowMs: number;
  #order = 0;
  #trace = 0x811c9dc5;
  /** A binary heap, the next event first. */
  readonly #events: Event[] = [];

  constructor(startMs: number) {
    this.#nowMs = startMs;
  }

  /** Epoch milliseconds; bound, so that it can be handed on as a function. */
  readonly now = (): number => this.#nowMs;

  /**
   * Acts at a moment; at once (but not before the code that runs now has ended) when the moment is past.
   * @returns calls it off
   */
  at(atMs: number, act: () => void): () => void {
    const event: Event = { atMs: Math.max(atMs, this.#nowMs), order: this.#order++, act };
    const events = this.#events;
    let index = events.push(event) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (isBefore(events[parent]!, event)) break;
      events[index] = events[parent]!;
      index = parent;
    }
    events[index] = event;
    return () => {
      event.act = undefined;
    };
  }

  /** @returns calls it off */
  after(ms: number, act: () => void): () => void {
    return this.at(this.#nowMs + ms, act);
  }

  readonly sleep = (ms: number): Promise<void> => new Promise((resolve) => void this.after(ms, resolve));

  /** Makes a happening part of `trace`. */
  note(text: string): void {
    for (let index = 0; index < text.length; index++)
      this.#trace = Math.imul(this.#trace ^ text.charCodeAt(index), 0x01000193);
  }

  /** Hash over all events and notes so far: two runs of one seed must agree. */
  get trace(): number {
    return this.#trace >>> 0;
  }

  /** Lets everything happen that is due up to a moment, with what follows from it. */
  async run(untilMs: number): Promise<void> {
    await turn(); // what was begun before the first event may add some
    for (let event = this.#take(untilMs); event; event = this.#take(untilMs)) {
      if (!event.act) continue;
      this.#nowMs = event.atMs;
      this.#trace = Math.imul(this.#trace ^ (event.atMs | 0), 0x01000193);
      event.act();
      await turn();
    }
    this.#nowMs = untilMs;
  }

  #take(untilMs: number): Event | undefined {
    const events = this.#events;
    const [first] = events;
    if (!first || first.atMs > untilMs) return undefined;
    const last = events.pop()!;
    if (events.length === 0) return first;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= events.length) break;
      if (child + 1 < events.length && isBefore(events[child + 1]!, events[child]!)) child++;
      if (isBefore(last, events[child]!)) break;
      events[index] = events[child]!;
      index = child;
    }
    events[index] = last;
    return first;
  }
}
