/** The first look at a created, changed or resumed monitor: fills an empty view, and is not part of the history. */
import type { Engine } from "../../shared/engine/run.ts";
import { EMPTY_HISTORY, judge, remember } from "../../shared/rules/judge.ts";
import type { ViewStore } from "../../shared/store/views.ts";

/** Beyond the check's own attempts: resolving and storing. */
const SLACK_MS = 5_000;

interface Dependencies {
  readonly location: string;
  readonly engine: Engine;
  readonly views: ViewStore;
  readonly control: () => Promise<"online" | "offline">;
  readonly now: () => number;
}

export const createSpot =
  ({ location, engine, views, control, now }: Dependencies) =>
  async (monitorId: string, settingsVersion: number): Promise<void> => {
    const member = await views.member(monitorId);
    if (!member || member.deletedAt || member.paused) return;
    if (member.settingsVersion !== settingsVersion || !member.locations.includes(location)) return;
    const startedAt = now();
    const { count, delayMs } = member.retries;
    const deadlineAtMs = startedAt + Math.min(55_000, (count + 1) * member.timeoutMs + count * delayMs + SLACK_MS);
    const { outcomes, crashes } = await engine.runBatch([{ id: monitorId, check: member }], { deadlineAtMs });
    if (crashes[0]) throw crashes[0].error;
    const outcome = outcomes.get(monitorId);
    if (!outcome) return;
    const view = judge(null, remember(EMPTY_HISTORY, outcome.health), outcome, member, Math.floor(startedAt / 1000));
    if (!view || (view.health === "down" && (await control()) === "offline")) return;
    await views.save(monitorId, settingsVersion, location, view, { onlyIfEmpty: true });
  };
