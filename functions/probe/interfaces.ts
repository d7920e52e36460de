/**
 * Follows the interfaces of devices from check to check: an engine whose outcomes say what the counters mean together with those
 * of the checks before, and which stores them. Outcomes without counters pass through untouched.
 */
import type { JudgedPoll } from "../../shared/contract/poll.ts";
import { fitted } from "../../shared/engine/outcome.ts";
import type { Engine } from "../../shared/engine/run.ts";
import type { StoredPoll } from "../../shared/history/poll.ts";
import { type Interval, intervalsBetween } from "../../shared/measures/counters.ts";
import { isTraffic, LOOK_BACK_SECONDS, watchedIn } from "../../shared/measures/usual.ts";
import type { CheckSettings, Outcome } from "../../shared/model.ts";
import { judgeInterfaces, WINDOW_MINUTES, withFaults } from "../../shared/rules/interface-verdicts.ts";
import { type CounterStore, type PolledDevice, targetOf } from "../../shared/store/counters.ts";

/** How far back the stored polls are read by a process that knows nothing: longer than they matter, and in intervals where that is more. */
const READ_BACK_MARGIN_SECONDS = 300;
const READ_BACK_INTERVALS = 4;
/** A poll older than so many intervals is not the last one: another process has polled since. */
const FRESH_INTERVALS = 1.5;
/** Devices that a process remembers: more than a shard has. */
const MOST_DEVICES = 500;

interface Known {
  readonly target: string;
  readonly last: StoredPoll;
  /** Of the last minutes that matter, oldest first, by interface. */
  readonly intervals: ReadonlyMap<string, readonly Interval[]>;
  /** Whether its last check found something wrong with an interface. */
  readonly hasFaults: boolean;
}

interface Dependencies {
  readonly location: string;
  readonly engine: Pick<Engine, "runBatch">;
  readonly counters: CounterStore;
}

type Times = Pick<CheckSettings, "intervalSeconds" | "unusual">;

/** Whether traffic is compared with its usual range. */
const isCompared = ({ unusual }: Times) => watchedIn(unusual).some(({ measure }) => isTraffic(measure));
/** How long what went over an interface matters. */
const keptSeconds = (check: Times) =>
  isCompared(check) ? LOOK_BACK_SECONDS + check.intervalSeconds : WINDOW_MINUTES * 60;

/** Adds what happened up to a poll, and drops what is too old to matter. */
function extended(known: Known | undefined, poll: StoredPoll | JudgedPoll, check: Times): Known["intervals"] {
  const found = known ? intervalsBetween(known.last, poll, check.intervalSeconds) : new Map<string, Interval>();
  const oldestMs = poll.atMs - keptSeconds(check) * 1000;
  const all = new Map<string, readonly Interval[]>();
  for (const { name } of poll.interfaces) {
    const newest = found.get(name);
    const kept = (known?.intervals.get(name) ?? []).filter(({ endMs }) => endMs > oldestMs);
    all.set(name, newest ? [...kept, newest] : kept);
  }
  return all;
}

export const followingInterfaces = ({ location, engine, counters }: Dependencies): Pick<Engine, "runBatch"> => {
  const devices = new Map<string, Known>();

  const readBack = async (device: PolledDevice, atMs: number, check: Times): Promise<Known | undefined> => {
    const to = Math.floor(atMs / 1000);
    const lookBack = keptSeconds(check) + READ_BACK_MARGIN_SECONDS;
    const from = to - Math.max(lookBack, READ_BACK_INTERVALS * check.intervalSeconds);
    let known: Known | undefined;
    for await (const last of counters.polls(device, from, to)) {
      const intervals = extended(known, last, check);
      known = { target: device.target, last, intervals, hasFaults: false };
    }
    if (known) return known;
    // After a long silence the counters prove nothing, but which links were up is still known.
    const [last] = await counters.newest(device, 1);
    return last && { target: device.target, last, intervals: new Map(), hasFaults: false };
  };

  /** @returns the outcome with what is wrong with interfaces, and the poll to store */
  const follow = async (id: string, check: CheckSettings, outcome: Outcome, poll: JudgedPoll) => {
    const { intervalSeconds } = check;
    const target = targetOf(check);
    const device = { id, location, target };
    const remembered = devices.get(id);
    const isFresh =
      remembered?.target === target && poll.atMs - remembered.last.atMs < FRESH_INTERVALS * intervalSeconds * 1000;
    const known = isFresh ? remembered : await readBack(device, poll.atMs, check);
    const intervals = extended(known, poll, check);
    const { memory, faults } = judgeInterfaces(poll, known?.last.memory ?? new Map(), intervals);
    const { limits: _limits, ...counted } = poll;
    const last = { ...counted, memory };
    if (devices.size >= MOST_DEVICES) devices.clear();
    devices.set(id, { target, last, intervals, hasFaults: faults.length > 0 });
    const judged = fitted(withFaults(outcome, faults));
    return { outcome: isCompared(check) ? { ...judged, intervals } : judged, stored: counters.putPoll(device, last) };
  };

  return {
    async runBatch(requests, options) {
      const pending: Promise<void>[] = [];
      const judged = new Map<string, Outcome>();
      const errors: { readonly id: string; readonly error: unknown }[] = [];

      const settle = async (id: string, outcome: Outcome, poll: JudgedPoll) => {
        const check = requests.find((one) => one.id === id)!.check;
        const failed = (error: unknown) => void errors.push({ id, error });
        const followed = await follow(id, check, outcome, poll).catch(failed);
        judged.set(id, followed?.outcome ?? outcome);
        options.onOutcome?.(id, judged.get(id)!);
        await followed?.stored.catch(failed);
      };
      const result = await engine.runBatch(requests, {
        ...options,
        // A fault of an interface is no result of a single check, which is therefore not repeated because of it.
        presentHealth: (id) => (devices.get(id)?.hasFaults ? "up" : (options.presentHealth?.(id) ?? null)),
        onOutcome(id, outcome) {
          if (outcome.poll) return void pending.push(settle(id, outcome, outcome.poll));
          const known = devices.get(id);
          if (known?.hasFaults) devices.set(id, { ...known, hasFaults: false });
          options.onOutcome?.(id, outcome);
        },
      });
      if (pending.length === 0) return result;
      await Promise.all(pending);
      return {
        ...result,
        outcomes: new Map([...result.outcomes, ...judged]),
        crashes: [...result.crashes, ...errors],
      };
    },
  };
};
