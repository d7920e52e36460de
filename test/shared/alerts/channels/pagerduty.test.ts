import { expect, test } from "vitest";
import { z } from "zod";
import { pagerduty } from "../../../../shared/alerts/channels/pagerduty.ts";
import { alertOf } from "../../../support/alerts.ts";
import { channelSuite } from "../../../support/channel-suite.ts";

const KEY = "0123456789abcdef0123456789abcdef";
const common = { routing_key: z.literal(KEY), dedup_key: z.string().min(1).max(255) };
const event = z.discriminatedUnion("event_action", [
  z.strictObject({
    ...common,
    event_action: z.literal("trigger"),
    client: z.string(),
    client_url: z.url(),
    links: z.array(z.strictObject({ href: z.url(), text: z.string() })),
    payload: z.strictObject({
      summary: z.string().min(1).max(1024),
      source: z.string().min(1),
      severity: z.enum(["critical", "error", "warning", "info"]),
      timestamp: z.iso.datetime(),
      component: z.string(),
      class: z.string(),
      custom_details: z.record(z.string(), z.unknown()),
    }),
  }),
  z.strictObject({ ...common, event_action: z.enum(["acknowledge", "resolve"]) }),
]);

const suite = channelSuite({
  channel: pagerduty,
  settings: () => ({ routingKey: KEY }),
  validate: ({ method, path, body }) => {
    expect([method, path]).toEqual(["POST", "/v2/enqueue"]);
    expect(Buffer.byteLength(body)).toBeLessThan(512 * 1024);
    event.parse(JSON.parse(body));
  },
  success: { status: 202, body: { status: "success", message: "Event processed", dedup_key: "x" } },
  revoked: {
    status: 400,
    body: { status: "invalid event", message: "Event object is invalid", errors: ["Invalid routing key"] },
  },
  falseSuccesses: [{ status: 200, body: "<html>Sign in to the proxy</html>" }],
});

test.each([
  ["down", "trigger", "critical"],
  ["degraded", "trigger", "warning"],
  ["escalated", "trigger", "critical"],
  ["reminder", "trigger", "critical"],
  ["acknowledged", "acknowledge", undefined],
  ["recovered", "resolve", undefined],
  ["closed", "resolve", undefined],
] as const)("%s is %s under the incident's id", async (name, action, severity) => {
  const { event_action, dedup_key, payload } = JSON.parse((await suite.sent(alertOf(name))).body);
  expect([event_action, dedup_key, payload?.severity]).toEqual([action, alertOf().incidentId, severity]);
});

test("accounts of the service region EU have another host", () => {
  const context = { topics: { alerts: "", people: "", system: "" }, sender: undefined, now: new Date() };
  const { url } = pagerduty.render(alertOf(), { routingKey: KEY, region: "eu" }, context);
  expect(url).toBe("https://events.eu.pagerduty.com/v2/enqueue");
});
