/** Channels that users set up are receivers as well. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { iso, START, startMailboxes } from "./fixture.ts";

const HOOK = "channel:hook";

let w: Awaited<ReturnType<typeof startMailboxes>>;
beforeEach(async () => {
  w = await startMailboxes();
  const channel = {
    id: "hook",
    name: "Hook",
    kind: "webhook" as const,
    settings: {},
    secrets: ["url"],
    revision: 1,
    createdAt: iso(0),
    updatedAt: iso(0),
  };
  await w.channels.create(channel, { url: "https://hook.example.com/secret-path" }, w.world.clock());
});
afterEach(() => w.stop());

const at = async (seconds: number) => {
  w.world.now = START + seconds;
  await w.deliver(HOOK);
};

test("mail goes out with the channel's secrets, and its record has none", async () => {
  await w.post(1, { receiver: HOOK });
  await at(0);
  expect(w.world.received).toEqual(["webhook hook.example.com m1.1.1"]);
  expect(await w.mail(HOOK)).toMatchObject([{ state: "sent", answer: expect.stringContaining("200") }]);
  expect(JSON.stringify(await w.mail(HOOK))).not.toContain("secret-path");
});

test("a webhook that answers 429 is left alone for as long as Retry-After says", async () => {
  w.world.webhookStatus = 429;
  for (const monitorId of ["m1", "m2"]) await w.post(1, { receiver: HOOK, monitorId });
  await at(0);
  const { length } = w.world.asked;
  await w.post(1, { receiver: HOOK, monitorId: "m3" });
  await at(290);
  expect(w.world.asked).toHaveLength(length);
  w.world.webhookStatus = 200;
  await at(301);
  expect((await w.mail(HOOK)).map(({ state }) => state)).toEqual(["sent", "sent", "sent"]);
});

test("mail for a channel that was deleted is given up, and system is told", async () => {
  await w.post(1, { receiver: HOOK });
  await w.channels.remove((await w.channels.get("hook"))!, async () => new Set(), w.world.clock());
  await at(0);
  expect(await w.mail(HOOK)).toMatchObject([{ state: "undeliverable", answer: "the channel was deleted" }]);
  expect(await w.item(`NOTICE#lost#m1.1.1#${HOOK}`, "STATE")).toBeDefined();
});

test("a service with a rate gets as many as a pass has time for; the next pass has the others, at once", async () => {
  const pager = { id: "pager", name: "Pager", kind: "pagerduty" as const, settings: {}, secrets: ["routingKey"] };
  const channel = { ...pager, revision: 1, createdAt: iso(0), updatedAt: iso(0) };
  await w.channels.create(channel, { routingKey: "0".repeat(32) }, w.world.clock());
  w.world.webhookStatus = 202;
  const receiver = "channel:pager";
  for (let n = 0; n < 60; n++) await w.post(1, { receiver, monitorId: `m${n}` });
  let longestMs = 0;
  w.world.onSleep = async (ms) => {
    longestMs = Math.max(longestMs, ms);
  };
  await w.deliver(receiver);
  // 120 a minute for the ten seconds in which a pass may begin attempts.
  expect(w.world.received).toHaveLength(21);
  expect(longestMs).toBeLessThanOrEqual(10_000);
  const state = await w.state(receiver);
  expect([state?.lease, state?.lookBy]).toEqual([undefined, expect.any(String)]);
  for (let pass = 0; pass < 2; pass++) await w.deliver(receiver);
  expect(w.world.received).toHaveLength(60);
});
