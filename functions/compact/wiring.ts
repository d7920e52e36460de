/** Assembles compact. Everything outside it (tables, clock) is passed in, so that a simulation can replace it. */
import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import type { Retention } from "../../shared/history/retention.ts";
import { createWindowStore } from "../../shared/store/alerting.ts";
import { createCounterStore } from "../../shared/store/counters.ts";
import { createDueStore } from "../../shared/store/due.ts";
import { createHistoryStore } from "../../shared/store/history.ts";
import { createMonitorReader } from "../../shared/store/monitor-item.ts";
import { createPlanningStore } from "../../shared/store/planning.ts";
import { createRateStore } from "../../shared/store/rates.ts";
import { createStretchStore } from "../../shared/store/stretches.ts";
import { createSummaryStore } from "../../shared/store/summaries.ts";
import { createUpkeepStore } from "../../shared/store/upkeep.ts";
import { createUsualStore } from "../../shared/store/usual.ts";
import { createCompact } from "./compact.ts";

export interface CompactOutside {
  readonly client: DynamoDBDocumentClient;
  readonly tables: { readonly monitors: string; readonly history: string };
  /** Names of all locations. */
  readonly locations: readonly string[];
  readonly retention: Retention;
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<unknown>;
  /** Called for corrupt history, which is left out. */
  readonly unreadable: (error: Error) => void;
}

export function createHourlyRun({ client, tables, locations, retention, now, sleep, unreadable }: CompactOutside) {
  const monitors = createMonitorReader(client, tables.monitors);
  const history = createHistoryStore(client, tables.history, { retention, now, sleep, unreadable });
  return createCompact({
    planning: createPlanningStore(client, tables.monitors),
    upkeep: createUpkeepStore(client, tables.monitors),
    due: createDueStore(client, tables.monitors),
    history,
    counters: createCounterStore(client, tables.history, { history, retention, now, unreadable }),
    rates: createRateStore(client, tables.history, { retention, now, sleep, unreadable }),
    usual: createUsualStore(client, tables.history, { now, sleep, unreadable }),
    monitor: (id) => monitors.get(id),
    windows: createWindowStore(client, tables.monitors).all,
    summaries: createSummaryStore(client, tables.history, { retention, now, sleep, unreadable }),
    stretches: createStretchStore(client, tables.history, retention),
    locations,
    voters: (id) => monitors.get(id),
    blockDays: retention.blockDays,
    now,
  });
}
