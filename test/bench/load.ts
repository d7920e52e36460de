/**
 * `npm run bench -- load [minutes] [monitors] [seconds]`: the product as `npm start` runs it, with 1,000 monitors at 10
 * seconds for five minutes, 20 of whose targets go down and come back. Counts every tick, alert and second of lag; exits 1 when
 * something is missing or there twice.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createClient, startSubscriber, until } from "../support/client.ts";
import { freePort, startProduct } from "../support/product.ts";
import { tickLags } from "../support/tick-lags.ts";

const FAILING = 20;
const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;

if (process.send) await serveTargets();
else await main(Number(process.argv[3] ?? 5), Number(process.argv[4] ?? 1000), Number(process.argv[5] ?? 10));

/** In a process of its own: one listener for the steady targets, one each for those that fail. */
async function serveTargets() {
  const listen = async (port = 0): Promise<Server> => {
    const server = createServer((socket) => socket.destroy()).listen(port, "127.0.0.1", 1024);
    await once(server, "listening");
    return server;
  };
  const portOf = (server: Server) => (server.address() as { port: number }).port;
  const steady = await listen();
  const failing = await Promise.all(Array.from({ length: FAILING }, () => listen()));
  const ports = failing.map(portOf);
  process.send?.({ steady: portOf(steady), failing: ports });
  process.on("message", async (word) => {
    if (word === "down") await Promise.all(failing.map((server) => new Promise((done) => server.close(done))));
    else for (const [n, port] of ports.entries()) failing[n] = await listen(port);
    process.send?.(word as string);
  });
}

interface Result {
  readonly at: string;
  readonly state: string;
}

async function main(minutes: number, count: number, intervalSeconds: number) {
  const folder = await mkdtemp(join(tmpdir(), "harborlight-load-"));
  const targets = fork(import.meta.filename, { stdio: "inherit" });
  const [{ steady, failing }] = (await once(targets, "message")) as [{ steady: number; failing: number[] }];
  const subscriber = await startSubscriber();
  const product = await startProduct(folder, await freePort());
  const api = createClient(product.apiUrl, product.token, { isChecked: false });
  let faults = 0;
  let measuredFrom = Date.now();
  const check = (what: string, isRight: boolean) => {
    console.log(`${isRight ? "ok  " : "FAIL"} ${what}`);
    if (!isRight) faults++;
  };
  try {
    await api("POST", "/v1/subscriptions", { topic: "alerts", kind: "http", endpoint: subscriber.url });
    const monitors = Array.from({ length: count }, (_, n) => ({
      key: `m${n}`,
      name: `monitor ${n}`,
      protocol: "tcp",
      host: "127.0.0.1",
      port: failing[n] ?? steady,
      intervalSeconds,
    }));
    const startedAt = Date.now();
    for (;;) {
      const { status, body } = await api("PUT", "/v1/monitors", { monitors });
      if (status === 200) break;
      if (status !== 202) throw new Error(`PUT answered ${status}: ${JSON.stringify(body)}`);
    }
    console.log(`${count} monitors applied in ${((Date.now() - startedAt) / 1000).toFixed(1)} s`);
    await until("status of all", async () => (await list(api, "status=up")).length === count, 60_000);
    console.log(`all up ${((Date.now() - startedAt) / 1000).toFixed(1)} s after the first call`);
    const ids = new Map((await list(api, "")).map(({ id, key }) => [id, key]));

    const from = Date.now();
    measuredFrom = from;
    const until_ = from + minutes * 60_000;
    const tell = async (word: string) => {
      targets.send(word);
      await once(targets, "message");
      return Date.now();
    };
    await sleep(minutes * 60_000 * 0.25);
    const downAt = await tell("down");
    await sleep(minutes * 60_000 * 0.3);
    const upAt = await tell("up");
    await sleep(Math.max(0, until_ - Date.now()));
    const to = Date.now();
    await sleep(15_000); // the last ticks end

    const delays = (event: string, since: number) =>
      subscriber.received.filter(({ alert }) => alert.event === event).map(({ at }) => at - since);
    for (const [event, since] of [
      ["down", downAt],
      ["recovered", upAt],
    ] as const) {
      const all = delays(event, since);
      const distinct = new Set(
        subscriber.received.filter(({ alert }) => alert.event === event).map(({ alert }) => alert.alertId),
      );
      check(
        `${all.length} ${event} alerts (${distinct.size} alertIds), after ${seconds(Math.min(...all))} to ${seconds(Math.max(...all))}`,
        all.length === FAILING && distinct.size === FAILING,
      );
    }
    check(`${subscriber.received.length} alerts in all`, subscriber.received.length === 2 * FAILING);

    let [ticks, wrong] = [0, 0];
    const queue = [...ids.keys()];
    const work = async () => {
      for (let id = queue.pop(); id; id = queue.pop()) {
        const results = await resultsOf(api, id, from, to);
        ticks += results.length;
        const moments = results.map(({ at }) => Date.parse(at)).toSorted((a, b) => a - b);
        const steps = moments.slice(1).map((moment, n) => moment - (moments[n] ?? 0));
        const expected = Math.floor((to - from) / (intervalSeconds * 1000));
        if (steps.some((step) => step !== intervalSeconds * 1000) || moments.length < expected) wrong++;
      }
    };
    await Promise.all(Array.from({ length: 4 }, work));
    check(
      `${ticks} outcomes of ${ids.size} monitors in ${minutes} min; ${wrong} monitors with a tick missing or twice`,
      wrong === 0,
    );
  } finally {
    await product.stop();
    // Those of the first minute tell of the thousand monitors being created.
    const lags = await tickLags(folder, measuredFrom + 60_000);
    const p99 = lags[Math.floor(lags.length * 0.99)] ?? Number.NaN;
    check(
      `tick lag over ${lags.length} ticks: p50 ${lags[lags.length >> 1]} ms, p99 ${p99} ms, max ${lags.at(-1)} ms`,
      p99 < 2000,
    );
    await subscriber.stop();
    targets.kill();
    await rm(folder, { recursive: true, force: true });
  }
  if (faults > 0) process.exitCode = 1;
}

async function list(api: ReturnType<typeof createClient>, filter: string) {
  const items: { id: string; key: string }[] = [];
  let cursor = "";
  do {
    const { body } = await api("GET", `/v1/monitors?limit=200&${filter}${cursor && `&cursor=${cursor}`}`);
    items.push(...body.items);
    cursor = body.nextCursor ?? "";
  } while (cursor);
  return items;
}

async function resultsOf(api: ReturnType<typeof createClient>, id: string, from: number, to: number) {
  const range = `from=${new Date(from).toISOString()}&to=${new Date(to).toISOString()}`;
  const items: Result[] = [];
  for (let cursor = ""; ; ) {
    const { status, body } = await api(
      "GET",
      `/v1/monitors/${id}/results?${range}&limit=1000${cursor && `&cursor=${cursor}`}`,
    );
    if (status === 429) {
      await sleep(200); // the API's own throttle
      continue;
    }
    if (status !== 200) throw new Error(JSON.stringify(body));
    items.push(...body.items);
    if (!body.nextCursor) return items;
    cursor = body.nextCursor;
  }
}
