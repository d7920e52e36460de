import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createMailboxStore } from "../../../../shared/store/mailbox.ts";
import { numberedAlert } from "../../../support/mail.ts";
import { type Edge, startEdge } from "../edge.ts";

let edge: Edge;
let id = "";
beforeAll(async () => {
  edge = await startEdge();
  id = await channel("Deliveries");
});
afterAll(() => edge[Symbol.asyncDispose]());

const channel = async (name: string): Promise<string> => {
  const body = { name, kind: "webhook", settings: { url: "https://hook.example.com/secret" } };
  return (await edge.call("POST", "/v1/channels", { body })).body.id;
};

const MINUTE_MS = 60_000;
/** Posts alert `number` of a monitor, made so many minutes ago, and records an attempt if there is a result. */
const post = async (
  to: string,
  number: number,
  { minutesAgo = 0, result, tags = {} }: { minutesAgo?: number; result?: object; tags?: Record<string, string> } = {},
) => {
  const mailbox = createMailboxStore(edge.client, edge.tables.monitors);
  const receiver = `channel:${to}`;
  const createdAt = new Date(Date.now() - minutesAgo * MINUTE_MS).toISOString();
  const alert = numberedAlert(number);
  const tagged = { ...alert, monitor: { ...alert.monitor, tags } };
  // Posted when it was made: it expires 30 days later.
  await mailbox.post({ receiver, alert: tagged, createdAt, sequence: number }, new Date(createdAt));
  if (!result) return;
  const { mail } = await mailbox.waiting(receiver, createdAt);
  const base = { attempts: 1, nextAttemptAt: createdAt, hadFault: false, answer: "", digest: null };
  await mailbox.record(mail[0]!, { ...base, ...result } as never, new Date(createdAt));
};
const list = (query = "", token = edge.admin, of = id) =>
  edge.call("GET", `/v1/channels/${of}/deliveries${query}`, { token });
const numbersIn = ({ body }: Awaited<ReturnType<typeof list>>) =>
  body.items.map(({ alertId }: { alertId: string }) => Number(alertId.split(".").at(-1)));

describe("deliveries of a channel", () => {
  beforeAll(async () => {
    await post(id, 1, { minutesAgo: 50, result: { state: "sent", answer: "HTTP 200 ok" } });
    await post(id, 2, { minutesAgo: 40, result: { state: "undeliverable", answer: "HTTP 410", attempts: 3 } });
    await post(id, 3, { minutesAgo: 30, result: { state: "waiting", answer: "HTTP 500" }, tags: { team: "orders" } });
    await post(id, 4, { minutesAgo: 20 });
    await post(id, 5, { minutesAgo: 30 * 24 * 60 + 1, result: { state: "sent", answer: "long ago" } });
    await post(await channel("Another"), 6);
  });

  test("are listed newest first, for 30 days", async () => {
    const answer = await list();
    expect([answer.status, answer.body.nextCursor, numbersIn(answer)]).toEqual([200, null, [4, 3, 2, 1]]);
    expect(answer.body.items[0]).toEqual({
      alertId: "m1.1.4",
      event: "recovered",
      monitor: { id: "m1", name: "DB" },
      incidentId: "m1.1",
      createdAt: expect.any(String),
      state: "waiting",
      attempts: 0,
      attemptedAt: null,
      nextAttemptAt: expect.any(String),
      answer: null,
      digest: null,
    });
    expect(answer.body.items.slice(1)).toMatchObject([
      { state: "waiting", answer: "HTTP 500", nextAttemptAt: expect.any(String), attemptedAt: expect.any(String) },
      { state: "undeliverable", answer: "HTTP 410", attempts: 3, nextAttemptAt: null },
      { state: "sent", answer: "HTTP 200 ok", attempts: 1, nextAttemptAt: null },
    ]);
  });

  test("are filtered by state", async () => {
    expect(numbersIn(await list("?state=waiting"))).toEqual([4, 3]);
    expect(numbersIn(await list("?state=sent"))).toEqual([1]);
    const { status, body } = await list("?state=lost");
    expect([status, body.errors[0].path]).toEqual([422, "state"]);
  });

  test("come in pages, whose cursor belongs to the channel and the filter", async () => {
    const first = await list("?limit=2");
    expect(numbersIn(first)).toEqual([4, 3]);
    const cursor = first.body.nextCursor;
    const second = await list(`?limit=2&cursor=${cursor}`);
    expect([numbersIn(second), second.body.nextCursor]).toEqual([[2, 1], null]);
    expect((await list(`?state=sent&cursor=${cursor}`)).status).toBe(422);
  });

  test("are those of its own monitors to a token limited to tags", async () => {
    expect(numbersIn(await list("", await edge.limitedToken("read", "team=orders")))).toEqual([3]);
  });

  test("are missing for a channel that does not exist", async () => {
    expect((await list("", edge.admin, "nothing")).body.code).toBe("not-found");
  });
});
