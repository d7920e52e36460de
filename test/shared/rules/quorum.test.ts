import { describe, expect, test } from "vitest";
import type { Health } from "../../../shared/model.ts";
import { agree, locationCondition, quorumSize } from "../../../shared/rules/quorum.ts";

const locations = (n: number) => Array.from({ length: n }, (_, i) => `l${i}`);

test.each([
  ["majority", 1, 1],
  ["majority", 2, 2],
  ["majority", 3, 2],
  ["majority", 4, 3],
  ["any", 5, 1],
  ["all", 5, 5],
  [2, 3, 2],
  [9, 3, 3],
  [0, 3, 1],
] as const)("quorum %s of %i locations is %i", (quorum, n, expected) => {
  expect(quorumSize({ quorum, locations: locations(n) })).toBe(expected);
});

describe("agree", () => {
  test.each<[n: number, q: number, healths: Health[], expected: Health | null]>([
    [1, 1, ["up"], "up"],
    [1, 1, ["down"], "down"],
    [1, 1, ["degraded"], "degraded"],
    [1, 1, [], null],
    [3, 2, ["down", "up", "up"], "up"],
    [3, 2, ["down", "down", "up"], "down"],
    [3, 2, ["down", "degraded", "up"], "degraded"],
    [3, 2, ["degraded", "degraded", "up"], "degraded"],
    [3, 2, ["up", "down"], "up"], // one location is missing; two can tell, and two down are not there
    [3, 2, ["up"], null],
    [3, 2, ["down"], null],
    [3, 2, ["down", "unknown", "unknown"], null],
    [3, 3, ["down", "down"], null],
    [3, 3, ["up"], "up"], // all have to be down: one that is up settles it
    [5, 1, ["down", "up", "up", "up", "up"], "down"],
    [2, 2, ["up", "down"], "up"],
  ])("%i locations, quorum %i, views %j: %s", (n, q, healths, expected) => {
    expect(agree(n, q, healths)).toBe(expected);
  });
});

describe("locationCondition", () => {
  const now = new Date("2026-11-23T10:00:00.000Z");
  const at = (seconds: number) => new Date(now.getTime() - seconds * 1000).toISOString();
  test.each([
    ["never heard of", undefined, "silent"],
    ["heard 179 s ago", { lastHeartbeatAt: at(179), offlineSince: null }, "working"],
    ["heard 181 s ago", { lastHeartbeatAt: at(181), offlineSince: null }, "silent"],
    ["heard now, but offline", { lastHeartbeatAt: at(1), offlineSince: at(30) }, "offline"],
    ["silent counts before offline", { lastHeartbeatAt: at(600), offlineSince: at(700) }, "silent"],
  ] as const)("%s", (_, health, expected) => {
    expect(locationCondition(health && { name: "x", ...health }, now)).toBe(expected);
  });
});
