/**
 * Stores the views that a tick changes, as its outcomes come. No view turns down before a control target has answered
 * after the last failed attempt; none is written by a run that does not hold the tick's lease, nor after the tick's
 * deadline.
 */
import type { Outcome, View } from "../../shared/model.ts";
import { isPlausible } from "../../shared/rules/clock-skew.ts";
import { type History, judge } from "../../shared/rules/judge.ts";
import type { Member, StoredView, ViewStore } from "../../shared/store/views.ts";
import type { Control } from "./control.ts";

const WRITES_AT_ONCE = 32;
/** Limit of BatchGetItem. */
const VIEWS_AT_ONCE = 100;

/** An outcome whose view may have to change. */
export interface Candidate {
  readonly member: Member;
  readonly outcome: Outcome;
  /** Includes the outcome. */
  readonly history: History;
  /** The view in the table; undefined if it was not read. */
  readonly view: StoredView | null | undefined;
  /** Whether this run has put up a fence for its tick. */
  readonly isFenced: boolean;
}

interface Dependencies {
  readonly location: string;
  readonly views: Pick<ViewStore, "views" | "save">;
  readonly control: Control;
  readonly now: () => number;
}

/** Results of one tick's candidates. */
export interface WrittenViews {
  /** Each candidate's view after the tick; undefined if that is unknown. */
  readonly stored: ReadonlyMap<string, View | null | undefined>;
  /** Ids of monitors whose view this run tried to write. */
  readonly tried: ReadonlySet<string>;
  readonly errors: readonly unknown[];
}

export interface TickViews {
  readonly add: (candidate: Candidate) => void;
  /** To be called once, after the last `add`. */
  readonly end: () => Promise<WrittenViews>;
  /** Checks the control targets because of a failed attempt. */
  readonly doubtNetwork: () => void;
  /** Whether control targets failed during this tick. Final after `end`. */
  readonly isOffline: () => boolean;
}

export const createViewWriter =
  ({ location, views, control, now }: Dependencies) =>
  /** @param claim acquires the lease on the tick; false if another run holds it */
  (tick: number, deadlineMs: number, claim: () => Promise<boolean>): TickViews => {
    const stored = new Map<string, View | null | undefined>();
    const tried = new Set<string>();
    const errors: unknown[] = [];
    const waiting: Candidate[] = [];
    let offline = false;
    let owned: Promise<boolean> | undefined;
    let asked: Promise<void> = Promise.resolve();
    let working: Promise<void> | undefined;

    const ask = async (notBefore?: number) => {
      if ((await control(notBefore)) === "offline") offline = true;
    };
    const isOnline = async () => {
      await ask(now());
      return !offline;
    };

    const write = async (candidate: Candidate, view: StoredView | null): Promise<void> => {
      const { member, outcome, history, isFenced } = candidate;
      const next = judge(view, history, outcome, member, tick);
      if (!next || now() >= deadlineMs) return void stored.set(member.id, view);
      owned ??= claim();
      if (!(await owned) || now() >= deadlineMs) return void stored.set(member.id, view);
      tried.add(member.id);
      const present = view?.fence ?? view?.tick;
      const isFuture = present !== undefined && !isPlausible(present * 1000, new Date(now()));
      const isKept = await views.save(member.id, member.settingsVersion, location, next, now(), {
        replaces: isFuture ? present : isFenced ? tick : undefined,
      });
      // False: the settings have changed, or there is a newer view. Unknown here; the next tick reads the view.
      stored.set(member.id, isKept ? next : undefined);
    };

    /** Works off all waiting candidates in batches: one read of views and one check of the control targets each. */
    const workOff = async (): Promise<void> => {
      while (waiting.length > 0) {
        const some = waiting.splice(0, VIEWS_AT_ONCE);
        const unread = some.filter(({ view }) => view === undefined).map(({ member }) => member.id);
        const found = unread.length > 0 ? await views.views(unread, location) : new Map<string, StoredView>();
        const viewOf = ({ member, view }: Candidate) => (view === undefined ? (found.get(member.id) ?? null) : view);
        const turnsDown = some.some((one) => one.outcome.health === "down" && viewOf(one)?.health !== "down");
        if (offline || (turnsDown && !(await isOnline()))) {
          for (const one of some) stored.set(one.member.id, viewOf(one));
          continue;
        }
        const queue = [...some];
        const writer = async () => {
          for (let one = queue.pop(); one; one = queue.pop()) {
            try {
              await write(one, viewOf(one));
            } catch (error) {
              stored.set(one.member.id, undefined);
              errors.push(error);
            }
          }
        };
        await Promise.all(Array.from({ length: Math.min(WRITES_AT_ONCE, queue.length) }, writer));
      }
    };

    const work = async () => {
      try {
        await workOff();
      } catch (error) {
        errors.push(error);
      } finally {
        working = undefined;
      }
    };

    return {
      add(candidate) {
        waiting.push(candidate);
        working ??= work();
      },
      doubtNetwork() {
        // Shared, because a check for each of a hundred failures would wait for its turn at one address and time out.
        asked = Promise.all([asked, ask()]).then(() => {});
      },
      async end() {
        while (working) await working;
        await asked;
        return { stored, tried, errors };
      },
      isOffline: () => offline,
    };
  };
