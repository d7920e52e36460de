/** What a receiver's manner and answers make of a round: its rate, and `Retry-After`. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createLosses } from "../../../functions/deliver/losses.ts";
import { createRound } from "../../../functions/deliver/round.ts";
import type { Answer } from "../../../shared/rules/mailbox.ts";
import { createDecisionStore } from "../../../shared/store/decisions.ts";
import { startMailboxes } from "./fixture.ts";

let w: Awaited<ReturnType<typeof startMailboxes>>;
beforeEach(async () => {
  w = await startMailboxes();
});
afterEach(() => w.stop());

/** One round over the mail of `sns`, in real time. @returns when each attempt began, and what the round reports */
const round = async (
  spacingMs: number,
  leaseMs: number,
  answer: (attempt: number) => Answer,
  recent: readonly string[] = [],
) => {
  const attempts: number[] = [];
  const log = () => {};
  const now = () => new Date();
  const run = createRound({
    mailbox: w.mailbox,
    findRecipient: async () => ({
      takesDigests: false,
      spacingMs,
      send: async () => answer(attempts.push(Date.now())),
    }),
    losses: createLosses({
      mailbox: w.mailbox,
      decisions: createDecisionStore(w.client, w.tables.monitors),
      now,
      log,
    }),
    now,
    sleep,
    random: () => 0,
    log,
  });
  const { mail } = await w.mailbox.waiting("sns", " ");
  const lease = { token: "t", until: new Date(Date.now() + leaseMs).toISOString() };
  const startedAt = Date.now();
  return { startedAt, attempts, report: await run("sns", mail, { ...(await w.mailbox.state("sns"))!, recent }, lease) };
};
const post = async (count: number) => {
  for (let number = 0; number < count; number++) await w.post(1, { monitorId: `m${number}` });
};
const delivered: Answer = { kind: "delivered", said: "ok" };

test("messages keep the distance of the channel's rate, and the rest is left when the lease ends", async () => {
  await post(30);
  const { startedAt, attempts, report } = await round(100, 11_000, () => delivered);
  // From the start: the first attempt may be late, and the others need not be.
  for (const [place, at] of attempts.entries()) expect(at - startedAt).toBeGreaterThanOrEqual(100 * place - 2);
  expect(attempts.length).toBeLessThanOrEqual(11);
  expect(report).toMatchObject({ sent: attempts.length, isCut: true });
  expect(report.left).toHaveLength(30 - attempts.length);
});

test("the first message of a round keeps the distance from the last one of the round before", async () => {
  await post(1);
  const { startedAt, attempts } = await round(300, 11_000, () => delivered, [new Date().toISOString()]);
  expect(attempts[0]! - startedAt).toBeGreaterThanOrEqual(250);
});

test("a receiver that asks for a pause by Retry-After gets no more until it is over", async () => {
  await post(30);
  const asksForPause: Answer = { kind: "refused", isPermanent: false, error: "HTTP 429", retryAfterSeconds: 300 };
  const { attempts, report } = await round(20, 60_000, (attempt) => (attempt < 3 ? delivered : asksForPause));
  expect(attempts).toHaveLength(3);
  expect(report).toMatchObject({ sent: 2, isCut: false, standing: { failures: 0 } });
  expect(Date.parse(report.pausedUntil!) - attempts[2]!).toBeGreaterThanOrEqual(300_000);
});
