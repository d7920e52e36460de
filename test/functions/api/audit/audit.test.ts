import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { audited } from "../../../../functions/api/http/audit.ts";
import { routes } from "../../../../functions/api/routes.ts";
import { type Edge, startEdge } from "../edge.ts";

let edge: Edge;
beforeAll(async () => {
  edge = await startEdge();
});
afterAll(() => edge[Symbol.asyncDispose]());

const minimal = { name: "Orders", protocol: "tcp", host: "127.0.0.1", port: 5432 };
const create = async (more: Record<string, unknown> = {}) =>
  (await edge.call("POST", "/v1/monitors", { body: { ...minimal, ...more } })).body;
const log = async (query: string) => (await edge.call("GET", `/v1/audit?${query}`)).body.items;
const tokenId = () => edge.admin.split("_")[1];

describe("the audit log has", () => {
  test("every change of a monitor: who, when, what, before and after", async () => {
    const { id, createdAt, updatedBy } = await create({ tags: { team: "a" } });
    expect(updatedBy).toEqual({ id: tokenId(), name: "admin" });
    await edge.call("PATCH", `/v1/monitors/${id}`, { body: { tags: { team: "b" } } });
    await edge.call("PATCH", `/v1/monitors/${id}`, { body: { tags: { team: "b" } } });
    await edge.call("POST", `/v1/monitors/${id}/pause`);
    await edge.call("DELETE", `/v1/monitors/${id}`);
    const entries = await log(`monitor=${id}`);
    expect(entries.map(({ operation, changes }: Record<string, unknown>) => [operation, changes])).toEqual([
      ["deleteMonitor", expect.objectContaining({ name: ["Orders", null], tags: [{ team: "b" }, null] })],
      ["pauseMonitor", { paused: [false, true] }],
      ["updateMonitor", { "tags.team": ["a", "b"] }],
      ["createMonitor", expect.objectContaining({ name: [null, "Orders"], tags: [null, { team: "a" }] })],
    ]);
    const oldest = entries.at(-1);
    expect(oldest).toMatchObject({
      by: { id: tokenId(), name: "admin" },
      resource: id,
      name: "Orders",
      outcome: "done",
    });
    expect(Math.abs(Date.parse(oldest.at) - Date.parse(createdAt))).toBeLessThan(5_000);
  });

  test("no secrets", async () => {
    const { id } = await create({ protocol: "radius", port: 1812, settings: { secret: "s3cret" } });
    await edge.call("PATCH", `/v1/monitors/${id}`, { body: { settings: { secret: "0ther" } } });
    expect((await log(`monitor=${id}`))[0].changes).toEqual({ "settings.secret": ["(hidden)", "(hidden)"] });
    expect(JSON.stringify(await edge.stored("monitors", "AUDIT"))).not.toMatch(/s3cret|0ther/);
  });

  test("an entry for each monitor of a list or a bulk call, under one request", async () => {
    const monitors = Array.from({ length: 30 }, (_, n) => ({ ...minimal, key: `a${n}` }));
    const { body } = await edge.call("PUT", "/v1/monitors", { body: { monitors } });
    expect(await log("operation=applyMonitors&limit=200")).toHaveLength(30);
    const ids = body.created.map(({ id }: { id: string }) => id);
    await edge.call("POST", "/v1/monitors/bulk", { body: { ids, action: "pause" } });
    await edge.call("POST", "/v1/monitors/bulk", { body: { ids, action: "pause" } });
    const paused = await log("operation=changeMonitors&limit=200");
    expect(paused.map(({ resource }: { resource: string }) => resource).toSorted()).toEqual(ids.toSorted());
    expect(await log(`monitor=${ids[7]}`)).toMatchObject([
      { operation: "changeMonitors" },
      { operation: "applyMonitors" },
    ]);
  });

  test("changes of policies and maintenance windows", async () => {
    const steps = [{ afterSeconds: 60, channels: ["sns"] }];
    const policy = (await edge.call("POST", "/v1/policies", { body: { name: "Night", steps } })).body;
    await edge.call("PATCH", `/v1/policies/${policy.id}`, { body: { name: "Day" } });
    const body = { name: "Move", all: true, schedule: { kind: "once", durationSeconds: 7200 } };
    const window = (await edge.call("POST", "/v1/maintenance-windows", { body })).body;
    await edge.call("DELETE", `/v1/maintenance-windows/${window.id}`);
    expect(await log(`monitor=${policy.id}`)).toMatchObject([
      { operation: "updatePolicy", name: "Day", changes: { name: ["Night", "Day"] } },
      { operation: "createPolicy", name: "Night", changes: { name: [null, "Night"] } },
    ]);
    expect(await log(`monitor=${window.id}`)).toMatchObject([
      { operation: "deleteMaintenanceWindow", changes: { name: ["Move", null] } },
      { operation: "createMaintenanceWindow", changes: { name: [null, "Move"] } },
    ]);
  });

  test("changes of channels, without their secrets", async () => {
    const body = { name: "Ops", kind: "slack", settings: { url: "https://hooks.slack.com/services/T1/B2/s3cret" } };
    const { id } = (await edge.call("POST", "/v1/channels", { body })).body;
    const url = "https://hooks.slack.com/services/T1/B2/0ther";
    for (const change of [{ settings: { url } }, { settings: { url } }, { name: "Night" }])
      await edge.call("PATCH", `/v1/channels/${id}`, { body: change });
    await edge.call("DELETE", `/v1/channels/${id}`);
    const entries = await log(`monitor=${id}`);
    expect(entries).toMatchObject([
      { operation: "deleteChannel", name: "Night", changes: { name: ["Night", null], kind: ["slack", null] } },
      { operation: "updateChannel", changes: { name: ["Ops", "Night"] } },
      { operation: "updateChannel", changes: { "settings.url": ["(hidden)", "(hidden)"] } },
      { operation: "createChannel", changes: { name: [null, "Ops"], settings: [null, { url: "(hidden)" }] } },
    ]);
    expect(JSON.stringify(await edge.stored("monitors", "AUDIT"))).not.toMatch(/s3cret|0ther/);
  });

  test("what a new token may do, and until when", async () => {
    const body = { name: "CI", scopes: ["deploy"], monitorTags: ["team=a"], expiresAt: "2099-01-01T00:00:00.000Z" };
    const { id } = (await edge.call("POST", "/v1/tokens", { body })).body;
    await edge.call("PATCH", `/v1/tokens/${id}`, { body: { name: "CI" } });
    expect(await log(`monitor=${id}`)).toMatchObject([
      {
        operation: "createToken",
        changes: {
          name: [null, "CI"],
          scopes: [null, ["deploy"]],
          monitorTags: [null, ["team=a"]],
          expiresAt: [null, body.expiresAt],
        },
      },
    ]);
  });

  test("who logged in, whose session was ended, and whose secret was changed", async () => {
    const body = { name: "Console", scopes: ["read"] };
    const token = (await edge.call("POST", "/v1/tokens", { body })).body;
    const login = { token: null, body: { token: token.token } };
    const session = (await edge.call("POST", "/v1/sessions", login)).body;
    expect(await log(`monitor=${session.id}`)).toMatchObject([
      { operation: "createSession", by: { id: token.id, name: "Console" }, name: "Console", outcome: "done" },
    ]);
    await edge.call("DELETE", `/v1/sessions/${session.id}`);
    const rotated = await edge.call("POST", `/v1/tokens/${token.id}/rotate`, { body: { overlapSeconds: 60 } });
    expect(await log(`monitor=${session.id}`)).toMatchObject([
      { operation: "deleteSession", by: { id: tokenId() }, changes: { ended: [false, true] } },
      { operation: "createSession" },
    ]);
    const entries = await log(`monitor=${token.id}`);
    expect(entries[0]).toMatchObject({
      operation: "rotateToken",
      changes: { previousSecretExpiresAt: [null, rotated.body.previousSecretExpiresAt] },
    });
    expect(JSON.stringify(await edge.stored("monitors", "AUDIT"))).not.toContain(rotated.body.token.split("_")[2]);
  });

  test("nothing of calls that were refused or changed nothing", async () => {
    const { id } = await create();
    const before = await log("limit=200");
    await edge.call("PATCH", `/v1/monitors/${id}`, { body: { port: 0 } });
    await edge.call("PATCH", `/v1/monitors/${id}`, { body: {} });
    await edge.call("PUT", "/v1/monitors?dryRun=true", { body: { monitors: [{ ...minimal, key: "dry" }] } });
    await edge.call("POST", "/v1/monitors/bulk", { body: { ids: [id], action: "delete", dryRun: true } });
    await edge.call("POST", "/v1/checks", { body: minimal });
    const schedule = { kind: "once", durationSeconds: 3_600 };
    const window = { name: "Not yet", monitorIds: [id], schedule };
    expect((await edge.call("POST", "/v1/maintenance-windows?dryRun=true", { body: window })).status).toBe(200);
    await edge.call("DELETE", "/v1/monitors/nobody");
    expect(await log("limit=200")).toEqual(before);
  });

  test("what was begun, if the process died before it could say more", async () => {
    const { id } = await create();
    const { audit } = edge.stores;
    const deps = {
      audit,
      now: () => new Date(),
      newId: () => "died",
      logger: console,
      metrics: { addMetric: () => {} },
    };
    const begun = { requestId: "r", by: { id: "t", name: "T" }, operation: "updateMonitor", resource: id };
    const dies = audited(deps as never, begun, () => Promise.reject(new Error("the process ended")));
    await expect(dies).rejects.toThrow("the process ended");
    expect(await log(`monitor=${id}&token=t`)).toMatchObject([{ ...begun, outcome: "begun", changes: {} }]);
  });
});

test("is listed in pages, over months, by token and time, for admins only", async () => {
  const { audit } = edge.stores;
  const at = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString();
  const by = { id: "pager", name: "Pager" };
  for (let n = 0; n < 12; n++)
    await audit.put({
      id: `p${n}`,
      at: at(n * 30),
      requestId: "r",
      by,
      operation: "x",
      resource: null,
      name: null,
      outcome: "done",
      changes: {},
    });
  const seen: string[] = [];
  for (let cursor = ""; ; ) {
    const { body } = await edge.call("GET", `/v1/audit?token=pager&limit=5${cursor && `&cursor=${cursor}`}`);
    seen.push(...body.items.map(({ id }: { id: string }) => id));
    if (!body.nextCursor) break;
    cursor = body.nextCursor;
  }
  expect(seen).toEqual(Array.from({ length: 12 }, (_, n) => `p${n}`));
  expect(await log(`token=pager&from=${at(100)}&to=${at(50)}`)).toMatchObject([{ id: "p2" }, { id: "p3" }]);
  const refused = await edge.call("GET", "/v1/audit", { token: await edge.tokenWith("write") });
  expect(refused.status).toBe(403);
});

/** Calls that change nothing for others, and so need no entry. */
const UNAUDITED = new Set(routes.filter(({ scope }) => scope === null).map(({ operationId }) => operationId));

test.each(routes.filter(({ method, operationId }) => method !== "GET" && !UNAUDITED.has(operationId)))(
  "$operationId is in the log before it does anything",
  async ({ method, path, operationId, scope, body: schema, contentTypes }) => {
    const deps = edge.stores.audit;
    const entries: string[] = [];
    const put = deps.put;
    deps.put = async (entry) => {
      entries.push(`${entry.operation} ${entry.outcome}`);
      throw new Error("stopped before the call");
    };
    try {
      const url = path.replace(/\{[^}]+\}/g, "alerts-x");
      const headers: Record<string, string> = contentTypes?.[0] ? { "Content-Type": contentTypes[0] } : {};
      const answer = await edge.call(method, url, { ...(schema && { body: bodyOf(operationId) }), headers });
      expect([scope === null, answer.status, entries]).toEqual([false, 500, [`${operationId} begun`]]);
    } finally {
      deps.put = put;
    }
  },
);

/** A body that the schema of the call takes. */
function bodyOf(operationId: string): unknown {
  const bodies: Record<string, unknown> = {
    changeMonitors: { ids: ["x"], action: "pause" },
    applyMonitors: { monitors: [] },
    applyBaseline: { values: {} },
    createSubscription: { kind: "email", endpoint: "a@example.com" },
    createPolicy: { name: "x", steps: [{ afterSeconds: 60, channels: ["sns"] }] },
    createMaintenanceWindow: { name: "x", all: true, schedule: { kind: "once", durationSeconds: 7200 } },
    extendMaintenanceWindow: { seconds: 60 },
    updateSubscription: { filter: null },
    updateToken: { name: "x" },
    createToken: { name: "x", scopes: ["read"] },
    createIncidentNote: { text: "x" },
    createStatusPage: { slug: "x", title: "x", groups: [] },
    createStatusPagePreview: { slug: "x", title: "x", groups: [] },
    createStatusPageNotice: { title: "x", text: "x" },
  };
  return bodies[operationId] ?? {};
}
