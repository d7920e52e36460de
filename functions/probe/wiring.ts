/**
 * Assembles the probe. Everything outside it (tables, network, clock) is passed in, so that a simulation can replace
 * it.
 */
import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { DAY_SECONDS } from "../../shared/durations.ts";
import type { Engine } from "../../shared/engine/run.ts";
import { InvalidInput } from "../../shared/errors.ts";
import type { Retention } from "../../shared/history/retention.ts";
import type { Job } from "../../shared/jobs.ts";
import type { CheckSettings } from "../../shared/model.ts";
import type { CheckAnswer } from "../../shared/payloads.ts";
import { protocols } from "../../shared/protocols/index.ts";
import { createCounterStore } from "../../shared/store/counters.ts";
import { createDueStore } from "../../shared/store/due.ts";
import { createHistoryStore } from "../../shared/store/history.ts";
import { createLocationStore } from "../../shared/store/locations.ts";
import { createPlanningStore } from "../../shared/store/planning.ts";
import { createSweepStore } from "../../shared/store/sweeps.ts";
import { createUsualStore } from "../../shared/store/usual.ts";
import { createViewStore } from "../../shared/store/views.ts";
import { createControl } from "./control.ts";
import { createHeartbeat } from "./heartbeat.ts";
import { createIdentify } from "./identify.ts";
import { followingInterfaces } from "./interfaces.ts";
import { createJob } from "./job.ts";
import { createMembers } from "./members.ts";
import { createSpot } from "./spot.ts";
import { createSweepSteps } from "./sweep.ts";
import { createSweepEnd } from "./sweep-end.ts";
import { createSweepSlice, type SweepTools } from "./sweep-slice.ts";
import { createTick, type TickReport } from "./tick.ts";
import { createUsual } from "./usual.ts";

export interface ProbeOutside {
  readonly client: DynamoDBDocumentClient;
  readonly tables: { readonly monitors: string; readonly history: string };
  /** Name of this probe's location. */
  readonly location: string;
  readonly engine: Engine;
  /** As `host:port`; without any, the location counts as online. */
  readonly controlTargets: readonly string[];
  readonly retention: Retention;
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<unknown>;
  /** Makes a unique id. */
  readonly newId: () => string;
  /** Called for a corrupt block. */
  readonly unreadable: (error: Error) => void;
  /** Called after each shard that was checked. */
  readonly checked: (report: TickReport) => void;
  /** Absent where no monitor is swept. */
  readonly sweepTools?: SweepTools;
}

export interface ProbeFunction {
  /** Runs a job of the location's queue. @throws if it has to be repeated */
  readonly job: (job: Job) => Promise<void>;
  /** Checks once and stores nothing; for "check now" and "try these settings". */
  readonly check: (check: CheckSettings) => Promise<CheckAnswer>;
}

export function createProbe(outside: ProbeOutside): ProbeFunction {
  const { client, tables, location, engine, controlTargets, retention, now, sleep, newId, checked, sweepTools } =
    outside;
  const views = createViewStore(client, tables.monitors, { sleep });
  const locations = createLocationStore(client, tables.monitors);
  const history = createHistoryStore(client, tables.history, {
    retention,
    now,
    sleep,
    unreadable: outside.unreadable,
  });
  const counters = createCounterStore(client, tables.history, {
    history,
    retention,
    now,
    unreadable: outside.unreadable,
  });
  const usual = createUsualStore(client, tables.history, { now, sleep, unreadable: outside.unreadable });
  const due = createDueStore(client, tables.monitors);
  const control = createControl(engine, controlTargets, now, sleep);
  const ticking = {
    location,
    members: createMembers(views, createPlanningStore(client, tables.monitors), now),
    views,
    history,
    control,
    usual: createUsual({ location, usual, history, now }),
    wentOffline: (since: string) => locations.setOffline(location, since),
    blockSeconds: retention.blockDays * DAY_SECONDS,
    now,
    sleep,
    newId,
  };
  const sweeping = (tools: SweepTools) => {
    const sweeps = createSweepStore(client, tables.history);
    const identify = createIdentify(engine, protocols, now, sleep);
    return createSweepSteps({
      location,
      views,
      slice: createSweepSlice({ location, views, sweeps, tools, control, now }),
      end: createSweepEnd({ location, sweeps, tools, identify, control, now, sleep }),
      tick: (known, shard, tick) => createTick({ ...ticking, engine: known })(shard, tick),
      checked,
      now,
    });
  };
  const job = createJob({
    heartbeat: createHeartbeat({ location, locations, control, now }),
    spot: createSpot({ location, engine, views, control, now }),
    tick: createTick({ ...ticking, engine: followingInterfaces({ location, engine, counters }) }),
    touch: (timer) => due.touch(timer, now()),
    sweep: sweepTools && sweeping(sweepTools),
    checked,
  });
  return {
    job,
    async check(check) {
      try {
        const outcome = await engine.runOne(check);
        if (!outcome) return null;
        // Counters mean nothing alone, and are no JSON.
        const { poll: _counters, ...told } = outcome;
        return told;
      } catch (error) {
        if (error instanceof InvalidInput) return { errors: error.errors };
        throw error;
      }
    },
  };
}
