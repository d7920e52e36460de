/** Channels that speak to AWS: mail, SMS, the topic and Lambda functions. */
import type { PublishCommandInput } from "@aws-sdk/client-sns";
import { describe, expect, test } from "vitest";
import type { Outside } from "../../../../shared/alerts/channels/channel.ts";
import { email } from "../../../../shared/alerts/channels/email.ts";
import { lambda } from "../../../../shared/alerts/channels/lambda.ts";
import { people } from "../../../../shared/alerts/channels/people.ts";
import { sms } from "../../../../shared/alerts/channels/sms.ts";
import { sns } from "../../../../shared/alerts/channels/sns.ts";
import { alertOf, EVENTS, HOSTILE, hostile } from "../../../support/alerts.ts";
import { digestOf, NOW } from "../../../support/channel-suite.ts";

const FUNCTION = "arn:aws:lambda:eu-central-1:123456789012:function:on-alert";
const published: PublishCommandInput[] = [];
const invoked: object[] = [];
const outside: Outside = {
  topics: { alerts: "alerts", people: "people", system: "system" },
  sender: "sender@example.com",
  publish: async (input) => {
    published.push(input);
    return { MessageId: "m-1" };
  },
  sendMail: async () => ({ MessageId: "m-2" }),
  invoke: async (input) => void invoked.push(input),
  alertFunctions: [FUNCTION],
  allowsSms: true,
};
const context = { ...outside, now: NOW };
const signal = AbortSignal.timeout(10_000);

describe("SMS", () => {
  test.each(Object.keys(HOSTILE))("fits into one message, in its alphabet: %s", (name) => {
    for (const event of EVENTS) {
      const { Message, PhoneNumber } = sms.render(
        hostile(HOSTILE[name]!, event),
        { phoneNumber: "+41791234567" },
        context,
      );
      expect([PhoneNumber, Message]).toEqual(["+41791234567", expect.stringMatching(/^[\x20-\x7e]{1,160}$/)]);
    }
  });

  test("a digest fits into one message too", () => {
    const { Message } = sms.renderDigest!(digestOf(37), { phoneNumber: "+41791234567" }, context);
    expect(Message).toMatch(/^37 alerts: 37 down\. First: DOWN: Orders database is down[\x20-\x7e]*$/);
    expect(Message!.length).toBeLessThanOrEqual(160);
  });

  test("is sent as transactional, and is off unless the deployment allows it", async () => {
    const message = sms.render(alertOf(), { phoneNumber: "+41791234567" }, context);
    expect(await sms.send(message, outside, signal)).toEqual({ kind: "delivered", said: "accepted as m-1" });
    expect(published.at(-1)?.MessageAttributes?.["AWS.SNS.SMS.SMSType"]?.StringValue).toBe("Transactional");
    expect([sms.isSetUp(outside), sms.isSetUp({ ...outside, allowsSms: false })]).toEqual([true, false]);
  });
});

describe("topic people", () => {
  const at = (team: string, event: "down" | "recovered") => {
    const alert = alertOf(event);
    return { ...alert, monitor: { ...alert.monitor, id: team, tags: { team, site: "zrh" } } };
  };
  const valuesOf = ({ MessageAttributes = {} }: PublishCommandInput) =>
    Object.fromEntries(
      Object.entries(MessageAttributes).map(([name, { DataType, StringValue = "" }]) => [
        name,
        DataType === "String.Array" ? JSON.parse(StringValue) : StringValue,
      ]),
    );

  test("gets an alert as mail and SMS, with the attributes that topic alerts has", () => {
    const message = people.render(at("orders", "down"), {}, context);
    expect(message).toMatchObject({ TopicArn: "people", MessageStructure: "json" });
    const { default: text, email, sms } = JSON.parse(message.Message!);
    expect([text, email, sms]).toEqual([email, expect.stringMatching(/^Alert: /m), expect.stringMatching(/is down/)]);
    expect(message.MessageAttributes).toEqual(sns.render(at("orders", "down"), {}, context).MessageAttributes);
  });

  test("gets a digest with all values of its alerts, so that any filter that one passes lets it through", () => {
    const alerts = [at("orders", "down"), at("payments", "recovered"), at("orders", "down")];
    const message = people.renderDigest!({ id: "d", alerts, url: null }, {}, context);
    expect(message.Subject).toBe("3 alerts: 2 down, 1 recovered");
    expect(valuesOf(message)).toMatchObject({
      event: ["down", "recovered"],
      severity: ["critical", "info"],
      incidentState: ["open", "ended"],
      monitorId: ["orders", "payments"],
      tags: ["team=orders", "site=zrh", "team=payments"],
    });
    // As raw delivery to a queue takes them.
    expect(Object.keys(message.MessageAttributes!).length).toBeLessThanOrEqual(10);
    expect(JSON.parse(message.Message!).email).toMatch(/^3 alerts: 2 down, 1 recovered\n.*DOWN: /);
  });

  test("gets the largest digest within the 256 KB of a message", () => {
    const tags = Object.fromEntries(
      Array.from({ length: 20 }, (_, i) => [`name-${i}`.padEnd(48, "x"), "v".repeat(54)]),
    );
    const alerts = Array.from({ length: 1_000 }, (_, i) => {
      const alert = at(String(i).padStart(20, "0"), "down");
      return { ...alert, monitor: { ...alert.monitor, tags: { ...tags, own: String(i) } } };
    });
    const message = people.renderDigest!({ id: "d", alerts, url: null }, {}, context);
    expect(Buffer.byteLength(JSON.stringify(message))).toBeLessThan(256 * 1024);
  });

  test("is told fewer than five times a second", () => {
    expect(people.rate!.messages / people.rate!.seconds).toBeLessThan(5);
    expect(people.audience).toBe("people");
  });
});

describe("a Lambda function", () => {
  test("gets the alert", async () => {
    const message = lambda.render(alertOf(), { functionArn: FUNCTION }, context);
    expect(await lambda.send(message, outside, signal)).toMatchObject({ kind: "delivered" });
    expect(invoked).toEqual([{ functionArn: FUNCTION, payload: JSON.stringify(alertOf()) }]);
  });

  test("is invoked only if the deployment lists it", async () => {
    const functionArn = `${FUNCTION}-other`;
    expect(lambda.errorsHere!({ functionArn }, outside)).toEqual([
      { path: "functionArn", message: expect.stringContaining("alertFunctions") },
    ]);
    const message = lambda.render(alertOf(), { functionArn }, context);
    expect(await lambda.send(message, outside, signal)).toMatchObject({ kind: "refused", isPermanent: true });
  });

  test.each([
    ["ResourceNotFoundException", true],
    ["TooManyRequestsException", false],
  ])("%s is final: %s", async (name, isPermanent) => {
    const invoke = async () => {
      throw Object.assign(new Error("no"), { name });
    };
    const message = lambda.render(alertOf(), { functionArn: FUNCTION }, context);
    expect(await lambda.send(message, { ...outside, invoke }, signal)).toMatchObject({ isPermanent });
  });
});

test("a digest by mail escapes names", () => {
  const digest = digestOf(37, () => hostile(HOSTILE.markup!));
  const { subject, html, text } = email.renderDigest!(digest, { address: "ops@example.com" }, context);
  expect(subject).toBe("37 alerts: 37 down");
  expect(html).not.toContain("<b>x");
  expect(text).toContain("and 17 more\nhttps://api.example.com/v1/incidents");
});

test("mails of one incident are one thread, each with an id of its own", () => {
  const mailOf = (alertId: string, incidentId: string) =>
    email.render({ ...alertOf(), alertId, incidentId }, { address: "ops@example.com" }, context);
  const [first, second, other] = [mailOf("m1.1.1", "m1.1"), mailOf("m1.1.2", "m1.1"), mailOf("m2.1.1", "m2.1")];
  expect(first.thread).toBe("m1.1@example.com");
  expect(second.thread).toBe(first.thread);
  expect(other.thread).not.toBe(first.thread);
  expect(new Set([first, second, other].map(({ id }) => id)).size).toBe(3);
});
