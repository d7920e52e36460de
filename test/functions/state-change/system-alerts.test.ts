/** Messages about the monitoring itself go to the first step of policies that take their event, and to topic `system` as ever. */
import { afterEach, beforeEach, expect, test } from "vitest";
import type { LocationNews } from "../../../shared/model.ts";
import type { Policy } from "../../../shared/rules/policies.ts";
import { createPolicyStore, type PolicyStore } from "../../../shared/store/alerting.ts";
import { createIncidentAlertStore } from "../../../shared/store/incident-alerts.ts";
import { locationStateKey } from "../../../shared/store/keys.ts";
import { createLocationStore } from "../../../shared/store/locations.ts";
import { iso, startWorld } from "./fixture.ts";

let w: Awaited<ReturnType<typeof startWorld>>;
let policies: PolicyStore;
beforeEach(async () => {
  w = await startWorld();
  policies = createPolicyStore(w.client, w.tables.monitors);
});
afterEach(() => w.stop());

const policy = (id: string, more: Partial<Policy> = {}): Policy => ({
  id,
  name: id,
  match: { events: ["system.*"] },
  severities: ["critical", "warning"],
  steps: [
    { afterSeconds: 600, channels: ["sns"], emails: ["ops@example.com"] },
    { afterSeconds: 900, channels: [], emails: ["late@example.com"] },
  ],
  remindEverySeconds: 60,
  remindAtMost: 5,
  until: "recovered",
  revision: 1,
  createdAt: iso(0),
  updatedAt: iso(0),
  ...more,
});

/** Dispatch has news of location `a`, which the stream then brings. */
const announce = async (condition: LocationNews) => {
  const locations = createLocationStore(w.client, w.tables.monitors);
  const content = {
    kind: "system",
    event: `system.location-${condition}`,
    about: "location.a",
    subject: `Location a: ${condition}`,
    message: `Location a is ${condition}.`,
  } as const;
  const message = { key: `system#${condition}`, content };
  await locations.announce(await locations.state("a"), { condition, message }, w.clock());
};
const look = () => w.lookAt(locationStateKey("a"));
const heard = (receiver = "email:ops@example.com") => w.events(receiver);

test("the first step hears at once, of the beginning and of the end", async () => {
  await policies.create(policy("ops"));
  await announce("silent");
  await look();
  const published = () => w.received.filter(({ receiver }) => receiver === "sns").map(({ alert }) => alert);
  const { incidentId } = published()[0]!;
  expect(await createIncidentAlertStore(w.client, w.tables.monitors).of(incidentId)).toEqual([]);
  expect(published()[0]).toMatchObject({
    event: "system.location-silent",
    severity: "critical",
    subject: "Location a: silent",
    message: "Location a is silent.",
    incidentId: "system.location.a",
    incidentState: "open",
  });
  await announce("working");
  await look();
  expect(published()[1]).toMatchObject({ incidentId: "system.location.a", incidentState: "ended" });
  expect([heard().length, heard("sns").length, heard("email:late@example.com")]).toEqual([2, 2, []]);
  expect(w.system).toEqual([
    "Location a: silent: Location a is silent.",
    "Location a: working: Location a is working.",
  ]);
});

test.each<[string, Partial<Policy>]>([
  ["takes monitors alone", { match: { tags: {} } }],
  ["takes nothing by itself", { match: null }],
  ["takes another event", { match: { events: ["system.fault"] } }],
  ["tells of warnings alone", { severities: ["warning"] }],
])("a policy that %s changes nothing", async (_, more) => {
  await policies.create(policy("ops", more));
  await announce("silent");
  await look();
  expect([w.received, w.system.length]).toEqual([[], 1]);
});

test.each<[string, Partial<Policy>, number]>([
  ["heard of the beginning, by its name alone", { match: { events: ["system.location-silent"] } }, 2],
  ["did not hear of the beginning", { severities: ["warning"] }, 0],
  ["names the end alone", { match: { events: ["system.location-working"] } }, 1],
])("who %s hears as much of the end", async (_, more, count) => {
  await policies.create(policy("ops", more));
  for (const condition of ["silent", "working"] as const) {
    await announce(condition);
    await look();
  }
  expect(heard().length).toBe(count);
});

test("a policy that was changed after the news holds as it is then", async () => {
  await policies.create(policy("ops", { match: { events: ["system.location-silent"] } }));
  await announce("silent");
  const steps = [{ afterSeconds: 0, channels: [], emails: ["new@example.com"] }];
  await policies.update(policy("ops"), policy("ops", { steps, revision: 2 }));
  await look();
  expect([heard(), heard("email:new@example.com").length]).toEqual([[], 1]);
});

test("whoever two policies name hears once, also if topic system takes the message only later", async () => {
  await policies.create(policy("one"));
  await policies.create(policy("two"));
  w.world.refuse.system = "temporary";
  await announce("silent");
  await look();
  w.world.refuse = {};
  w.world.now += 60;
  await look();
  expect([heard().length, w.system.length]).toEqual([1, 1]);
});

test("a message that cannot be delivered is told to topic system, and not to the policy again", async () => {
  await policies.create(policy("ops", { steps: [{ afterSeconds: 0, channels: [], emails: ["ops@example.com"] }] }));
  w.world.refuse["email:ops@example.com"] = "permanent";
  await announce("silent");
  await look();
  for (let i = 0; i < 3; i++) await w.deliver();
  expect(w.system).toEqual([
    "Location a: silent: Location a is silent.",
    expect.stringMatching(/^An alert could not be delivered: "Location a: silent" .*email:ops@example.com/),
  ]);
  expect(w.world.undeliverable).toBe(1);
});
