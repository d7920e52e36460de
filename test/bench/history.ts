/**
 * `npm run bench -- history [rounds]`: how fast history answers over HTTP on the one-machine stack, with the items that each
 * answer reads. A monitor at 60 s has 400 days of compacted history, the last hours in blocks of a shard of 250; limits are
 * those of the project. Exits 1 when one is missed.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { startStack } from "../../infra/local/stack.ts";
import { DAY_SECONDS } from "../../shared/durations.ts";
import { chunkWindow } from "../../shared/history/chunk.ts";
import { dateOf, startOfDay, tallyOf } from "../../shared/history/day.ts";
import { latencyCode, latencyOf } from "../../shared/history/latency.ts";
import type { PastOutcome } from "../../shared/history/outcome.ts";
import { createHistoryStore } from "../../shared/store/history.ts";
import { monitorKey } from "../../shared/store/keys.ts";
import { createClient } from "../support/client.ts";
import { runShard } from "../support/fleet.ts";
import { inProcessClient } from "../support/in-process-client.ts";
import { noisyTarget } from "../support/noise.ts";
import { Usage } from "../support/usage.ts";

const LANE = 60;
const DAYS = 400;
const rounds = Number(process.argv[3] ?? 30);

const folder = await mkdtemp(join(tmpdir(), "harborlight-history-"));
const usage = new Usage();
const stack = await startStack({ dataFolder: folder, port: 0, onCapacity: usage.add });
try {
  const api = createClient(stack.apiUrl, stack.token, { isChecked: false });
  const { body: monitor } = await api("POST", "/v1/monitors", {
    name: "measured",
    protocol: "tcp",
    host: "127.0.0.1",
    port: 1,
    intervalSeconds: LANE,
    paused: true,
  });
  await fill(monitor.id);
  let missed = false;
  const now = Math.floor(Date.now() / 1000);
  const since = (days: number) => `from=${new Date((now - days * DAY_SECONDS) * 1000).toISOString()}`;
  const path = `/v1/monitors/${monitor.id}`;
  for (const [what, url, limitMs] of [
    ["stats, 30 days by the hour", `${path}/stats?${since(30)}&step=1h`, 300],
    ["stats, 30 days by the day", `${path}/stats?${since(30)}&step=1d`, 300],
    ["stats, 400 days by the day, UTC", `${path}/stats?${since(DAYS - 1)}&step=1d`, 500],
    [
      "stats, 400 days by the day, Europe/Berlin",
      `${path}/stats?${since(DAYS - 1)}&step=1d&timeZone=Europe/Berlin`,
      2_000,
    ],
    ["results, newest page of 1,000", `${path}/results?${since(30)}&limit=1000`, 150],
    [
      "results, page of 1,000 a month ago",
      `${path}/results?from=2020-01-01&to=${dateOf(now - 30 * DAY_SECONDS)}&limit=1000`,
      150,
    ],
  ] as const) {
    const times: number[] = [];
    let read = { requests: 0, units: 0 };
    for (let round = 0; round < rounds + 2; round++) {
      usage.reset();
      const startedAt = performance.now();
      const { status, body } = await api("GET", url);
      if (status === 429) {
        await new Promise((resolve) => setTimeout(resolve, 100));
        round--;
        continue;
      }
      if (status !== 200) throw new Error(`${url}: ${status} ${JSON.stringify(body)}`);
      if (round >= 2) times.push(performance.now() - startedAt);
      const own = usage
        .rows()
        .filter(({ table, operation }) => table.includes("history") && !/Put|Update|Write/.test(operation));
      read = own.reduce((sum, row) => ({ requests: sum.requests + row.requests, units: sum.units + row.units }), {
        requests: 0,
        units: 0,
      });
    }
    times.sort((a, b) => a - b);
    const at = (q: number) => times[Math.min(times.length - 1, Math.ceil(q * times.length) - 1)]!;
    const isMet = at(0.95) <= limitMs;
    missed ||= !isMet;
    console.log(
      `${what.padEnd(44)} p50 ${at(0.5).toFixed(0).padStart(5)} ms  p95 ${at(0.95).toFixed(0).padStart(5)} ms  limit ${String(limitMs).padStart(5)} ms: ${isMet ? "met" : "NOT met"};  ${read.requests} requests, ${read.units} read units (${((read.units * 4096) / 1024).toFixed(0)} KB)`,
    );
  }
  if (missed) process.exitCode = 1;
} finally {
  await stack.stop();
  await rm(folder, { recursive: true, force: true });
}

/** As compact would have left it: chunks and days up to the last settled window, blocks after it. */
async function fill(id: string) {
  const find = (word: string) =>
    stack.resources.find(({ type, name }) => type.includes("Table") && name.includes(word))!.name;
  const tables = { monitors: find("monitors"), history: find("history") };
  const client = inProcessClient(stack.database, "filling");
  const history = createHistoryStore(client, tables.history);
  const now = Math.floor(Date.now() / 1000);
  const shard = "60#0";
  const from = startOfDay(now) - DAYS * DAY_SECONDS;
  // One window more than an hourly run leaves behind.
  const chunkedUntil = chunkWindow(LANE, now - 2 * 3_600).start;
  await client.send(
    new UpdateCommand({
      TableName: tables.monitors,
      Key: monitorKey(id),
      UpdateExpression: "SET placements = :placements",
      ExpressionAttributeValues: { ":placements": [{ shard, fromTick: 0, toTick: null }] },
    }),
  );
  const observe = noisyTarget(7, { silentShare: 0 });
  for (let midnight = from; midnight < now; midnight += DAY_SECONDS) {
    const outcomes: PastOutcome[] = [];
    for (let tick = midnight; tick < Math.min(midnight + DAY_SECONDS, chunkedUntil); tick += LANE) {
      const outcome = observe(tick);
      outcomes.push({
        tick,
        intervalSeconds: LANE,
        ...outcome,
        latencyMs: latencyOf(latencyCode(outcome.latencyMs)),
        view: outcome.health,
        offline: false,
      });
    }
    const windows = Map.groupBy(outcomes, ({ tick }) => chunkWindow(LANE, tick).start);
    await history.putChunks(
      [...windows.values()].map((some) => ({ monitorId: id, location: "local", shard, outcomes: some })),
    );
    if (midnight + DAY_SECONDS <= chunkedUntil)
      await history.putDays([
        {
          monitorId: id,
          location: "local",
          date: dateOf(midnight),
          tally: tallyOf(outcomes, midnight, midnight + DAY_SECONDS),
        },
      ]);
  }
  await history.advanceChunks(shard, "local", chunkedUntil, "", new Set());
  await history.advanceDays(shard, startOfDay(chunkedUntil), []);
  const others = Array.from({ length: 249 }, (_, n) => [`m${n}`, noisyTarget(n + 10)] as const);
  const members = new Map([...others, [id, observe] as const]);
  await runShard({ history, client, tables }, { shard, locations: ["local"], from: chunkedUntil, to: now, members });
}
