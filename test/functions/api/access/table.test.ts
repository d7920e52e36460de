/**
 * Who may make which call, and what a token limited to tags sees of it: one row for each route. A route without a row
 * fails the first test, so that nobody forgets to decide.
 */
import { PutCommand } from "@aws-sdk/lib-dynamodb";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { issueToken } from "../../../../functions/api/http/auth.ts";
import type { Route } from "../../../../functions/api/http/route.ts";
import { routes } from "../../../../functions/api/routes.ts";
import { PUBLIC_ROUTES } from "../../../../infra/public-api.ts";
import { incidentKey, monitorKey } from "../../../../shared/store/keys.ts";
import { incidentPlace } from "../../../../shared/store/listing.ts";
import { SCOPES, type Scope } from "../../../../shared/tokens.ts";
import { runShard } from "../../../support/fleet.ts";
import { type Edge, startEdge } from "../edge.ts";
import { REFUSED } from "./refused.ts";

/**
 * What a token limited to one monitor's tag gets of another monitor:
 * - `missing`: 404 for the other's id, and an answer for its own
 * - `filtered`: an answer that names its own and not the other
 * - `refused`: no change of the other, and no monitor or receiver without the tag
 * - `nothing`: there are no monitors in the answer
 * - `admin`: no limited token has the scope
 */
type Limited = "missing" | "filtered" | "refused" | "nothing" | "admin";

/** By operation: the scope that it needs (null: no token), and what a limited token gets. */
const ROWS: Readonly<Record<string, readonly [Scope | null, Limited]>> = {
  createMonitor: ["deploy", "refused"],
  listMonitors: ["read", "filtered"],
  exportMonitors: ["read", "filtered"],
  applyMonitors: ["deploy", "refused"],
  // See limited.test.ts beside this file: the others are missing.
  changeMonitors: ["deploy", "nothing"],
  getMonitor: ["read", "missing"],
  updateMonitor: ["deploy", "missing"],
  deleteMonitor: ["deploy", "missing"],
  pauseMonitor: ["deploy", "missing"],
  resumeMonitor: ["deploy", "missing"],
  checkMonitor: ["deploy", "missing"],
  testSettings: ["deploy", "nothing"],
  createPolicy: ["write", "refused"],
  listPolicies: ["read", "nothing"],
  getPolicy: ["read", "nothing"],
  updatePolicy: ["write", "nothing"],
  deletePolicy: ["write", "nothing"],
  listMonitorReceivers: ["write", "missing"],
  createMaintenanceWindow: ["write", "refused"],
  listMaintenanceWindows: ["read", "nothing"],
  getMaintenanceWindow: ["read", "nothing"],
  updateMaintenanceWindow: ["write", "nothing"],
  deleteMaintenanceWindow: ["write", "nothing"],
  endMaintenanceWindow: ["write", "nothing"],
  extendMaintenanceWindow: ["write", "nothing"],
  // Another team's incident is as its monitor: see the test below.
  getIncident: ["read", "nothing"],
  acknowledgeIncident: ["write", "nothing"],
  listHeldMonitors: ["read", "nothing"],
  listChanges: ["read", "nothing"], // of its own monitors: see the test of changes
  listMonitorChanges: ["read", "missing"],
  acceptChange: ["write", "nothing"],
  acceptMonitorChanges: ["write", "nothing"], // likewise
  getBaseline: ["read", "missing"],
  applyBaseline: ["write", "nothing"], // see the test of changes
  deleteBaseline: ["write", "missing"],
  listSweeps: ["read", "missing"],
  listInterfaces: ["read", "missing"],
  getTraffic: ["read", "nothing"], // see the test of interfaces
  getForecast: ["read", "nothing"], // likewise
  getSweep: ["read", "nothing"], // see the test of sweeps
  getSweepDiff: ["read", "nothing"], // likewise
  getAcknowledgePage: [null, "nothing"],
  acknowledgeByLink: [null, "nothing"],
  createIncidentNote: ["write", "nothing"],
  updateIncidentNote: ["write", "nothing"],
  deleteIncidentNote: ["write", "nothing"],
  listIncidentEvents: ["read", "nothing"],
  listIncidents: ["read", "filtered"],
  listMonitorIncidents: ["read", "missing"],
  listResults: ["read", "missing"],
  getStats: ["read", "missing"],
  getTimeline: ["read", "missing"],
  listLocations: ["read", "nothing"],
  // See limited.test.ts: those of its own.
  listTags: ["read", "nothing"],
  getUptime: ["read", "filtered"],
  getOverview: ["read", "filtered"],
  getBadge: [null, "nothing"],
  getMetrics: ["metrics", "filtered"],
  // What a limited token may not do with status pages: see their own test.
  createStatusPage: ["write", "nothing"],
  listStatusPages: ["read", "nothing"],
  getStatusPage: ["read", "nothing"],
  updateStatusPage: ["write", "nothing"],
  deleteStatusPage: ["write", "nothing"],
  createStatusPageLink: ["read", "nothing"],
  createStatusPagePreview: ["write", "nothing"],
  createStatusPageNotice: ["write", "nothing"],
  listStatusPageNotices: ["read", "nothing"],
  updateStatusPageNotice: ["write", "nothing"],
  deleteStatusPageNotice: ["write", "nothing"],
  listStatusPageSubscribers: ["write", "nothing"],
  deleteStatusPageSubscriber: ["write", "nothing"],
  createSubscription: ["write", "refused"],
  listSubscriptions: ["read", "filtered"],
  updateSubscription: ["write", "missing"],
  testSubscription: ["write", "nothing"], // limited: refused, because it sees not whom else the test would reach
  deleteSubscription: ["write", "missing"],
  listAuditEntries: ["admin", "admin"],
  // What a limited token may not do with channels: see their own test.
  createChannel: ["write", "nothing"],
  listChannels: ["read", "nothing"],
  getChannel: ["read", "nothing"],
  updateChannel: ["write", "nothing"],
  deleteChannel: ["write", "nothing"],
  testChannel: ["write", "nothing"],
  listDeliveries: ["read", "nothing"], // of its own monitors: see the test of deliveries
  listChannelKinds: ["read", "nothing"],
  createToken: ["admin", "admin"],
  listTokens: ["admin", "admin"],
  getOwnToken: ["metrics", "nothing"],
  updateToken: ["admin", "admin"],
  rotateToken: ["admin", "admin"],
  deleteToken: ["admin", "admin"],
  createSession: [null, "nothing"],
  listSessions: ["admin", "admin"],
  deleteSession: ["admin", "admin"],
  getOwnSession: ["metrics", "nothing"],
  deleteOwnSession: ["metrics", "nothing"],
  listProtocols: ["read", "nothing"],
  getOpenApi: [null, "nothing"],
  getHealth: [null, "nothing"],
  getVersionRoot: [null, "nothing"],
};

const rowOf = ({ operationId }: Route) => ROWS[operationId] ?? expect.fail(`${operationId} has no row`);
const ofKind = (kind: Limited) => routes.filter((route) => ROWS[route.operationId]?.[1] === kind);
const named = (some: readonly Route[]) => some.map((route) => [`${route.method} ${route.path}`, route] as const);

test("every route has a row, and every row a route", () => {
  expect(Object.keys(ROWS).toSorted()).toEqual(routes.map(({ operationId }) => operationId).toSorted());
});

test("every route without a token has a throttle of its own at the gateway", () => {
  const throttled = PUBLIC_ROUTES.map(({ path }) => path);
  const open = new Set(routes.filter((route) => rowOf(route)[0] === null).map(({ path }) => path));
  expect(throttled.toSorted()).toEqual([...open].toSorted());
});

const HOST = "127.0.0.1:4000";
let edge: Edge;
beforeAll(async () => {
  edge = await startEdge();
});
afterAll(() => edge[Symbol.asyncDispose]());

const logIn = async (token: string) => {
  const { body, cookies } = await edge.call("POST", "/v1/sessions", {
    token: null,
    headers: { host: HOST },
    body: { token },
  });
  return { cookie: cookies[0]!.split(";")[0]!, secret: body.headerSecret as string };
};

type Options = NonNullable<Parameters<Edge["call"]>[2]>;
/** What a caller sends to show who it is. */
type Credential = () => Promise<Options>;

const withScope =
  (scope: Scope): Credential =>
  async () => ({ token: await edge.tokenWith(scope) });
const bySession =
  (headers: Record<string, string>, hasSecret = true): Credential =>
  async () => {
    const { cookie, secret } = await logIn(edge.admin);
    return {
      token: null,
      cookies: ["theme=dark", cookie],
      headers: { host: HOST, ...(hasSecret && { "harborlight-session": secret }), ...headers },
    };
  };
const revoked: Credential = async () => {
  const token = await edge.tokenWith("admin");
  await edge.stores.tokens.revoke(token.split("_")[1]!, new Date());
  return { token };
};
const expired: Credential = async () => {
  const input = { name: "old", scopes: ["admin"] as const, expiresAt: "2026-01-02T00:00:00.000Z" };
  return { token: (await issueToken(edge.stores.tokens, input, new Date("2026-01-01"))).text };
};

const allows = (scope: Scope, needed: Scope) => SCOPES.indexOf(scope) >= SCOPES.indexOf(needed);
const byScope = (scope: Scope) => (_route: Route, needed: Scope) =>
  allows(scope, needed) ? "allowed" : "missing-scope";
const always = (answer: string) => () => answer;
const onlyReads = ({ method }: Route) => (method === "GET" ? "allowed" : "cross-site-request");

const CREDENTIALS: readonly (readonly [string, Credential, (route: Route, needed: Scope) => string])[] = [
  ["no token", async () => ({ token: null }), always("unauthenticated")],
  ["a revoked token", revoked, always("unauthenticated")],
  ["an expired token", expired, always("unauthenticated")],
  ...SCOPES.map((scope) => [`a token with ${scope}`, withScope(scope), byScope(scope)] as const),
  ["a session from its own page", bySession({ "sec-fetch-site": "same-origin" }), always("allowed")],
  ["a session without Sec-Fetch-Site and Origin", bySession({}), onlyReads],
  ["a session with Origin alone", bySession({ origin: `http://${HOST}` }), always("allowed")],
  ["a session from another port", bySession({ "sec-fetch-site": "same-site", origin: `http://${HOST}` }), onlyReads],
  ["a session with another Origin", bySession({ origin: "http://127.0.0.1:4001" }), onlyReads],
  [
    "a session's cookie without the secret in the header",
    bySession({ "sec-fetch-site": "same-origin" }, false),
    always("unauthenticated"),
  ],
];

/** A call of the route about nothing that exists, which changes nothing. */
const harmless = ({ path, body }: Route) => ({
  path: path.replace(/\{[^}]+\}/g, "nothing0"),
  ...(body && { body: {} }),
});

describe.each(CREDENTIALS)("%s", (_name, credential, expected) => {
  let known: Promise<Options> | undefined;
  test.each(named(routes))("%s", async (_route, route) => {
    const [needed] = rowOf(route);
    const { path, body } = harmless(route);
    // Logging out ends the session that the other calls use.
    known ??= credential();
    const options = await (route.operationId === "deleteOwnSession" ? credential() : known);
    const answer = await edge.call(route.method, path, { ...options, ...(body && { body }) });
    const isRefused = answer.status === 401 || answer.status === 403;
    expect(answer.status).not.toBe(500);
    expect(isRefused ? answer.body.code : "allowed").toBe(needed === null ? "allowed" : expected(route, needed));
  });
});

describe("a token that is limited to tags", () => {
  const own = { id: "", name: "Own orders", key: "orders" };
  const other = { id: "", name: "Other payments", key: "payments" };
  const TOPIC = "arn:aws:sns:us-east-1:000000000000:alerts";
  let limited = "";
  const create = async ({ name, key }: typeof own) => {
    const body = { name, protocol: "tcp", host: "127.0.0.1", port: 1, tags: { team: key }, key };
    return (await edge.call("POST", "/v1/monitors", { body })).body.id as string;
  };

  beforeAll(async () => {
    own.id = await create(own);
    other.id = await create(other);
    limited = await edge.limitedToken("write", "team=orders");
    const now = Math.floor(Date.now() / 1000);
    for (const { id, name } of [own, other]) {
      const startedAt = new Date((now - 600) * 1000).toISOString();
      const incident = { id: `${id}.1`, startedAt, endedAt: startedAt, severity: "down", endReason: "recovered" };
      const about = { monitorId: id, monitorName: name, protocol: "tcp", host: "127.0.0.1", port: 1 };
      const seen = { reason: "timeout", message: "", evidence: {}, locations: {}, alertCount: 0 };
      await edge.client.send(
        new PutCommand({
          TableName: edge.tables.monitors,
          Item: { ...incidentKey(id, startedAt), ...incident, ...about, ...seen, ...incidentPlace(id, startedAt) },
        }),
      );
    }
    const { shard } = (await edge.stores.monitors.get(own.id))!;
    const observe = () => ({ state: "open", health: "up", reason: null, latencyMs: 1, lossPercent: null }) as const;
    await runShard(
      { ...edge, history: edge.stores.history },
      {
        shard,
        locations: ["local"],
        from: now - 300,
        to: now,
        members: new Map([own.id, other.id].map((id) => [id, observe])),
      },
      new Map(),
    );
    edge.outside.sns = (action, parameters) => {
      const filters: Record<string, string> = { own: '{"tags":["team=orders"]}', other: '{"tags":["team=payments"]}' };
      if (action === "ListSubscriptionsByTopic")
        return parameters.get("TopicArn") === TOPIC
          ? `<Subscriptions>${Object.keys(filters)
              .map(
                (name) =>
                  `<member><SubscriptionArn>${TOPIC}:${name}</SubscriptionArn><Protocol>sqs</Protocol><Endpoint>${name === "own" ? own.name : other.name}</Endpoint></member>`,
              )
              .join("")}</Subscriptions>`
          : "<Subscriptions/>";
      if (action === "GetSubscriptionAttributes") {
        const name = parameters.get("SubscriptionArn")!.slice(TOPIC.length + 1);
        return `<Attributes><entry><key>Protocol</key><value>sqs</value></entry><entry><key>FilterPolicy</key><value>${filters[name]}</value></entry></Attributes>`;
      }
      return `<SubscriptionArn>${TOPIC}:new</SubscriptionArn>`;
    };
  });

  const settingsOf = (id: string) => edge.stored("monitors", monitorKey(id).pk);
  /** A valid call of a route about one thing. */
  const about = (route: Route, id: string) =>
    edge.call(route.method, route.path.replace(/\{[^}]+\}/, id), {
      token: limited,
      ...(route.method === "PATCH" && {
        body: route.path.startsWith("/v1/subscriptions") ? { filter: { tags: ["team=orders"] } } : { name: "Changed" },
      }),
    });

  const missing = ofKind("missing").toSorted((a, b) => Number(a.method === "DELETE") - Number(b.method === "DELETE")); // deletes last
  test.each(named(missing))("does not find another team's thing: %s", async (_name, route) => {
    const [mine, theirs] = route.path.startsWith("/v1/subscriptions")
      ? ["alerts-own", "alerts-other"]
      : [own.id, other.id];
    const before = await settingsOf(other.id);
    const answer = await about(route, theirs);
    expect([answer.status, answer.body.code]).toEqual([404, "not-found"]);
    expect(await settingsOf(other.id)).toEqual(before);
    if (route.operationId !== "deleteMonitor") expect((await about(route, mine)).status).toBeLessThan(300);
  });

  test.each(named(ofKind("filtered")))("sees its own alone: %s", async (_name, route) => {
    const query = route.operationId === "getUptime" ? "?tag=team" : "";
    const textOf = async (token: string) => {
      const { status, body } = await edge.call(route.method, `${route.path}${query}`, { token });
      expect(status).toBe(200);
      return JSON.stringify(body);
    };
    const namesOf = (text: string) =>
      [own, other]
        .filter(({ id, name, key }) => [id, name, `"key":"${key}"`].some((one) => text.includes(one)))
        .map(({ id }) => id);
    expect(namesOf(await textOf(edge.admin))).toEqual([own.id, other.id]);
    expect(namesOf(await textOf(limited))).toEqual([own.id]);
  });

  describe("changes nothing beyond its tags:", () => {
    test("these are all such calls", () => {
      expect(Object.keys(REFUSED).toSorted()).toEqual(
        ofKind("refused")
          .map(({ operationId }) => operationId)
          .toSorted(),
      );
    });

    test.each(
      ofKind("refused").flatMap((route) =>
        REFUSED[route.operationId]!.map(([body, path]) => [route.operationId, body, path, route] as const),
      ),
    )("%s %j", async (_name, body, path, route) => {
      const before = await edge.stored("monitors", "MONITOR#");
      edge.calls.sns.length = 0;
      const answer = await edge.call(route.method, route.path, { token: limited, body });
      expect([answer.status, answer.body.errors?.[0].path]).toEqual([422, path]);
      expect(await edge.stored("monitors", "MONITOR#")).toEqual(before);
      expect(edge.calls.sns).toEqual([]);
    });
  });

  test("may create, apply and subscribe with its tag", async () => {
    const tags = { team: "orders", stage: "test" };
    const body = { name: "More orders", protocol: "tcp", host: "127.0.0.1", port: 1, tags };
    const created = await edge.call("POST", "/v1/monitors", { token: limited, body });
    expect(created.status).toBe(201);
    const list = { monitors: [{ ...body, key: "orders" }] };
    // With `prune` it deletes none of the others', because it does not see them.
    const applied = await edge.call("PUT", "/v1/monitors?prune=true", { token: limited, body: list });
    expect(applied.body).toMatchObject({ updated: [{ key: "orders" }], deleted: [] });
    const filter = { tags: ["team=orders"] };
    const subscription = { kind: "sqs", endpoint: "arn:aws:sqs:us-east-1:000000000000:mine", filter };
    expect((await edge.call("POST", "/v1/subscriptions", { token: limited, body: subscription })).status).toBe(201);
  });

  test("cannot acknowledge another team's incident, nor touch another's window", async () => {
    const foreign = `${other.id}.1`;
    const acknowledged = await edge.call("POST", `/v1/incidents/${foreign}/acknowledge`, { token: limited, body: {} });
    expect(acknowledged.status).toBe(404);
    for (const path of ["", "/timeline"])
      expect((await edge.call("GET", `/v1/incidents/${foreign}${path}`, { token: limited })).status).toBe(404);
    const window = { name: "x", monitorIds: [other.id], schedule: { kind: "once", durationSeconds: 60 } };
    const refused = await edge.call("POST", "/v1/maintenance-windows", { token: limited, body: window });
    expect([refused.status, refused.body.errors[0].path]).toEqual([422, "monitorIds[0]"]);
    const { headers } = await edge.call("POST", "/v1/maintenance-windows", { body: window });
    for (const [method, path] of [
      ["GET", ""],
      ["DELETE", ""],
      ["POST", "/end"],
    ] as const)
      expect((await edge.call(method, `${headers.location}${path}`, { token: limited })).status).toBe(404);
  });

  test("may neither give a monitor away nor take another's key", async () => {
    const { body } = await edge.call("PATCH", `/v1/monitors/${own.id}`, { token: limited, body: { tags: null } });
    expect(body.errors[0]).toEqual({
      path: "tags",
      message: "must include team=orders: the token is limited to monitors with this tag",
    });
    const taken = { name: "x", protocol: "tcp", host: "127.0.0.1", port: 1, tags: { team: "orders" }, key: "payments" };
    const answer = await edge.call("POST", "/v1/monitors", { token: limited, body: taken });
    expect([answer.status, answer.body.code]).toEqual([409, "already-exists"]);
  });
});
