import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { HIDDEN } from "../../../shared/protocols/secrets.ts";
import { type Edge, startEdge } from "./edge.ts";

let edge: Edge;
beforeAll(async () => {
  edge = await startEdge();
});
afterAll(() => edge[Symbol.asyncDispose]());

const SECRETS: [string, Record<string, unknown>][] = [
  ["snmp", { community: "s3cret" }],
  ["snmp", { version: "3", user: { user: "u", level: "authPriv", authKey: "auth-s3cret", privKey: "priv-s3cret" } }],
  ["http", { headers: { Authorization: "Bearer s3cret" }, path: "/health" }],
  ["tcp", { steps: [{ send: "AUTH s3cret\r\n", expect: { contains: "OK" } }] }],
  ["udp", { send: { text: "s3cret" }, silence: "up" }],
];
test.each(SECRETS)(
  "secrets among the settings of %s are shown to tokens that may write them, and hidden from readers",
  async (protocol, settings) => {
    const body = { name: "Router", protocol, host: "127.0.0.1", port: 1161, settings };
    const created = await edge.call("POST", "/v1/monitors", { body });
    expect(created.status).toBe(201);
    expect(created.body.settings).toEqual(settings);
    const reader = await edge.tokenWith("read");
    for (const path of [`/v1/monitors/${created.body.id}`, `/v1/monitors?q=Router`]) {
      const seen = await edge.call("GET", path, { token: reader });
      expect(JSON.stringify(seen.body)).not.toContain("s3cret");
      expect(JSON.stringify(seen.body)).toContain(HIDDEN);
      expect(JSON.stringify((await edge.call("GET", path)).body)).toContain("s3cret");
    }
    // What a reader was shown may be sent back: the secrets stay.
    const { body: shown } = await edge.call("GET", `/v1/monitors/${created.body.id}`, { token: reader });
    const patched = await edge.call("PATCH", `/v1/monitors/${created.body.id}`, { body: { settings: shown.settings } });
    expect([patched.status, patched.body.settings]).toEqual([200, settings]);
  },
);

test("each wrong field of an SNMP user is named without its secret, and nothing is stored", async () => {
  const user = { user: "monitor", level: "authPriv", authKey: "s3cret", priv: "DES", privKey: "s3cret2" };
  const body = { name: "Weak", protocol: "snmp", host: "127.0.0.1", settings: { version: "3", user } };
  const refused = await edge.call("POST", "/v1/monitors", { body });
  expect(refused.status).toBe(422);
  expect(refused.body.errors.map(({ path }: { path: string }) => path).sort()).toEqual([
    "settings.user.authKey",
    "settings.user.priv",
    "settings.user.privKey",
  ]);
  expect(JSON.stringify(refused.body)).not.toContain("s3cret");
  expect((await edge.call("GET", "/v1/monitors?q=Weak")).body.items).toEqual([]);
});

test("a webhook's secret is shown to those who may write, and its host to the others", async () => {
  edge.outside.sns = (action, parameters) =>
    action === "ListSubscriptionsByTopic" && parameters.get("TopicArn")?.endsWith("alerts")
      ? "<Subscriptions><member><SubscriptionArn>PendingConfirmation</SubscriptionArn><Protocol>https</Protocol><Endpoint>https://user:s3cret@hooks.example.com/s3cret?k=s3cret</Endpoint></member></Subscriptions>"
      : "<Subscriptions/>";
  const path = "/v1/subscriptions?topic=alerts";
  const seen = await edge.call("GET", path, { token: await edge.tokenWith("read") });
  expect(seen.body.items).toMatchObject([{ endpoint: `https://hooks.example.com/${HIDDEN}` }]);
  expect(JSON.stringify((await edge.call("GET", path)).body)).toContain("s3cret");
});

test("mail addresses and phone numbers are shown only to those who may write", async () => {
  const alerts = { emails: ["ops@example.com"] };
  const body = { name: "Mailed", protocol: "tcp", host: "127.0.0.1", port: 1, alerts };
  const { id } = (await edge.call("POST", "/v1/monitors", { body })).body;
  edge.outside.sns = (action) =>
    action === "ListSubscriptionsByTopic"
      ? "<Subscriptions><member><SubscriptionArn>PendingConfirmation</SubscriptionArn><Protocol>sms</Protocol><Endpoint>+41791234567</Endpoint></member></Subscriptions>"
      : "<Subscriptions/>";
  for (const [scope, isShown] of [
    ["read", false],
    ["deploy", false],
    ["write", true],
  ] as const) {
    const token = await edge.tokenWith(scope);
    const monitor = JSON.stringify((await edge.call("GET", `/v1/monitors/${id}`, { token })).body);
    const subscriptions = JSON.stringify((await edge.call("GET", "/v1/subscriptions", { token })).body);
    expect([monitor.includes("ops@example.com"), subscriptions.includes("+4179")]).toEqual([isShown, isShown]);
  }
});

describe("a token with deploy", () => {
  const settings = { community: "s3cret" };
  const create = async () =>
    (
      await edge.call("POST", "/v1/monitors", {
        body: { name: "Router", protocol: "snmp", host: "192.168.0.1", settings },
      })
    ).body.id as string;
  const patch = async (id: string, body: object) =>
    edge.call("PATCH", `/v1/monitors/${id}`, { token: await edge.tokenWith("deploy"), body });

  test("changes a monitor, and is not shown its secrets", async () => {
    const { status, body } = await patch(await create(), { name: "Switch" });
    expect([status, body.name, body.settings]).toEqual([200, "Switch", { community: HIDDEN }]);
  });

  test("cannot have a stored secret sent to another server", async () => {
    const id = await create();
    for (const change of [{ host: "192.0.2.1" }, { port: 1161 }, { host: "192.0.2.1", settings: {} }]) {
      const { status, body } = await patch(id, change);
      expect([status, body.errors?.[0].path]).toEqual([422, "settings.community"]);
    }
    expect((await edge.stores.monitors.get(id))?.host).toBe("192.168.0.1");
  });

  test("may change the target together with a secret of its own", async () => {
    const { status } = await patch(await create(), { host: "192.0.2.1", settings: { community: "own" } });
    expect(status).toBe(200);
  });
});
