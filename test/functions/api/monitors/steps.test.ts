/** Escalation steps and reminders that a monitor has by itself, without a policy. */
import { describe, expect, test } from "vitest";
import { at, create, edge, minimal, useEdge } from "./fixture.ts";

useEdge();

const STEPS = [
  { afterSeconds: 60, channels: ["sns"], emails: ["first@example.com"] },
  { afterSeconds: 900, channels: [], emails: ["second@example.com"] },
];
const ALERTS = { steps: STEPS, remindEverySeconds: 3_600, remindAtMost: 5, until: "recovered" };
const newChannel = async (name: string): Promise<string> => {
  const body = { name, kind: "webhook", settings: { url: "https://hook.example.com/x" } };
  return (await edge.call("POST", "/v1/channels", { body })).body.id;
};
const to = (...channels: string[]) => ({ steps: [{ afterSeconds: 0, channels }] });
const pathsOf = (errors: readonly { readonly path: string }[]) => errors.map(({ path }) => path).toSorted();

describe("a monitor's own steps", () => {
  test("are stored and shown, changed one setting at a time, and brought back to none", async () => {
    const { status, body } = await create({ alerts: ALERTS });
    expect([status, body.alerts]).toEqual([201, expect.objectContaining(ALERTS)]);
    const patch = async (alerts: object) => (await edge.call("PATCH", at(body.id), { body: { alerts } })).body.alerts;
    expect(await patch({ until: null })).toMatchObject({ ...ALERTS, until: "acknowledged" });
    expect(await patch({ steps: [{ afterSeconds: 0, emails: ["only@example.com"] }] })).toMatchObject({
      steps: [{ afterSeconds: 0, channels: [], emails: ["only@example.com"] }],
      remindEverySeconds: 3_600,
    });
    expect(await patch({ steps: null })).toMatchObject({ steps: [] });
  });

  test("are in the export, which PUT takes back unchanged, also with hidden addresses", async () => {
    const key = "steps/export";
    const monitors = [{ ...minimal, key, tags: { of: "steps" }, alerts: ALERTS }];
    expect((await edge.call("PUT", "/v1/monitors", { body: { monitors } })).status).toBe(200);
    for (const token of [edge.admin, await edge.tokenWith("read")]) {
      const exported = await edge.call("GET", "/v1/monitors/export?tag=of%3Dsteps", { token });
      expect(exported.body.monitors).toMatchObject([{ key, alerts: { remindAtMost: 5 } }]);
      const { body } = await edge.call("PUT", "/v1/monitors", { body: exported.body });
      expect(body).toMatchObject({ unchanged: [{ key }] });
    }
  });

  test("are copied with the monitor", async () => {
    const source = (await create({ alerts: ALERTS })).body;
    const { body } = await edge.call("POST", `/v1/monitors?from=${source.id}`, { body: {} });
    expect(body.alerts).toEqual(source.alerts);
  });

  test("hide their addresses from tokens that may not write, in differences too", async () => {
    const { id } = (await create({ alerts: ALERTS })).body;
    const token = await edge.tokenWith("deploy");
    const { body } = await edge.call("GET", at(id), { token: await edge.tokenWith("read") });
    expect(body.alerts.steps.map(({ emails }: { emails: unknown }) => emails)).toEqual([["(hidden)"], ["(hidden)"]]);
    const change = { alerts: { steps: [{ afterSeconds: 5, emails: ["next@example.com"] }] } };
    const bulk = await edge.call("POST", "/v1/monitors/bulk", { body: { action: "update", ids: [id], change }, token });
    expect(bulk.body.done[0].changes).toEqual({ "alerts.steps": ["(hidden)", "(hidden)"] });
  });

  test("count in the time until people hear", async () => {
    const seconds = async (alerts: object) => (await create({ alerts })).body.timeToAlertSeconds;
    const without = await seconds({});
    expect(await seconds({ steps: STEPS })).toBe(without + 60);
    expect(await seconds({ steps: STEPS, emails: ["a@example.com"], afterSeconds: 30 })).toBe(without + 30);
    expect(await seconds({ steps: STEPS, emails: ["a@example.com"], afterSeconds: 300 })).toBe(without + 60);
  });

  test("say who would hear; topic alerts does not where no step names it", async () => {
    const { id } = (await create({ alerts: { ...ALERTS, emails: ["own@example.com"], afterSeconds: 300 } })).body;
    const heard = async () => {
      const { items } = (await edge.call("GET", `${at(id)}/receivers`)).body;
      return items.map(({ receiver, afterSeconds, policy }: Record<string, unknown>) => [
        receiver,
        afterSeconds,
        policy,
      ]);
    };
    const own = [
      ["sns", 60, null],
      ["email:first@example.com", 60, null],
      ["email:own@example.com", 300, null],
      ["email:second@example.com", 900, null],
    ];
    expect(await heard()).toEqual(own);
    await edge.call("PATCH", at(id), { body: { alerts: { steps: [STEPS[1]], emails: null } } });
    expect(await heard()).toEqual([["email:second@example.com", 900, null]]);
  });

  test("reach nobody once their only channel is gone", async () => {
    const channel = await newChannel("Only");
    const { body } = await create({ alerts: to(channel) });
    expect(body.reachesNobody).toBe(false);
    await edge.call("DELETE", `/v1/channels/${channel}?force=true`);
    expect((await edge.call("GET", at(body.id))).body.reachesNobody).toBe(true);
    // What a monitor named before may be gone, and stay.
    expect((await edge.call("PATCH", at(body.id), { body: { name: "Renamed" } })).status).toBe(200);
    expect((await edge.call("PATCH", at(body.id), { body: { alerts: to(channel, "sns") } })).status).toBe(200);
  });

  test("keep the channels that they name from being deleted, unless the caller insists", async () => {
    const channel = await newChannel("In use");
    for (let i = 0; i < 12; i++) await create({ name: `Watch ${String(i).padStart(2, "0")}`, alerts: to(channel) });
    const { status, body } = await edge.call("DELETE", `/v1/channels/${channel}`);
    expect([status, body.code]).toEqual([409, "in-use"]);
    expect(body.detail).toMatch(/^these monitors name it: "Watch 00", .*"Watch 09", 2 more$/);
    expect((await edge.call("DELETE", `/v1/channels/${channel}?force=true`)).status).toBe(204);
  });
});

describe("wrong steps", () => {
  const many = Array.from({ length: 41 }, (_, i) => `p${i}@example.com`);
  const cases: [string, object, string[]][] = [
    ["for nobody", { steps: [{ afterSeconds: 0 }] }, ["alerts.steps[0]"]],
    [
      "out of order",
      { steps: [...STEPS, { afterSeconds: 900, emails: ["a@example.com"] }] },
      ["alerts.steps[2].afterSeconds"],
    ],
    ["to an unknown channel", to("sns", "none"), ["alerts.steps[0].channels[1]"]],
    ["to a channel twice", to("sns", "sns"), ["alerts.steps[0].channels[1]"]],
    [
      "to an address twice",
      { steps: [{ afterSeconds: 0, emails: ["a@b.ch", "A@b.ch"] }] },
      ["alerts.steps[0].emails[1]"],
    ],
    ["to no mail address", { steps: [{ afterSeconds: 0, emails: ["x"] }] }, ["alerts.steps[0].emails[0]"]],
    [
      "to more than forty",
      { steps: [0, 1, 2].map((i) => ({ afterSeconds: i, emails: many.slice(i * 14, i * 14 + 14) })) },
      ["alerts.steps"],
    ],
    ["and reminders without end", { remindAtMost: 0, until: "never" }, ["alerts.remindAtMost", "alerts.until"]],
    ["and an unknown policy", { policies: ["nope"] }, ["alerts.policies[0]"]],
  ];
  test.each(cases)("%s are refused, and nothing is stored", async (_, alerts, paths) => {
    const created = await create({ alerts });
    expect([created.status, pathsOf(created.body.errors)]).toEqual([422, paths]);
    const { body, headers } = await create();
    const patched = await edge.call("PATCH", at(body.id), { body: { alerts } });
    expect([patched.status, pathsOf(patched.body.errors)]).toEqual([422, paths]);
    expect((await edge.call("GET", at(body.id))).body.etag).toBe(headers.etag);
    const monitors = [{ ...minimal, key: "steps/wrong", alerts }];
    const applied = await edge.call("PUT", "/v1/monitors", { body: { monitors } });
    expect([applied.status, pathsOf(applied.body.errors)]).toEqual([422, paths.map((path) => `monitors[0].${path}`)]);
    const bulk = await edge.call("POST", "/v1/monitors/bulk", {
      body: { action: "update", ids: [body.id], change: { alerts } },
    });
    expect(pathsOf(bulk.body.errors ?? bulk.body.failed[0].errors).map((path) => path.replace("change.", ""))).toEqual(
      paths,
    );
  });
});
