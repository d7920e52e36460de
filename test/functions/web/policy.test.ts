import { expect, test } from "vitest";
import type { Hearer, Policy } from "../../../functions/web/page/alerts-model.ts";
import { groupsOf } from "../../../functions/web/page/monitors/hearers.ts";
import {
  bodyOfPolicy,
  draftOfPolicy,
  EVENTS,
  emptyPolicy,
  habitsInWords,
  receiverInWords,
  scopeInWords,
  stepsInWords,
  takes,
} from "../../../functions/web/page/policies/policy.ts";
import { ALL_SYSTEM_EVENTS, SYSTEM_EVENTS } from "../../../shared/system-events.ts";

const POLICY: Policy = {
  id: "p",
  name: "On call",
  match: { tags: { team: "orders" }, events: ["system.*"] },
  severities: ["critical"],
  steps: [
    { afterSeconds: 0, channels: [], emails: ["a@example.com", "b@example.com"] },
    { afterSeconds: 600, channels: ["c1", "sns", "gone"], emails: ["c@example.com"] },
  ],
  remindEverySeconds: 3_600,
  remindAtMost: 5,
  until: "recovered",
  timeZone: "Europe/Zurich",
  updatedAt: "2026-11-27T12:00:00.000Z",
};

test("steps in words: when, whom, and that later ones are for what nobody has acknowledged", () => {
  expect(stepsInWords(POLICY, new Map([["c1", "Slack #ops"]]))).toEqual([
    "At once: mail to a@example.com and b@example.com.",
    "After 10 min, if nobody has acknowledged: mail to c@example.com, Slack #ops, programs that have subscribed and a channel that was deleted.",
  ]);
  expect(stepsInWords({ steps: [{ afterSeconds: 60, channels: [], emails: [] }] }, new Map())).toEqual([
    "After 1 min: nobody yet.",
  ]);
});

test.each([
  [null, "Only for monitors that name it."],
  [{ tags: {} }, "For every monitor."],
  [{ tags: { a: "*", b: "c" } }, "For monitors with a=*, b=c."],
  [{ events: ["system.fault"] }, "Only for monitors that name it. Also system.fault."],
  [POLICY.match, "For monitors with team=orders. Also messages about the monitoring itself."],
])("a policy with match %j is %j", (match, words) => {
  expect(scopeInWords({ match })).toBe(words);
});

test("what it tells of and how often it reminds, in words", () => {
  expect(habitsInWords(POLICY)).toBe(
    "Tells of down only. Reminds every 1 h until it has recovered, 5 times at most. Times in Europe/Zurich.",
  );
  const other = { ...POLICY, severities: ["critical", "warning"], remindEverySeconds: null, timeZone: "UTC" } as const;
  expect(habitsInWords(other)).toBe("Tells of down and degraded. No reminders. Times in UTC.");
});

test("the form of a policy that nobody changes says what the policy is", () => {
  const { id: _id, updatedAt: _updatedAt, ...settings } = POLICY;
  expect(bodyOfPolicy(draftOfPolicy(POLICY))).toEqual(settings);
  for (const match of [null, { tags: {} }, { events: ["system.fault"] }])
    expect(bodyOfPolicy(draftOfPolicy({ ...POLICY, match })).match).toEqual(match);
});

test("a text that is no number stays, for the API to name it", () => {
  expect(bodyOfPolicy({ ...emptyPolicy("UTC"), remindAtMost: "many" }).remindAtMost).toBe("many");
});

test("the form knows every message about the monitoring itself", () => {
  expect(EVENTS).toEqual([ALL_SYSTEM_EVENTS, ...SYSTEM_EVENTS]);
});

test.each([
  [{ tags: {} }, true],
  [{ tags: { team: "orders" } }, true],
  [{ tags: { team: "*" } }, true],
  [{ tags: { team: "web" } }, false],
  [{ tags: { team: "orders", zone: "*" } }, false],
  [{ events: ["system.*"] }, false],
  [null, false],
])("a policy with match %j takes a monitor of team orders: %s", (match, isTaken) => {
  expect(takes({ match }, { team: "orders" })).toBe(isTaken);
});

test("who would hear, by what says so, in steps", () => {
  const both = ["critical", "warning"] as const;
  const policy = { id: "p", name: "On call", by: "tags" } as const;
  const hearers: Hearer[] = [
    { receiver: "email:a@example.com", severities: both, afterSeconds: 0, policy: null },
    { receiver: "sns", severities: ["critical"], afterSeconds: 0, policy },
    { receiver: "channel:c1", severities: ["critical"], afterSeconds: 0, policy },
    { receiver: "email:b@example.com", severities: ["critical"], afterSeconds: 900, policy },
  ];
  expect(groupsOf(hearers, new Map([["c1", "Pager"]]))).toEqual([
    { policy: null, steps: ["At once: mail to a@example.com."], isDownOnly: false },
    {
      policy,
      steps: [
        "At once: Pager and programs that have subscribed.",
        "After 15 min, if nobody has acknowledged: mail to b@example.com.",
      ],
      isDownOnly: true,
    },
  ]);
});

test.each([
  ["email:ops@example.com", "ops@example.com"],
  ["channel:c1", "Pager"],
  ["channel:c2", "a channel that was deleted"],
  ["people", "whoever has subscribed by mail or SMS"],
  ["page:p1", "page:p1"],
])("receiver %s in words", (receiver, words) => {
  expect(receiverInWords(receiver, new Map([["c1", "Pager"]]))).toBe(words);
});
