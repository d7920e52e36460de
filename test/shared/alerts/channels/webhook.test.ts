import { createHmac } from "node:crypto";
import { describe, expect, test } from "vitest";
import { webhook } from "../../../../shared/alerts/channels/webhook.ts";
import { inOurWords, pathText } from "../../../../shared/issues.ts";
import { alertOf, HOSTILE, hostile } from "../../../support/alerts.ts";
import { channelSuite, NOW } from "../../../support/channel-suite.ts";
import type { Received } from "../../../support/receiver.ts";

const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/** Verifies as Standard Webhooks demands of a receiver. */
const verify = ({ headers, body }: Received) => {
  const { "webhook-id": id, "webhook-timestamp": at, "webhook-signature": signature } = headers;
  const key = Buffer.from(SECRET.slice("whsec_".length), "base64");
  const expected = createHmac("sha256", key).update(`${id}.${at}.${body}`).digest("base64");
  expect(String(signature).split(" ")).toContain(`v1,${expected}`);
  expect(Number(at)).toBe(NOW.getTime() / 1000);
  return id;
};

const suite = channelSuite({
  channel: webhook,
  settings: (url) => ({ url: `${url}/hook?token=1`, secret: SECRET }),
  validate: (received) => {
    expect([received.path, received.headers["content-type"]]).toEqual(["/hook?token=1", "application/json"]);
    const alert = JSON.parse(received.body);
    expect(verify(received)).toBe(alert.alertId);
  },
  success: { status: 204 },
  revoked: { status: 410, body: "gone" },
});

test("without a template the body is the alert", async () => {
  const { body, headers } = await suite.sent(hostile(HOSTILE.markup!));
  expect(JSON.parse(body)).toEqual(hostile(HOSTILE.markup!));
  expect(headers["webhook-id"]).toBe(alertOf().alertId);
});

describe("a body template", () => {
  const body = (template: unknown) => JSON.stringify(template);
  const filled = async (template: unknown, alert = alertOf()) => {
    const request = webhook.render(
      alert,
      { url: "http://127.0.0.1/", body: body(template) },
      { topics: { alerts: "", people: "", system: "" }, sender: undefined, now: NOW },
    );
    return JSON.parse(request.body);
  };

  test("inserts values in text, and takes the place of a text that is nothing else", async () => {
    const template = {
      text: "{{monitor.name}} is {{ status }}, port {{monitor.port}}",
      port: "{{monitor.port}}",
      all: ["{{alert}}", { reason: "{{reason}}", team: "{{monitor.tags.team}}", none: "{{monitor.tags.constructor}}" }],
      fixed: [1, true, null, "plain"],
    };
    expect(await filled(template)).toEqual({
      text: "Orders database is down, port 5432",
      port: 5432,
      all: [alertOf(), { reason: "connection-refused", team: "orders", none: null }],
      fixed: [1, true, null, "plain"],
    });
  });

  test("cannot be left by what a user or a target wrote, nor be filled twice", async () => {
    const name = '", "admin": true, "x": "{{alertId}}';
    expect(await filled({ text: "{{monitor.name}}" }, hostile(name))).toEqual({ text: name });
    expect(await filled({ text: "a {{monitor.name}} $& $1" }, hostile(name))).toEqual({ text: `a ${name} $& $1` });
  });

  const errorsOf = (settings: unknown) => {
    const { error } = webhook.settings.safeParse(settings, { error: inOurWords });
    return error?.issues.map(({ path, message }) => `${pathText(path)} ${message}`) ?? [];
  };
  const url = "https://example.com/";

  test.each([
    ["{", /^body must be JSON: .*position 1/],
    [body({ a: { b: ["x", "{{monitor.nmae}}"] } }), /^body names \{\{monitor\.nmae\}\} at a\.b\[1\].*monitor\.name/],
    [body({ a: "{{monitor.name" }), /^body has \{\{ or \}\} at a that is no \{\{name\}\}/],
    [body("{{toString}}"), /^body names \{\{toString\}\} at the top/],
    [`${"[".repeat(4000)}${"]".repeat(4000)}`, /^body must be nested at most 32 levels deep/],
    [`"${"x".repeat(9000)}"`, /^body must be at most 8192 characters/],
  ])("is refused at creation, naming the place: %s", (template, message) => {
    expect(errorsOf({ url, body: template })).toEqual([expect.stringMatching(message)]);
  });

  test.each([
    [{ "Webhook-Id": "x" }, "is set by Harborlight"],
    [{ Host: "x" }, "is set by Harborlight"],
    [{ "a b": "x" }, "must be the name of a header"],
    [{ a: "x\r\nb: y" }, "must be one line"],
  ])("headers %j are refused", (headers, message) => {
    expect(errorsOf({ url, headers })).toEqual([expect.stringContaining("headers")]);
    expect(JSON.stringify(webhook.settings.safeParse({ url, headers }).error?.issues)).toContain(message);
  });

  test.each(["ftp://example.com", "https://user:pass@example.com/", "/path", "https://example.com/#x"])(
    "URL %s is refused",
    (wrong) => expect(errorsOf({ url: wrong })).toEqual([expect.stringContaining("url must be an http or https URL")]),
  );
});

test("own headers are sent", async () => {
  const { headers } = await suite.sent(alertOf(), { headers: { Authorization: "Bearer x" } });
  expect(headers.authorization).toBe("Bearer x");
});
