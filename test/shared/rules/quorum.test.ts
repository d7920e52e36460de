import { describe, expect, test } from "vitest";
import type { Health } from "../../../shared/model.ts";
import { agree, locationCondition, quorumSize, usableViews } from "../../../shared/rules/quorum.ts";
import { viewOf } from "../../support/monitors.ts";

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
    ["nobody asked yet", undefined, "working"],
    ["asked for 179 s, never heard", { lastHeartbeatAt: null, askingSince: at(179) }, "working"],
    ["asked for 181 s, never heard", { lastHeartbeatAt: null, askingSince: at(181) }, "silent"],
    ["heard 179 s ago", { lastHeartbeatAt: at(179), askingSince: at(9999) }, "working"],
    ["heard 181 s ago", { lastHeartbeatAt: at(181), askingSince: at(9999) }, "silent"],
    [
      "the installation stood still for hours and asks again",
      { lastHeartbeatAt: at(9999), askingSince: at(30) },
      "working",
    ],
    ["heard now, but offline", { lastHeartbeatAt: at(1), askingSince: at(99), offlineSince: at(30) }, "offline"],
    [
      "silent counts before offline",
      { lastHeartbeatAt: at(600), askingSince: at(900), offlineSince: at(700) },
      "silent",
    ],
  ] as const)("%s", (_, health, expected) => {
    expect(
      locationCondition(health && { name: "x", offlineSince: null, backSince: null, stalled: {}, ...health }, now),
    ).toBe(expected);
  });
});

test("a view written moments ago counts, though its location has not been heard of", () => {
  const now = new Date("2026-11-23T10:00:00.000Z");
  const seconds = now.getTime() / 1000;
  const views = {
    l0: viewOf("up", seconds - 10),
    l1: viewOf("down", seconds - 200),
    l2: viewOf("unknown", seconds - 1),
  };
  const usable = (condition: "working" | "silent" | "offline") =>
    usableViews({ locations: locations(3), views }, { l0: condition, l1: condition, l2: condition }, now).map(
      ({ health }) => health,
    );
  expect(usable("working")).toEqual(["up", "down"]);
  expect(usable("silent")).toEqual(["up"]);
  expect(usable("offline")).toEqual([]);
});
