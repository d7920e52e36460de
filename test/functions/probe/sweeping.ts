/** A location that sweeps, on real tables and real sockets, step by step. */
import { createServer, type Server } from "node:net";
import type { SweepTools } from "../../../functions/probe/sweep-slice.ts";
import { createUdpSweep } from "../../../functions/probe/sweep-udp.ts";
import { createProbe } from "../../../functions/probe/wiring.ts";
import { createEngine } from "../../../shared/engine/run.ts";
import { sweep } from "../../../shared/engine/sweep.ts";
import { DEFAULT_RETENTION } from "../../../shared/history/retention.ts";
import type { SweepJob } from "../../../shared/jobs.ts";
import type { Monitor } from "../../../shared/model.ts";
import { protocols } from "../../../shared/protocols/index.ts";
import { createHistoryStore } from "../../../shared/store/history.ts";
import { createSweepStore } from "../../../shared/store/sweeps.ts";
import { createViewStore } from "../../../shared/store/views.ts";
import { monitorOf, putMonitor } from "../../support/monitors.ts";
import { startTables } from "../../support/tables.ts";

/** An address of the loopback network on which nothing else listens. */
export const HOST = "127.77.0.8";
export const TICK = 1_800_000_000;
const SHARD = "3600#s0";
const SLICES = 2;
/** The monitor as its sweeps are kept. */
export const SWEPT = { id: "m1", location: "a" };

export type Sweeping = Awaited<ReturnType<typeof startSweeping>>;

export async function startSweeping() {
  const tables = await startTables();
  const servers: Server[] = [];
  let nowSeconds = TICK;

  const put = (more: Partial<Monitor>) =>
    putMonitor(
      tables,
      monitorOf({
        protocol: "ports",
        host: HOST,
        port: 0,
        settings: { ports: "2300-2339" },
        intervalSeconds: 3_600,
        shard: SHARD,
        placements: [{ shard: SHARD, fromTick: 0, toTick: null }],
        ...more,
      }),
    );
  await put({});

  /** Happens while a sweep waits between two looks. */
  const pauses = { meanwhile: () => {} };

  /** A process of its own, whose clock stands still but for what it does. */
  const startProbe = (more: Partial<SweepTools> = {}, controlTargets: readonly string[] = []) => {
    const kind = more.kind ?? "local";
    const engine = createEngine({ location: { kind, families: ["ipv4"] }, protocols });
    const startedAt = Date.now();
    return createProbe({
      client: tables.client,
      tables: tables.tables,
      location: SWEPT.location,
      engine,
      controlTargets,
      retention: DEFAULT_RETENTION,
      now: () => nowSeconds * 1000 + (Date.now() - startedAt),
      sleep: async () => pauses.meanwhile(),
      newId: () => String(Math.random()),
      unreadable: () => {},
      checked: () => {},
      sweepTools: {
        kind,
        port25: false,
        resolve: engine.resolve,
        sweep,
        sweepUdp: createUdpSweep(engine, Date.now),
        rights: { targets: [], installation: "test" },
        ...more,
      },
    });
  };

  /** Runs a step of the sweep of a tick, so many seconds after it was due. */
  const run = async (
    step: number,
    { tick = TICK, late = 1, more = {} as Partial<SweepJob>, probe = startProbe() } = {},
  ) => {
    nowSeconds = tick + 60 * step + late;
    const job = { id: SWEPT.id, settingsVersion: 1, shard: SHARD, tick, step, slices: SLICES, isAsked: false, ...more };
    await probe.job({ kind: "sweep", sweeps: [job] });
  };
  const sweeps = createSweepStore(tables.client, tables.tables.history);
  const view = async () =>
    (await createViewStore(tables.client, tables.tables.monitors).views([SWEPT.id], SWEPT.location)).get(SWEPT.id);

  return {
    put,
    pauses,
    startProbe,
    run,
    sweeps,
    view,
    wholeSweep: async (tick = TICK, options: Omit<Parameters<typeof run>[1], "tick"> = {}) => {
      for (const step of [0, 1, 2, 4]) await run(step, { tick, ...options });
    },
    listen: async (port: number, host = HOST) => {
      const server = createServer((socket) => {
        socket.on("error", () => {});
        socket.end("SSH-2.0-test\r\n");
      });
      await new Promise<void>((resolve) => server.listen(port, host, resolve));
      servers.push(server);
      return server;
    },
    block: (tick = TICK) =>
      createHistoryStore(tables.client, tables.tables.history, { now: () => nowSeconds * 1000 }).latestBlock(
        SHARD,
        SWEPT.location,
        tick,
      ),
    openPorts: async () => (await view())?.facts?.values["ports.tcp"],
    async stop() {
      for (const server of servers) server.close();
      await tables.stop();
    },
  };
}
