import { describe, expect, test } from "vitest";
import {
  type Answer,
  digesting,
  isDue,
  type Lease,
  lanesOf,
  type Mail,
  mayAttempt,
  mustStop,
  NO_BEHAVIOUR,
  needsPass,
  observe,
  type ReceiverState,
  resultOf,
  retryMoment,
  standingAfter,
  withRecent,
} from "../../../shared/rules/mailbox.ts";
import { numberedAlert } from "../../support/mail.ts";

const NOW = new Date("2026-11-23T10:00:00.000Z");
const iso = (seconds: number) => new Date(NOW.getTime() + seconds * 1000).toISOString();

const mailOf = (number: number, more: Partial<Mail> = {}, monitorId = "m1"): Mail => {
  const alert = numberedAlert(number, monitorId);
  return {
    place: `${iso(0)}#${alert.alertId}`,
    receiver: "sns",
    alert,
    createdAt: iso(0),
    sequence: number,
    attempts: 0,
    nextAttemptAt: iso(0),
    hadFault: false,
    ...more,
  };
};
const stateOf = (more: Partial<ReceiverState> = {}): ReceiverState => ({
  revision: 1,
  lease: null,
  doneUntil: "",
  failures: 0,
  pausedUntil: null,
  recent: [],
  digestAt: null,
  retryAt: null,
  lookBy: null,
  ...more,
});
const lease = (seconds: number): Lease => ({ token: "t", until: iso(seconds) });
const refused = (more: Partial<Extract<Answer, { kind: "refused" }>> = {}): Answer => ({
  kind: "refused",
  isPermanent: false,
  error: "refused",
  retryAfterSeconds: null,
  ...more,
});
const delivered: Answer = { kind: "delivered", said: "ok" };

test("an attempt begins only if it ends within the lease", () => {
  expect([20, 10, 9, -1].map((seconds) => mayAttempt(lease(seconds), NOW))).toEqual([true, true, false, false]);
});

test.each<[string, Partial<ReceiverState>, boolean]>([
  ["nothing was posted", {}, false],
  ["mail was posted", { lookBy: iso(90) }, true],
  ["whoever delivered died", { lease: lease(-90) }, true],
  ["mail was posted, and the receiver is left alone", { lookBy: iso(90), pausedUntil: iso(60) }, false],
  ["a retry is due", { retryAt: iso(-1) }, true],
  ["a retry is due in seconds: the queue's clock is ahead", { retryAt: iso(4), pausedUntil: iso(4) }, true],
  ["a retry is due later", { retryAt: iso(60) }, false],
  ["a pause that no receiver can have asked for", { lookBy: iso(90), pausedUntil: iso(30 * 86_400) }, true],
])("a pass is needed: %s", (_, state, isNeeded) => {
  expect(needsPass(stateOf(state), NOW)).toBe(isNeeded);
});

test("lanes: in order for each monitor, the worst first, then the oldest", () => {
  const lanes = lanesOf([
    mailOf(2, { place: "1" }, "recovered"),
    mailOf(3, { place: "2" }),
    mailOf(1, { place: "4" }),
    mailOf(1, { place: "3" }, "m2"),
  ]);
  expect(lanes.map((lane) => lane.map(({ alert }) => alert.alertId))).toEqual([
    ["m2.1.1"],
    ["m1.1.1", "m1.1.3"],
    ["recovered.1.2"],
  ]);
});

test("new mail is due at once whatever the clock of its poster said; failed mail when its pause is over", () => {
  expect(isDue([mailOf(1, { nextAttemptAt: iso(50) })], NOW)).toBe(true);
  expect(isDue([mailOf(1, { attempts: 1, nextAttemptAt: iso(50) })], NOW)).toBe(false);
  expect(isDue([mailOf(1, { attempts: 1, nextAttemptAt: iso(3 * 86_400) })], NOW)).toBe(true);
});

describe("an attempt's result", () => {
  test("backs off from 10 s to 120 s, up to a quarter less by chance", () => {
    const pause = (attempts: number, drawn: number) =>
      (Date.parse(resultOf(mailOf(1, { attempts }), refused(), 0, NOW, drawn).nextAttemptAt) - NOW.getTime()) / 1000;
    expect([0, 1, 2, 3, 4, 50].map((attempts) => pause(attempts, 0))).toEqual([10, 20, 40, 80, 120, 120]);
    expect(pause(0, 1)).toBe(7.5);
  });

  test.each<[string, Partial<Mail>, Answer, number, string]>([
    ["is taken", {}, delivered, 0, "sent"],
    ["is refused for now", {}, refused(), 1, "waiting"],
    ["is refused for good", {}, refused({ isPermanent: true }), 0, "undeliverable"],
    ["is refused for a day, a hundred times", { createdAt: iso(-86_400), attempts: 99 }, refused(), 0, "undeliverable"],
    [
      "is a day old, and its receiver failed a hundred times",
      { createdAt: iso(-86_400) },
      refused(),
      100,
      "undeliverable",
    ],
    ["is a day old by a clock that jumped", { createdAt: iso(-86_400), attempts: 3 }, refused(), 4, "waiting"],
    ["is tried a hundred times in a short while", { attempts: 150 }, refused(), 150, "waiting"],
    ["cannot be rendered", {}, { kind: "fault", error: "bug", cause: null }, 0, "waiting"],
  ])("of mail that %s: %#", (_, mail, answer, failures, state) => {
    expect(resultOf(mailOf(1, mail), answer, failures, NOW, 0).state).toBe(state);
  });
});

describe("a receiver", () => {
  const after = (answers: readonly Answer[], failures = 0) => {
    const behaviour = answers.reduce(observe, NO_BEHAVIOUR);
    return { ...standingAfter(behaviour, failures, NOW, 0), stops: mustStop(behaviour, failures > 0) };
  };

  test.each<[string, readonly Answer[], number, object]>([
    ["takes a message", [delivered], 3, { failures: 0, pausedUntil: null, stops: false }],
    ["refuses for now", [refused()], 0, { failures: 1, pausedUntil: iso(10), stops: false }],
    ["refuses three", [refused(), refused(), refused()], 0, { failures: 1, pausedUntil: iso(10), stops: true }],
    ["refuses still", [refused()], 2, { failures: 3, pausedUntil: iso(40), stops: true }],
    [
      "refuses one of several",
      [refused(), refused(), refused(), delivered],
      0,
      { failures: 0, pausedUntil: null, stops: false },
    ],
    [
      "refuses for good: it can be reached",
      [refused({ isPermanent: true })],
      5,
      { failures: 0, pausedUntil: null, stops: false },
    ],
    [
      "asks for a pause",
      [delivered, refused({ retryAfterSeconds: 300 })],
      0,
      { failures: 0, pausedUntil: iso(300), stops: true },
    ],
    [
      "asks for a month",
      [refused({ retryAfterSeconds: 30 * 86_400 })],
      0,
      { failures: 1, pausedUntil: iso(86_400), stops: true },
    ],
    [
      "is not to blame for our fault",
      [{ kind: "fault", error: "bug", cause: null }],
      0,
      { failures: 0, pausedUntil: null, stops: false },
    ],
  ])("%s", (_, answers, failures, expected) => {
    expect(after(answers, failures)).toEqual(expected);
  });
});

test("the next look is at the earliest retry of a lane's first mail, and not before the pause is over", () => {
  const first = mailOf(1, { attempts: 1, nextAttemptAt: iso(40) });
  const waiting = [first, mailOf(2), mailOf(1, { attempts: 1, nextAttemptAt: iso(20) }, "m2")];
  expect(retryMoment(waiting, null, NOW)).toBe(iso(20));
  expect(retryMoment(waiting, iso(30), NOW)).toBe(iso(30));
  expect(retryMoment([mailOf(1)], null, NOW)).toBe(iso(0));
  expect(retryMoment([], iso(30), NOW)).toBeNull();
});

describe("digests", () => {
  test.each<[string, number, number, number | null, object | null]>([
    ["nine alerts", 9, 0, null, null],
    ["ten alerts at once", 10, 0, null, { singles: 9, digestAt: iso(0) }],
    ["the tenth after nine", 1, 9, null, { singles: 0, digestAt: iso(0) }],
    ["one after a digest of many", 1, 40, -10, { singles: 0, digestAt: iso(20) }],
    ["one after a digest by a clock that was an hour ahead", 1, 40, 3_600, { singles: 0, digestAt: iso(0) }],
  ])("%s", (_, waiting, sent, digestAt, expected) => {
    const recent = withRecent([], sent, new Date(NOW.getTime() - 30_000));
    const state = { recent, digestAt: digestAt === null ? null : iso(digestAt) };
    expect(digesting(waiting, state, NOW)).toEqual(expected);
  });

  test("what was sent more than a minute ago does not count", () => {
    const recent = withRecent([], 40, new Date(NOW.getTime() - 61_000));
    expect(digesting(9, { recent, digestAt: null }, NOW)).toBeNull();
  });
});
