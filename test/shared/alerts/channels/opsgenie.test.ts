import { expect, test } from "vitest";
import { z } from "zod";
import { opsgenie } from "../../../../shared/alerts/channels/opsgenie.ts";
import { alertOf } from "../../../support/alerts.ts";
import { channelSuite } from "../../../support/channel-suite.ts";

const create = z.strictObject({
  message: z
    .string()
    .min(1)
    .max(130)
    .regex(/^[^<>]*$/),
  alias: z.string().max(512),
  description: z
    .string()
    .max(15_000)
    .regex(/^[^<>]*$/),
  entity: z.string().max(512),
  source: z.string().max(100),
  priority: z.enum(["P1", "P2", "P3", "P4", "P5"]),
  tags: z.array(z.string().max(50)).max(20),
  details: z.record(z.string(), z.string()),
});
const close = z.strictObject({
  source: z.string().max(100),
  note: z
    .string()
    .max(25_000)
    .regex(/^[^<>]*$/),
});

const pathOf = (action: string) => `/v2/alerts/${alertOf().incidentId}/${action}?identifierType=alias`;
const [CLOSE, ACKNOWLEDGE] = [pathOf("close"), pathOf("acknowledge")];

const suite = channelSuite({
  channel: opsgenie,
  settings: () => ({ apiKey: "key" }),
  validate: ({ path, headers, body }) => {
    expect(headers.authorization).toBe("GenieKey key");
    if ([CLOSE, ACKNOWLEDGE].includes(path)) close.parse(JSON.parse(body));
    else {
      expect(path).toBe("/v2/alerts");
      create.parse(JSON.parse(body));
    }
  },
  success: { status: 202, body: { result: "Request will be processed", took: 0.1, requestId: "x" } },
  revoked: { status: 401, body: { message: "Could not authenticate" } },
  falseSuccesses: [{ status: 200, body: "<html>" }],
});

test.each([
  ["down", "/v2/alerts", "P1"],
  ["degraded", "/v2/alerts", "P3"],
  ["reminder", "/v2/alerts", "P1"],
  ["acknowledged", ACKNOWLEDGE, undefined],
  ["recovered", CLOSE, undefined],
  ["closed", CLOSE, undefined],
] as const)("%s goes to %s", async (event, path, priority) => {
  const sent = await suite.sent(alertOf(event));
  expect([sent.path, JSON.parse(sent.body).priority]).toEqual([path, priority]);
});
