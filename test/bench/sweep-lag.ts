/**
 * `npm run bench -- sweep-lag [rounds] [monitors]`: whether sweeps delay ticks. The product as `npm start` runs it checks 200 monitors at
 * 10 seconds, by turns without and with a sweep of all 65,535 ports of an address under way; prints the lag of the ticks of both, and
 * exits 1 when it is worse with sweeps.
 */
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createClient, until } from "../support/client.ts";
import { freePort, startProduct } from "../support/product.ts";
import { tickLags } from "../support/tick-lags.ts";

const [rounds, count] = [Number(process.argv[3] ?? 2), Number(process.argv[4] ?? 200)];
/** On which nothing listens but the target of the checks. */
const HOST = "127.77.0.10";
/** A line of metrics tells of the minute before it. */
const LINE_MS = 60_000;
/** What the 99th percentile may be worse by: the machine does other things too. */
const ALLOWED_MS = 100;
const SWEEP_MS = 6 * 60_000;

const folder = await mkdtemp(join(tmpdir(), "harborlight-sweep-lag-"));
const target = createServer((socket) => socket.destroy()).listen(0, HOST, 1_024);
await once(target, "listening");
const { port } = target.address() as { port: number };
const product = await startProduct(folder, await freePort());
const api = createClient(product.apiUrl, product.token, { isChecked: false });
/** Stretches of time, as the lines of metrics name them. */
const stretches: Record<"without" | "with", [from: number, to: number][]> = { without: [], with: [] };

try {
  const monitors = Array.from({ length: count }, (_, n) => ({
    key: `m${n}`,
    name: `monitor ${n}`,
    protocol: "tcp",
    host: HOST,
    port,
    intervalSeconds: 10,
  }));
  while ((await api("PUT", "/v1/monitors", { monitors })).status === 202);
  await sleep(LINE_MS); // they are created, and checked for the first time
  const settings = { ports: "1-65535", identify: false };
  const swept = { key: "swept", name: "all ports", protocol: "ports", host: HOST, settings, intervalSeconds: 86_400 };
  let id = "";
  for (let round = 0; round < rounds; round++) {
    const quietFrom = Date.now();
    await sleep(3 * LINE_MS);
    stretches.without.push([quietFrom + LINE_MS, Date.now()]);
    const from = Date.now();
    // Its first sweep begins as it is made.
    const made = id === "" ? await api("POST", "/v1/monitors", { ...swept, paused: true }) : undefined;
    if (made) {
      id = made.body.id;
      await api("POST", `/v1/monitors/${id}/resume`);
    }
    const { status, body } = await api("POST", `/v1/monitors/${id}/check`);
    if (status !== 202) throw new Error(JSON.stringify(body));
    const path = `/v1/monitors/${id}/sweeps/${body.tick}`;
    await until("the sweep", async () => (await api("GET", path)).status === 200, SWEEP_MS);
    const { startedAt, endedAt, open, closed } = (await api("GET", path)).body;
    const lasted = (Date.parse(endedAt) - Date.parse(startedAt)) / 1000;
    console.log(`sweep ${round + 1}: ${open} open, ${closed} closed, within ${lasted.toFixed(0)} s`);
    stretches.with.push([from + LINE_MS, Date.now()]);
  }
  await sleep(LINE_MS); // the last minute's line
} finally {
  await product.stop();
  target.close();
}

const of = async (kind: keyof typeof stretches) => {
  const lags = (await Promise.all(stretches[kind].map(([from, to]) => tickLags(folder, from, to)))).flat();
  const sorted = lags.toSorted((a, b) => a - b);
  const p99 = sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN;
  console.log(
    `ticks ${kind} a sweep: ${sorted.length}, lag p50 ${sorted[sorted.length >> 1]} ms, p99 ${p99} ms, max ${sorted.at(-1)} ms`,
  );
  return p99;
};
const [without, with_] = [await of("without"), await of("with")];
await rm(folder, { recursive: true, force: true });
const isRight = with_ <= without + ALLOWED_MS;
console.log(`${isRight ? "ok  " : "FAIL"} p99 is ${(with_ - without).toFixed(0)} ms worse with sweeps`);
if (!isRight) process.exitCode = 1;
