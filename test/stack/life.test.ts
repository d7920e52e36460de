/** The whole product, as its users run it: a port goes down and comes back, and everybody is told, once each. */
import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Client, createClient, startSubscriber, until } from "../support/client.ts";
import { freePort, type Product, startProduct } from "../support/product.ts";

let folder: string;
let product: Product;
let api: Client;
let subscriber: Awaited<ReturnType<typeof startSubscriber>>;

beforeAll(async () => {
  // Below the project, as by default: its package.json must not decide how the bundles are read.
  folder = await mkdtemp(join(process.cwd(), ".harborlight-life-"));
  subscriber = await startSubscriber();
  product = await startProduct(folder, await freePort());
  api = createClient(product.apiUrl, product.token);
}, 60_000);
afterAll(async () => {
  await product?.stop();
  await subscriber?.stop();
  await rm(folder, { recursive: true, force: true });
});

const listen = (port: number) =>
  new Promise<Server>((resolve, reject) => {
    const server = createServer((socket) => socket.destroy())
      .once("error", reject)
      .listen(port, "127.0.0.1", () => resolve(server));
  });
const close = (server: Server) => new Promise<void>((resolve) => server.close(() => resolve()));

const mails = async (name: string) => {
  const folderOfMails = join(folder, "mail");
  const files = await readdir(folderOfMails).catch(() => []);
  const texts = await Promise.all(
    files.filter((file) => file.endsWith(".eml")).map((file) => readFile(join(folderOfMails, file), "utf8")),
  );
  return texts.filter((text) => text.includes(name));
};

test("a port that closes and opens again: status, alerts, mail, history and incidents agree", async () => {
  const port = await freePort();
  let server = await listen(port);
  const subscribed = await api("POST", "/v1/subscriptions", {
    topic: "alerts",
    kind: "http",
    endpoint: subscriber.url,
  });
  expect(subscribed.status).toBe(201);
  await until("confirmed subscription", async () => {
    const { body } = await api("GET", "/v1/subscriptions");
    return body.items.some(({ isConfirmed }: { isConfirmed: boolean }) => isConfirmed);
  });

  const createdAt = Date.now();
  const created = await api("POST", "/v1/monitors", {
    name: "Zürich DB ✓",
    protocol: "tcp",
    host: "127.0.0.1",
    port,
    intervalSeconds: 10,
    alerts: { emails: ["ops@example.com"] },
    tags: { team: "orders" },
  });
  expect(created.status).toBe(201);
  const { id } = created.body;
  const monitor = async () => (await api("GET", `/v1/monitors/${id}`)).body;
  const statusIs = (status: string) => async () => (await monitor()).status === status;

  await until("first status", statusIs("up"), 10_000);
  const firstStatusMs = Date.now() - createdAt;

  const closedAt = Date.now();
  await close(server);
  const down = await until("down alert", () => subscriber.of(id)[0], 30_000);
  const downMs = down.at - closedAt;
  expect(down.alert).toMatchObject({ event: "down", severity: "critical", status: "down", previousStatus: "up" });
  expect(down.alert.reason).toBe("connection-refused");
  expect(down.alert.monitor).toMatchObject({ name: "Zürich DB ✓", port, tags: { team: "orders" } });
  await until("status down", statusIs("down"));
  expect((await monitor()).incident).toMatchObject({ startedAt: down.alert.startedAt, endedAt: null });
  await until("open incident", async () => (await api("GET", "/v1/incidents?state=open")).body.items.length === 1);

  const openedAt = Date.now();
  server = await listen(port);
  const recovered = await until("recovery alert", () => subscriber.of(id)[1], 30_000);
  const recoveredMs = recovered.at - openedAt;
  await close(server);
  expect(recovered.alert).toMatchObject({ event: "recovered", status: "up", previousStatus: "down" });
  expect(recovered.alert.incidentId).toBe(down.alert.incidentId);
  expect(recovered.alert.durationSeconds).toBe(
    (Date.parse(recovered.alert.endedAt!) - Date.parse(recovered.alert.startedAt)) / 1000,
  );

  await until("two mails", async () => (await mails(id)).length === 2);
  const incidents = await until("closed incident", async () => {
    const { body } = await api("GET", `/v1/monitors/${id}/incidents`);
    return body.items[0]?.endedAt && body.items;
  });
  expect(incidents).toMatchObject([
    {
      id: down.alert.incidentId,
      startedAt: down.alert.startedAt,
      endedAt: recovered.alert.endedAt,
      endReason: "recovered",
    },
  ]);
  const { body: results } = await api(
    "GET",
    `/v1/monitors/${id}/results?from=${new Date(createdAt - 20_000).toISOString()}`,
  );
  const states = results.items.map(({ state }: { state: string }) => state);
  expect(states).toContain("open");
  expect(states).toContain("closed");
  expect(subscriber.of(id)).toHaveLength(2);
  console.info(`first status ${firstStatusMs} ms, down ${downMs} ms, recovered ${recoveredMs} ms after the listener`);
}, 90_000);

test("a difficult name delays nobody's alert", async () => {
  const port = await freePort();
  const { status, body } = await api("POST", "/v1/monitors", {
    name: '数据库 "quoted" – ✓',
    protocol: "tcp",
    host: "127.0.0.1",
    port,
    intervalSeconds: 10,
    retries: { count: 0, delayMs: 0 },
  });
  expect(status).toBe(201);
  const alert = await until("down alert", () => subscriber.of(body.id)[0], 15_000);
  expect(String(alert.envelope.Subject)).toMatch(/^DOWN: [\x20-\x7e]+$/);
});

test("an alert that waits for an outage to last comes when it has lasted, and not before", async () => {
  const { status, body } = await api("POST", "/v1/monitors", {
    name: "Patient",
    protocol: "tcp",
    host: "127.0.0.1",
    port: await freePort(),
    intervalSeconds: 10,
    retries: { count: 0, delayMs: 0 },
    alerts: { afterSeconds: 5 },
  });
  expect(status).toBe(201);
  const { at, alert } = await until("delayed down alert", () => subscriber.of(body.id)[0], 30_000);
  expect(alert.event).toBe("down");
  expect(at - Date.parse(alert.startedAt)).toBeGreaterThanOrEqual(5_000);
}, 40_000);

/** The text of a mail in quoted-printable, as far as ASCII goes. */
const decoded = (mail: string) => mail.replace(/=\r?\n/g, "").replaceAll("=3D", "=");

test("whoever got the mail acknowledges by its link, and hears that it is done", async () => {
  const { body } = await api("POST", "/v1/monitors", {
    name: "Linked",
    protocol: "tcp",
    host: "127.0.0.1",
    port: await freePort(),
    intervalSeconds: 10,
    retries: { count: 0, delayMs: 0 },
    alerts: { emails: ["ops@example.com"] },
  });
  const [mail = ""] = await until(
    "mail",
    async () => {
      const some = (await mails(body.id)).map(decoded);
      return some.length > 0 && some;
    },
    30_000,
  );
  const [link = ""] = /http:\/\/\S+\/v1\/acknowledge\?token=[\w.-]+/.exec(mail) ?? [];
  expect(link.startsWith(product.apiUrl), link).toBe(true);
  const asks = await fetch(link);
  expect([asks.status, await asks.text()]).toEqual([200, expect.stringContaining("Linked is down")]);
  expect((await api("GET", `/v1/monitors/${body.id}`)).body.incident.acknowledged).toBeNull();

  const done = await fetch(link, { method: "POST", body: new URLSearchParams() });
  expect([done.status, await done.text()]).toEqual([200, expect.stringContaining("Somebody is at work on Linked")]);
  const { incident } = (await api("GET", `/v1/monitors/${body.id}`)).body;
  expect(incident.acknowledged.by).toBe("link sent to email:ops@example.com");
  await until(
    "mail that says so",
    async () => (await mails(body.id)).some((one) => one.includes("ACKNOWLEDGED")),
    30_000,
  );
  const timeline = async () => (await api("GET", `/v1/incidents/${incident.id}/timeline`)).body.items;
  const isDone = ({ kind, alert }: { kind: string; alert?: { event: string } }) =>
    kind === "alert" && alert?.event === "acknowledged";
  const alert = await until("alert in the timeline", async () => (await timeline()).find(isDone)?.alert);
  expect(alert.deliveries.map(({ receiver }: { receiver: string }) => receiver)).toEqual([
    "email:ops@example.com",
    "people",
    "sns",
  ]);
}, 90_000);

test("the token is readable by its owner only", async () => {
  expect(((await stat(join(folder, "token"))).mode & 0o777).toString(8)).toBe("600");
  expect((await createClient(product.apiUrl)("GET", "/v1/monitors")).status).toBe(401);
  expect((await createClient(product.apiUrl)("GET", "/v1/health")).status).toBe(200);
});

test("Ctrl-C stops cleanly, and everything is there at the next start", async () => {
  const before = (await api("GET", "/v1/monitors")).body.items.map(({ id }: { id: string }) => id).toSorted();
  expect(before).toHaveLength(4);
  expect(await product.stop()).toBe(0);
  const { token } = product;
  product = await startProduct(folder, await freePort());
  expect(product.token).toBe(token);
  api = createClient(product.apiUrl, token);
  const after = (await api("GET", "/v1/monitors")).body.items.map(({ id }: { id: string }) => id).toSorted();
  expect(after).toEqual(before);
  expect((await api("GET", "/v1/incidents")).body.items.length).toBeGreaterThanOrEqual(2);
}, 60_000);
