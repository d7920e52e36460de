/**
 * Stores the views that a tick changes, as its outcomes come. None turns down before control targets, asked after its
 * last failed attempt, have answered; none is written by a run that does not own the tick, nor after its deadline.
 */
import type { Outcome, View } from "../../shared/model.ts";
import { isPlausible } from "../../shared/rules/clock-skew.ts";
import { type History, judge } from "../../shared/rules/judge.ts";
import type { Member, ViewStore } from "../../shared/store/views.ts";
import type { Control } from "./control.ts";

const WRITES_AT_ONCE = 32;
/** DynamoDB gives so many items in one read. */
const VIEWS_AT_ONCE = 100;

/** An outcome whose view may have to change. */
export interface Candidate {
  readonly member: Member;
  readonly outcome: Outcome;
  /** With the outcome in it. */
  readonly history: History;
  /** The view as the table has it; undefined where it was not read. */
  readonly view: View | null | undefined;
}

interface Dependencies {
  readonly location: string;
  readonly views: Pick<ViewStore, "views" | "save">;
  readonly control: Control;
  readonly now: () => number;
}

/** What became of one tick's candidates. */
export interface WrittenViews {
  /** What each candidate's view says now; undefined where that is not known. */
  readonly stored: ReadonlyMap<string, View | null | undefined>;
  /** Ids of those whose write was tried. */
  readonly tried: ReadonlySet<string>;
  readonly errors: readonly unknown[];
}

export interface TickViews {
  readonly add: (candidate: Candidate) => void;
  /** To be called once, after the last `add`. */
  readonly end: () => Promise<WrittenViews>;
  /** Asks control targets about a failure that was just seen. */
  readonly doubtNetwork: () => void;
  /** Whether control targets failed during this tick. Final after `end`. */
  readonly isOffline: () => boolean;
}

export const createViewWriter =
  ({ location, views, control, now }: Dependencies) =>
  /** @param claim makes the tick this run's own; false when it is somebody else's */
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

    const write = async (candidate: Candidate, view: View | null): Promise<void> => {
      const { member, outcome, history } = candidate;
      const next = judge(view, history, outcome, member, tick);
      if (!next || now() >= deadlineMs) return void stored.set(member.id, view);
      owned ??= claim();
      if (!(await owned)) return void stored.set(member.id, view);
      tried.add(member.id);
      const isFuture = view && !isPlausible(view.tick * 1000, new Date(now()));
      const isKept = await views.save(member.id, member.settingsVersion, location, next, now(), {
        replaces: isFuture ? view.tick : undefined,
      });
      // Refused: the monitor checks something else by now, or has a newer view. The next tick reads which.
      stored.set(member.id, isKept ? next : undefined);
    };

    /** Everybody who waits, together: one read of views, one question to the control targets. */
    const workOff = async (): Promise<void> => {
      while (waiting.length > 0) {
        const some = waiting.splice(0, VIEWS_AT_ONCE);
        const unread = some.filter(({ view }) => view === undefined).map(({ member }) => member.id);
        const found = unread.length > 0 ? await views.views(unread, location) : new Map<string, View>();
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
        // Shared: a question for each of a hundred failures would wait for its turn at one address, and so get no
        // answer.
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
