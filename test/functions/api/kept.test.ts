import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { channels } from "../../../shared/alerts/channels/index.ts";
import { createChannelStore } from "../../../shared/store/channels.ts";
import { errorsOf, refTo } from "../../support/document.ts";
import { type Edge, startEdge } from "./edge.ts";

let edge: Edge;
beforeAll(async () => {
  edge = await startEdge();
});
afterAll(() => edge[Symbol.asyncDispose]());

/** What policies, maintenance windows and channels have in common. */
const KINDS = [
  {
    path: "/v1/policies",
    body: { name: "Kept", match: { tags: { team: "web" } }, steps: [{ afterSeconds: 0, emails: ["a@example.com"] }] },
    schema: "Policy",
  },
  {
    path: "/v1/maintenance-windows",
    body: { name: "Kept", all: true, schedule: { kind: "daily", at: "02:30", durationSeconds: 3_600 } },
    schema: "MaintenanceWindow",
  },
  {
    path: "/v1/channels",
    body: {
      name: "Kept",
      kind: "gotify",
      settings: { server: "https://gotify.example.com", token: "AbCdEf0123456_." },
    },
    schema: "Channel",
  },
];

describe.each(KINDS)("$path", ({ path, body, schema }) => {
  let own = "";
  beforeAll(async () => {
    const created = await edge.call("POST", path, { body });
    expect(created.status).toBe(201);
    own = created.headers.location ?? "";
  });

  test("takes the ETag of GET as If-Match, until it changes", async () => {
    const etag = (await edge.call("GET", own)).headers.etag ?? "";
    const headers = { "if-match": etag };
    expect((await edge.call("PATCH", own, { body: { name: "Changed" }, headers })).status).toBe(200);
    const late = await edge.call("PATCH", own, { body: { name: "Late" }, headers });
    expect([late.status, late.body.code]).toEqual([412, "stale-etag"]);
    expect((await edge.call("DELETE", own, { headers })).status).toBe(412);
  });

  test("takes what GET answered, to change one thing or nothing", async () => {
    const read = (await edge.call("GET", own)).body;
    for (const input of [`${schema}Patch`, `${schema}Input`])
      expect(errorsOf(refTo("components", "schemas", input), read), input).toBeUndefined();
    const log = async () => (await edge.call("GET", `/v1/audit?monitor=${read.id}`)).body.items.length;
    const logged = await log();
    const same = await edge.call("PATCH", own, { body: read });
    expect([same.status, same.body, await log()]).toEqual([200, read, logged]);
    const renamed = await edge.call("PATCH", own, { body: { ...read, name: `${schema}, renamed` } });
    expect(renamed.body).toEqual({ ...read, name: `${schema}, renamed`, updatedAt: renamed.body.updatedAt });
    const unknown = await edge.call("PATCH", own, { body: { ...read, colour: "red" } });
    expect(unknown.body.errors).toEqual([{ path: "colour", message: 'there is no field "colour" here' }]);
  });
});

test("a masked address of a policy stays when it is sent back", async () => {
  const steps = [
    { afterSeconds: 0, channels: [], emails: ["a@example.com", "b@example.com"] },
    { afterSeconds: 60, channels: ["sns"], emails: ["c@example.com"] },
  ];
  const body = { name: "Masked", match: { tags: { team: "orders" } }, steps };
  const { id } = (await edge.call("POST", "/v1/policies", { body })).body;
  const token = await edge.limitedToken("write", "team=orders");
  const read = (await edge.call("GET", `/v1/policies/${id}`, { token })).body;
  expect(read.steps[0].emails).toEqual(["(hidden)", "(hidden)"]);
  const added = [...read.steps, { afterSeconds: 90, emails: ["d@example.com"] }];
  expect((await edge.call("PATCH", `/v1/policies/${id}`, { token, body: { ...read, steps: added } })).status).toBe(200);
  expect((await edge.call("GET", `/v1/policies/${id}`)).body.steps).toMatchObject([...steps, added[2]]);
  const unknown = [{ afterSeconds: 0, emails: ["x@example.com", "b@example.com", "(hidden)"] }];
  const refused = await edge.call("PATCH", `/v1/policies/${id}`, { body: { steps: unknown } });
  expect(refused.body.errors.map(({ path }: { path: string }) => path)).toEqual(["steps[0].emails[2]"]);
});

describe("a masked secret of a channel", () => {
  const ARNS = new Set(["lambda", "sms", "sns", "people", "email"]);
  const kinds = Object.entries(channels).filter(([kind]) => !ARNS.has(kind));

  test.each(kinds)("stays when it is sent back: %s", async (kind, { example }) => {
    const { id } = (
      await edge.call("POST", "/v1/channels", { body: { name: `Masked ${kind}`, kind, settings: example } })
    ).body;
    const stored = () => createChannelStore(edge.client, edge.tables.monitors).secrets(id);
    const before = await stored();
    expect(Object.keys(before)).not.toEqual([]);
    const read = (await edge.call("GET", `/v1/channels/${id}`)).body;
    expect((await edge.call("PATCH", `/v1/channels/${id}`, { body: read })).status).toBe(200);
    expect(await stored()).toEqual(before);
    const copy = await edge.call("POST", "/v1/channels", { body: { ...read, name: `Copy of ${kind}` } });
    expect(copy.body.errors.map(({ path }: { path: string }) => path)).toEqual(
      Object.keys(before).map((name) => `settings.${name}`),
    );
  });
});

describe("a stored secret of a channel", () => {
  const gotify = { server: "https://gotify.example.com/push", token: "AbCdEf0123456_." };
  const hook = { url: "https://hooks.example.com/a", headers: { Authorization: "Bearer s3cret" } };

  test.each([
    ["gotify", gotify, { server: "https://evil.example.com/" }, "settings.token"],
    ["gotify", gotify, { server: "https://evil.example.com/", token: "(hidden)" }, "settings.token"],
    ["gotify", gotify, { server: "http://gotify.example.com/push" }, "settings.token"],
    [
      "ntfy",
      { topic: "t0pic", token: "tk_s3cret" },
      { server: "https://evil.example.com/", topic: "x" },
      "settings.token",
    ],
    ["webhook", hook, { url: "https://evil.example.com/" }, "settings.headers"],
  ])("is not taken to another server: %s %j %j", async (kind, settings, change, path) => {
    const { id } = (
      await edge.call("POST", "/v1/channels", { body: { name: `Moved ${crypto.randomUUID()}`, kind, settings } })
    ).body;
    const { status, body } = await edge.call("PATCH", `/v1/channels/${id}`, { body: { settings: change } });
    expect([status, body.errors]).toEqual([422, [{ path, message: expect.stringContaining("must be sent again") }]]);
  });

  test.each([
    ["gotify", gotify, { server: "https://gotify.example.com/" }],
    ["gotify", gotify, { server: "https://other.example.com/", token: "0ther" }],
    ["webhook", hook, { url: "https://hooks.example.com/b" }],
    ["webhook", hook, { url: "https://other.example.com/", headers: null }],
  ])("stays on its server, or is sent again: %s %j %j", async (kind, settings, change) => {
    const { id } = (
      await edge.call("POST", "/v1/channels", { body: { name: `Kept ${crypto.randomUUID()}`, kind, settings } })
    ).body;
    expect((await edge.call("PATCH", `/v1/channels/${id}`, { body: { settings: change } })).status).toBe(200);
  });
});
