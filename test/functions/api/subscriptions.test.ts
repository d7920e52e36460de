import { DeleteCommand } from "@aws-sdk/lib-dynamodb";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { filterOf, filterPolicy } from "../../../functions/api/subscriptions/subscription.ts";
import { parseDeliveryPolicy, retryDelay } from "../../../infra/local/sns/retries.ts";
import { ALERT_EVENTS } from "../../../shared/model.ts";
import { SYSTEM_EVENTS } from "../../../shared/system-events.ts";
import { type Edge, startEdge } from "./edge.ts";

let edge: Edge;
beforeAll(async () => {
  edge = await startEdge();
});
afterAll(() => edge[Symbol.asyncDispose]());
const TOPIC = "arn:aws:sns:us-east-1:000000000000:alerts";
beforeEach(() => {
  edge.calls.sns.length = 0;
  edge.outside.sns = () => `<SubscriptionArn>${TOPIC}:0b1c-2d</SubscriptionArn>`;
});

const subscribe = (body: Record<string, unknown>) => edge.call("POST", "/v1/subscriptions", { body });

describe("subscribing", () => {
  test("takes any event in a filter", async () => {
    const filter = { events: [...ALERT_EVENTS, ...SYSTEM_EVENTS] };
    const { status } = await subscribe({ kind: "sqs", endpoint: "arn:aws:sqs:us-east-1:000000000000:q", filter });
    expect(status).toBe(201);
  });

  test("makes a filter policy and names the queue for what cannot be delivered", async () => {
    const filter = {
      events: ["down"],
      tags: ["team=orders"],
      monitorIds: ["m1", "m2"],
      protocols: ["tcp"],
      severities: ["critical"],
    };
    const { status, body } = await subscribe({ kind: "https", endpoint: "https://hooks.example.com/x", filter });
    expect([status, body]).toEqual([
      201,
      {
        id: "alerts-0b1c-2d",
        topic: "alerts",
        kind: "https",
        endpoint: "https://hooks.example.com/x",
        filter,
        isConfirmed: false,
        status: "pending",
      },
    ]);
    const [sent] = edge.calls.sns;
    expect(sent).toMatchObject({
      Action: "Subscribe",
      TopicArn: TOPIC,
      Protocol: "https",
      ReturnSubscriptionArn: "true",
    });
    const attributes = Object.fromEntries(
      [1, 2, 3].map((n) => [
        sent?.[`Attributes.entry.${n}.key`],
        JSON.parse(sent?.[`Attributes.entry.${n}.value`] ?? "null"),
      ]),
    );
    expect(attributes).toEqual({
      FilterPolicy: {
        event: ["down"],
        severity: ["critical"],
        tags: ["team=orders"],
        monitorId: ["m1", "m2"],
        protocol: ["tcp"],
      },
      DeliveryPolicy: expect.anything(),
      RedrivePolicy: { deadLetterTargetArn: "arn:aws:sqs:us-east-1:000000000000:undelivered" },
    });
  });

  test.each([
    ["email", "ops@example.com", "people", false],
    ["sms", "+41791234567", "people", true],
    ["http", "http://127.0.0.1:8080/hook?x=1", "alerts", false],
    ["sqs", "arn:aws:sqs:eu-west-1:123456789012:jobs", "alerts", true],
    ["lambda", "arn:aws-cn:lambda:cn-north-1:123456789012:function:f:live", "alerts", true],
  ])("takes %s at %s, for topic %s", async (kind, endpoint, topic, isConfirmed) => {
    const { status, body } = await subscribe({ kind, endpoint });
    expect([status, body.topic, body.isConfirmed, body.filter]).toEqual([201, topic, isConfirmed, null]);
    expect(edge.calls.sns.at(-1)).toMatchObject({ Action: "Subscribe", TopicArn: TOPIC.replace("alerts", topic) });
    expect((await subscribe({ topic: "system", kind, endpoint })).body.topic).toBe("system");
  });

  test("mail that was subscribed to topic alerts before there was one for people stays there, and is told once", async () => {
    const member = (arn: string) =>
      `<Subscriptions><member><SubscriptionArn>${arn}</SubscriptionArn><Protocol>email</Protocol><Endpoint>old@example.com</Endpoint></member></Subscriptions>`;
    let listed = member(`${TOPIC}:old-1`);
    edge.outside.sns = (action, parameters) =>
      action === "ListSubscriptionsByTopic"
        ? listed
        : `<SubscriptionArn>${parameters.get("TopicArn")}:old-1</SubscriptionArn>`;
    const topicOf = async (endpoint: string, topic = "alerts") =>
      (await subscribe({ kind: "email", endpoint, topic })).body.topic;
    expect(await topicOf("old@example.com")).toBe("alerts");
    expect(await topicOf("old@example.com", "people")).toBe("alerts");
    expect(await topicOf("new@example.com")).toBe("people");
    listed = member("PendingConfirmation");
    expect(await topicOf("old@example.com")).toBe("alerts");
    // Deleted before it was confirmed: it gets nothing there any more.
    edge.outside.sns = (action) =>
      action === "ListSubscriptionsByTopic"
        ? listed
        : action === "GetSubscriptionAttributes"
          ? "<Attributes><entry><key>PendingConfirmation</key><value>true</value></entry><entry><key>Protocol</key><value>email</value></entry><entry><key>Endpoint</key><value>old@example.com</value></entry></Attributes>"
          : `<SubscriptionArn>${TOPIC}:old-1</SubscriptionArn>`;
    expect((await edge.call("DELETE", "/v1/subscriptions/alerts-old-1")).status).toBe(204);
    expect(await topicOf("old@example.com")).toBe("people");
  });

  test("a receiver that is there already keeps its subscription, with the attributes of now", async () => {
    edge.outside.sns = (action, parameters) => {
      if (action === "Subscribe" && parameters.has("Attributes.entry.1.key"))
        return {
          error: "InvalidParameter",
          message: "Invalid parameter: Attributes Reason: Subscription already exists with different attributes",
        };
      return action === "Subscribe" ? `<SubscriptionArn>${TOPIC}:0b1c-2d</SubscriptionArn>` : "";
    };
    const { status, body } = await subscribe({ kind: "https", endpoint: "https://hooks.example.com/x" });
    expect([status, body.id, body.filter]).toEqual([201, "alerts-0b1c-2d", null]);
    const set = edge.calls.sns.filter(({ Action }) => Action === "SetSubscriptionAttributes");
    expect(set.map(({ SubscriptionArn }) => SubscriptionArn)).toEqual(Array(3).fill(`${TOPIC}:0b1c-2d`));
    const attributes = Object.fromEntries(set.map((one) => [one.AttributeName, JSON.parse(one.AttributeValue ?? "")]));
    expect(attributes).toEqual({
      FilterPolicy: {}, // none, whatever it had before
      DeliveryPolicy: { healthyRetryPolicy: expect.anything() },
      RedrivePolicy: { deadLetterTargetArn: "arn:aws:sqs:us-east-1:000000000000:undelivered" },
    });
  });

  test("has no id while SNS has none", async () => {
    edge.outside.sns = () => "<SubscriptionArn>pending confirmation</SubscriptionArn>";
    expect((await subscribe({ kind: "email", endpoint: "ops@example.com" })).body).toMatchObject({
      id: null,
      isConfirmed: false,
    });
  });

  test.each([
    [{ kind: "email", endpoint: "ops" }, "endpoint", /mail address, got "ops"/],
    [{ kind: "sms", endpoint: "079 123" }, "endpoint", /phone number/],
    [{ kind: "http", endpoint: "https://x.example.com" }, "endpoint", /starts with http:/],
    [{ kind: "https", endpoint: "http://x.example.com" }, "endpoint", /starts with https:/],
    [{ kind: "https", endpoint: "javascript:alert(1)" }, "endpoint", /starts with https:/],
    [{ kind: "sqs", endpoint: "https://sqs/x" }, "endpoint", /ARN of a standard queue/],
    [{ kind: "sqs", endpoint: "arn:aws:sqs:eu-west-1:123456789012:jobs.fifo" }, "endpoint", /standard queue/],
    [{ kind: "lambda", endpoint: "arn:aws:sqs:eu-west-1:123456789012:jobs" }, "endpoint", /ARN of a function/],
    [{ kind: "pigeon", endpoint: "x" }, "kind", /one of email, sms/],
    [{ kind: "email", endpoint: "a@b.ch", topic: "news" }, "topic", /alerts, people, system/],
    [{ kind: "https", endpoint: "https://x.example.com", topic: "people" }, "topic", /people is for mail and SMS/],
    [
      {
        kind: "email",
        endpoint: "a@b.ch",
        filter: {
          events: ["down"],
          incidentStates: ["open"],
          severities: ["critical"],
          tags: ["a=b"],
          monitorIds: ["m1"],
          protocols: ["tcp"],
        },
      },
      "filter",
      /at most 5 fields, got 6/,
    ],
    [
      { kind: "email", endpoint: "a@b.ch", topic: "system", filter: { events: ["down"] } },
      "filter",
      /alerts about monitors only/,
    ],
    [{ kind: "email", endpoint: "a@b.ch", filter: { events: [] } }, "filter.events", /at least one/],
    [
      { kind: "email", endpoint: "a@b.ch", filter: { events: ["up"] } },
      "filter.events[0]",
      /down, degraded, recovered/,
    ],
    [{ kind: "email", endpoint: "a@b.ch", filter: { tags: ["team"] } }, "filter.tags[0]", /name=value/],
    [{ kind: "email", endpoint: "a@b.ch", filter: { colours: ["x"] } }, "filter.colours", /no field/],
    [
      {
        kind: "email",
        endpoint: "a@b.ch",
        filter: {
          monitorIds: Array.from({ length: 60 }, (_, n) => `m${n}`),
          events: ["down", "degraded", "recovered"],
        },
      },
      "filter",
      /at most 150 combinations.*got 180/,
    ],
  ])("refuses %j", async (body, path, message) => {
    const answer = await subscribe(body);
    expect([answer.status, answer.body.errors[0].path]).toEqual([422, path]);
    expect(answer.body.errors[0].message).toMatch(message);
    expect(edge.calls.sns).toEqual([]);
  });

  test("passes on what SNS refuses, and what it has no room for", async () => {
    edge.outside.sns = () => ({ error: "InvalidParameter", message: "Invalid parameter: SMS endpoint" });
    const invalid = await subscribe({ kind: "sms", endpoint: "+41791234567" });
    expect([invalid.status, invalid.body.errors[0]]).toEqual([
      422,
      { path: "endpoint", message: "SNS refused it: Invalid parameter: SMS endpoint" },
    ]);
    edge.outside.sns = () => ({ error: "FilterPolicyLimitExceeded", message: "too many" });
    const full = await subscribe({ kind: "sms", endpoint: "+41791234567" });
    expect([full.status, full.body.code, full.headers["retry-after"]]).toEqual([429, "too-many-requests", "60"]);
  });
});

test.each([
  ["http", "http://127.0.0.1:8080/hook"],
  ["https", "https://hooks.example.com/x"],
])("%s receivers are tried again for most of an hour, which is what SNS allows", async (kind, endpoint) => {
  await subscribe({ kind, endpoint });
  const [sent = {}] = edge.calls.sns;
  const { name, value } = { name: sent["Attributes.entry.1.key"], value: sent["Attributes.entry.1.value"] ?? "" };
  expect(name).toBe("DeliveryPolicy");
  // Refuses what SNS would refuse.
  const policy = parseDeliveryPolicy(value);
  const delays = Array.from({ length: policy.numRetries }, (_, index) => retryDelay(policy, index + 1) ?? 0);
  expect(delays.slice(0, 5)).toEqual([5, 5, 5, 5, 5]);
  expect(Math.max(...delays)).toBe(60);
  const total = delays.reduce((sum, delay) => sum + delay, 0);
  expect(total).toBeGreaterThan(3_000);
  // However SNS may count its backing off.
  expect(policy.numRetries * policy.maxDelayTarget).toBeLessThanOrEqual(3_600);
});

test("receivers that are no URL get no delivery policy: SNS would refuse it", async () => {
  await subscribe({ kind: "email", endpoint: "ops@example.com" });
  expect(JSON.stringify(edge.calls.sns)).not.toContain("DeliveryPolicy");
});

describe("listing", () => {
  const member = (arn: string, endpoint: string) =>
    `<member><SubscriptionArn>${arn}</SubscriptionArn><Protocol>email</Protocol><Endpoint>${endpoint}</Endpoint></member>`;

  test("goes through the pages of all topics", async () => {
    edge.outside.sns = (action, parameters) => {
      if (action === "GetSubscriptionAttributes") {
        if (parameters.get("SubscriptionArn")?.endsWith("gone")) return { error: "NotFound", message: "no" };
        return `<Attributes><entry><key>PendingConfirmation</key><value>false</value></entry><entry><key>FilterPolicy</key><value>{"event":["down"]}</value></entry></Attributes>`;
      }
      const topic = parameters.get("TopicArn") ?? "";
      if (topic.endsWith("people")) return `<Subscriptions>${member(`${topic}:p-1`, "p@b.ch")}</Subscriptions>`;
      if (topic.endsWith("system")) return `<Subscriptions>${member(`${topic}:s-1`, "s@b.ch")}</Subscriptions>`;
      return parameters.get("NextToken")
        ? `<Subscriptions>${member(`${topic}:a-2`, "b@b.ch")}${member(`${topic}:gone`, "c@b.ch")}</Subscriptions>`
        : `<Subscriptions>${member("PendingConfirmation", "a@b.ch")}</Subscriptions><NextToken>more</NextToken>`;
    };
    const seen = [];
    let cursor = "";
    do {
      const { status, body } = await edge.call("GET", `/v1/subscriptions${cursor && `?cursor=${cursor}`}`);
      expect(status).toBe(200);
      seen.push(...body.items);
      cursor = body.nextCursor ?? "";
    } while (cursor);
    const about = { kind: "email", filter: { events: ["down"] }, isConfirmed: true, status: "confirmed" };
    // Those of the tests before are gone.
    expect(seen.filter(({ status }) => status !== "gone")).toEqual([
      {
        id: null,
        topic: "alerts",
        kind: "email",
        endpoint: "a@b.ch",
        filter: null,
        isConfirmed: false,
        status: "pending",
      },
      { id: "alerts-a-2", topic: "alerts", endpoint: "b@b.ch", ...about },
      { id: "people-p-1", topic: "people", endpoint: "p@b.ch", ...about },
      { id: "system-s-1", topic: "system", endpoint: "s@b.ch", ...about },
    ]);
  });
});

test("a list that is empty, or ends with the first topic, has its total and no cursor", async () => {
  const pages: Record<string, string> = { alerts: "", people: "", system: "" };
  edge.outside.sns = (_action, parameters) =>
    `<Subscriptions>${pages[parameters.get("TopicArn")?.split(":").at(-1) ?? ""]}</Subscriptions>`;
  const list = async () => (await edge.call("GET", "/v1/subscriptions")).body;
  // Those of the tests before would be listed as gone.
  for (const { pk, sk } of await edge.stored("monitors", "SUBSCRIPTION"))
    await edge.client.send(new DeleteCommand({ TableName: edge.tables.monitors, Key: { pk, sk } }));
  expect(await list()).toEqual({ items: [], nextCursor: null, total: 0 });
  pages.alerts = `<member><SubscriptionArn>PendingConfirmation</SubscriptionArn><Protocol>email</Protocol><Endpoint>a@b.ch</Endpoint></member>`;
  expect(await list()).toMatchObject({ items: [{ endpoint: "a@b.ch" }], nextCursor: null, total: 1 });
});

describe("unsubscribing", () => {
  test("asks SNS for the ARN that the id stands for", async () => {
    edge.outside.sns = () => "";
    expect((await edge.call("DELETE", "/v1/subscriptions/system-0b1c-2d")).status).toBe(204);
    expect(edge.calls.sns.at(-1)).toMatchObject({
      Action: "Unsubscribe",
      SubscriptionArn: "arn:aws:sns:us-east-1:000000000000:system:0b1c-2d",
    });
  });

  test("of nothing is 404, of what is not confirmed 409", async () => {
    edge.outside.sns = () => ({ error: "NotFound", message: "no" });
    expect((await edge.call("DELETE", "/v1/subscriptions/alerts-1")).status).toBe(404);
    edge.outside.sns = (action) => (action === "Unsubscribe" ? { error: "InvalidParameter", message: "pending" } : "");
    const { status, body } = await edge.call("DELETE", "/v1/subscriptions/alerts-1");
    expect([status, body.code]).toEqual([409, "not-confirmed"]);
  });

  test.each(["alerts", "alerts-", "other-1", "alerts-..%2F1", "alerts-a:b"])(
    "cannot leave our topics: %s",
    async (id) => {
      expect((await edge.call("DELETE", `/v1/subscriptions/${id}`)).status).toBe(404);
      expect(edge.calls.sns).toEqual([]);
    },
  );
});

test("a filter and its policy are each other's reverse", () => {
  const filter = { events: ["down" as const], tags: ["a=b"] };
  expect(filterOf(JSON.stringify(filterPolicy(filter)))).toEqual(filter);
  expect(filterPolicy({})).toBeUndefined();
  expect(filterOf(undefined)).toBeNull();
  expect(filterOf('{"event":["down"],"region":["x"]}')).toBeNull();
});
