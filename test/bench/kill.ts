/**
 * `npm run bench -- kill [times] [monitors]`: `kill -9` at random moments, 100 times, with 150 monitors whose listeners come
 * and go. After the last start every status must be right within two intervals, every outage that lasted must have been
 * told once, with one alertId, and so must its end; exits 1 otherwise.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Answer, createClient, startSubscriber, until } from "../support/client.ts";
import { freePort, startProduct } from "../support/product.ts";

const INTERVAL_SECONDS = 10;
/** Below the ports from which connections of others are made, which would take that of a listener that is shut. */
const FIRST_PORT = 21_000;
/** On a busy machine. */
const STARTS_WITHIN_MS = 180_000;
/** Time to alert by the settings below, and for the reply of a start. */
const SETTLED_MS = 2 * INTERVAL_SECONDS * 1000 + 5_000;

if (process.send) await serveTargets(Number(process.argv[2]));
else await main(Number(process.argv[3] ?? 100), Number(process.argv[4] ?? 150));

/** In a process of its own, which outlives the product: listeners that open and close when they are told. */
async function serveTargets(count: number) {
  const listen = async (port: number): Promise<Server> => {
    const server = createServer((socket) => socket.destroy()).listen(port, "127.0.0.1");
    await once(server, "listening");
    return server;
  };
  const servers: Server[] = [];
  for (let port = FIRST_PORT; servers.length < count; port++)
    await listen(port).then(
      (server) => servers.push(server),
      () => {}, // somebody else's
    );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  process.send?.(ports);
  process.on("message", async ([n, word]: [number, "open" | "close"]) => {
    if (word === "close") servers[n]?.close();
    else servers[n] = await listen(ports[n]!);
  });
}

/** A stretch of time in which a target was shut, in epoch milliseconds. */
interface Outage {
  readonly from: number;
  to: number;
}

async function main(times: number, count: number) {
  const folder = await mkdtemp(join(tmpdir(), "harborlight-kill-"));
  const targets = fork(import.meta.filename, [String(count)], { stdio: "inherit" });
  const [ports] = (await once(targets, "message")) as [number[]];
  const subscriber = await startSubscriber();
  const apiPort = await freePort();
  let product = await startProduct(folder, apiPort);
  let faults = 0;
  const check = (what: string, isRight: boolean) => {
    console.log(`${isRight ? "ok  " : "FAIL"} ${what}`);
    if (!isRight) faults++;
  };
  try {
    const api = createClient(product.apiUrl, product.token, { isChecked: false });
    await api("POST", "/v1/subscriptions", { topic: "alerts", kind: "http", endpoint: subscriber.url });
    await until("confirmed subscription", async () =>
      (await api("GET", "/v1/subscriptions")).body.items.some(
        ({ isConfirmed }: { isConfirmed: boolean }) => isConfirmed,
      ),
    );
    const monitors = ports.map((port, n) => ({
      ...{ key: `m${n}`, name: `monitor ${n}`, protocol: "tcp", host: "127.0.0.1", port },
      ...{ intervalSeconds: INTERVAL_SECONDS, retries: { count: 0, delayMs: 0 } },
    }));
    const { status, body } = await api("PUT", "/v1/monitors", { monitors });
    if (status !== 200) throw new Error(`PUT answered ${status}: ${JSON.stringify(body)}`);
    const idOf = new Map<string, string>(body.created.map(({ id, key }: { id: string; key: string }) => [key, id]));

    const outages: Outage[][] = ports.map(() => []);
    const isShut = (n: number) => outages[n]!.at(-1)?.to === Number.POSITIVE_INFINITY;
    const turn = (n: number) => {
      const shut = isShut(n);
      targets.send([n, shut ? "open" : "close"]);
      if (shut) outages[n]!.at(-1)!.to = Date.now();
      else outages[n]!.push({ from: Date.now(), to: Number.POSITIVE_INFINITY });
    };
    const stir = async (ms: number) => {
      for (const end = Date.now() + ms; Date.now() < end; await sleep(50 + Math.random() * 300))
        turn(Math.floor(Math.random() * count));
    };
    const startedAt = Date.now();
    for (let kill = 1; kill <= times; kill++) {
      await stir(500 + Math.random() * 14_000);
      await product.kill();
      const starting = startProduct(folder, apiPort, {}, STARTS_WITHIN_MS);
      starting.catch(() => {}); // heard of below
      await stir(500);
      product = await starting;
      if (kill % 10 === 0) console.log(`${kill} kills in ${Math.round((Date.now() - startedAt) / 1000)} s`);
    }
    await sleep(SETTLED_MS);

    const statuses = new Map<string, string>();
    // In pages: a call for each monitor would run into the API's throttle.
    for (let cursor: string | null = ""; cursor !== null; ) {
      const page: Answer = await api("GET", `/v1/monitors?limit=200${cursor && `&cursor=${cursor}`}`);
      if (page.status !== 200) throw new Error(`the list answered ${page.status}: ${JSON.stringify(page.body)}`);
      const { items, nextCursor } = page.body as { items: { id: string; status: string }[]; nextCursor: string | null };
      for (const { id, status: found } of items) statuses.set(id, found);
      cursor = nextCursor;
    }
    const wrong = ports.flatMap((_, n) => {
      const id = idOf.get(`m${n}`)!;
      const truth = isShut(n) ? "down" : "up";
      return statuses.get(id) === truth ? [] : [`m${n} is ${statuses.get(id)}, should be ${truth}`];
    });
    check(
      `${count} statuses two intervals after the last start; wrong: ${wrong.join("; ") || "none"}`,
      wrong.length === 0,
    );
    await sleep(150_000); // deliveries that failed with a process are tried again after two minutes at most

    let [told, again, untold, doubled, false_] = [0, 0, 0, 0, 0];
    for (const [n] of ports.entries()) {
      const received = subscriber.of(idOf.get(`m${n}`)!).map(({ alert }) => alert);
      const byId = new Map(received.map((alert) => [alert.alertId, alert]));
      again += received.length - byId.size;
      const downs = [...byId.values()].filter(({ event }) => event === "down");
      told += downs.length;
      const starts = downs.map(({ startedAt: at }) => Date.parse(at));
      // An alert is dated by its tick, and a tick that was missed may run almost an interval later.
      const ownerOf = (at: number) =>
        outages[n]!.findIndex(({ from, to }) => to >= at - 2_000 && from <= at + INTERVAL_SECONDS * 1000 + 2_000);
      const owners = starts.map(ownerOf);
      false_ += owners.filter((owner) => owner < 0).length;
      doubled += starts.length - new Set(starts).size;
      const events = [...byId.values()].map(({ event }) => event);
      for (let i = 1; i < events.length; i++) if (events[i] === events[i - 1]) doubled++;
      const last = events.at(-1);
      if (isShut(n) ? last !== "down" : last === "down") untold++;
    }
    check(
      `${told} outages told; told twice: ${doubled}, not told: ${untold}, invented: ${false_}`,
      doubled + untold + false_ === 0,
    );
    console.log(`${again} deliveries repeated with the same alertId`);
  } finally {
    await product.kill();
    await subscriber.stop();
    targets.kill();
    await rm(folder, { recursive: true, force: true });
  }
  if (faults > 0) process.exitCode = 1;
}
