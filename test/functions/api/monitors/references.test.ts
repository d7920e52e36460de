/** What monitors may name: others that they depend on, and policies; and what the API says of it. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Incident } from "../../../../shared/model.ts";
import { createDecisionStore } from "../../../../shared/store/decisions.ts";
import { createDependencyStore } from "../../../../shared/store/dependencies.ts";
import { type Edge, startEdge } from "../edge.ts";

let edge: Edge;
beforeAll(async () => {
  edge = await startEdge();
});
afterAll(() => edge[Symbol.asyncDispose]());

const body = (name: string, more: object = {}) => ({ name, protocol: "tcp", host: "127.0.0.1", port: 1, ...more });
const create = async (name: string, more: object = {}): Promise<string> => {
  const created = await edge.call("POST", "/v1/monitors", { body: body(name, more) });
  expect([created.status, created.body.errors]).toEqual([201, undefined]);
  return created.body.id;
};
const patch = (id: string, change: object) => edge.call("PATCH", `/v1/monitors/${id}`, { body: change });
const errorsOf = async (
  answer: Promise<{ status: number; body: { errors?: { path: string; message: string }[] } }>,
) => {
  const { status, body: problem } = await answer;
  return [status, ...(problem.errors ?? []).map(({ path, message }) => `${path}: ${message}`)];
};

describe("a monitor depends on others", () => {
  test("which is shown, and counts in the time to alert", async () => {
    const router = await create("Router");
    const plain = await edge.call("GET", `/v1/monitors/${await create("Alone", { intervalSeconds: 10 })}`);
    const { body: web } = await edge.call(
      "GET",
      `/v1/monitors/${await create("Web", { intervalSeconds: 10, dependsOn: [router] })}`,
    );
    expect(web.dependsOn).toEqual([router]);
    // Interval 60 s, three attempts of 5 s with pauses of 1 s, and 10 s.
    expect(web.timeToAlertSeconds - plain.body.timeToAlertSeconds).toBe(60 + 17 + 10);
    const listed = await edge.call("GET", "/v1/monitors?q=web&fields=timeToAlertSeconds");
    expect(listed.body.items[0].timeToAlertSeconds).toBe(web.timeToAlertSeconds);
    await patch(router, { paused: true });
    const { body: again } = await edge.call("GET", `/v1/monitors/${web.id}`);
    expect(again.timeToAlertSeconds).toBe(plain.body.timeToAlertSeconds);
  });

  test("that are there, and stay named when they are deleted", async () => {
    const router = await create("Router 2");
    const web = await create("Web 2", { dependsOn: [router] });
    expect(
      await errorsOf(edge.call("POST", "/v1/monitors", { body: body("x", { dependsOn: ["nobody", router, router] }) })),
    ).toEqual([422, `dependsOn[2]: "${router}" is there twice`]);
    expect(await errorsOf(patch(web, { dependsOn: [router, "nobody"] }))).toEqual([
      422,
      'dependsOn[1]: there is no monitor "nobody"',
    ]);
    await edge.call("DELETE", `/v1/monitors/${router}`);
    expect((await patch(web, { name: "Web 3" })).body.dependsOn).toEqual([router]);
    expect(await errorsOf(patch(await create("x"), { dependsOn: [router] }))).toEqual([
      422,
      `dependsOn[0]: there is no monitor "${router}"`,
    ]);
  });

  test("never on themselves: the way round is named, and nothing is stored", async () => {
    const a = await create("A");
    const b = await create("B", { dependsOn: [a] });
    const c = await create("C", { dependsOn: [b] });
    expect(await errorsOf(patch(a, { dependsOn: [a] }))).toEqual([
      422,
      "dependsOn[0]: a monitor cannot depend on itself",
    ]);
    expect(await errorsOf(patch(a, { dependsOn: [c] }))).toEqual([
      422,
      'dependsOn[0]: would make a cycle: "A" depends on "C" depends on "B" depends on "A"',
    ]);
    const change = { action: "update", ids: [a], change: { dependsOn: [c] }, dryRun: true };
    const { body: bulk } = await edge.call("POST", "/v1/monitors/bulk", { body: change });
    expect(bulk.failed).toMatchObject([{ id: a, code: "invalid-input", errors: [{ path: "dependsOn[0]" }] }]);
    expect((await edge.call("GET", `/v1/monitors/${a}`)).body.dependsOn).toEqual([]);
  });

  test("in chains of five at most, and on none that is slow to alert", async () => {
    let last = await create("L0");
    for (const name of ["L1", "L2", "L3", "L4", "L5"]) last = await create(name, { dependsOn: [last] });
    expect(await errorsOf(edge.call("POST", "/v1/monitors", { body: body("L6", { dependsOn: [last] }) }))).toEqual([
      422,
      'dependsOn[0]: makes a chain of more than 5: "L6" depends on "L5" depends on "L4" depends on "L3" depends on "L2" depends on "L1"',
    ]);
    // Also where the chain is closed from above, or in its middle.
    const [top, middle] = [await create("Top"), await create("Middle")];
    const first = (await edge.call("GET", "/v1/monitors?q=L0&fields=id")).body.items[0].id;
    expect(await errorsOf(patch(first, { dependsOn: [top] }))).toEqual([
      422,
      'dependsOn[0]: makes a chain of more than 5: "L5" depends on "L4" depends on "L3" depends on "L2" depends on "L1" depends on "L0"',
    ]);
    expect((await patch(middle, { dependsOn: [top] })).status).toBe(200);
    const second = (await edge.call("GET", "/v1/monitors?q=L2&fields=id")).body.items[0].id;
    expect(await errorsOf(patch(second, { dependsOn: [middle] }))).toEqual([200]);
    expect(await errorsOf(patch(top, { dependsOn: [await create("Summit")] }))).toEqual([
      422,
      'dependsOn[0]: makes a chain of more than 5: "L5" depends on "L4" depends on "L3" depends on "L2" depends on "Middle" depends on "Top"',
    ]);
    const slow = await create("Slow", { intervalSeconds: 300 });
    expect(await errorsOf(edge.call("POST", "/v1/monitors", { body: body("x", { dependsOn: [slow] }) }))).toEqual([
      422,
      expect.stringMatching(/^dependsOn\[0\]: "Slow" is too slow: its alert may take 327 s .* at most 300 s for it$/),
    ]);
  });

  test("of the same list, in whatever order; a cycle in it is refused", async () => {
    const list = (first: object, second: object) => ({
      monitors: [body("First", { key: "first", ...first }), body("Second", { key: "second", ...second })],
    });
    const apply = (sent: object, query = "") => edge.call("PUT", `/v1/monitors${query}`, { body: sent });
    const { body: plan } = await apply(list({}, {}), "?dryRun=true");
    const [first, second] = ["first", "second"].map(
      (key) => plan.created.find((one: { key: string }) => one.key === key).id,
    );
    expect(await errorsOf(apply(list({ dependsOn: [second] }, { dependsOn: [first] })))).toEqual([
      422,
      'monitors[0].dependsOn[0]: would make a cycle: "First" depends on "Second" depends on "First"',
      'monitors[1].dependsOn[0]: would make a cycle: "Second" depends on "First" depends on "Second"',
    ]);
    expect((await apply(list({ dependsOn: [second] }, {}))).body.created).toHaveLength(2);
    expect((await apply(list({ dependsOn: [second] }, {}))).body.unchanged).toHaveLength(2);
    // The other way round in one call: what is stored by now does not count.
    expect((await apply(list({}, { dependsOn: [first] }))).body.updated).toHaveLength(2);
  });
});

test("an incident lists page by page whose alerts it held back", async () => {
  const router = await create("Down router");
  const decisions = createDecisionStore(edge.client, edge.tables.monitors);
  const monitor = (await edge.stores.monitors.get(router))!;
  const startedAt = "2026-11-23T10:00:00.000Z";
  const incident: Incident = {
    id: `${router}.${Date.parse(startedAt)}`,
    startedAt,
    endedAt: null,
    target: { protocol: monitor.protocol, host: monitor.host, port: monitor.port },
    targetVersion: 1,
    severity: "down",
    downSince: startedAt,
    reason: null,
    message: "",
    evidence: {},
    locations: {},
    announced: "down",
    alertCount: 1,
    told: {},
    acknowledged: null,
    endReason: null,
  };
  await decisions.projectIncident(monitor, incident, 1);
  const store = createDependencyStore(edge.client, edge.tables.monitors);
  const at = new Date("2026-11-23T10:01:00.000Z");
  for (const id of ["b", "a", "ab"])
    await store.noteHeld({ id, name: id.toUpperCase() }, [{ monitorId: router, startedAt }], at);
  const path = `/v1/incidents/${incident.id}/held?limit=2`;
  const { body: first } = await edge.call("GET", path);
  const of = (id: string) => ({ monitorId: id, name: id.toUpperCase(), at: at.toISOString() });
  expect(first.items).toEqual([of("a"), of("ab")]);
  const { body: rest } = await edge.call("GET", `${path}&cursor=${first.nextCursor}`);
  expect(rest).toEqual({ items: [of("b")], nextCursor: null });
  expect((await edge.call("GET", "/v1/incidents/none.1/held")).status).toBe(404);
  // A token that is limited to tags does not see the monitor, and so not its incident.
  const token = await edge.limitedToken("read", "team=others");
  expect((await edge.call("GET", path, { token })).status).toBe(404);
});

describe("a monitor names policies", () => {
  const alerts = (...policies: string[]) => ({ alerts: { policies } });
  const newPolicy = async (name: string): Promise<string> => {
    const policy = { name, steps: [{ afterSeconds: 0, channels: ["sns"] }] };
    return (await edge.call("POST", "/v1/policies", { body: policy })).body.id;
  };

  test("that are there, and stay named when they are deleted", async () => {
    const id = await newPolicy("On call");
    const wrong = [422, 'alerts.policies[1]: there is no policy "onCall"'];
    const refused = { body: body("x", alerts(id, "onCall")) };
    expect(await errorsOf(edge.call("POST", "/v1/monitors", refused))).toEqual(wrong);
    const monitor = await create("Named", { key: "named", ...alerts(id) });
    expect(await errorsOf(patch(monitor, alerts(id, "onCall")))).toEqual(wrong);
    const change = { ids: [monitor], action: "update", change: alerts("onCall") };
    const bulk = await edge.call("POST", "/v1/monitors/bulk", { body: change });
    expect(bulk.body.failed).toMatchObject([{ id: monitor, errors: [{ path: "alerts.policies[0]" }] }]);
    const list = { monitors: [body("a", { key: "a" }), body("Named", { key: "named", ...alerts("onCall") })] };
    expect(await errorsOf(edge.call("PUT", "/v1/monitors", { body: list }))).toEqual([
      422,
      'monitors[1].alerts.policies[0]: there is no policy "onCall"',
    ]);
    await edge.call("DELETE", `/v1/policies/${id}`);
    expect((await patch(monitor, { name: "Named still" })).body.alerts.policies).toEqual([id]);
    expect(await errorsOf(patch(await create("x"), alerts(id)))).toEqual([
      422,
      `alerts.policies[0]: there is no policy "${id}"`,
    ]);
  });
});
