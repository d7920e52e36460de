import { expect, test } from "vitest";
import { pending } from "../../../shared/rules/outbox.ts";
import { isTimerKept, nextEvaluation, nextTouch } from "../../../shared/rules/timer.ts";

const now = new Date("2026-11-23T10:00:00.000Z");
const at = (seconds: number) => new Date(now.getTime() + seconds * 1000).toISOString();
const waiting = pending({ kind: "system", subject: "a", message: "" }, ["system"], 1, at(0));
const retried = { ...waiting, deliveries: { system: { attempts: 1, nextAttemptAt: at(20) } } };

test.each([
  ["nothing", null, {}, null, null],
  ["the rules alone", at(300), {}, at(300), at(300)],
  ["a delivery under way, which only needs the safety net", at(300), { waiting }, at(60), at(300)],
  ["a delivery that failed", at(300), { retried }, at(20), at(20)],
  ["both, and the rules first", at(5), { waiting, retried }, at(5), at(5)],
])("the timer of an item that waits for %s", (_, ownTimerAt, outbox, stored, touched) => {
  expect(nextEvaluation(ownTimerAt, outbox, now)).toBe(stored);
  expect(nextTouch(ownTimerAt, outbox, now)).toBe(touched);
});

test.each([
  ["the same", at(9), at(9), true],
  ["none, and none is wanted", null, null, true],
  ["an earlier one that is still to come", at(9), at(60), true],
  ["an earlier one that has passed", at(0), at(60), false],
  ["a later one", at(60), at(9), false],
  ["none", null, at(9), false],
  ["one that nothing wants any more", at(9), null, false],
])("the stored timer is %s", (_, stored, wanted, isKept) => {
  expect(isTimerKept(stored, wanted, now)).toBe(isKept);
});
