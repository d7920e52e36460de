/** That nothing internal gets out: a marker in every field of a monitor, in its incident, notes, policies and windows. */
import { PutCommand } from "@aws-sdk/lib-dynamodb";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createDecisionStore } from "../../../shared/store/decisions.ts";
import { incidentKey, PUBLIC_READS, PUBLIC_WRITES } from "../../../shared/store/keys.ts";
import { incidentPlace } from "../../../shared/store/listing.ts";
import { monitorItem } from "../../../shared/store/monitors.ts";
import { alertsOf, monitorOf, viewOf } from "../../support/monitors.ts";
import { iso, MIDNIGHT } from "../api/overview/world.ts";
import { type StatusPages, startStatusPages } from "./fixture.ts";

const MARK = "LEAKED";

/** A value of the same kind with the marker in every text. Names of fields that the product itself reads stay. */
const marked = (value: unknown, kept: ReadonlySet<string>): unknown => {
  if (typeof value === "string") return `${MARK} ${value}`;
  if (Array.isArray(value)) return value.map((one) => marked(one, kept));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [name, kept.has(name) ? one : marked(one, kept)]),
  );
};
/** What must stay what it is, or the monitor would be none: ids, times, states, places in lists. */
const KEPT: ReadonlySet<string> = new Set([
  ...["pk", "sk", "id", "monitorId", "shard", "status", "health", "state", "reason", "severity", "endReason", "quorum"],
  ...["since", "createdAt", "updatedAt", "changedAt", "settingsChangedAt", "startedAt", "endedAt", "deletedAt", "at"],
  ...["listBucket", "listKey", "attentionBucket", "attentionKey", "changedBucket", "locations", "protocol", "public"],
]);

const START = iso(MIDNIGHT + 60);
let world: StatusPages;
beforeAll(async () => {
  world = await startStatusPages();
  world.time.now = MIDNIGHT + 600;
  const incident = {
    ...{ id: `m1.${Date.parse(START)}`, startedAt: START, endedAt: null, targetVersion: 1 },
    target: { protocol: "tcp", host: "db-2.internal", port: 5432 },
    ...{ severity: "down" as const, downSince: START, reason: "timeout" as const, message: "no answer from db-2" },
    evidence: { banner: "secret" },
    locations: { local: { health: "down" as const, state: "closed" as const, reason: null, message: "refused" } },
    ...{ announced: "down" as const, alertCount: 1, told: { "email:ops@example.com": "down" } },
    acknowledged: { at: START, by: "somebody", note: "hush" },
    endReason: null,
  };
  const monitor = monitorOf({
    ...{ id: "m1", name: "Orders database", key: "orders/db", host: "db-2.internal", shard: "10#0" },
    settings: { username: "root", password: "hunter2" },
    tags: { team: "orders", public: "yes" },
    alerts: alertsOf({ emails: ["ops@example.com"], policies: ["on-call"] }),
    locations: ["local"],
    views: {
      local: {
        ...viewOf("down", MIDNIGHT + 60, { evidence: { banner: "secret" } }),
        facts: { checks: 3, values: { "ssh.software": [{ value: "OpenSSH" }] } },
      },
    },
    baseline: {
      target: { protocol: "tcp", host: "db-2.internal", port: 5432 },
      learned: ["local"],
      values: { "ssh.software": ["OpenSSH"] },
      changes: {
        "m1.0a1b2c3d4e5f": {
          key: "ssh.software",
          value: "dropbear",
          from: ["OpenSSH"],
          since: START,
          locations: ["local"],
          isTold: true,
        },
      },
      further: 0,
      advisory: null,
    },
    ...{ status: "down", since: START, createdAt: iso(MIDNIGHT), lastStretch: { status: "down", since: START } },
    incident: incident as never,
    writtenBy: "request",
    updatedBy: { id: "token", name: "deployment" },
    badge: false,
  });
  const put = (item: object) =>
    world.client.send(new PutCommand({ TableName: world.tables.monitors, Item: item as Record<string, unknown> }));
  const item = marked(monitorItem(monitor), KEPT) as Record<string, unknown>;
  // Tags select it, so only their other values are marked.
  await put({ ...item, tags: { team: `${MARK} orders`, public: "yes" } });
  await createDecisionStore(world.client, world.tables.monitors).projectIncident(monitor, incident as never, 1);
  const about = { monitorId: "m1", monitorName: "x", protocol: "tcp", host: "db-2.internal", port: 1 };
  const recorded = { ...incidentKey("m1", START), ...incident, ...about, ...incidentPlace("m1", START), revision: 1 };
  await put(marked(recorded, KEPT) as object);
  await world.call("POST", `/v1/incidents/${incident.id}/notes`, { body: { text: `${MARK} internal`, public: false } });
  await world.call("POST", `/v1/incidents/${incident.id}/notes`, { body: { text: "We are on it", public: true } });
  await world.call("POST", "/v1/policies", {
    body: { name: `${MARK} policy`, match: { tags: {} }, steps: [{ afterSeconds: 0, emails: ["leaked@example.com"] }] },
  });
  const later = { kind: "once", startsAt: iso(MIDNIGHT + 86_400), durationSeconds: 3_600 };
  await world.maintain({ name: `${MARK} window`, all: true, schedule: later });
  await world.createPage({
    ...{ title: "Shop", showLatency: true },
    groups: [{ name: "Services", entries: [{ monitorId: "m1", name: "Ordering", text: "Baskets" }] }],
  });
});
afterAll(() => world[Symbol.asyncDispose]());

const VIEWS = ["", ".json", "/feed.atom", "/feed.rss", "/badge.svg", "/history", `/incidents/m1.${Date.parse(START)}`];

test.each(VIEWS)("nothing internal is in /status/shop%s", async (view) => {
  const { status, text, headers } = await world.read(`/status/shop${view}`);
  expect(status).toBe(200);
  expect(text.length).toBeGreaterThan(100);
  expect(`${text} ${JSON.stringify(headers)}`).not.toMatch(/leaked|db-2|internal|hunter2|ops@example|secret|hush/i);
  if (view !== "/badge.svg") expect(text).toContain("Ordering");
});

test("figures that a page does not show are not there", async () => {
  const figuresOf = async (slug: string) =>
    JSON.parse((await world.read(`/status/${slug}.json`)).text).groups[0].entries[0];
  const groups = [{ entries: [{ monitorId: "m1", name: "Ordering" }] }];
  await world.createPage({ title: "Bare", showPercent: false, groups });
  const bare = await figuresOf("bare");
  expect([Object.keys(bare).includes("uptimePercent"), Object.keys(bare).includes("latencyMs")]).toEqual([
    false,
    false,
  ]);
  expect(await figuresOf("shop")).toMatchObject({ uptimePercent: 0, latencyMs: null });
});

test("nothing internal is in answers of the API that need no token", async () => {
  for (const path of ["/v1/badges/m1.svg", "/v1/badges/m1.svg?show=status", "/v1/health", "/v1", "/v1/acknowledge"]) {
    const { body, headers } = await world.call("GET", path, { token: null });
    expect([path, JSON.stringify([body, headers])]).toEqual([path, expect.not.stringMatching(/leaked|db-2/i)]);
  }
});

test("a monitor that a tag selects shows its name and nothing else", async () => {
  await world.createPage({ title: "By tag", groups: [{ entries: [{ tags: { public: "yes" } }] }] });
  for (const view of VIEWS) {
    const { text } = await world.read(`/status/by-tag${view}`);
    expect(text.replaceAll(`${MARK} Orders database`, "")).not.toMatch(/leaked|db-2|hunter2/i);
  }
  expect((await world.read("/status/by-tag.json")).text).toContain(`${MARK} Orders database`);
});

test("the function touches no other items than its role allows", async () => {
  const patterns = (allowed: readonly string[]) => allowed.map((one) => new RegExp(`^${one.replace("*", ".*")}$`));
  const [reads, writes] = [patterns(PUBLIC_READS), patterns(PUBLIC_WRITES)];
  const touched: string[] = [];
  const { send } = world.client;
  // biome-ignore lint/suspicious/noExplicitAny: inputs of all commands
  world.client.send = (async (command: any) => {
    const { input } = command;
    const keys = Object.values(input.RequestItems ?? {}).flatMap((one) => (one as { Keys: { pk: string }[] }).Keys);
    const all = [input.Key?.pk, input.Item?.pk, input.ExpressionAttributeValues?.[":pk"], ...keys.map(({ pk }) => pk)];
    const isOurs = JSON.stringify(input).includes(world.tables.monitors) && input.IndexName === undefined;
    const allowed = /Put|Update|Delete/.test(command.constructor.name) ? writes : reads;
    for (const pk of isOurs ? all.filter((one) => typeof one === "string") : []) {
      touched.push(pk);
      expect([pk, allowed.some((pattern) => pattern.test(pk))]).toEqual([pk, true]);
    }
    return (send as (one: unknown) => Promise<unknown>).call(world.client, command);
  }) as typeof send;
  try {
    world.time.now += 60;
    for (const page of ["shop", "by-tag"]) for (const view of VIEWS) await world.read(`/status/${page}${view}`);
    await world.read("/status/preview-0123456789abcdef0123456789abcdef");
    const form = { address: "ann@example.com" };
    await world.read("/status/shop/subscribers", { method: "POST", form });
    await world.read("/status/shop/access", { method: "POST", form: { password: "x" } });
  } finally {
    world.client.send = send;
  }
  expect(touched.length).toBeGreaterThan(20);
  expect(world.faults).toEqual([]);
});
