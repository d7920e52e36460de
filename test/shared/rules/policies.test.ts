/** Which plans a monitor has: those of policies, and what its own settings make. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Monitor } from "../../../shared/model.ts";
import { type Policy, sourcesOf } from "../../../shared/rules/policies.ts";
import { alertsOf } from "../../support/monitors.ts";

const AT = "2026-11-23T10:00:00.000Z";
const policyOf = (id: string, more: Partial<Policy> = {}): Policy => ({
  id,
  name: id,
  match: null,
  severities: ["warning", "critical"],
  steps: [{ afterSeconds: 0, channels: ["chat"], emails: [] }],
  remindEverySeconds: null,
  remindAtMost: 10,
  until: "acknowledged",
  revision: 1,
  createdAt: AT,
  updatedAt: AT,
  ...more,
});
const BY_TAG = policyOf("tag", { match: { tags: { team: "*" } } });
const STEPS = [
  { afterSeconds: 60, channels: ["chat", "sns"], emails: ["ann@example.com"] },
  { afterSeconds: 900, channels: [], emails: ["bob@example.com"] },
];

/** Who is told after how many seconds, by which policy. */
const toldBy = (alerts: Partial<Monitor["alerts"]>, policies: readonly Policy[] = [], tags = {}) =>
  sourcesOf({ alerts: alertsOf(alerts), tags }, policies).flatMap(({ policy, plan }) =>
    plan.steps.flatMap(({ afterSeconds, receivers }) =>
      receivers.map((receiver) => `${policy?.id ?? "own"} ${afterSeconds} ${receiver}`),
    ),
  );

describe("a monitor is told of to", () => {
  test.each<[string, Partial<Monitor["alerts"]>, readonly Policy[], string[]]>([
    ["both topics, where it sets nothing", {}, [], ["own 0 sns", "own 0 people"]],
    [
      "both topics and its addresses",
      { emails: ["a@example.com"], afterSeconds: 30 },
      [],
      ["own 30 sns", "own 30 people", "own 30 email:a@example.com"],
    ],
    [
      "those of its steps, and topics only where one names them",
      { steps: STEPS },
      [],
      ["own 60 channel:chat", "own 60 sns", "own 60 email:ann@example.com", "own 900 email:bob@example.com"],
    ],
    [
      "its addresses and its steps in the order of time",
      { emails: ["a@example.com"], afterSeconds: 300, steps: STEPS.slice(1) },
      [],
      ["own 300 email:a@example.com", "own 900 email:bob@example.com"],
    ],
    [
      "its addresses and those of a step at the same time as one step",
      { emails: ["a@example.com"], afterSeconds: 900, steps: STEPS.slice(1) },
      [],
      ["own 900 email:a@example.com", "own 900 email:bob@example.com"],
    ],
    ["policies that take it alone, where it sets nothing", {}, [BY_TAG], ["tag 0 channel:chat"]],
    [
      "policies that take it, and its own steps",
      { steps: STEPS.slice(1) },
      [BY_TAG],
      ["tag 0 channel:chat", "own 900 email:bob@example.com"],
    ],
  ])("%s", (_, alerts, policies, expected) => {
    expect(toldBy(alerts, policies, { team: "orders" })).toEqual(expected);
  });
});

test("own steps, reminders and their end are those of a policy with the same", () => {
  const reminders = { remindEverySeconds: 600, remindAtMost: 3, until: "recovered" } as const;
  const [own] = sourcesOf({ alerts: alertsOf({ steps: STEPS, ...reminders }), tags: {} }, []);
  const policy = policyOf("p", { match: { tags: {} }, steps: STEPS, ...reminders });
  const [same] = sourcesOf({ alerts: alertsOf(), tags: {} }, [policy]);
  expect(own?.plan).toEqual(same?.plan);
});

test("whatever is set, somebody is told, nobody twice at one time, and no step is out of order or for nobody", () => {
  const step = fc.record({
    afterSeconds: fc.integer({ min: 0, max: 3 }),
    channels: fc.uniqueArray(fc.constantFrom("sns", "people", "chat"), { maxLength: 2 }),
    emails: fc.uniqueArray(fc.constantFrom("a@x.ch", "b@x.ch"), { maxLength: 2 }),
  });
  const steps = fc
    .uniqueArray(step, { selector: ({ afterSeconds }) => afterSeconds, maxLength: 3 })
    .map((all) => all.filter(({ channels, emails }) => channels.length + emails.length > 0));
  const emails = fc.uniqueArray(fc.constantFrom("a@x.ch", "b@x.ch"), { maxLength: 2 });
  const own = fc.record({ afterSeconds: fc.integer({ min: 0, max: 3 }), emails, steps });
  fc.assert(
    fc.property(own, fc.boolean(), (alerts, isTaken) => {
      const sources = sourcesOf({ alerts: alertsOf(alerts), tags: { team: "x" } }, isTaken ? [BY_TAG] : []);
      expect(sources.length).toBeGreaterThan(0);
      for (const { plan } of sources) {
        const times = plan.steps.map(({ afterSeconds }) => afterSeconds);
        expect(times).toEqual([...new Set(times)].toSorted((a, b) => a - b));
        for (const { receivers } of plan.steps) {
          expect(receivers.length).toBeGreaterThan(0);
          expect(new Set(receivers).size).toBe(receivers.length);
        }
      }
      const all = sources.flatMap(({ plan }) => plan.steps.flatMap(({ receivers }) => receivers));
      for (const address of alerts.emails) expect(all).toContain(`email:${address}`);
      for (const topic of ["sns", "people"] as const) {
        const isNamed = alerts.steps.some(({ channels }) => channels.includes(topic));
        expect(all.includes(topic)).toBe(isNamed || (!isTaken && alerts.steps.length === 0));
      }
    }),
  );
});
