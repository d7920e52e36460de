/** A monitor whose alerts reach nobody says so. */
import { afterAll, beforeEach, expect, test } from "vitest";
import { type Edge, startEdge } from "./edge.ts";

let edge: Edge;
let count = 0;
let now = Date.parse("2026-12-01T12:00:00.000Z");
/** What SNS says of a topic; of the other one, that nobody has subscribed. */
let confirmed: string | null = "0";
let topic = "alerts";
beforeEach(async () => {
  if (count++ === 0) {
    edge = await startEdge();
    edge.clock.now = () => new Date(now);
    edge.outside.sns = (_action, parameters) =>
      confirmed === null
        ? { error: "Throttled", message: "Rate exceeded" }
        : `<Attributes><entry><key>SubscriptionsConfirmed</key><value>${parameters.get("TopicArn")?.endsWith(`:${topic}`) ? confirmed : 0}</value></entry></Attributes>`;
  }
  confirmed = "0";
  now += 61_000;
  edge.calls.sns.length = 0;
});
afterAll(() => edge[Symbol.asyncDispose]());

const create = async (more: object = {}) =>
  (
    await edge.call("POST", "/v1/monitors", {
      body: { name: "M", protocol: "tcp", host: "127.0.0.1", port: 1, ...more },
    })
  ).body;
/** What the monitor and its list of receivers say. */
const said = async (id: string) => {
  const [monitor, receivers] = await Promise.all([
    edge.call("GET", `/v1/monitors/${id}`),
    edge.call("GET", `/v1/monitors/${id}/receivers`),
  ]);
  expect([monitor.status, receivers.status]).toEqual([200, 200]);
  expect(receivers.body.reachesNobody).toBe(monitor.body.reachesNobody);
  return monitor.body.reachesNobody;
};

test.each(["alerts", "people"])("topic %s reaches nobody before it has a confirmed subscription", async (name) => {
  topic = name;
  const monitor = await create();
  expect([monitor.reachesNobody, await said(monitor.id)]).toEqual([true, true]);
  confirmed = "1";
  now += 61_000;
  expect(await said(monitor.id)).toBe(false);
});

test("SNS is asked once a minute at most, about each topic", async () => {
  const { id } = await create();
  for (let i = 0; i < 3; i++) await said(id);
  expect(edge.calls.sns).toMatchObject([
    { Action: "GetTopicAttributes", TopicArn: "arn:aws:sns:us-east-1:000000000000:alerts" },
    { Action: "GetTopicAttributes", TopicArn: "arn:aws:sns:us-east-1:000000000000:people" },
  ]);
});

test("it is null if SNS does not say, and the monitor is answered all the same", async () => {
  confirmed = null;
  expect(await said((await create()).id)).toBeNull();
});

test("a mail address is reached, without asking SNS", async () => {
  expect(await said((await create({ alerts: { emails: ["ops@example.com"] } })).id)).toBe(false);
  expect(edge.calls.sns).toEqual([]);
});

test("a channel is reached until it is deleted, though a policy still names it", async () => {
  const hook = { name: "Hook", kind: "webhook", settings: { url: "https://hook.example.com/x" } };
  const { body: channel } = await edge.call("POST", "/v1/channels", { body: hook });
  const steps = [{ afterSeconds: 60, channels: [channel.id] }];
  const policy = await edge.call("POST", "/v1/policies", { body: { name: "Hooks", steps } });
  const { id } = await create({ alerts: { policies: [policy.body.id] } });
  expect(await said(id)).toBe(false);
  await edge.call("DELETE", `/v1/channels/${channel.id}?force=true`);
  expect(await said(id)).toBe(true);
});

test("a list finds those that reach nobody, page by page", async () => {
  const policy = await edge.call("POST", "/v1/policies", {
    body: {
      name: "Reached",
      match: { tags: { reached: "*" } },
      steps: [{ afterSeconds: 0, emails: ["a@example.com"] }],
    },
  });
  const tags = { group: "list" };
  for (const name of ["Unheard 1", "Unheard 2"]) await create({ name, tags });
  await create({ name: "By tag", tags: { ...tags, reached: "yes" } });
  await create({ name: "By mail", tags, alerts: { emails: ["ops@example.com"] } });
  const path = "/v1/monitors?reachesNobody=true&tag=group=list&fields=name&limit=1";
  const first = (await edge.call("GET", path)).body;
  const second = (await edge.call("GET", `${path}&cursor=${encodeURIComponent(first.nextCursor)}`)).body;
  expect([...first.items, ...second.items].map(({ name }) => name)).toEqual(["Unheard 1", "Unheard 2"]);
  expect([first.total, second.nextCursor]).toEqual([null, null]);
  confirmed = "1";
  now += 61_000;
  expect((await edge.call("GET", path)).body.items).toEqual([]);
  confirmed = null;
  now += 61_000;
  expect((await edge.call("GET", path)).body.items).toEqual([]);
  await edge.call("DELETE", `/v1/policies/${policy.body.id}`);
});

test("operators are told once of a policy that reaches nobody", async () => {
  const notices = async (id: string) => {
    const all = await Promise.all(
      [1, 2, 3].map((revision) => edge.stored("monitors", `NOTICE#unheard#${id}#${revision}`)),
    );
    return all.flat().map(({ pendingAlerts }) => Object.values(pendingAlerts as object)[0].content);
  };
  const hook = { name: "Last", kind: "webhook", settings: { url: "https://hook.example.com/x" } };
  const { body: channel } = await edge.call("POST", "/v1/channels", { body: hook });
  const steps = [{ afterSeconds: 60, channels: [channel.id, "people"] }];
  const { id } = (await edge.call("POST", "/v1/policies", { body: { name: "To nobody", steps } })).body;
  expect(await notices(id)).toEqual([]);
  await edge.call("DELETE", `/v1/channels/${channel.id}?force=true`);
  expect(await notices(id)).toMatchObject([
    { event: "system.policy-reaches-nobody", about: `policy.${id}`, message: expect.stringContaining('"To nobody"') },
  ]);
  const patch = (body: object) => edge.call("PATCH", `/v1/policies/${id}`, { body });
  await patch({ steps: [{ afterSeconds: 0, channels: ["sns"] }] });
  expect(await notices(id)).toHaveLength(2);
  await patch({ steps: [{ afterSeconds: 0, emails: ["ops@example.com"] }] });
  expect(await notices(id)).toHaveLength(2);
});

test("what was read may be sent back, and lists do not have it", async () => {
  const monitor = await create();
  expect((await edge.call("PATCH", `/v1/monitors/${monitor.id}`, { body: monitor })).status).toBe(200);
  const { body } = await edge.call("GET", "/v1/monitors");
  expect(body.items[0]).not.toHaveProperty("reachesNobody");
  expect((await edge.call("GET", "/v1/monitors?fields=reachesNobody")).status).toBe(422);
});
