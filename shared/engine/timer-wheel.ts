/**
 * Timer wheel: one Node timer serves all deadlines. Nearly every deadline is cancelled, which is one assignment here;
 * thousands of Node timers would cost an eighth of a check's CPU more.
 */

/** Resolution: a callback is never early and at most this late. Deadlines are seconds long, so 20 ms do not matter. */
const SLOT_MS = 20;

export interface Timeout {
  cancel(): void;
}

class Entry implements Timeout {
  callback: (() => void) | undefined;
  readonly #wheel: TimerWheel;
  constructor(wheel: TimerWheel, callback: () => void) {
    this.#wheel = wheel;
    this.callback = callback;
  }
  cancel() {
    if (!this.callback) return;
    this.callback = undefined;
    this.#wheel.release();
  }
}

export class TimerWheel {
  readonly #slots = new Map<number, Entry[]>();
  #next = 0;
  #live = 0;
  #interval: NodeJS.Timeout | undefined;

  /**
   * Calls back once, `ms` milliseconds from now, after pending socket events. After an event-loop stall (a frozen Lambda,
   * a busy machine) Node runs timers before sockets, and answers that came in time would count as timeouts.
   */
  after(ms: number, callback: () => void): Timeout {
    if (!this.#interval) {
      this.#next = Math.floor(performance.now() / SLOT_MS);
      this.#interval = setInterval(() => setImmediate(this.#turn), SLOT_MS);
    }
    const slot = Math.max(Math.ceil((performance.now() + ms) / SLOT_MS), this.#next);
    const entry = new Entry(this, callback);
    const entries = this.#slots.get(slot);
    if (entries) entries.push(entry);
    else this.#slots.set(slot, [entry]);
    this.#live += 1;
    return entry;
  }

  /** Counts one entry less; without entries the interval stops, so that the process may exit. */
  release() {
    this.#live -= 1;
    if (this.#live > 0) return;
    clearInterval(this.#interval);
    this.#interval = undefined;
    this.#slots.clear();
  }

  readonly #turn = () => {
    const now = Math.floor(performance.now() / SLOT_MS);
    while (this.#next <= now && this.#interval) {
      const slot = this.#next++;
      const entries = this.#slots.get(slot);
      if (!entries) continue;
      this.#slots.delete(slot);
      for (const entry of entries) {
        const { callback } = entry;
        entry.cancel();
        callback?.();
      }
    }
  };
}
