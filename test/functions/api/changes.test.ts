/** Routes of changes: they are listed, accepted once, and seen by those who see the monitor. */
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { Facts } from "../../../shared/model.ts";
import { decide } from "../../../shared/rules/decide.ts";
import { observe } from "../../../shared/rules/facts.ts";
import { createChangeStore } from "../../../shared/store/changes.ts";
import { createViewStore } from "../../../shared/store/views.ts";
import { viewOf } from "../../support/monitors.ts";
import { startEdge } from "./edge.ts";

const OLD: Facts = { "ssh.hostKey.ssh-ed25519": "SHA256:old", "ssh.software": "OpenSSH_9.2p1" };
const NEW: Facts = { ...OLD, "ssh.hostKey.ssh-ed25519": "SHA256:new", "ssh.software": "dropbear_2022" };

let edge: Awaited<ReturnType<typeof startEdge>>;
beforeAll(async () => {
  edge = await startEdge();
});
afterAll(() => edge.stop());

/** As state-change does: decides, stores the decision, and writes the changes' own items. */
const decideNow = async (monitorId: string) => {
  const monitor = (await edge.stores.monitors.get(monitorId))!;
  const context = { conditions: { local: "working" as const }, url: () => null, channels: ["sns"] };
  const verdict = decide(monitor, context, new Date());
  if (verdict.kind !== "store") return;
  const changes = createChangeStore(edge.client, edge.tables.monitors);
  for (const { content, sequence } of Object.values(verdict.decision.pendingAlerts))
    if (content.kind === "change") await changes.project(monitor, content.change, sequence);
  expect(await edge.decide(monitor, { ...verdict.decision, pendingAlerts: {} })).toBe(true);
};

/** Three checks find these facts. */
const hear = async (monitorId: string, facts: Facts) => {
  const monitor = (await edge.stores.monitors.get(monitorId))!;
  const tick = Math.max(Math.floor(Date.now() / 1000), (monitor.views.local?.tick ?? 0) + 1);
  let known = monitor.views.local?.facts ?? null;
  for (let check = 0; check < 3; check++) known = observe(known, facts, tick);
  const view = { ...viewOf("up", tick), facts: known };
  const views = createViewStore(edge.client, edge.tables.monitors);
  expect(await views.save(monitorId, monitor.settingsVersion, "local", view, Date.now())).toBe(true);
  await decideNow(monitorId);
};

let id: string;
beforeEach(async () => {
  const body = { name: "Bastion", protocol: "ssh", host: "127.0.0.1", port: 22, tags: { team: "a" } };
  id = (await edge.call("POST", "/v1/monitors", { body })).body.id;
  await hear(id, OLD);
  await hear(id, NEW);
});

test("open changes are listed, of all monitors and of one", async () => {
  const { body } = await edge.call("GET", `/v1/monitors/${id}/changes`);
  expect(body.items).toHaveLength(2);
  expect(body.items.find(({ key }: { key: string }) => key.startsWith("ssh.hostKey"))).toMatchObject({
    monitorId: id,
    monitorName: "Bastion",
    from: ["SHA256:old"],
    to: "SHA256:new",
    state: "open",
    endedAt: null,
    locations: ["local"],
    accepted: null,
  });
  const all = await edge.call("GET", "/v1/changes?limit=1");
  expect(all.body.items).toHaveLength(1);
  const next = await edge.call("GET", `/v1/changes?limit=50&cursor=${all.body.nextCursor}`);
  const ids = [...all.body.items, ...next.body.items].map((one: { id: string }) => one.id);
  expect(ids).toEqual(expect.arrayContaining(body.items.map((one: { id: string }) => one.id)));
  expect((await edge.call("GET", `/v1/monitors/${id}`)).body.views.local.facts).toMatchObject({
    "ssh.hostKey.ssh-ed25519": ["SHA256:new"],
  });
});

test("one is accepted with a note, once; it is expected then", async () => {
  const { body } = await edge.call("GET", `/v1/monitors/${id}/changes`);
  const change = body.items.find(({ key }: { key: string }) => key.startsWith("ssh.hostKey"));
  const accept = () => edge.call("POST", `/v1/changes/${change.id}/accept`, { body: { note: "new machine" } });
  const first = await accept();
  expect([first.status, first.body]).toMatchObject([
    200,
    { id: change.id, state: "accepted", accepted: { note: "new machine" } },
  ]);
  expect((await accept()).body.accepted).toEqual(first.body.accepted);
  await decideNow(id);
  expect((await accept()).body).toMatchObject({ state: "accepted", accepted: first.body.accepted });
  const baseline = await edge.call("GET", `/v1/monitors/${id}/baseline`);
  expect(baseline.body).toMatchObject({
    learned: ["local"],
    values: { "ssh.hostKey.ssh-ed25519": ["SHA256:new"], "ssh.software": ["OpenSSH_9.2p1"] },
    openChanges: 1,
  });
  const audit = await edge.call("GET", `/v1/audit?monitor=${id}`);
  expect(audit.body.items[0]).toMatchObject({ operation: "acceptChange" });
});

test("all of a monitor are accepted at once; again changes nothing", async () => {
  const all = await edge.call("POST", `/v1/monitors/${id}/changes/accept`, { body: {} });
  expect(all.body.items.map(({ state }: { state: string }) => state)).toEqual(["accepted", "accepted"]);
  await decideNow(id);
  expect(
    (await edge.call("GET", `/v1/changes?limit=200`)).body.items.filter(
      (one: { monitorId: string }) => one.monitorId === id,
    ),
  ).toEqual([]);
  expect((await edge.call("POST", `/v1/monitors/${id}/changes/accept`, { body: {} })).body).toEqual({ items: [] });
});

test("a baseline is set by hand, as it was read; what is in it is accepted", async () => {
  const path = `/v1/monitors/${id}/baseline`;
  const { body, headers } = await edge.call("GET", path);
  const values = { ...body.values, "ssh.hostKey.ssh-ed25519": ["SHA256:new"] };
  const put = (more: object, etag?: string) =>
    edge.call("PUT", path, { body: { ...body, ...more }, headers: etag ? { "if-match": etag } : {} });
  const wrong = await put({ values: { "Bad key": ["x"], software: [] } });
  expect([wrong.status, wrong.body.errors.map((one: { path: string }) => one.path)]).toEqual([
    422,
    expect.arrayContaining(["values.software"]),
  ]);
  const done = await put({ values }, headers.etag);
  expect([done.status, done.body]).toEqual([200, { learned: ["local"], values, openChanges: 1 }]);
  expect((await put({ values: {} }, headers.etag)).status).toBe(412);
  expect((await put({ values }, done.headers.etag)).body).toEqual(done.body);
  const audit = (await edge.call("GET", `/v1/audit?monitor=${id}`)).body.items;
  expect(audit.filter((one: { operation: string }) => one.operation === "applyBaseline")).toHaveLength(1);
  await decideNow(id);
  const changes = (await edge.call("GET", `/v1/monitors/${id}/changes`)).body.items;
  expect(changes.map((one: { key: string; state: string }) => `${one.key} ${one.state}`).toSorted()).toEqual([
    "ssh.hostKey.ssh-ed25519 accepted",
    "ssh.software open",
  ]);
});

test("a baseline that is deleted is learned anew", async () => {
  const path = `/v1/monitors/${id}/baseline`;
  expect((await edge.call("DELETE", path, { headers: { "if-match": '"other"' } })).status).toBe(412);
  expect((await edge.call("DELETE", path)).status).toBe(204);
  expect((await edge.call("DELETE", path)).status).toBe(204);
  await decideNow(id);
  expect((await edge.call("GET", path)).body).toEqual({
    learned: ["local"],
    values: { "ssh.hostKey.ssh-ed25519": ["SHA256:new"], "ssh.software": ["dropbear_2022"] },
    openChanges: 0,
  });
  const changes = (await edge.call("GET", `/v1/monitors/${id}/changes`)).body.items;
  expect(changes.map((one: { state: string }) => one.state)).toEqual(["closed", "closed"]);
});

test("no baseline is set where changes are not watched; what is expected needs the mode for it", async () => {
  const patch = (changeWatch: object) => edge.call("PATCH", `/v1/monitors/${id}`, { body: { changeWatch } });
  expect((await patch({ mode: "off" })).status).toBe(200);
  const refused = await edge.call("PUT", `/v1/monitors/${id}/baseline`, { body: { values: {} } });
  expect([refused.status, refused.body.code]).toEqual([409, "not-active"]);
  const errors = async (changeWatch: object) =>
    (await patch(changeWatch)).body.errors?.map((one: { path: string }) => one.path);
  expect(await errors({ mode: "expect" })).toEqual(["changeWatch.expect"]);
  expect(await errors({ mode: "learn", expect: { software: ["x"] } })).toEqual(["changeWatch.mode"]);
});

test("an applied declaration says what is right", async () => {
  const declared = { key: "edge/ssh", name: "Edge", protocol: "ssh", host: "127.0.0.1", port: 22 };
  const expected = { "ssh.software": ["OpenSSH_9.2p1"] };
  const apply = (changeWatch: object) =>
    edge.call("PUT", "/v1/monitors", { body: { monitors: [{ ...declared, changeWatch }] } });
  const first = await apply({ expect: expected });
  const { id: applied, changeWatch } = (await edge.call("GET", "/v1/monitors?key=edge%2Fssh")).body.items[0];
  expect([first.status, changeWatch]).toMatchObject([200, { mode: "expect", expect: expected }]);
  await hear(applied, NEW);
  const { body } = await edge.call("GET", `/v1/monitors/${applied}/changes`);
  expect(body.items).toMatchObject([{ key: "ssh.software", from: ["OpenSSH_9.2p1"], to: "dropbear_2022" }]);
});

test("what does not exist or has ended is said", async () => {
  expect((await edge.call("POST", `/v1/changes/${id}.000000000000/accept`, { body: {} })).status).toBe(404);
  expect((await edge.call("POST", "/v1/changes/x/accept", { body: {} })).status).toBe(404);
  const { body } = await edge.call("GET", `/v1/monitors/${id}/changes`);
  await hear(id, OLD);
  const gone = await edge.call("POST", `/v1/changes/${body.items[0].id}/accept`, { body: {} });
  expect([gone.status, gone.body.code]).toEqual([409, "not-active"]);
  expect((await edge.call("POST", `/v1/monitors/${id}/changes/accept`, { body: { note: 5 } })).status).toBe(422);
});

test("a token that is limited to other tags sees and accepts none", async () => {
  const token = await edge.limitedToken("write", "team=b");
  const { body } = await edge.call("GET", `/v1/monitors/${id}/changes`);
  expect((await edge.call("GET", "/v1/changes", { token })).body.items).toEqual([]);
  expect((await edge.call("GET", `/v1/monitors/${id}/changes`, { token })).status).toBe(404);
  expect((await edge.call("POST", `/v1/changes/${body.items[0].id}/accept`, { token, body: {} })).status).toBe(404);
  const set = await edge.call("PUT", `/v1/monitors/${id}/baseline`, { token, body: { values: {} } });
  expect(set.status).toBe(404);
});
