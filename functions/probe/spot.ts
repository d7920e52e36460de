/** Spot checks: the first check of created, changed or resumed monitors. Fills empty views; not part of the history. */
import type { Engine } from "../../shared/engine/run.ts";
import type { CheckSettings, Monitor, Outcome } from "../../shared/model.ts";
import { checkAt } from "../../shared/monitor/settings.ts";
import { EMPTY_HISTORY, judge, remember } from "../../shared/rules/judge.ts";
import type { Member, ViewStore } from "../../shared/store/views.ts";
import type { Control } from "./control.ts";

/** Time beyond the checks' own attempts, for resolving and storing. */
const SLACK_MS = 5_000;
/** Below the function's timeout of 75 s. */
const LONGEST_MS = 55_000;

interface Dependencies {
  readonly location: string;
  readonly engine: Engine;
  readonly views: ViewStore;
  readonly control: Control;
  readonly now: () => number;
}

const longestOf = ({ retries: { count, delayMs }, timeoutMs }: CheckSettings) =>
  (count + 1) * timeoutMs + count * delayMs;

export const createSpot = ({ location, engine, views, control, now }: Dependencies) => {
  /** Reads the monitors, without those that have changed since the job was made. */
  const present = async (wanted: readonly Pick<Monitor, "id" | "settingsVersion">[]) => {
    const versions = new Map(wanted.map(({ id, settingsVersion }) => [id, settingsVersion]));
    const isWanted = ({ id, deletedAt, paused, settingsVersion, locations }: Member) =>
      !deletedAt && !paused && settingsVersion === versions.get(id) && locations.includes(location);
    return (await views.membersById([...versions.keys()])).filter(isWanted);
  };

  return async (wanted: readonly Pick<Monitor, "id" | "settingsVersion">[]): Promise<void> => {
    const members = new Map((await present(wanted)).map((member) => [member.id, member]));
    const startedAt = now();
    const tick = Math.floor(startedAt / 1000);
    const isOffline = async () => (await control(now())) === "offline";
    const store = async (member: Member, outcome: Outcome) => {
      const view = judge(null, remember(EMPTY_HISTORY, outcome.health), outcome, member, tick);
      if (!view || (view.health === "down" && (await isOffline()))) return;
      await views.save(member.id, member.settingsVersion, location, view, now(), { onlyIfEmpty: true });
    };
    const errors: unknown[] = [];
    const stored: Promise<void>[] = [];
    const { crashes } = await engine.runBatch(
      [...members.values()].map((member) => ({ id: member.id, check: checkAt(location, member) })),
      {
        deadlineAtMs: startedAt + Math.min(LONGEST_MS, Math.max(0, ...[...members.values()].map(longestOf)) + SLACK_MS),
        // Stored as it comes, so that no monitor's first status waits for another one's timeout.
        onOutcome: (id, outcome) => {
          stored.push(store(members.get(id)!, outcome).catch((error: unknown) => void errors.push(error)));
        },
      },
    );
    await Promise.all(stored);
    errors.push(...crashes.map(({ error }) => error));
    if (errors.length > 0) throw new AggregateError(errors, errors.map(String).join("; "));
  };
};
