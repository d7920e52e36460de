/** Who is told what, and when, on the whole stack: real listeners are checked from four locations, real receivers are told. */
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RunningStack, startStack } from "../../infra/local/stack.ts";
import type { Job } from "../../shared/jobs.ts";
import { locationKey } from "../../shared/store/keys.ts";
import { type Client, createClient, until } from "../support/client.ts";
import { type Receiver, startReceiver } from "../support/receiver.ts";

let folder: string;
let stack: RunningStack;
let api: Client;
let receiver: Receiver;
/** Ids of channels. */
let [hook, later, chat] = ["", "", ""];

/** The function that checks from a location. */
const probeOf = (location: string) =>
  stack.functions.all.find(({ resource: { name } }) => name.endsWith(`-probe-${location}`))!.run;

/** Ticks that a location has checked, by epoch seconds. */
const checkedFrom = { a: new Set<number>(), b: new Set<number>() };
/** Whether location c is checking; a and b have then checked this tick already. */
let isFromC = false;

const tickOf = (payload: string): number | undefined => {
  const jobs = (JSON.parse(payload).Records ?? []).map(({ body }: { body: string }) => JSON.parse(body) as Job);
  return jobs.find(({ kind }: Job) => kind === "tick")?.tick;
};

/** Has location c check each tick after a and b, so that a target can answer it in another way; and location d not at all. */
const setApart = (): void => {
  for (const location of ["a", "b"] as const) {
    const run = probeOf(location);
    const invoke = run.invoke.bind(run);
    run.invoke = async (payload) => {
      const result = await invoke(payload);
      const tick = tickOf(payload);
      if (tick !== undefined) checkedFrom[location].add(tick);
      return result;
    };
  }
  const c = probeOf("c");
  const invoke = c.invoke.bind(c);
  c.invoke = async (payload) => {
    const tick = tickOf(payload);
    if (tick === undefined) return invoke(payload);
    // A tick that the others leave out is checked in the middle of its time.
    const isTurn = () => (checkedFrom.a.has(tick) && checkedFrom.b.has(tick)) || Date.now() > (tick + 6) * 1_000;
    await until(`turn of c at ${tick}`, isTurn);
    isFromC = true;
    try {
      return await invoke(payload);
    } finally {
      isFromC = false;
    }
  };
  const d = probeOf("d");
  d.invoke = async () => ({ requestId: "", payload: JSON.stringify({ errorType: "Gone" }), failed: true });
};

beforeAll(async () => {
  // Below the project, as by default: its package.json must not decide how the bundles are read.
  folder = await mkdtemp(join(process.cwd(), ".harborlight-telling-"));
  receiver = await startReceiver(() => ({ status: 200, body: "ok" }));
  stack = await startStack({ dataFolder: folder, port: 0, locations: ["a", "b", "c", "d"] });
  setApart();
  api = createClient(stack.apiUrl, stack.token);
  const made = async (name: string, kind: string) => {
    const settings = { url: `${receiver.url}/${name}` };
    return (await api("POST", "/v1/channels", { name, kind, settings })).body.id as string;
  };
  [hook, later, chat] = [
    await made("hook", "webhook"),
    await made("later", "webhook"),
    await made("chat", "mattermost"),
  ];
  await api("POST", "/v1/policies", {
    name: "Operators",
    match: { events: ["system.*"] },
    steps: [{ afterSeconds: 0, channels: [hook] }],
  });
}, 60_000);
afterAll(async () => {
  await stack?.stop();
  await receiver?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

/** A web server that answers 200 or 503, as it is told. */
async function startTarget() {
  const target = { isUp: () => true, port: 0 };
  const server = createServer((_request, response) => {
    response.writeHead(target.isUp() ? 200 : 503, { connection: "close" }).end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  target.port = (server.address() as AddressInfo).port;
  return Object.assign(target, {
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
}

/** What a channel was told of a monitor, in order. */
const toldTo = (path: string, id: string) =>
  receiver.received
    .filter((one) => one.path === `/${path}`)
    .map(({ body }) => JSON.parse(body))
    .filter(({ monitor }) => monitor.id === id);
const heard = (id: string, path = "hook"): string[] => toldTo(path, id).map(({ event }) => event);

const WAIT_MS = 75_000;
const hears = (id: string, ...events: string[]) =>
  until(`${events} of ${id}, but ${heard(id)}`, () => heard(id).join() === events.join(), WAIT_MS);
const isNow = (id: string, status: string) =>
  until(`${id} ${status}`, async () => (await api("GET", `/v1/monitors/${id}`)).body.status === status, WAIT_MS);

/** Creates a monitor that tells the webhook, and waits until it is up. */
const watch = async (name: string, { port }: { readonly port: number }, more: object = {}): Promise<string> => {
  const { status, body } = await api("POST", "/v1/monitors", {
    name,
    protocol: "http",
    host: "127.0.0.1",
    port,
    intervalSeconds: 10,
    timeoutMs: 1_000,
    retries: { count: 0 },
    locations: ["a"],
    alerts: { steps: [{ afterSeconds: 0, channels: [hook] }] },
    ...more,
  });
  expect([status, body.errors]).toEqual([201, undefined]);
  await isNow(body.id, "up");
  return body.id;
};

describe.concurrent("people are told", { timeout: 120_000 }, () => {
  test("of what a quorum sees, once, and of its end once", async () => {
    await using target = await startTarget();
    const id = await watch("Quorum", target, { locations: ["a", "b", "c"] });
    target.isUp = () => false;
    await hears(id, "down");
    const [{ locations }] = toldTo("hook", id);
    const seeing = Object.values(locations).filter((one) => (one as { health: string }).health === "down");
    expect(seeing.length).toBeGreaterThanOrEqual(2);
    target.isUp = () => true;
    await hears(id, "down", "recovered");
  });

  test("of what one location of three sees by an advisory, without an incident", async () => {
    await using target = await startTarget();
    const id = await watch("Minority", target, {
      locations: ["a", "b", "c"],
      alerts: { steps: [{ afterSeconds: 0, channels: [hook] }], minorityAfterSeconds: 0 },
    });
    target.isUp = () => !isFromC;
    await hears(id, "minority");
    const [{ severity, message, status }] = toldTo("hook", id);
    expect([severity, status, message]).toEqual(["info", "up", expect.stringMatching(/^only c of 3 locations: /)]);
    target.isUp = () => true;
    await hears(id, "minority", "minority-ended");
    expect((await api("GET", `/v1/monitors/${id}/incidents`)).body.items).toEqual([]);
  });

  test("of a silent location, without which the others decide", async () => {
    await using target = await startTarget();
    const id = await watch("Without d", target, { locations: ["a", "b", "d"] });
    target.isUp = () => false;
    await hears(id, "down");
    expect(Object.keys(toldTo("hook", id)[0].locations).toSorted()).toEqual(["a", "b"]);
    // As if it had been asked in vain for ten minutes.
    const table = Object.values(stack.outputs).flatMap((outputs) => outputs.MonitorsTable ?? [])[0];
    const { pk, sk } = locationKey("d");
    await stack.database.handle("UpdateItem", {
      TableName: table,
      Key: { pk: { S: pk }, sk: { S: sk } },
      UpdateExpression: "SET askingSince = :since, lastHeartbeatAt = :since",
      ExpressionAttributeValues: { ":since": { S: new Date(Date.now() - 600_000).toISOString() } },
    });
    const dispatch = stack.functions.all.find(({ resource: { logicalId } }) => logicalId.startsWith("Dispatch"))!;
    dispatch.invokeLater(JSON.stringify({ source: "schedule" }));
    await until("news of d", () => heard("system.location.d").includes("system.location-silent"), WAIT_MS);
  });

  test("of a subscription that has ended by itself, once", async () => {
    const posted = () =>
      receiver.received.filter(({ path }) => path === "/subscribed").map(({ body }) => JSON.parse(body));
    const compact = stack.functions.all.find(({ resource: { logicalId } }) => logicalId.startsWith("Compact"))!;
    const anHourLater = async () => {
      const { failed } = await compact.run.invoke(JSON.stringify({ source: "schedule" }));
      expect(failed).toBe(false);
    };
    const endpoint = `${receiver.url}/subscribed`;
    const { body, status } = await api("POST", "/v1/subscriptions", { topic: "alerts", kind: "http", endpoint });
    expect([status, body.errors]).toEqual([201, undefined]);
    await until("a link to confirm", () => posted().length > 0);
    await fetch(posted()[0].SubscribeURL);
    await anHourLater();
    const { body: list } = await api("GET", "/v1/subscriptions");
    const { id } = list.items.find((one: { endpoint: string }) => one.endpoint === endpoint);
    expect(heard(`system.subscription.${id}`)).toEqual([]);
    await api("POST", `/v1/subscriptions/${id}/test`);
    await until("a link to leave", () => posted().some(({ UnsubscribeURL }) => UnsubscribeURL));
    await fetch(posted().find(({ UnsubscribeURL }) => UnsubscribeURL).UnsubscribeURL);
    await anHourLater();
    await until("news of the subscription", () => heard(`system.subscription.${id}`).length > 0, WAIT_MS);
    await anHourLater();
    expect(heard(`system.subscription.${id}`)).toEqual(["system.subscription-gone"]);
    const { status: deleted } = await api("DELETE", `/v1/subscriptions/${id}`);
    expect(deleted).toBe(204);
  });

  test("of an alarm of CloudWatch, and of its end", async () => {
    const api = stack.functions.all.find(({ resource: { logicalId } }) => logicalId.startsWith("Api"))!;
    const name = `alarm.${stack.resources.find(({ logicalId }) => logicalId.includes("AlarmsApiErrors"))!.name}`;
    const fail = () =>
      stack.alarms.metrics.put(
        { namespace: "AWS/Lambda", name: "Errors", dimensions: { FunctionName: api.resource.name } },
        5,
      );
    const minute = () => stack.alarms.evaluate();
    fail();
    minute();
    await until("news of the alarm", () => heard(`system.${name}`).length > 0, WAIT_MS);
    for (let n = 0; n < 6; n++) minute();
    await until("news of its end", () => heard(`system.${name}`).length > 1, WAIT_MS);
    expect(heard(`system.${name}`)).toEqual(["system.alarm", "system.alarm-ended"]);
    const [begin, end] = toldTo("hook", `system.${name}`);
    expect(begin.message).toContain("The API fails. See its log group.");
    expect(begin.alertId).not.toBe(end.alertId);
    expect(begin.incidentId).toBe(end.incidentId);
  });

  test("once that a monitor flaps, and once that it has settled", async () => {
    await using target = await startTarget();
    // Three changes are 15 % even with ten checks between them, and two are 12 % at most.
    const id = await watch("Flapping", target, { flapping: { highPercent: 15, lowPercent: 1 } });
    for (const status of ["down", "up", "down", "up", "down", "up"]) {
      target.isUp = () => status === "up";
      await isNow(id, status);
    }
    const events = ["down", "recovered", "flapping-started"];
    await hears(id, ...events);
    await api("PATCH", `/v1/monitors/${id}`, { flapping: null });
    await hears(id, ...events, "flapping-stopped");
  });

  test("of a child once its parent is back and the child is not", async () => {
    await using target = await startTarget();
    await using own = await startTarget();
    const parent = await watch("Router", target);
    const child = await watch("Behind it", own, { dependsOn: [parent] });
    target.isUp = () => false;
    own.isUp = () => false;
    await hears(parent, "down");
    await isNow(child, "down");
    const { body } = await api("GET", `/v1/monitors/${child}`);
    await until("who holds it", async () => {
      const { body: incident } = await api("GET", `/v1/incidents/${body.incident.id}`);
      return incident.heldBy.some(({ monitorId }: { monitorId: string }) => monitorId === parent);
    });
    expect(heard(child)).toEqual([]);
    target.isUp = () => true;
    await hears(parent, "down", "recovered");
    await hears(child, "down");
  });

  test("at the end of a maintenance window of what is down then", async () => {
    await using target = await startTarget();
    const id = await watch("Maintained", target);
    const { body: window } = await api("POST", "/v1/maintenance-windows", {
      name: "Upgrade",
      monitorIds: [id],
      schedule: { kind: "once", durationSeconds: 3_600 },
    });
    target.isUp = () => false;
    await isNow(id, "down");
    expect(heard(id)).toEqual([]);
    await api("POST", `/v1/maintenance-windows/${window.id}/end`);
    await hears(id, "down");
    target.isUp = () => true;
    await hears(id, "down", "recovered");
  });

  test("in steps, until somebody acknowledges by the link of a message", async () => {
    await using target = await startTarget();
    const steps = (first: string) => [
      { afterSeconds: 0, channels: [hook, first] },
      { afterSeconds: 12, channels: [later] },
    ];
    const ignored = await watch("Ignored", target, { alerts: { steps: steps(chat) } });
    const taken = await watch("Taken", target, { alerts: { steps: steps(chat) } });
    target.isUp = () => false;
    const linkFor = (name: string) =>
      receiver.received
        .filter(({ path, body }) => path === "/chat" && body.includes(name))
        .map(({ body }) => /http:\/\/[^\s"\\)]+\/v1\/acknowledge\?token=[\w.-]+/.exec(body)?.[0])[0];
    const link = await until("a link", () => linkFor("Taken is down"), WAIT_MS);
    const page = await (await fetch(link)).text();
    expect(page).toContain("Taken");
    expect((await fetch(link, { method: "POST" })).status).toBe(200);
    await hears(taken, "down", "acknowledged");
    await until("an escalation", () => heard(ignored, "later").length > 0, WAIT_MS);
    expect(heard(ignored, "later")).toEqual(["escalated"]);
    target.isUp = () => true;
    await hears(taken, "down", "acknowledged", "recovered");
    await hears(ignored, "down", "recovered");
    await until("the end", () => heard(ignored, "later").length > 1, WAIT_MS);
    expect([heard(ignored, "later"), heard(taken, "later")]).toEqual([["escalated", "recovered"], []]);
  });
});
