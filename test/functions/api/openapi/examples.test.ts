/** That the examples of the OpenAPI document work: each request is sent, and its answer is one that is described. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { targetOf } from "../../../../shared/store/counters.ts";
import { createDecisionStore } from "../../../../shared/store/decisions.ts";
import { createStatusPageStore } from "../../../../shared/store/status-pages.ts";
import { createSweepStore } from "../../../../shared/store/sweeps.ts";
import { operations, type Parameter } from "../../../support/document.ts";
import { interfaceReading } from "../../../support/interfaces.ts";
import { type Edge, startEdge } from "../edge.ts";

const SUBSCRIPTION = "arn:aws:sns:us-east-1:000000000000:alerts:0d4e6f3a";
const ATTRIBUTES = Object.entries({ PendingConfirmation: "false", Protocol: "email", Endpoint: "ops@example.com" })
  .map(([key, value]) => `<entry><key>${key}</key><value>${value}</value></entry>`)
  .join("");
/** What SNS answers, by action. */
const SNS: Readonly<Record<string, string>> = {
  Subscribe: `<SubscriptionArn>${SUBSCRIPTION}</SubscriptionArn>`,
  ListSubscriptionsByTopic: `<Subscriptions><member><SubscriptionArn>${SUBSCRIPTION}</SubscriptionArn><Protocol>email</Protocol><Endpoint>ops@example.com</Endpoint></member></Subscriptions>`,
  GetSubscriptionAttributes: `<Attributes>${ATTRIBUTES}</Attributes>`,
};

let edge: Edge;
beforeAll(async () => {
  edge = await startEdge();
  edge.outside.sns = (action) => SNS[action] ?? "";
});
afterAll(() => edge[Symbol.asyncDispose]());

const createMonitor = async () => {
  const body = {
    name: "Example",
    protocol: "tcp",
    host: "example.com",
    port: 1,
    badge: true,
    locations: ["eu-west-1"],
  };
  return (await edge.call("POST", "/v1/monitors", { body })).body.id as string;
};

const openIncident = async () => {
  const monitorId = await createMonitor();
  const monitor = (await edge.stores.monitors.get(monitorId))!;
  const startedAt = new Date().toISOString();
  const incident = {
    id: `${monitorId}.${Date.parse(startedAt)}`,
    startedAt,
    endedAt: null,
    target: { protocol: "tcp", host: "example.com", port: 1 },
    targetVersion: 1,
    severity: "down" as const,
    downSince: startedAt,
    reason: null,
    message: "",
    evidence: {},
    locations: {},
    announced: "down" as const,
    alertCount: 1,
    told: {},
    acknowledged: null,
    endReason: null,
  };
  await edge.decide(monitor, { status: "down", since: startedAt, incident });
  await createDecisionStore(edge.client, edge.tables.monitors).projectIncident(monitor, incident, 1);
  return incident;
};

/** A monitor whose service says something else than before. @returns the id of the change */
const openChange = async (id: string) => {
  const monitor = (await edge.stores.monitors.get(id))!;
  const { protocol, host, port } = monitor;
  const since = new Date().toISOString();
  const change = { key: "software", value: "new", from: ["old"], since, locations: ["local"], isTold: true };
  const changes = { [`${id}.0a1b2c3d4e5f`]: change };
  const known = { target: { protocol, host, port }, learned: ["local"], values: { software: ["old"] }, further: 0 };
  await edge.decide(monitor, { baseline: { ...known, changes, advisory: null } });
  return `${id}.0a1b2c3d4e5f`;
};

/** A monitor whose device was polled. @returns its id */
const polled = async () => {
  const body = {
    name: "Switch",
    protocol: "interfaces",
    host: "93.184.216.34",
    locations: ["eu-west-1"],
    settings: { community: "harbor" },
  };
  const { id, locations } = (await edge.call("POST", "/v1/monitors", { body })).body;
  const device = { id, location: locations[0], target: targetOf({ host: body.host, port: 161 }) };
  const interfaces = [interfaceReading({ name: "eth0" })];
  await edge.stores.counters.putPoll(device, {
    atMs: Date.now() - 1_000,
    upHundredths: 1,
    interfaces,
    memory: new Map(),
  });
  return id;
};

/** A sweep that ended. @returns its tick */
const putSweep = async (id: string, tick: number) => {
  const at = new Date(tick * 1000).toISOString();
  await createSweepStore(edge.client, edge.tables.history).putSweep(
    { id, location: "eu-west-1" },
    {
      tick,
      startedAt: at,
      endedAt: at,
      settingsVersion: 1,
      state: "open",
      reason: null,
      message: "1 port is open on example.com: 443 (https)",
      hosts: { "203.0.113.5": { open: "443", services: { 443: "https" } } },
      addressCount: 1,
      openCount: 1,
      closedCount: 999,
      filteredCount: 0,
      unmeasuredCount: 0,
      answersEverywhere: [],
    },
  );
  return tick;
};

let count = 0;
const logIn = async () => (await edge.call("POST", "/v1/sessions", { body: { token: edge.admin }, token: null })).body;

/** By the path before it, or by the whole path: makes what path parameters name. */
const ITEMS: Readonly<Record<string, () => Promise<string>>> = {
  "/v1/monitors/": createMonitor,
  "/v1/badges/": async () => `${await createMonitor()}.svg`,
  "/v1/subscriptions/": async () => "alerts-0d4e6f3a",
  "/v1/policies/": async () =>
    (
      await edge.call("POST", "/v1/policies", {
        body: { name: `Policy ${count++}`, steps: [{ afterSeconds: 0, channels: ["sns"] }] },
      })
    ).body.id,
  "/v1/channels/": async () => {
    const body = { name: `Channel ${count++}`, kind: "webhook", settings: { url: "http://127.0.0.1:9/" } };
    return (await edge.call("POST", "/v1/channels", { body })).body.id;
  },
  "/v1/maintenance-windows/": async () => {
    const body = { name: "Window", all: true, schedule: { kind: "once", durationSeconds: 3600 } };
    return (await edge.call("POST", "/v1/maintenance-windows", { body })).body.id;
  },
  "/v1/incidents/": async () => (await openIncident()).id,
  "/v1/incidents/{id}/notes/{noteId}": async () => {
    const { id } = await openIncident();
    const { body } = await edge.call("POST", `/v1/incidents/${id}/notes`, { body: { text: "Example" } });
    return `${id}/notes/${body.id}`;
  },
  "/v1/monitors/{id}/interfaces/{interfaceId}/traffic": async () => `${await polled()}/interfaces/eth0`,
  "/v1/monitors/{id}/interfaces/{interfaceId}/forecast": async () => `${await polled()}/interfaces/eth0`,
  "/v1/monitors/{id}/sweeps/{tick}": async () => {
    const id = await createMonitor();
    return `${id}/sweeps/${await putSweep(id, 1_795_809_600)}`;
  },
  "/v1/monitors/{id}/sweeps/{tick}/diff/{other}": async () => {
    const id = await createMonitor();
    return `${id}/sweeps/${await putSweep(id, 1_795_809_600)}/diff/${await putSweep(id, 1_795_813_200)}`;
  },
  "/v1/changes/": async () => openChange(await createMonitor()),
  "/v1/status-pages/": async () =>
    (await edge.call("POST", "/v1/status-pages", { body: { title: "Page", slug: `page-${count++}` } })).body.id,
  "/v1/status-pages/{id}/notices/{noticeId}": async () => {
    const { body } = await edge.call("POST", "/v1/status-pages", { body: { title: "Page", slug: `page-${count++}` } });
    const path = `/v1/status-pages/${body.id}/notices`;
    return `${body.id}/notices/${(await edge.call("POST", path, { body: { title: "Example" } })).body.id}`;
  },
  "/v1/status-pages/{id}/subscribers/{subscriberId}": async () => {
    const { body } = await edge.call("POST", "/v1/status-pages", { body: { title: "Page", slug: `page-${count++}` } });
    const one = { id: "s", address: "ann@example.com", confirmedAt: null, createdAt: "2026-11-27T00:00:00.000Z" };
    await createStatusPageStore(edge.client, edge.tables.monitors)
      .subscribers(body.id)
      .create({ ...one, revision: 1 });
    return `${body.id}/subscribers/s`;
  },
  "/v1/sessions/": async () => (await logIn()).id,
  "/v1/tokens/": async () =>
    (await edge.call("POST", "/v1/tokens", { body: { name: "example", scopes: ["read"] } })).body.id,
};

/** Bodies of which a part comes from an answer. */
const BODIES: Readonly<Record<string, () => unknown>> = { createSession: () => ({ token: edge.admin }) };
/** A bearer token has no session that could end, and no example of a link is signed. */
const STATUSES: Readonly<Record<string, string>> = {
  deleteOwnSession: "404",
  getAcknowledgePage: "404",
  acknowledgeByLink: "404",
};

/** Parameters whose example cannot hold: they come from an answer, or must fit what is stored. */
const FROM_ANSWERS: ReadonlySet<string> = new Set([
  "cursor",
  "since",
  "createMonitor from",
  "If-Match",
  "If-None-Match",
]);

const queryOf = (operationId: string, parameters: readonly Parameter[]) =>
  parameters
    .filter((parameter) => parameter.in === "query")
    .filter(({ name }) => !FROM_ANSWERS.has(name) && !FROM_ANSWERS.has(`${operationId} ${name}`))
    .flatMap(({ name, example }) => [example].flat().map((value) => `${name}=${encodeURIComponent(String(value))}`))
    .join("&");

test.each(operations.map((one) => [one.operation.operationId, one] as const))("%s", async (_id, one) => {
  const { method, path, operation } = one;
  const { parameters = [], requestBody, responses } = operation;
  const [before = ""] = path.split("{");
  const make = path.includes("{") ? (ITEMS[path] ?? ITEMS[before]) : async () => "";
  if (!make) throw new Error(`say how to make what ${path} names`);
  const item = await make();
  const headers = Object.fromEntries(
    parameters
      .filter((parameter) => parameter.in === "header" && !FROM_ANSWERS.has(parameter.name))
      .map(({ name, example }) => [name, String(example)]),
  );
  const [[type, { example: body }] = ["", { example: undefined }]] = Object.entries(requestBody?.content ?? {});
  const url = `${path.replace(/\{.*\}/, item)}?${queryOf(operation.operationId, parameters)}`;
  const answer = await edge.call(method, url, {
    body: BODIES[operation.operationId]?.() ?? body,
    ...(operation.security.length === 0 && { token: null }),
    headers: { ...headers, ...(type && { "Content-Type": type }) },
  });
  // The client of the tests compares the answer with the document.
  const wanted = STATUSES[operation.operationId];
  const expected = Object.keys(responses).filter((status) => (wanted ? status === wanted : status.startsWith("2")));
  expect(expected, JSON.stringify(answer.body)).toContain(String(answer.status));
});
