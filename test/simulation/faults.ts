/**
 * What may go wrong, and when. A scenario says it in windows: a fault, its strength and its time. Whoever can suffer a
 * fault (a call, a queue, the stream, the schedule) names the occasion and asks `strike`. Whether it strikes is drawn
 * from the seed and that name alone, so taking out one thing moves none of the others; what struck is written down, and
 * that list can be given back instead of the chances, to replay a run, to shrink it, or to try one single fault.
 */
import { draw } from "./clock.ts";

type Amount = (drawn: number) => number;

const between =
  (low: number, high: number): Amount =>
  (drawn) =>
    low + drawn * (high - low);

/** Mostly up to `usual`; one time in five up to `worst`. */
const mostly =
  (least: number, usual: number, worst: number): Amount =>
  (drawn) =>
    drawn < 0.8 ? between(least, usual)(drawn / 0.8) : between(usual, worst)((drawn - 0.8) / 0.2);

const once: Amount = () => 1;

/** Every fault by name, with how much of it one strike is. */
export const FAULTS = {
  // Calls over the network, each attempt of the SDK's by itself (lambda.ts).
  /** Refused for being too many; nothing was done. */
  throttle: once,
  /** Done, but the answer never arrives: an error after so many ms. */
  lost: mostly(5, 50, 4_000),
  /** The process dies before it sends the request. */
  "kill-before": once,
  /** The process dies once the request has had its effect. */
  "kill-after": once,
  /** The request is on its way for so many ms: it takes effect late, perhaps after its sender gave up. */
  delay: between(2_000, 12_000),
  /** Done at once, but the answer takes so many ms. */
  stall: between(2_000, 90_000),
  /** The service is away: an error after so many ms, nothing done. */
  outage: between(5, 300),
  /** The service refuses, and may take it the next time. */
  refuse: once,
  /** The service refuses the receiver or the message for good; the SDK does not try again. */
  "refuse-for-good": once,
  // Processes (lambda.ts).
  /** Nothing of the process runs for so many ms; its clock goes on. */
  freeze: between(2_000, 90_000),
  /** A new process although a warm one is idle. */
  cold: once,
  /** The clock of a process jumps back by so many ms. */
  "clock-step": between(5_000, 60_000),
  // Tables (database.ts).
  /** Read without consistency, an item is as it was so many ms ago. */
  stale: between(20, 2_000),
  /** An index shows a write only after so many ms. */
  "index-lag": between(200, 20_000),
  /** This share of a batch is handed back undone. Also for batches of messages (services.ts). */
  partial: between(0, 1),
  // Queues (services.ts).
  /** A message arrives a second time, so many ms later. */
  duplicate: between(0, 30_000),
  /** A message that was handled well is received again when its visibility ends. */
  "received-again": once,
  /** A message arrives so many ms too late. */
  late: mostly(500, 20_000, 600_000),
  /** Nobody receives from the queue; asked again so many ms later. */
  "not-received": between(1_000, 5_000),
  // The stream's mapping (services.ts).
  /** A batch is delivered again after it was handled. */
  "stream-duplicate": once,
  /** A batch waits for so many ms. */
  "stream-late": mostly(1_000, 20_000, 600_000),
  /** The mapping hears nothing after so many ms and tries again, while the function still runs. */
  zombie: between(5, 500),
  // Schedules (services.ts).
  /** An invocation is never made. */
  "missed-run": once,
  /** An invocation is made a second time, so many ms later. */
  "doubled-run": between(0, 5_000),
} as const satisfies Record<string, Amount>;

export type FaultName = keyof typeof FAULTS;

/** Where a fault may strike. */
export interface Occasion {
  /** The same in each run of a scenario, whatever else happens: who, what, and the how-manieth time. */
  readonly name: string;
  /** Name of the function whose process it is, such as `probe`. */
  readonly caller?: string | undefined;
  readonly location?: string | undefined;
  /** `dynamodb`, `sqs`, `sns`, `ses`, `lambda`. */
  readonly service?: string | undefined;
  /** Such as `Update` or `Publish`. */
  readonly operation?: string | undefined;
  /** What the call is about: a table, a queue, a topic, a function. */
  readonly target?: string | undefined;
  /** The item's key, the mail's receiver, and so on. */
  readonly item?: string | undefined;
}

/** Narrows a window to some occasions: all that are given must fit. `item` fits by its beginning. */
export type Only = Partial<Record<"caller" | "location" | "service" | "target" | "item", string>> & {
  readonly operations?: readonly string[];
};

/**
 * For example, for a time:
 * - all tables away: `outage`, strength 1, only service `dynamodb`
 * - writes of one function refused: the same, only its caller and the operations Update, Put, Delete and BatchWrite
 * - a location cut off: `outage` only that location, `outage` only its queue's URL as target, `not-received` only it
 * - SNS down: `refuse`, strength 1, only service `sns`; a mailbox that is gone: `refuse-for-good`, only `ses`, its address
 * - compact killed at any write: `kill-after`, strength 0.1, only caller `compact`
 */
export interface FaultWindow {
  readonly fault: FaultName;
  /** Probability, from 0 to 1 (always). */
  readonly strength: number;
  /** Epoch milliseconds, `fromMs <= now < toMs`. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly only?: Only;
  /** How much of it, instead of chance (see FAULTS). */
  readonly amount?: number;
  /** Passes over so many occasions first. Default 0. */
  readonly skip?: number;
  /** Lets itself be asked so often at most, after those. Default: always again. */
  readonly most?: number;
}

/** A fault that struck. */
export interface Strike {
  readonly fault: FaultName;
  /** Name of the occasion. */
  readonly occasion: string;
  readonly amount: number;
  /** Epoch milliseconds; for people. A replay goes by the occasion alone. */
  readonly atMs: number;
}

export interface FaultOptions {
  readonly seed: string;
  readonly now: () => number;
  readonly windows: readonly FaultWindow[];
  /**
   * These instead of chance: windows of strength below 1 are passed over. Windows of strength 1 are states (a table that
   * is away), not chances, and stay in force.
   */
  readonly replay?: readonly Pick<Strike, "fault" | "occasion" | "amount">[];
  /** Hears of every attempt of a call before any fault is drawn: what a sweep of single faults goes through. */
  readonly onCall?: (occasion: Occasion, atMs: number) => void;
}

export interface Faults {
  /** Whether a fault strikes at this occasion. @returns how much of it (see FAULTS); undefined when it does not */
  strike(fault: FaultName, occasion: Occasion): number | undefined;
  call(occasion: Occasion): void;
  /** Everything that struck, in order. */
  readonly struck: readonly Strike[];
  /** How often each fault struck; 0 for the others. */
  counts(): Record<FaultName, number>;
}

export function createFaults({ seed, now, windows, replay, onCall }: FaultOptions): Faults {
  const struck: Strike[] = [];
  const byFault = Map.groupBy(windows, ({ fault }) => fault);
  const planned = replay && new Map(replay.map(({ fault, occasion, amount }) => [`${fault} ${occasion}`, amount]));

  /** How many occasions each window with a limit was asked about. */
  const asked = new Map<FaultWindow, number>();
  const isOpen = (window: FaultWindow, occasion: Occasion): boolean => {
    const { fromMs, toMs, only, skip = 0, most = Number.POSITIVE_INFINITY } = window;
    if (now() < fromMs || now() >= toMs || !fits(only, occasion)) return false;
    const count = asked.get(window) ?? 0;
    asked.set(window, count + 1);
    return count >= skip && count < skip + most;
  };

  /** The strongest window that is open for an occasion. */
  const strongest = (fault: FaultName, occasion: Occasion): FaultWindow | undefined => {
    let found: FaultWindow | undefined;
    for (const window of byFault.get(fault) ?? [])
      if (isOpen(window, occasion) && window.strength > (found?.strength ?? 0)) found = window;
    return found;
  };

  const amountOf = (fault: FaultName, occasion: Occasion): number | undefined => {
    const known = planned?.get(`${fault} ${occasion.name}`);
    if (known !== undefined) return known;
    const window = strongest(fault, occasion);
    if (!window || (planned && window.strength < 1)) return undefined;
    if (draw(seed, `${fault} ${occasion.name}`) >= window.strength) return undefined;
    return window.amount ?? FAULTS[fault](draw(seed, `how much ${fault} ${occasion.name}`));
  };

  return {
    strike(fault, occasion) {
      if (!planned && !byFault.has(fault)) return undefined;
      const amount = amountOf(fault, occasion);
      if (amount !== undefined) struck.push({ fault, occasion: occasion.name, amount, atMs: now() });
      return amount;
    },
    call: (occasion) => onCall?.(occasion, now()),
    struck,
    counts() {
      const counts = Object.fromEntries(Object.keys(FAULTS).map((name) => [name, 0])) as Record<FaultName, number>;
      for (const { fault } of struck) counts[fault]++;
      return counts;
    },
  };
}

function fits(only: Only | undefined, occasion: Occasion): boolean {
  if (!only) return true;
  const { operations, item, caller, location, service, target } = only;
  return (
    (caller === undefined || caller === occasion.caller) &&
    (location === undefined || location === occasion.location) &&
    (service === undefined || service === occasion.service) &&
    (target === undefined || target === occasion.target) &&
    (item === undefined || occasion.item?.startsWith(item) === true) &&
    (operations === undefined || operations.includes(occasion.operation ?? ""))
  );
}

/** Counts how often something of a name happened, to tell its occasions apart: `name#0`, `name#1`, … */
export function createCounter(): (name: string) => string {
  const counts = new Map<string, number>();
  return (name) => {
    const count = counts.get(name) ?? 0;
    counts.set(name, count + 1);
    return `${name}#${count}`;
  };
}
