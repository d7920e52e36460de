/** Subscriptions from their making to their end, on an SNS that answers as the real one. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Edge, startEdge } from "./edge.ts";

interface Known {
  readonly protocol: string;
  readonly endpoint: string;
  isConfirmed: boolean;
  policy: string | undefined;
}
/** By ARN. */
const known = new Map<string, Known>();

const member = ([arn, { protocol, endpoint, isConfirmed }]: [string, Known]) =>
  `<member><SubscriptionArn>${isConfirmed ? arn : "PendingConfirmation"}</SubscriptionArn><Protocol>${protocol}</Protocol><Endpoint>${endpoint}</Endpoint></member>`;
const entry = (key: string, value: string) => `<entry><key>${key}</key><value>${value}</value></entry>`;

const answer = (action: string, sent: URLSearchParams) => {
  const arn = sent.get("SubscriptionArn") ?? "";
  const one = known.get(arn);
  const missing = { error: "NotFound", message: "Subscription does not exist" };
  switch (action) {
    case "Subscribe": {
      const endpoint = sent.get("Endpoint") ?? "";
      const isHere = ([other, one]: [string, Known]) =>
        other.startsWith(`${sent.get("TopicArn")}:`) && one.endpoint === endpoint;
      const [existing] = [...known].find(isHere) ?? [];
      const made = existing ?? `${sent.get("TopicArn")}:${known.size}-${endpoint.replace(/\W/g, "")}`;
      const protocol = sent.get("Protocol") ?? "";
      if (!existing) known.set(made, { protocol, endpoint, isConfirmed: protocol === "sqs", policy: undefined });
      return `<SubscriptionArn>${made}</SubscriptionArn>`;
    }
    case "ListSubscriptionsByTopic":
      return `<Subscriptions>${[...known]
        .filter(([other]) => other.startsWith(`${sent.get("TopicArn")}:`))
        .map(member)
        .join("")}</Subscriptions>`;
    case "GetSubscriptionAttributes":
      if (!one) return missing;
      return `<Attributes>${entry("PendingConfirmation", String(!one.isConfirmed))}${entry("Protocol", one.protocol)}${entry("Endpoint", one.endpoint)}${one.policy ? entry("FilterPolicy", one.policy) : ""}</Attributes>`;
    case "SetSubscriptionAttributes":
      if (!one) return missing;
      if (sent.get("AttributeName") === "FilterPolicy") one.policy = sent.get("AttributeValue") ?? undefined;
      return "";
    case "Unsubscribe":
      if (one && !one.isConfirmed)
        return { error: "InvalidParameter", message: "This subscription is pending confirmation" };
      known.delete(arn);
      return "";
    case "Publish":
      return "<MessageId>m-1</MessageId>";
    default:
      throw new Error(action);
  }
};

let edge: Edge;
beforeAll(async () => {
  edge = await startEdge();
});
afterAll(() => edge[Symbol.asyncDispose]());
beforeEach(async () => {
  known.clear();
  edge.outside.sns = answer;
  for (const { id } of await listed()) await remove(id);
});

const subscribe = async (endpoint: string, more: Record<string, unknown> = { kind: "email" }) =>
  (await edge.call("POST", "/v1/subscriptions", { body: { endpoint, ...more } })).body;
const listed = async () => (await edge.call("GET", "/v1/subscriptions")).body.items;
const remove = async (id: string) => (await edge.call("DELETE", `/v1/subscriptions/${id}`)).status;
const confirm = (endpoint: string) => {
  for (const one of known.values()) if (one.endpoint === endpoint) one.isConfirmed = true;
};

describe("a subscription that waits for confirmation", () => {
  test("has an id in the list, and can be deleted by it", async () => {
    const { id } = await subscribe("wait@b.ch");
    expect(await listed()).toMatchObject([{ id, endpoint: "wait@b.ch", status: "pending" }]);
    expect(await remove(id)).toBe(204);
    expect(await listed()).toEqual([]);
    expect(await remove(id)).toBe(404);
    expect((await edge.call("PATCH", `/v1/subscriptions/${id}`, { body: { filter: null } })).status).toBe(404);
  });

  test("gets nothing if it is confirmed after that, and the list ends it", async () => {
    const { id } = await subscribe("late@b.ch");
    await remove(id);
    expect([...known.values()].map(({ policy }) => JSON.parse(policy ?? "{}"))).toEqual([
      { event: [expect.not.stringMatching(/^(down|degraded|recovered|closed)$/)] },
    ]);
    confirm("late@b.ch");
    expect(await listed()).toEqual([]);
    expect(known.size).toBe(0);
  });

  test("can be made again after it was deleted, and then gets everything", async () => {
    const { id } = await subscribe("again@b.ch");
    await remove(id);
    expect((await subscribe("again@b.ch")).id).toBe(id);
    expect([...known.values()][0]?.policy).toBe("{}");
    confirm("again@b.ch");
    expect(await listed()).toMatchObject([{ id, status: "confirmed", filter: null }]);
  });
});

test("a subscription that vanished is listed as gone until it is deleted", async () => {
  const { id } = await subscribe("gone@b.ch");
  confirm("gone@b.ch");
  expect(await listed()).toMatchObject([{ id, status: "confirmed" }]);
  known.clear(); // its receiver followed the link in a mail
  expect(await listed()).toMatchObject([{ id, endpoint: "gone@b.ch", isConfirmed: false, status: "gone" }]);
  expect(await remove(id)).toBe(204);
  expect(await listed()).toEqual([]);
});

describe("PATCH /v1/subscriptions/{id}", () => {
  test("replaces the filter, and null removes it", async () => {
    const { id } = await subscribe("arn:aws:sqs:us-east-1:000000000000:q", {
      kind: "sqs",
      filter: { events: ["down"] },
    });
    const patched = await edge.call("PATCH", `/v1/subscriptions/${id}`, { body: { filter: { tags: ["a=b"] } } });
    expect(patched).toMatchObject({ status: 200, body: { id, filter: { tags: ["a=b"] }, status: "confirmed" } });
    expect(await listed()).toMatchObject([{ id, filter: { tags: ["a=b"] } }]);
    await edge.call("PATCH", `/v1/subscriptions/${id}`, { body: { filter: null } });
    expect(await listed()).toMatchObject([{ id, filter: null }]);
    const { body } = await edge.call("GET", `/v1/audit?monitor=${id}`);
    expect(body.items.map(({ operation }: { operation: string }) => operation)).toEqual([
      "updateSubscription",
      "updateSubscription",
      "createSubscription",
    ]);
  });

  test.each([
    [{}, "filter"],
    [{ filter: { events: [] } }, "filter.events"],
    [{ filter: null, kind: "sms" }, "kind"],
  ])("refuses %j", async (body, path) => {
    const { id } = await subscribe("arn:aws:sqs:us-east-1:000000000000:q", { kind: "sqs" });
    const refused = await edge.call("PATCH", `/v1/subscriptions/${id}`, { body });
    expect([refused.status, refused.body.errors[0].path]).toEqual([422, path]);
  });

  test("of nothing is 404", async () => {
    for (const id of ["alerts-nothing", "other-1"])
      expect((await edge.call("PATCH", `/v1/subscriptions/${id}`, { body: { filter: null } })).status).toBe(404);
  });
});

describe("POST /v1/subscriptions/{id}/test", () => {
  const queue = (name: string, filter?: object) =>
    subscribe(`arn:aws:sqs:us-east-1:000000000000:${name}`, { kind: "sqs", ...(filter && { filter }) });
  const send = (id: string, query = "") => edge.call("POST", `/v1/subscriptions/${id}/test${query}`);
  const policy = (id: string, text: string) => {
    const one = known.get(id.replace(/^(\w+)-/, "arn:aws:sns:us-east-1:000000000000:$1:"));
    if (one) one.policy = text;
  };
  const published = () => edge.calls.sns.filter(({ Action }) => Action === "Publish");
  beforeEach(() => {
    edge.calls.sns.length = 0;
  });

  test("publishes a message that passes the filter and says that it is a test", async () => {
    const { id } = await queue("q");
    policy(id, '{"event":["recovered"],"tags":["team=a","team=b"]}');
    policy((await queue("other")).id, '{"event":["down"]}');
    expect(await send(id)).toMatchObject({ status: 200, body: { messageId: "m-1", others: 0 } });
    const [sent] = published();
    expect(sent).toMatchObject({
      TopicArn: "arn:aws:sns:us-east-1:000000000000:alerts",
      "MessageAttributes.entry.1.Name": "event",
      "MessageAttributes.entry.1.Value.StringValue": "recovered",
      "MessageAttributes.entry.2.Name": "tags",
      "MessageAttributes.entry.2.Value.StringValue": '["team=a"]',
    });
    expect(sent?.Message).toContain("This is a test");
  });

  test("is refused if it would reach others, unless they may be reached", async () => {
    const { id } = await queue("q");
    await queue("everything");
    const refused = await send(id);
    expect([refused.status, refused.body.code, published()]).toEqual([409, "reaches-others", []]);
    expect((await send(id, "?others=true")).body).toEqual({ messageId: "m-1", others: 1 });
  });

  test("of what waits for confirmation is 409, of nothing 404", async () => {
    const { id } = await subscribe("wait@b.ch");
    expect((await send(id)).body.code).toBe("not-confirmed");
    expect((await send("alerts-nothing")).status).toBe(404);
  });
});

test("the log names no path of a webhook", async () => {
  const { id } = await subscribe("https://hooks.example.com/s3cret", { kind: "https" });
  const { body } = await edge.call("GET", `/v1/audit?monitor=${id}`);
  expect(body.items).toMatchObject([{ operation: "createSubscription", name: "https://hooks.example.com/(hidden)" }]);
});
