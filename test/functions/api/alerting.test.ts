import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Edge, startEdge } from "./edge.ts";

let edge: Edge;
let monitorId = "";
const NOW = new Date("2026-12-01T12:00:00.000Z");
beforeAll(async () => {
  edge = await startEdge();
  edge.clock.now = () => NOW;
  const body = { name: "Orders", protocol: "tcp", host: "127.0.0.1", port: 1, tags: { team: "orders" } };
  monitorId = (await edge.call("POST", "/v1/monitors", { body })).body.id;
});
afterAll(() => edge[Symbol.asyncDispose]());

const STEPS = [{ afterSeconds: 0, channels: ["sns"], emails: ["ops@example.com"] }];
const hour = { durationSeconds: 3_600 };

describe("policies", () => {
  test("are created with defaults, listed by name, changed, and deleted", async () => {
    const created = await edge.call("POST", "/v1/policies", { body: { name: "On call", steps: STEPS } });
    expect(created.status).toBe(201);
    expect(created.body).toMatchObject({
      name: "On call",
      match: null,
      severities: ["critical", "warning"],
      steps: STEPS,
      remindEverySeconds: null,
      remindAtMost: 10,
      until: "acknowledged",
      timeZone: "UTC",
    });
    const path = created.headers.location ?? "";
    expect(path).toBe(`/v1/policies/${created.body.id}`);
    await edge.call("POST", "/v1/policies", { body: { name: "A", steps: [{ afterSeconds: 60, channels: ["sns"] }] } });
    const list = await edge.call("GET", "/v1/policies");
    expect(list.body.items.map(({ name }: { name: string }) => name)).toEqual(["A", "On call"]);
    const etag = created.headers.etag ?? "";
    const patch = { remindEverySeconds: 3_600, timeZone: "Europe/Zurich", match: { tags: { team: "*" } } };
    const patched = await edge.call("PATCH", path, { body: patch, headers: { "if-match": etag } });
    expect(patched.body).toMatchObject({ ...patch, name: "On call", steps: STEPS });
    expect((await edge.call("PATCH", path, { body: { name: "x" }, headers: { "if-match": etag } })).status).toBe(412);
    expect((await edge.call("GET", path)).body).toEqual(patched.body);
    expect((await edge.call("DELETE", path)).status).toBe(204);
    expect((await edge.call("GET", path)).status).toBe(404);
  });

  test("are changed with the ETag that reading them answered", async () => {
    const body = { name: "Read", steps: STEPS };
    const path = (await edge.call("POST", "/v1/policies", { body })).headers.location ?? "";
    const headers = { "if-match": (await edge.call("GET", path)).headers.etag ?? "" };
    expect((await edge.call("PATCH", path, { body: { name: "Once" }, headers })).status).toBe(200);
    expect((await edge.call("PATCH", path, { body: { name: "Twice" }, headers })).status).toBe(412);
    expect((await edge.call("DELETE", path)).status).toBe(204);
  });

  test("say of a monitor who would hear, when and why", async () => {
    const path = `/v1/monitors/${monitorId}/receivers`;
    const nobody = await edge.call("GET", path);
    expect(nobody.body).toEqual({
      items: ["sns", "people"].map((receiver) => ({
        receiver,
        severities: ["critical", "warning"],
        afterSeconds: 0,
        policy: null,
      })),
      reachesNobody: true,
    });
    const body = {
      name: "By tag",
      match: { tags: { team: "orders" } },
      severities: ["critical"],
      steps: [{ afterSeconds: 300, emails: ["late@example.com"] }],
    };
    const { body: policy } = await edge.call("POST", "/v1/policies", { body });
    expect((await edge.call("GET", path)).body.items).toEqual([
      {
        receiver: "email:late@example.com",
        severities: ["critical"],
        afterSeconds: 300,
        policy: { id: policy.id, name: "By tag", by: "tags" },
      },
    ]);
    const monitor = `/v1/monitors/${monitorId}`;
    await edge.call("PATCH", monitor, { body: { alerts: { degraded: false } } });
    await edge.call("PATCH", `/v1/policies/${policy.id}`, { body: { severities: ["critical", "warning"] } });
    expect((await edge.call("GET", path)).body.items).toMatchObject([{ severities: ["critical"] }]);
    await edge.call("PATCH", monitor, { body: { alerts: null } });
    await edge.call("DELETE", `/v1/policies/${policy.id}`);
  });

  test("name channels that exist", async () => {
    const settings = { url: "https://hook.example.com/x" };
    const { body: channel } = await edge.call("POST", "/v1/channels", {
      body: { name: "Hook", kind: "webhook", settings },
    });
    const policy = (id: string) => ({ name: `to ${id}`, steps: [{ afterSeconds: 0, channels: [id] }] });
    const created = await edge.call("POST", "/v1/policies", { body: policy(channel.id) });
    expect(created.status).toBe(201);
    const refused = await edge.call("POST", "/v1/policies", { body: policy("none") });
    expect(refused.body.errors).toEqual([{ path: "steps[0].channels[0]", message: 'there is no channel "none"' }]);
    await edge.call("DELETE", created.headers.location ?? "");
  });

  test("take messages about the monitoring itself, without monitors", async () => {
    const match = { events: ["system.*"] };
    const { status, headers, body } = await edge.call("POST", "/v1/policies", {
      body: { name: "Operators", steps: STEPS, match },
    });
    expect([status, body.match]).toEqual([201, match]);
    const receivers = await edge.call("GET", `/v1/monitors/${monitorId}/receivers`);
    expect(receivers.body.items).toMatchObject([{ receiver: "sns", policy: null }, { receiver: "people" }]);
    const token = await edge.limitedToken("write", "team=orders");
    const both = { name: "Mine", steps: STEPS, match: { tags: { team: "orders" }, ...match } };
    expect((await edge.call("POST", "/v1/policies", { body: both, token })).status).toBe(422);
    await edge.call("DELETE", headers.location ?? "");
  });

  test("need a name that is free", async () => {
    const body = { name: "Twice", steps: STEPS };
    expect((await edge.call("POST", "/v1/policies", { body })).status).toBe(201);
    expect((await edge.call("POST", "/v1/policies", { body })).body.code).toBe("already-exists");
  });

  test.each([
    ["no steps", { steps: [] }, ["steps"]],
    ["a step for nobody", { steps: [{ afterSeconds: 0 }] }, ["steps[0]"]],
    ["steps out of order", { steps: [{ ...STEPS[0], afterSeconds: 60 }, ...STEPS] }, ["steps[1].afterSeconds"]],
    ["an unknown channel", { steps: [{ afterSeconds: 0, channels: ["nope"] }] }, ["steps[0].channels[0]"]],
    ["no mail address", { steps: [{ afterSeconds: 0, emails: ["x"] }] }, ["steps[0].emails[0]"]],
    ["an address twice", { steps: [{ afterSeconds: 0, emails: ["a@b.ch", "A@b.ch"] }] }, ["steps[0].emails[1]"]],
    ["a severity that does not exist", { severities: ["bad"] }, ["severities[0]"]],
    ["a time zone that does not exist", { timeZone: "Europe/Atlantis" }, ["timeZone"]],
    ["reminders each second", { remindEverySeconds: 1 }, ["remindEverySeconds"]],
    ["a match of nothing", { match: {} }, ["match"]],
    ["a match of no events", { match: { events: [] } }, ["match.events"]],
    ["an event that does not exist", { match: { events: ["system.x"] } }, ["match.events[0]"]],
    ["an unknown field", { escalation: [] }, ["escalation"]],
    [
      "several",
      { until: "never", steps: [{ afterSeconds: -1, emails: ["a@b.ch"] }] },
      ["steps[0].afterSeconds", "until"],
    ],
  ])("are refused with %s", async (_, wrong, paths) => {
    const { status, body } = await edge.call("POST", "/v1/policies", {
      body: { name: "Wrong", steps: STEPS, ...wrong },
    });
    expect(status).toBe(422);
    expect(body.errors.map(({ path }: { path: string }) => path).toSorted()).toEqual(paths);
  });
});

describe("maintenance windows", () => {
  const create = (body: object) => edge.call("POST", "/v1/maintenance-windows", { body: { name: "W", ...body } });

  test("silence a monitor for two hours in one call", async () => {
    const { status, body } = await create({
      monitorIds: [monitorId],
      schedule: { kind: "once", durationSeconds: 7_200 },
    });
    expect(status).toBe(201);
    expect(body).toMatchObject({
      all: false,
      monitorIds: [monitorId],
      tags: {},
      active: { startsAt: NOW.toISOString(), endsAt: "2026-12-01T14:00:00.000Z" },
      next: [],
    });
  });

  test("show their next five occurrences in their zone", async () => {
    const schedule = { kind: "weekly", days: ["sun"], at: "02:30", timeZone: "Europe/Berlin", ...hour };
    const { body } = await create({ tags: { team: "orders" }, schedule });
    expect(body.schedule).toEqual(schedule);
    expect(body.active).toBeNull();
    expect(body.next.map(({ startsAt }: { startsAt: string }) => startsAt)).toEqual([
      "2026-12-06T01:30:00.000Z",
      "2026-12-13T01:30:00.000Z",
      "2026-12-20T01:30:00.000Z",
      "2026-12-27T01:30:00.000Z",
      "2027-01-03T01:30:00.000Z",
    ]);
  });

  test("are shown before they are stored, with as many of their next occurrences as a list is asked for", async () => {
    const schedule = { kind: "daily", at: "02:30", timeZone: "Europe/Berlin", ...hour };
    const body = { name: "Nights", all: true, schedule };
    const before = (await edge.call("GET", "/v1/maintenance-windows")).body.items;
    const dry = await edge.call("POST", "/v1/maintenance-windows?dryRun=true", { body });
    expect([dry.status, dry.body.next.length, dry.body.next[0].startsAt]).toEqual([200, 5, "2026-12-02T01:30:00.000Z"]);
    const wrong = { body: { ...body, schedule: { ...schedule, timeZone: "Mars/Olympus" } } };
    expect((await edge.call("POST", "/v1/maintenance-windows?dryRun=true", wrong)).status).toBe(422);
    expect((await edge.call("GET", "/v1/maintenance-windows")).body.items).toEqual(before);
    const { body: made } = await edge.call("POST", "/v1/maintenance-windows", { body });
    const { body: list } = await edge.call("GET", "/v1/maintenance-windows?next=31");
    expect(list.items.find(({ id }: { id: string }) => id === made.id).next).toHaveLength(31);
    expect((await edge.call("GET", "/v1/maintenance-windows?next=101")).status).toBe(422);
    await edge.call("DELETE", `/v1/maintenance-windows/${made.id}`);
  });

  test("are ended early and extended, which later occurrences do not see", async () => {
    const schedule = { kind: "daily", at: "11:30", ...hour };
    const { body, headers } = await create({ all: true, schedule });
    const path = headers.location ?? "";
    expect(body.active).toEqual({ startsAt: NOW.toISOString(), endsAt: "2026-12-01T12:30:00.000Z" });
    const longer = await edge.call("POST", `${path}/extend`, { body: { seconds: 1_800 } });
    expect(longer.body.active.endsAt).toBe("2026-12-01T13:00:00.000Z");
    const ended = await edge.call("POST", `${path}/end`);
    expect(ended.body.active).toBeNull();
    expect(ended.body.next[0]).toEqual({ startsAt: "2026-12-02T11:30:00.000Z", endsAt: "2026-12-02T12:30:00.000Z" });
    expect((await edge.call("POST", `${path}/end`)).body.code).toBe("not-active");
  });

  test("are changed and deleted", async () => {
    const { headers } = await create({ all: true, schedule: { kind: "daily", at: "20:00", ...hour } });
    const path = headers.location ?? "";
    const patch = { name: "Later", schedule: { kind: "daily", at: "21:00", ...hour } };
    const changed = await edge.call("PATCH", path, { body: patch, headers: { "if-match": headers.etag ?? "" } });
    expect(changed.body).toMatchObject({
      name: "Later",
      all: true,
      next: [{ startsAt: "2026-12-01T21:00:00.000Z" }, {}, {}, {}, {}],
    });
    expect((await edge.call("DELETE", path)).status).toBe(204);
    expect((await edge.call("GET", path)).status).toBe(404);
    const { body } = await edge.call("GET", "/v1/maintenance-windows");
    expect(body.items.some(({ id }: { id: string }) => path.endsWith(id))).toBe(false);
  });

  test("are listed: active ones first, then by what comes next", async () => {
    const { body } = await edge.call("GET", "/v1/maintenance-windows?state=active");
    expect(body.items.every(({ active }: { active: unknown }) => active !== null)).toBe(true);
    expect(body.items.length).toBeGreaterThan(0);
  });

  test.each<[string, object, readonly string[]]>([
    ["no monitors", { schedule: { kind: "once", ...hour } }, ["monitorIds"]],
    ["an unknown monitor", { monitorIds: ["x"], schedule: { kind: "once", ...hour } }, ["monitorIds[0]"]],
    [
      "an end and a length",
      { all: true, schedule: { kind: "once", ...hour, endsAt: "2026-12-02T00:00:00Z" } },
      ["schedule"],
    ],
    [
      "a time that is over",
      { all: true, schedule: { kind: "once", startsAt: "2026-11-01T00:00:00Z", endsAt: "2026-11-02T00:00:00Z" } },
      ["schedule"],
    ],
    [
      "an end before the start",
      { all: true, schedule: { kind: "once", startsAt: "2026-12-02T00:00:00Z", endsAt: "2026-12-01T23:00:00Z" } },
      ["schedule.endsAt"],
    ],
    [
      "a time without its offset",
      { all: true, schedule: { kind: "once", startsAt: "2026-12-02T00:00:00", ...hour } },
      ["schedule.startsAt"],
    ],
    [
      "a date that does not exist",
      { all: true, schedule: { kind: "once", startsAt: "2027-02-30T00:00:00Z", ...hour } },
      ["schedule.startsAt"],
    ],
    [
      "an unknown zone",
      { all: true, schedule: { kind: "daily", at: "10:00", timeZone: "Mars/Olympus", ...hour } },
      ["schedule.timeZone"],
    ],
    ["an hour that does not exist", { all: true, schedule: { kind: "daily", at: "25:00", ...hour } }, ["schedule.at"]],
    [
      "cron that is none",
      { all: true, schedule: { kind: "cron", pattern: "every day", ...hour } },
      ["schedule.pattern"],
    ],
    [
      "a day that never comes",
      { all: true, schedule: { kind: "cron", pattern: "0 0 31 2 *", ...hour } },
      ["schedule.pattern"],
    ],
    [
      "six fields of cron",
      { all: true, schedule: { kind: "cron", pattern: "0 0 0 1 1 *", ...hour } },
      ["schedule.pattern"],
    ],
    ["an unknown kind", { all: true, schedule: { kind: "yearly", ...hour } }, ["schedule.kind"]],
    [
      "half a minute",
      { all: true, schedule: { kind: "daily", at: "10:00", durationSeconds: 30 } },
      ["schedule.durationSeconds"],
    ],
  ])("are refused with %s", async (_, body, paths) => {
    const answer = await create(body);
    expect(answer.status, JSON.stringify(answer.body)).toBe(422);
    expect(answer.body.errors.map(({ path }: { path: string }) => path)).toEqual(paths);
  });
});

describe("acknowledging", () => {
  const startedAt = "2026-12-01T11:00:00.000Z";
  const id = () => `${monitorId}.${Date.parse(startedAt)}`;
  beforeAll(async () => {
    const monitor = await edge.stores.monitors.get(monitorId);
    const incident = {
      id: id(),
      startedAt,
      endedAt: null,
      target: { protocol: "tcp", host: "127.0.0.1", port: 1 },
      targetVersion: 1,
      severity: "down" as const,
      downSince: startedAt,
      reason: null,
      message: "",
      evidence: {},
      locations: {},
      announced: "down" as const,
      alertCount: 1,
      told: {},
      acknowledged: null,
      endReason: null,
    };
    await edge.decide(monitor!, { status: "down", since: startedAt, incident });
  });

  test("notes who, when and what was said, once", async () => {
    const first = await edge.call("POST", `/v1/incidents/${id()}/acknowledge`, { body: { note: "on it" } });
    expect([first.status, first.body]).toEqual([200, { at: NOW.toISOString(), by: "admin", note: "on it" }]);
    const again = await edge.call("POST", `/v1/incidents/${id()}/acknowledge`, { body: {} });
    expect(again.body).toEqual(first.body);
    const { incident, lookBy } = (await edge.stores.monitors.get(monitorId))!;
    expect(incident?.acknowledged).toMatchObject({ by: "admin", severity: "down", isAnnounced: false });
    expect(lookBy).not.toBeNull();
  });

  test.each([["x"], ["nope.123"], ["1e400"]])("finds no incident %s", async (wrong) => {
    expect((await edge.call("POST", `/v1/incidents/${wrong}/acknowledge`, { body: {} })).status).toBe(404);
  });
});
