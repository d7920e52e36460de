import { afterAll, beforeAll, expect, test } from "vitest";
import { HIDDEN } from "../../../shared/protocols/secrets.ts";
import { type Edge, startEdge } from "./edge.ts";

let edge: Edge;
beforeAll(async () => {
  edge = await startEdge();
});
afterAll(() => edge[Symbol.asyncDispose]());

const SECRETS: [string, Record<string, unknown>][] = [
  ["snmp", { community: "s3cret" }],
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
