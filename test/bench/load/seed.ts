/** Fills the tables of a running stack with monitors that have 90 days of status and two minutes of outcomes. */
import type { RunningStack } from "../../../infra/local/stack.ts";
import { HOUR_SECONDS } from "../../../shared/durations.ts";
import { inParallel } from "../../../shared/parallel.ts";
import { chunksOf } from "../../../shared/rules/plan.ts";
import { createHistoryStore } from "../../../shared/store/history.ts";
import { createSummaryStore } from "../../../shared/store/summaries.ts";
import { runShard } from "../../support/fleet.ts";
import { inProcessClient } from "../../support/in-process-client.ts";
import { noisyTarget } from "../../support/noise.ts";
import { fillStatus } from "../../support/status-history.ts";

const DAYS = 90;

export async function seed(stack: RunningStack, monitors: number) {
  const begunAt = performance.now();
  const find = (word: string) =>
    stack.resources.find(({ type, name }) => type.includes("Table") && name.includes(word))!.name;
  const tables = { monitors: find("monitors"), history: find("history") };
  const client = inProcessClient(stack.database, "filling");
  const hour = Math.floor(Date.now() / 1000 / HOUR_SECONDS) * HOUR_SECONDS;
  const summaries = createSummaryStore(client, tables.history);
  const ids = await fillStatus({ client, tables }, summaries, { monitors, days: DAYS, now: hour });
  const history = createHistoryStore(client, tables.history);
  const now = Math.floor(Date.now() / 1000);
  await inParallel(chunksOf(ids, 250).entries(), 4, async ([shard, some]) => {
    const members = new Map(some.map((id, n) => [id, noisyTarget(n)] as const));
    const run = { shard: `60#${shard}`, locations: ["local"], from: now - 120, to: now, members };
    await runShard({ history, client, tables }, run);
  });
  console.log(`\n${monitors} monitors, filled in ${((performance.now() - begunAt) / 1000).toFixed(0)} s`);
  return { client, tables, ids };
}
