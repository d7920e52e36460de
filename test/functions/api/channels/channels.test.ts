import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ChannelName, channels } from "../../../../shared/alerts/channels/index.ts";
import type { Policy } from "../../../../shared/rules/policies.ts";
import { createPolicyStore } from "../../../../shared/store/alerting.ts";
import { createChannelStore, type StoredChannel } from "../../../../shared/store/channels.ts";
import { type Receiver, startReceiver } from "../../../support/receiver.ts";
import { type Edge, RECEIVERS, startEdge } from "../edge.ts";

let edge: Edge;
let receiver: Receiver;
beforeAll(async () => {
  edge = await startEdge();
  receiver = await startReceiver(() => ({ status: 200, body: "ok" }));
});
afterAll(async () => {
  await receiver[Symbol.asyncDispose]();
  await edge[Symbol.asyncDispose]();
});

let count = 0;
const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const webhook = (more: object = {}, settings: object = {}) => ({
  name: `Webhook ${++count}`,
  kind: "webhook",
  settings: { url: `${receiver.url}/hook?token=sesame`, secret: SECRET, method: "PUT", ...settings },
  ...more,
});
const post = (body: unknown) => edge.call("POST", "/v1/channels", { body });
const create = async (body: unknown) => {
  const { status, body: channel } = await post(body);
  expect([status, channel.errors]).toEqual([201, undefined]);
  return channel;
};
const errorsOf = ({ body }: { body: { errors?: { path: string; message: string }[] } }) =>
  Object.fromEntries((body.errors ?? []).map(({ path, message }) => [path, message]));

describe("a channel", () => {
  test("is created, read and listed without its secrets", async () => {
    const body = webhook();
    const { status, headers, body: channel } = await post(body);
    expect([status, headers.location, headers.etag]).toEqual([201, `/v1/channels/${channel.id}`, '"1"']);
    expect(channel).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{20}$/),
      name: body.name,
      kind: "webhook",
      settings: { method: "PUT", url: "(hidden)", secret: "(hidden)" },
      createdAt: expect.any(String),
      updatedAt: expect.any(String),
    });
    const read = await edge.call("GET", `/v1/channels/${channel.id}`);
    expect([read.status, read.body]).toEqual([200, channel]);
    const { body: list } = await edge.call("GET", "/v1/channels?limit=200");
    expect(list.items).toContainEqual(channel);
  });

  test("keeps its secrets in an item of their own", async () => {
    const { id } = await create(webhook());
    const items = await edge.stored("monitors", "CHANNEL");
    expect(JSON.stringify(items.filter(({ pk }) => pk === "CHANNEL"))).not.toMatch(/sesame|whsec/);
    const [own] = items.filter(({ pk }) => pk === `CHANNEL#${id}`);
    expect(own).toMatchObject({ sk: "SECRET", secrets: { secret: SECRET, url: expect.stringContaining("sesame") } });
  });

  test("lists in pages", async () => {
    await create(webhook());
    const seen: string[] = [];
    let cursor: string | null = "";
    while (cursor !== null) {
      const { body }: { body: { items: { id: string }[]; nextCursor: string | null } } = await edge.call(
        "GET",
        `/v1/channels?limit=1${cursor && `&cursor=${cursor}`}`,
      );
      seen.push(...body.items.map(({ id }) => id));
      cursor = body.nextCursor;
    }
    const { body } = await edge.call("GET", "/v1/channels?limit=200");
    expect(seen).toEqual(body.items.map(({ id }: { id: string }) => id));
  });

  test("is changed by merging; secrets that are left out stay", async () => {
    const channel = await create(webhook());
    const path = `/v1/channels/${channel.id}`;
    const { status, headers, body } = await edge.call("PATCH", path, {
      body: { name: "Renamed", settings: { method: null, secret: `${SECRET.slice(0, -4)}AAAA` } },
    });
    expect([status, headers.etag, body.name, body.settings]).toEqual([
      200,
      '"2"',
      "Renamed",
      { url: "(hidden)", secret: "(hidden)" },
    ]);
    const secrets = await createChannelStore(edge.client, edge.tables.monitors).secrets(channel.id);
    expect(secrets).toEqual({ url: `${receiver.url}/hook?token=sesame`, secret: `${SECRET.slice(0, -4)}AAAA` });
    expect((await edge.call("PATCH", path, { body: { settings: { secret: null } } })).body.settings).toEqual({
      url: "(hidden)",
    });
  });

  test("is deleted with its secrets, and its name is free again", async () => {
    const body = webhook();
    const { id } = await create(body);
    expect((await edge.call("DELETE", `/v1/channels/${id}`)).status).toBe(204);
    expect((await edge.stored("monitors", `CHANNEL#${id}`)).length).toBe(0);
    for (const [method, path] of [
      ["GET", ""],
      ["DELETE", ""],
      ["POST", "/test"],
    ] as const)
      expect((await edge.call(method, `/v1/channels/${id}${path}`)).status).toBe(404);
    await create(body);
  });

  test("that a policy names is kept, unless the caller insists", async () => {
    const { id } = await create(webhook());
    const at = new Date().toISOString();
    const policy: Policy = {
      id: "policy-1",
      name: "On call",
      match: null,
      severities: ["critical"],
      steps: [{ afterSeconds: 0, channels: [id], emails: [] }],
      remindEverySeconds: null,
      remindAtMost: 1,
      until: "recovered",
      revision: 1,
      createdAt: at,
      updatedAt: at,
    };
    await createPolicyStore(edge.client, edge.tables.monitors).create(policy);
    const { status, body } = await edge.call("DELETE", `/v1/channels/${id}`);
    expect([status, body.code, body.detail]).toEqual([409, "in-use", 'these policies name it: "On call"']);
    expect((await edge.call("DELETE", `/v1/channels/${id}?force=true`)).status).toBe(204);
  });

  test("is not changed or deleted over the change of somebody else", async () => {
    const { id } = await create(webhook());
    const path = `/v1/channels/${id}`;
    const headers = { "if-match": '"1"' };
    expect((await edge.call("PATCH", path, { body: { settings: { method: "POST" } }, headers })).status).toBe(200);
    expect((await edge.call("PATCH", path, { body: { name: "Late" }, headers })).status).toBe(412);
    expect((await edge.call("DELETE", path, { headers })).status).toBe(412);
    expect((await edge.call("DELETE", path, { headers: { "if-match": '"2"' } })).status).toBe(204);
  });

  test("is seen by a token that is limited to tags, which can do nothing with it", async () => {
    const channel = await create(webhook());
    const made = { name: "limited", scopes: ["write"], monitorTags: ["team=orders"] };
    const { token } = (await edge.call("POST", "/v1/tokens", { body: made })).body;
    const path = `/v1/channels/${channel.id}`;
    expect((await edge.call("GET", path, { token })).body).toEqual(channel);
    for (const [method, url, body] of [
      ["POST", "/v1/channels", webhook()],
      ["PATCH", path, { name: "Mine" }],
      ["DELETE", path],
      ["POST", `${path}/test`],
    ] as const)
      expect((await edge.call(method, url, { token, body })).status, `${method} ${url}`).toBe(403);
    expect((await edge.call("GET", path)).body).toEqual(channel);
  });

  test.each([
    ["read", "GET", "", 200],
    ["read", "PATCH", "", 403],
    ["read", "DELETE", "", 403],
    ["read", "POST", "/test", 403],
  ] as const)("%s may %s%s: %i", async (scope, method, suffix, status) => {
    const { id } = await create(webhook());
    const token = await edge.tokenWith(scope);
    const answer = await edge.call(method, `/v1/channels/${id}${suffix}`, {
      token,
      ...(method === "PATCH" && { body: { name: "x" } }),
    });
    expect(answer.status).toBe(status);
  });
});

describe("a name belongs to one channel", () => {
  test("whatever the case", async () => {
    const { name } = await create(webhook());
    const { status, body } = await post(webhook({ name: name.toUpperCase() }));
    expect([status, body.code]).toEqual([409, "already-exists"]);
    const other = await create(webhook());
    expect((await edge.call("PATCH", `/v1/channels/${other.id}`, { body: { name } })).status).toBe(409);
    // Folded, each of these is eighteen characters: more than a key takes.
    const long = "\ufdfa".repeat(100);
    await create(webhook({ name: long }));
    expect((await post(webhook({ name: long }))).status).toBe(409);
  });

  test("also when two are created at once", async () => {
    const body = webhook();
    const statuses = (await Promise.all([post(body), post(body), post(body)])).map(({ status }) => status);
    expect(statuses.toSorted()).toEqual([201, 409, 409]);
  });

  test("and is free after a rename, but not while somebody may still be creating its channel", async () => {
    const { id, name } = await create(webhook());
    await edge.call("PATCH", `/v1/channels/${id}`, { body: { name: "Moved on" } });
    await create(webhook({ name }));

    const store = createChannelStore(edge.client, edge.tables.monitors);
    const at = (seconds: number) => new Date(Date.UTC(2026, 10, 27, 10, 0, seconds));
    const channel = (of: string): StoredChannel => ({
      id: of,
      name: "Half made",
      kind: "sns",
      settings: {},
      secrets: [],
      revision: 1,
      createdAt: at(0).toISOString(),
      updatedAt: at(0).toISOString(),
    });
    await store.create(channel("first"), {}, at(0));
    await store.remove(channel("first"), async () => new Set(), at(0));
    // As after a crash between taking the name and storing the channel.
    await store.create(channel("second"), {}, at(0));
    await edge.client.send(
      new (await import("@aws-sdk/lib-dynamodb")).DeleteCommand({
        TableName: edge.tables.monitors,
        Key: { pk: "CHANNEL", sk: "second" },
      }),
    );
    expect(await store.create(channel("third"), {}, at(30))).toBe(false);
    expect(await store.create(channel("third"), {}, at(61))).toBe(true);
  });

  test("two changes at once: one is refused, and nothing of it is kept", async () => {
    const { id } = await create(webhook());
    const patch = (method: string) =>
      edge.call("PATCH", `/v1/channels/${id}`, { body: { settings: { method, headers: { x: method } } } });
    const answers = await Promise.all([patch("POST"), patch("PATCH")]);
    expect(answers.map(({ status }) => status).toSorted()).toEqual(expect.arrayContaining([200]));
    const { body } = await edge.call("GET", `/v1/channels/${id}`);
    const { headers } = await createChannelStore(edge.client, edge.tables.monitors).secrets(id);
    expect(headers).toEqual({ x: body.settings.method });
  });
});

describe("wrong input is refused, naming every field, and stores nothing", () => {
  test.each([
    [{}, ["name", "kind", "settings"]],
    [{ name: "", kind: "pigeon", settings: 1, more: 1 }, ["name", "kind", "settings", "more"]],
    [
      { name: 7, kind: "webhook", settings: { url: "x", method: "GET", extra: 1 } },
      ["name", "settings.url", "settings.method", "settings.extra"],
    ],
    [{ name: "x", kind: "slack", settings: {} }, ["settings.url"]],
    [{ name: "x", kind: "webhook", settings: { url: "http://a/", headers: { Host: "b" } } }, ["settings.headers.Host"]],
    [{ name: "x", kind: "webhook", settings: { url: "http://a/", body: '{"a": "{{b}}"}' } }, ["settings.body"]],
    [{ name: "x", kind: "slack", settings: { url: "(hidden)" } }, ["settings.url"]],
    [{ name: "x", kind: "opsgenie", settings: { apiKey: "(hidden)" } }, ["settings.apiKey"]],
  ])("%j", async (body, paths) => {
    const before = await edge.stored("monitors", "CHANNEL");
    const answer = await post(body);
    expect(answer.status).toBe(422);
    expect(Object.keys(errorsOf(answer)).toSorted()).toEqual([...paths].toSorted());
    expect(await edge.stored("monitors", "CHANNEL")).toEqual(before);
  });

  test("also of a change", async () => {
    const { id } = await create(webhook());
    const patch = (body: unknown) => edge.call("PATCH", `/v1/channels/${id}`, { body });
    expect(errorsOf(await patch({ kind: "slack" }))).toEqual({ kind: expect.stringContaining("cannot change") });
    const unsigned = await create({ ...webhook(), settings: { url: "http://127.0.0.1/" } });
    const masked = { body: { settings: { secret: "(hidden)" } } };
    expect(errorsOf(await edge.call("PATCH", `/v1/channels/${unsigned.id}`, masked))["settings.secret"]).toContain(
      "none is stored here",
    );
    expect(errorsOf(await patch({ name: null, settings: { url: null } }))).toEqual({
      name: expect.stringContaining("is required"),
      "settings.url": "is required",
    });
    expect((await patch([])).status).toBe(422);
  });

  test("an error never repeats a secret", async () => {
    const { body } = await post(webhook({}, { secret: "hunter2 hunter2" }));
    expect(JSON.stringify(body)).not.toContain("hunter2");
  });

  test.each([
    "http://169.254.169.254/latest/meta-data/",
    "http://[fd00:ec2::254]/",
    "http://127.0.0.1:4000/",
    "https://10.1.2.3/",
    "http://localhost/",
    "http://0x7f000001/",
  ])("in the cloud a URL to %s", async (url) => {
    await using cloud = await startEdge({ receivers: { ...RECEIVERS, reach: "public" } });
    const answer = await cloud.call("POST", "/v1/channels", { body: webhook({}, { url }) });
    expect([answer.status, Object.keys(errorsOf(answer))]).toEqual([422, ["settings.url"]]);
    expect(await cloud.stored("monitors", "CHANNEL")).toEqual([]);
  });

  test("a kind that this deployment cannot use", async () => {
    await using cloud = await startEdge({ receivers: { ...RECEIVERS, sender: undefined } });
    const body = { name: "Mail", kind: "email", settings: { address: "ops@example.com" } };
    const answer = await cloud.call("POST", "/v1/channels", { body });
    expect(errorsOf(answer)).toEqual({ kind: expect.stringContaining("alertSender") });
  });
});

describe("a test alert", () => {
  const send = async (body: unknown) => {
    const { id } = await create(body);
    receiver.received.length = 0;
    return edge.call("POST", `/v1/channels/${id}/test`);
  };

  test("opens and closes what a program opens, marked as a test", async () => {
    receiver.answers(() => ({ status: 200, body: "thanks" }));
    const { status, body } = await send(webhook());
    const message = { delivered: true, answer: "HTTP 200 thanks", isPermanent: false, retryAfterSeconds: null };
    expect([status, body]).toEqual([
      200,
      {
        delivered: true,
        messages: [
          { event: "down", ...message },
          { event: "recovered", ...message },
        ],
      },
    ]);
    const alerts = receiver.received.map((one) => JSON.parse(one.body));
    expect(alerts.map(({ event, monitor }) => [event, monitor.id, monitor.tags])).toEqual([
      ["down", "test", { test: "true" }],
      ["recovered", "test", { test: "true" }],
    ]);
    expect(alerts[0].incidentId).toBe(alerts[1].incidentId);
    expect(alerts[0].message).toMatch(/^This is a test of channel Webhook \d+\. Nothing is wrong\.$/);
  });

  test("to people is one message", async () => {
    receiver.answers(() => ({ status: 200, body: "ok" }));
    const { body } = await send({ name: `Slack ${++count}`, kind: "slack", settings: { url: `${receiver.url}/x` } });
    expect([body.delivered, body.messages.length, receiver.received.length]).toEqual([true, 1, 1]);
  });

  test("says what the service refused, without the secret that the service repeats", async () => {
    receiver.answers(({ path }) => ({ status: 410, body: `no hook at ${receiver.url}${path}` }));
    const { status, body } = await send(webhook());
    expect([status, body]).toEqual([
      200,
      {
        delivered: false,
        messages: [
          {
            event: "down",
            delivered: false,
            answer: "HTTP 410 no hook at (hidden)",
            isPermanent: true,
            retryAfterSeconds: null,
          },
        ],
      },
    ]);
  });

  test("goes to mail and to the topic", async () => {
    const mail = await send({ name: `Mail ${++count}`, kind: "email", settings: { address: "ops@example.com" } });
    const topic = await send({ name: `Topic ${++count}`, kind: "sns", settings: {} });
    expect([mail.body.messages[0].answer, topic.body.messages[0].answer]).toEqual([
      "accepted as m-2",
      "accepted as m-1",
    ]);
  });
});

describe("GET /v1/channel-kinds", () => {
  test("has every kind with a schema that marks secrets, and an example that creates a channel", async () => {
    const { status, body } = await edge.call("GET", "/v1/channel-kinds");
    expect([status, body.items.map(({ name }: { name: string }) => name)]).toEqual([
      200,
      Object.keys(channels).toSorted(),
    ]);
    for (const { name, settings, example, reference, isSetUp } of body.items) {
      expect(reference).toMatch(/^https:\/\//);
      for (const [field, schema] of Object.entries<{ description?: string }>(settings.properties))
        expect([name, field, schema.description]).toEqual([name, field, expect.any(String)]);
      if (!isSetUp) continue;
      const created = await post(example);
      expect([name, created.status, created.body.errors]).toEqual([name, 201, undefined]);
    }
    const slack = body.items.find(({ name }: { name: ChannelName }) => name === "slack");
    expect(slack.settings.properties.url.writeOnly).toBe(true);
  });
});
