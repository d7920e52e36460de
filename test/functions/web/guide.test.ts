import { describe, expect, test } from "vitest";
import {
  type Draft,
  draftOf,
  EMPTY,
  monitorOf,
  secondsToAlert,
  targetOf,
  withoutSecrets,
  withProtocol,
} from "../../../functions/web/page/monitors/draft.ts";
import { ownSteps } from "../../../functions/web/page/monitors/hearers.ts";
import { takeApart } from "../../../functions/web/page/monitors/target-text.ts";
import { mergePatch } from "../../../functions/web/page/parts/merge-patch.ts";
import { questionsOf, type Schema } from "../../../functions/web/page/parts/settings-schema.ts";

const NAMES = new Set(["tcp", "http", "https", "ssh", "postgresql", "dns", "imaps"]);

test.each([
  ["https://a.example:8443/x?y=1#z", { protocol: "https", host: "a.example", port: 8443, path: "/x?y=1" }],
  ["HTTP://a.example", { protocol: "http", host: "a.example" }],
  ["https://user:secret@a.example/", { protocol: "https", host: "a.example" }],
  ["https://a.example?q=1", { protocol: "https", host: "a.example", path: "/?q=1" }],
  ["postgres://u:p@db.example:5433/orders", { protocol: "postgresql", host: "db.example", port: 5433 }],
  ["sftp://files.example", { protocol: "ssh", host: "files.example" }],
  ["gopher://a.example:70", { host: "a.example", port: 70 }],
  [" a.example:22 ", { host: "a.example", port: 22 }],
  ["[2001:db8::1]:22", { host: "2001:db8::1", port: 22 }],
  ["[2001:db8::1]", { host: "2001:db8::1" }],
])("%j is taken apart", (text, target) => {
  expect(takeApart(text, NAMES)).toEqual(target);
});

test.each([
  "a.example",
  "192.0.2.7",
  "192.0.2.0/28",
  "2001:db8::1",
  "2001:db8::/120",
  "",
  "a.example:0",
  "a.example:70000",
  "a:b",
])("%j stays as it is", (text) => {
  expect(takeApart(text, NAMES)).toBeUndefined();
});

const protocol = (settings: Schema) => ({ settings });
const draft = (more: Partial<Draft>): Draft => ({ ...EMPTY, host: "a.example", ...more });

describe("settings are asked for as their schema says", () => {
  const schema = {
    properties: {
      path: { type: "string", default: "/" },
      password: { type: "string", writeOnly: true },
      count: { type: "integer" },
      deep: { type: "boolean" },
      method: { type: "string", enum: ["GET", "HEAD"] },
      headers: { type: "object" },
    },
    required: ["path"],
  };
  test("each by its kind", () => {
    expect(questionsOf(protocol(schema), 0).map(({ name, kind }) => [name, kind])).toEqual([
      ["path", "text"],
      ["password", "secret"],
      ["count", "number"],
      ["deep", "flag"],
      ["method", "choice"],
      ["headers", "json"],
    ]);
  });

  test("what is empty is left out, the rest becomes what the API takes", () => {
    const settings = { path: "/x", count: "3", deep: "false", headers: '{"a": "b"}', method: "", password: "" };
    expect(targetOf(draft({ settings }), protocol(schema))).toEqual({
      protocol: "tcp",
      host: "a.example",
      settings: { path: "/x", count: 3, deep: false, headers: { a: "b" } },
    });
    const wrong = { headers: "{", count: "x" };
    expect(targetOf(draft({ settings: wrong }), protocol(schema)).settings).toEqual(wrong);
  });

  test("of several kinds the chosen one is told by what is constant in it", () => {
    const kinds = ["udp", "tcp"].map((transport) => ({
      properties: { transport: { const: transport }, name: { type: "string" } },
    }));
    const body = targetOf(draft({ kind: 1, settings: { name: "a." } }), protocol({ oneOf: kinds }));
    expect(body.settings).toEqual({ name: "a.", transport: "tcp" });
  });
});

test("a draft becomes a monitor", () => {
  const made = monitorOf(
    draft({
      port: "22",
      tags: "team=a=b, zone",
      emails: "a@b.ch; c@d.ch",
      degradedAboveMs: "300",
      errorPercent: "20",
      policies: ["p"],
    }),
    undefined,
  );
  expect(made).toMatchObject({
    name: "a.example:22",
    port: 22,
    tags: { team: "a=b", zone: "" },
    degradedAboveMs: 300,
    errorRate: { percentAbove: 20 },
    alerts: { afterSeconds: 60, emails: ["a@b.ch", "c@d.ch"], policies: ["p"] },
  });
  expect(monitorOf(draft({ port: "abc" }), undefined)).toMatchObject({ port: "abc" });
});

test("its own steps are told in order, each time once; without any, the subscriptions hear unless a policy takes it", () => {
  const own = draft({ emails: "a@b.ch" });
  const steps = [
    { afterSeconds: 0, channels: ["c"], emails: "" },
    { afterSeconds: 60, channels: ["c"], emails: "a@b.ch, c@d.ch" },
  ];
  expect(ownSteps(own, false)).toEqual([{ afterSeconds: 60, emails: ["a@b.ch"], channels: ["people", "sns"] }]);
  expect(ownSteps(own, true)).toEqual([{ afterSeconds: 60, emails: ["a@b.ch"], channels: [] }]);
  expect(ownSteps(draft({}), true)).toEqual([]);
  expect(ownSteps({ ...own, steps }, false)).toEqual([
    { afterSeconds: 0, emails: [], channels: ["c"] },
    { afterSeconds: 60, emails: ["a@b.ch", "c@d.ch"], channels: ["c"] },
  ]);
});

test("the time until people hear: interval, attempts, waiting, sending", () => {
  // 60 s, three attempts of 5 s with pauses of 1 s, 60 s, 3 s.
  expect(secondsToAlert(EMPTY, 60)).toBe(60 + 17 + 60 + 3);
});

test.each([
  [{ a: 1 }, { a: 1 }, undefined],
  [{ a: 1, b: 2 }, { a: 1 }, { b: null }],
  [{ tags: { x: "1", y: "2" } }, { tags: { x: "1", z: "3" } }, { tags: { y: null, z: "3" } }],
  [{ alerts: { emails: ["a"] } }, { alerts: { emails: ["a", "b"] } }, { alerts: { emails: ["a", "b"] } }],
  [{ alerts: { emails: ["a"] } }, { alerts: { emails: ["a"] }, quorum: "any" }, { quorum: "any" }],
])("the merge patch from %j to %j", (before, after, patch) => {
  expect(mergePatch(before, after)).toEqual(patch);
});

test("a monitor that nobody changed in the form makes no change, whatever its settings are", () => {
  const kinds = ["udp", "tcp"].map((transport) => ({
    properties: { transport: { const: transport }, deep: { type: "object" }, count: { type: "integer" } },
  }));
  const known = protocol({ oneOf: kinds });
  const monitor = {
    name: "a",
    host: "h",
    protocol: "x",
    port: 1,
    tags: { k: "v=w", empty: "" },
    settings: { transport: "tcp", deep: { a: [1] }, count: 3 },
    intervalSeconds: 60,
    alerts: {
      ...{ afterSeconds: 5, emails: ["a@b.ch"], policies: [], remindEverySeconds: 600, remindAtMost: 3 },
      ...{ until: "recovered", steps: [{ afterSeconds: 60, channels: ["sns"], emails: [] }] },
    },
    failureThreshold: 2,
    recoveryThreshold: 1,
    degradedAboveMs: 300,
    errorRate: { percentAbove: 10 },
    quorum: 2,
    flapping: { highPercent: 50, lowPercent: 25 },
    dependsOn: ["p"],
    maintenanceCountsAsDowntime: true,
  } as unknown as Parameters<typeof draftOf>[0];
  const made = draftOf(monitor, known);
  expect(made.kind).toBe(1);
  expect(monitorOf(made, known)).toMatchObject({
    tags: monitor.tags,
    settings: monitor.settings,
    degradedAboveMs: 300,
    errorRate: { percentAbove: 10 },
    quorum: 2,
    flapping: monitor.flapping,
    dependsOn: ["p"],
    maintenanceCountsAsDowntime: true,
  });
  expect(monitorOf(made, known).alerts).toEqual({ ...monitor.alerts, policies: undefined });
  const changed = { ...made, tags: "k=v=w", steps: [], remindEverySeconds: 0 };
  expect(mergePatch(monitorOf(made, known), monitorOf(changed, known))).toEqual({
    tags: { empty: null },
    alerts: { steps: null, remindEverySeconds: null, remindAtMost: null, until: null },
  });
});

test("watching ports is a matter of hours and has no port, and whoever turns to checks again begins as usual", () => {
  const checked = draft({ port: "22", degradedAboveMs: "300", errorPercent: "20", settings: { a: "b" } });
  const swept = { ...checked, ...withProtocol("ports", true, false) };
  expect(monitorOf(swept, protocol({}))).toMatchObject({ protocol: "ports", intervalSeconds: 3_600 });
  for (const name of ["port", "settings", "degradedAboveMs", "errorRate"])
    expect(monitorOf(swept, protocol({}))).not.toHaveProperty(name);
  expect({ ...swept, ...withProtocol("ssh", false, true) }).toEqual(draft({ protocol: "ssh" }));
  expect({ ...checked, ...withProtocol("ssh", false, false) }).toEqual({ ...checked, protocol: "ssh", settings: {} });
});

test("a draft that stays in the browser has no settings, which may be secrets", () => {
  expect(withoutSecrets(draft({ settings: { password: "x" } })).settings).toEqual({});
});
