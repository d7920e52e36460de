import { describe, expect, test } from "vitest";
import type { Health, Outcome, View } from "../../../shared/model.ts";
import { EMPTY_HISTORY, type History, judge, nextHealth, remember } from "../../../shared/rules/judge.ts";

const STATES = { up: "open", degraded: "open", down: "closed", unknown: "unmeasured" } as const;

const outcome = (health: Health, more: Partial<Outcome> = {}): Outcome => ({
  state: STATES[health],
  reason: health === "down" ? "connection-refused" : health === "degraded" ? "slow" : null,
  message: health,
  health,
  timings: { latencyMs: 1 },
  traffic: { bytesSent: 0, bytesReceived: 0 },
  evidence: {},
  attempts: 1,
  ...more,
});

/** Runs a sequence of outcomes (u, g = degraded, d, ? = unmeasured) and returns the health after each (- for none). */
function run(sequence: string, failureThreshold: number, recoveryThreshold: number): string {
  const healths: Record<string, Health> = { u: "up", g: "degraded", d: "down", "?": "unknown" };
  let view: View | null = null;
  let history: History = EMPTY_HISTORY;
  let said = "";
  [...sequence].forEach((letter, tick) => {
    const one = outcome(healths[letter]!);
    history = remember(history, one.health);
    view = judge(view, history, one, { failureThreshold, recoveryThreshold }, tick) ?? view;
    said += view ? { up: "u", degraded: "g", down: "d", unknown: "?" }[view.health] : "-";
  });
  return said;
}

test.each([
  ["thresholds of one follow every outcome", "uuduu", 1, 1, "uuduu"],
  ["three failures in a row turn a view down", "uddudddu", 3, 1, "uuuuuudu"],
  ["a first view waits for its failures", "dddu", 3, 1, "--du"],
  ["a first view waits for its successes", "uuu", 1, 3, "--u"],
  ["recovery takes as many successes as asked for", "uuudududuuu", 1, 3, "--udddddddu"],
  ["with thresholds of one degraded shows at once, and so does its end", "ugu", 1, 1, "ugu"],
  ["degraded counts as success against down, and only up ends it", "udgguu", 1, 2, "-ddggu"],
  ["degraded takes as many failures as asked for", "uggugggu", 3, 1, "uuuuuugu"],
  ["failures that turn a view degraded may be of either kind, the newest degraded", "uddgu", 3, 1, "uuugu"],
  ["down is said only after so many that were down", "ugdgddd", 3, 1, "uuugggd"],
  ["degraded ends after as many ups as asked for", "guguuu", 1, 3, "gggggu"],
  ["a first view degraded waits for its failures", "gggu", 3, 1, "--gu"],
  ["a first view that wavers between up and degraded is settled by the newest", "ugugug", 3, 4, "---ggg"],
  ["unmeasured outcomes leave a view alone", "u??u", 1, 1, "uuuu"],
  ["three unmeasured in a row and the view claims nothing", "u???u", 1, 1, "uuu?u"],
  ["unmeasured outcomes do not break a streak of failures", "ud?d?d", 3, 1, "uuuuud"],
  ["unmeasured never turns a view down", "u??????", 1, 1, "uuu????"],
])("%s", (_, sequence, failureThreshold, recoveryThreshold, expected) => {
  expect(run(sequence, failureThreshold, recoveryThreshold)).toBe(expected);
});

describe("a view changes", () => {
  const view = judge(
    null,
    remember(EMPTY_HISTORY, "up"),
    outcome("up", { facts: { software: "v1" } }),
    { failureThreshold: 1, recoveryThreshold: 1 },
    100,
  )!;
  const values = { software: [{ value: "v1" }] };
  const settled: View = { ...view, facts: { checks: 3, values } };
  const next = (one: Outcome) =>
    judge(
      settled,
      remember(remember(EMPTY_HISTORY, "up"), one.health),
      one,
      { failureThreshold: 1, recoveryThreshold: 1 },
      110,
    );

  test("not with another message, evidence or latency", () => {
    expect(
      next(
        outcome("up", {
          facts: { software: "v1" },
          message: "other",
          evidence: { salt: "x" },
          timings: { latencyMs: 99 },
        }),
      ),
    ).toBeNull();
  });
  test("not when facts are missing for once", () => expect(next(outcome("up"))).toBeNull());
  test("with another fact, keeping since", () =>
    expect(next(outcome("up", { facts: { software: "v2" } }))).toMatchObject({
      facts: {
        values: {
          software: [
            { value: "v1", missed: 1 },
            { value: "v2", newAt: 110 },
          ],
        },
      },
      since: view.since,
      tick: 110,
    }));
  test("with another health, from then on", () =>
    expect(next(outcome("down"))).toMatchObject({
      health: "down",
      since: "1970-01-01T00:01:50.000Z",
      facts: settled.facts,
    }));
  test("with another reason of the same health", () => {
    const down = next(outcome("down"))!;
    const history = remember(remember(EMPTY_HISTORY, "down"), "down");
    const timeout = outcome("down", { state: "filtered", reason: "timeout" });
    expect(judge(down, history, timeout, { failureThreshold: 1, recoveryThreshold: 1 }, 120)).toMatchObject({
      reason: "timeout",
      since: down.since,
    });
  });
});

test("the history remembers 32 measured outcomes, newest first", () => {
  let history: History = EMPTY_HISTORY;
  for (let i = 0; i < 40; i++) history = remember(history, i % 2 ? "down" : "up");
  expect(history).toEqual({ bits: 0xaaaaaaaa, bitCount: 32, upStreak: 0, notUpStreak: 1, unmeasuredStreak: 0 });
  expect(nextHealth("up", history, outcome("down"), { failureThreshold: 2, recoveryThreshold: 1 })).toBe("up");
});

test("an outcome of a stalled process, whose latency is unknown, ends no degraded view; it shows that a port is open again", () => {
  const thresholds = { failureThreshold: 1, recoveryThreshold: 1 };
  const history = remember(EMPTY_HISTORY, "up");
  const stalled = outcome("up", { stalled: true });
  expect(nextHealth("degraded", history, stalled, thresholds)).toBe("degraded");
  expect(nextHealth("degraded", history, outcome("up"), thresholds)).toBe("up");
  expect(nextHealth("down", history, stalled, thresholds)).toBe("up");
});

test("silence that means nothing makes a view unknown after the failure threshold", () => {
  const silent = outcome("unknown", { state: "open|filtered", reason: "silent" });
  const once = remember(EMPTY_HISTORY, "unknown");
  expect(judge(null, once, silent, { failureThreshold: 1, recoveryThreshold: 1 }, 1)?.health).toBe("unknown");
  expect(judge(null, once, silent, { failureThreshold: 2, recoveryThreshold: 1 }, 1)).toBeNull();
});
