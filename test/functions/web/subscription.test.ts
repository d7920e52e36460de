import { expect, test } from "vitest";
import type { SubscriptionFilter } from "../../../functions/web/page/alerts-model.ts";
import {
  bodyOfSubscription,
  EMPTY_SUBSCRIPTION,
  filterInWords,
} from "../../../functions/web/page/subscriptions/subscription.ts";

const all = { topic: "alerts", filter: null, status: "confirmed" } as const;

test.each<[SubscriptionFilter | null, string]>([
  [null, "All alerts."],
  [
    { severities: ["critical"], tags: ["team=orders", "team=web"] },
    "Alerts of severity critical, of monitors with team=orders or team=web.",
  ],
  [
    { events: ["down", "recovered"], incidentStates: ["open"] },
    "Alerts of down and recovered, while the incident lasts.",
  ],
  [{ monitorIds: ["a", "b"], protocols: ["https", "ssh"] }, "Alerts of 2 monitors, of https or ssh monitors."],
])("filter %j in words", (filter, words) => {
  expect(filterInWords({ ...all, filter })).toBe(words);
});

test("what somebody gets who has not confirmed, or is gone, or hears of the monitoring itself", () => {
  expect(filterInWords({ ...all, status: "pending" })).toBe("Alerts, once it has confirmed.");
  expect(filterInWords({ ...all, status: "gone" })).toBe("Nothing.");
  expect(filterInWords({ ...all, topic: "system" })).toBe("Messages about the monitoring itself.");
});

test("the form sends only what was chosen, and no filter for topic system", () => {
  const draft = { ...EMPTY_SUBSCRIPTION, endpoint: " ops@example.com " };
  expect(bodyOfSubscription(draft)).toEqual({ topic: "alerts", kind: "email", endpoint: "ops@example.com" });
  const some = { ...draft, severities: ["critical"], tags: "a=b c, d=e", events: "down, recovered" } as const;
  expect(bodyOfSubscription(some)).toMatchObject({
    filter: { severities: ["critical"], tags: ["a=b c", "d=e"], events: ["down", "recovered"] },
  });
  expect(bodyOfSubscription({ ...some, topic: "system" })).not.toHaveProperty("filter");
});
