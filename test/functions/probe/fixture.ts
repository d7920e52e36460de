import { UpdateCommand } from "@aws-sdk/lib-dynamodb";
import type { Control, NetworkState } from "../../../functions/probe/control.ts";
import { followingInterfaces } from "../../../functions/probe/interfaces.ts";
import { createJob } from "../../../functions/probe/job.ts";
import { createMembers } from "../../../functions/probe/members.ts";
import { createSpot } from "../../../functions/probe/spot.ts";
import { createTick } from "../../../functions/probe/tick.ts";
import { createUsual } from "../../../functions/probe/usual.ts";
import type { Intercept } from "../../../infra/local/dynamodb/database.ts";
import { createEngine } from "../../../shared/engine/run.ts";
import { DEFAULT_RETENTION } from "../../../shared/history/retention.ts";
import type { Lane, Monitor, View } from "../../../shared/model.ts";
import { protocols } from "../../../shared/protocols/index.ts";
import { createCounterStore } from "../../../shared/store/counters.ts";
import { createDueStore } from "../../../shared/store/due.ts";
import { createHistoryStore } from "../../../shared/store/history.ts";
import { dueBucket, monitorKey } from "../../../shared/store/keys.ts";
import { createPlanningStore } from "../../../shared/store/planning.ts";
import { createShardStore } from "../../../shared/store/shards.ts";
import { createUsualStore } from "../../../shared/store/usual.ts";
import { createViewStore } from "../../../shared/store/views.ts";
import { monitorOf, putMonitor } from "../../support/monitors.ts";
import { serve, type TcpServer } from "../../support/servers.ts";
import { startTables } from "../../support/tables.ts";

export const SHARD = "10#0";
const FIRST = 1_800_000_000;

/** What a test does around a request: waits, or throws as if the process had died. */
export type Around = (operation: string, input: Record<string, unknown>) => Promise<void> | void;

/** One location's probe on real tables and real sockets; its clock is set to half a second after the tick that runs. */
export async function startProbe({ intercept, lane = 10 }: { intercept?: Intercept; lane?: Lane } = {}) {
  const tables = await startTables(intercept ? { intercept } : {});
  const { monitors, history: historyTable } = tables.tables;
  const views = createViewStore(tables.client, monitors);
  const history = createHistoryStore(tables.client, historyTable, { now: () => now() });
  const shards = createShardStore(tables.client, monitors);
  const due = createDueStore(tables.client, monitors);
  const { shard } = await shards.place(lane, ["a"]);
  let offsetMs = 0;
  const setTo = (seconds: number) => {
    offsetMs = seconds * 1000 - Date.now();
  };
  setTo(FIRST);
  const now = () => Date.now() + offsetMs;
  const engine = createEngine({ location: { kind: "local", families: ["ipv4"] }, protocols, now });
  const state = {
    online: true,
    /** Answers of the control targets that come before `online` decides. */
    answers: [] as NetworkState[],
    wentOffline: [] as string[],
    results: [] as string[],
    asked: 0,
    slept: 0,
    runs: 0,
  };
  const control: Control = async () => {
    state.asked += 1;
    return state.answers.shift() ?? (state.online ? "online" : "offline");
  };
  /** A process of its own, which remembers nothing. */
  const startProcess = (around: Around = () => {}) => {
    const client = Object.assign(Object.create(tables.client) as typeof tables.client, {
      send: async (command: { input: Record<string, unknown> }) => {
        const name = command.constructor.name.replace("Command", "");
        await around(name, command.input);
        return tables.client.send(command as never);
      },
    });
    const ownViews = createViewStore(client, monitors);
    const ownHistory = createHistoryStore(client, historyTable, { now });
    const unreadable = (error: Error) => {
      throw error;
    };
    const counters = createCounterStore(client, historyTable, {
      history: ownHistory,
      retention: DEFAULT_RETENTION,
      now,
      unreadable,
    });
    const usual = createUsualStore(client, historyTable, { now, sleep: async () => {}, unreadable });
    return createTick({
      location: "a",
      engine: followingInterfaces({ location: "a", engine, counters }),
      members: createMembers(ownViews, createPlanningStore(client, monitors), now),
      views: ownViews,
      history: ownHistory,
      control,
      usual: createUsual({ location: "a", usual, history: ownHistory, now }),
      wentOffline: async (since) => void state.wentOffline.push(since),
      blockSeconds: 10_000,
      now,
      sleep: async (ms) => {
        state.slept += ms;
      },
      newId: () => `run${state.runs++}`,
    });
  };
  const tick = startProcess();
  const at = (n: number) => FIRST + n * lane;
  return {
    ...tables,
    views,
    history,
    shards,
    state,
    shard,
    now,
    setTo,
    startProcess,
    /** Runs the n-th tick, so many seconds after it was due. */
    tick: (n: number, lag = 0.5, run = tick) => {
      setTo(at(n) + lag);
      return run(shard, at(n));
    },
    at,
    job: createJob({
      tick,
      spot: async () => {},
      heartbeat: async () => {},
      touch: (timer) => due.touch(timer, now()),
      checked: ({ result }) => state.results.push(result),
    }),
    spot: createSpot({ location: "a", engine, views, control, now }),
    view: async (id = "m1") => (await views.views([id], "a")).get(id),
    block: async (n: number) => {
      const block = await history.latestBlock(shard, "a", at(n));
      return block?.tick === at(n) ? block : undefined;
    },
    /** As a write of another process leaves it. */
    setView: (view: View, id = "m1") =>
      tables.client.send(
        new UpdateCommand({
          TableName: monitors,
          Key: monitorKey(id),
          UpdateExpression: "SET #views.a = :view, beliefs.a = :belief",
          ExpressionAttributeNames: { "#views": "views" },
          ExpressionAttributeValues: { ":view": view, ":belief": { health: view.health, tick: view.tick } },
        }),
      ),
    setTimer: (id: string, dueAt: string) =>
      tables.client.send(
        new UpdateCommand({
          TableName: monitors,
          Key: monitorKey(id),
          UpdateExpression: "SET nextEvaluationAt = :at, dueBucket = :bucket",
          ExpressionAttributeValues: { ":at": dueAt, ":bucket": dueBucket(monitorKey(id).pk) },
        }),
      ),
    put: (more: Partial<Monitor>) =>
      putMonitor(
        tables,
        monitorOf({ shard, placements: [{ shard, fromTick: 0, toTick: null }], intervalSeconds: lane, ...more }),
      ),
  };
}

/** A TCP target on one port that is open or closed as the test wants. */
export async function startTarget() {
  let server: TcpServer | undefined = await serve(() => {});
  const { port } = server;
  return {
    port,
    set: async (isOpen: boolean) => {
      if (isOpen) server ??= await serve(() => {}, "127.0.0.1", port);
      else {
        await server?.[Symbol.asyncDispose]();
        server = undefined;
      }
    },
    [Symbol.asyncDispose]: async () => server?.[Symbol.asyncDispose](),
  };
}
