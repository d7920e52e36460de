import { expect, test } from "vitest";
import type { Outcome } from "../../../shared/model.ts";
import { withErrorRate } from "../../../shared/rules/error-rate.ts";
import { EMPTY_HISTORY, remember } from "../../../shared/rules/judge.ts";

const outcome = (health: Outcome["health"]) => ({ health, state: "open", reason: null, message: "ok" }) as Outcome;
/** @param checks oldest first: `.` for one that was good, `x` for one that failed */
const historyOf = (checks: string) =>
  [...checks].reduce((history, one) => remember(history, one === "x" ? "down" : "up"), EMPTY_HISTORY);

test.each([
  ["more failures than the limit", "..x..x..x", false, 20, "degraded"],
  ["as many as the limit", "...x...x.", false, 20, "up"],
  ["fewer than eight checks", "x.x.x.", false, 20, "up"],
  ["failures of more than 32 checks ago", `${"x".repeat(10)}${".".repeat(31)}`, false, 1, "up"],
  ["high until now, and more than half of the limit", `xxxx${".".repeat(27)}`, true, 20, "degraded"],
  ["high until now, and less than half of the limit", `xxx${".".repeat(28)}`, true, 20, "up"],
  ["half of the limit, and not high until now", `xxxx${".".repeat(27)}`, false, 20, "up"],
])("%s", (_, checks, wasHigh, percentAbove, health) => {
  const seen = withErrorRate(outcome("up"), historyOf(checks), { percentAbove }, wasHigh);
  expect(seen.health).toBe(health);
  expect(seen.reason).toBe(health === "degraded" ? "failures-frequent" : null);
});

test("the message has the figures", () => {
  const { message } = withErrorRate(outcome("up"), historyOf("..x..x..x"), { percentAbove: 20 }, false);
  expect(message).toBe("3 of the last 10 checks failed (30 %), at most 20 % may");
});

test.each(["down", "degraded", "unknown"] as const)("what is %s by itself stays so", (health) => {
  const seen = outcome(health);
  expect(withErrorRate(seen, historyOf("xxxxxxxxx"), { percentAbove: 20 }, false)).toBe(seen);
});

test("without the setting nothing is counted", () => {
  const seen = outcome("up");
  expect(withErrorRate(seen, historyOf("xxxxxxxxx"), null, true)).toBe(seen);
});
