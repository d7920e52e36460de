/** The whole product: a port that nobody expected opens, people hear of it once, and somebody accepts it. */
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Client, createClient, startSubscriber, until } from "../support/client.ts";
import { freePort, type Product, startProduct } from "../support/product.ts";

/** All sweeps are of this address of the loopback network, on which nothing else listens. */
const HOST = "127.77.0.9";

let folder: string;
let product: Product;
let api: Client;
let subscriber: Awaited<ReturnType<typeof startSubscriber>>;
const servers: Server[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(process.cwd(), ".harborlight-ports-"));
  subscriber = await startSubscriber();
  product = await startProduct(folder, await freePort());
  api = createClient(product.apiUrl, product.token);
  await api("POST", "/v1/subscriptions", { topic: "alerts", kind: "http", endpoint: subscriber.url });
}, 60_000);
afterAll(async () => {
  for (const server of servers) server.close();
  await product?.stop();
  await subscriber?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Listens on a port of the watched address; greets like an SSH server. */
const listen = async (port: number): Promise<Server> => {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.write("SSH-2.0-OpenSSH_9.2p1\r\n");
  });
  await new Promise<void>((resolve) => server.listen(port, HOST, resolve));
  servers.push(server);
  return server;
};

const sweep = async (id: string) => {
  const { status, body } = await api("POST", `/v1/monitors/${id}/check`);
  expect(status).toBe(202);
  const path = `/v1/monitors/${id}/sweeps/${body.tick}`;
  await until("the sweep", async () => (await api("GET", path)).status === 200, 130_000);
  return (await api("GET", path)).body;
};

test("a port that opens raises one alert, accepting it silences it, and its closing is told", {
  timeout: 400_000,
}, async () => {
  await listen(2201);
  const created = await api("POST", "/v1/monitors", {
    name: "Edge exposure",
    protocol: "ports",
    host: HOST,
    settings: { ports: "2200-2299" },
    intervalSeconds: 300,
  });
  expect(created.status).toBe(201);
  const { id } = created.body;
  const baseline = async () => (await api("GET", `/v1/monitors/${id}/baseline`)).body;
  await until("the first sweep", async () => (await baseline()).learned.length === 1, 130_000);
  expect((await baseline()).values).toMatchObject({ "ports.tcp": ["2201"] });
  expect((await api("GET", `/v1/monitors/${id}`)).body).toMatchObject({ status: "up", port: 0 });

  const alerts = () => subscriber.of(id).map(({ alert }) => alert);
  await until("the first alert", () => alerts().length > 0);
  expect(alerts()).toMatchObject([
    { event: "baseline-learned", message: expect.stringContaining("1 port is open on 127.77.0.9: 2201 (ssh)") },
  ]);

  const opened = await listen(2222);
  const second = await sweep(id);
  expect(second.openPorts.map(({ port }: { port: number }) => port)).toEqual([2201, 2222]);
  await until("the alert", () => alerts().length > 1);
  expect(alerts().slice(1)).toMatchObject([
    {
      event: "changed",
      message: "port 2222 is open now (open: 2201,2222)",
      changes: [{ key: "ports.tcp", to: "2201,2222" }],
    },
  ]);

  await api("POST", `/v1/monitors/${id}/changes/accept`, { note: "planned" });
  await until("the end", () => alerts().length > 2);
  expect(alerts().map(({ event }) => event)).toEqual(["baseline-learned", "changed", "change-accepted"]);

  opened.close();
  const third = await sweep(id);
  expect(third.openPorts.map(({ port }: { port: number }) => port)).toEqual([2201]);
  await until("the second alert", () => alerts().length > 3);
  expect(alerts()[3]).toMatchObject({ event: "changed", message: "port 2222 is no longer open (open: 2201)" });
  const diff = await api("GET", `/v1/monitors/${id}/sweeps/${second.tick}/diff/${third.tick}`);
  expect(diff.body).toMatchObject({ opened: [], closed: [{ address: HOST, port: 2222 }] });
});
