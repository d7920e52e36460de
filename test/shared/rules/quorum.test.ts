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
    [3, 2, ["up", "down"], null], // the third cannot be asked: with it two may be down
    [3, 2, ["up"], null],
    [3, 2, ["up", "up"], "up"], // whatever the third would say, two are not down
    [3, 2, ["down"], null],
    [3, 2, ["down", "unknown", "unknown"], null],
    [3, 3, ["down", "down"], null],
    [3, 3, ["up"], "up"], // all have to be down: one that is up settles it
    [5, 1, ["down", "up", "up", "up", "up"], "down"],
    [2, 2, ["up", "down"], "up"],
    [2, 2, ["up"], "up"],
    [2, 1, ["up"], null],
  ])("%i locations, quorum %i, views %j: %s", (n, q, healths, expected) => {
    expect(agree(n, q, healths)).toBe(expected);
  });

  /** All ways to give each of so many locations one of these healths. */
  const everyWay = <T>(count: number, healths: readonly T[]): T[][] =>
    count === 0 ? [[]] : everyWay(count - 1, healths).flatMap((way) => healths.map((health) => [...way, health]));

  test("for up to four locations: down and degraded where enough say so, up where nothing else is possible", () => {
    const KNOWN = ["up", "degraded", "down"] as const;
    /** What all of the locations together come to. */
    const truth = (q: number, all: readonly Health[]) => {
      const atLeast = (...bad: readonly Health[]) => all.filter((health) => bad.includes(health)).length >= q;
      return atLeast("down") ? "down" : atLeast("down", "degraded") ? "degraded" : "up";
    };
    for (let n = 1; n <= 4; n++)
      for (let q = 1; q <= n; q++)
        for (const views of everyWay(n, [...KNOWN, null])) {
          const known = views.filter((view) => view !== null);
          const rest = n - known.length;
          const possible = new Set(everyWay(rest, KNOWN).map((others) => truth(q, [...known, ...others])));
          const best = truth(q, [...known, ...Array<Health>(rest).fill("up")]);
          // Trouble that enough have seen is certain, though it may be worse still; `up` is said only when certain.
          const expected = best !== "up" ? best : possible.size === 1 ? "up" : null;
          const silent = Array<Health>(rest).fill("unknown");
          expect(agree(n, q, known), `${n} locations, quorum ${q}: ${views}`).toBe(expected);
          expect(agree(n, q, [...known, ...silent])).toBe(expected);
        }
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
    [
      "a heartbeat of a clock that was ahead says nothing",
      { lastHeartbeatAt: at(-3600), askingSince: at(181) },
      "silent",
    ],
    ["asked by a clock that was ahead", { lastHeartbeatAt: at(181), askingSince: at(-3600) }, "silent"],
    ["clocks may differ by a minute", { lastHeartbeatAt: at(-59), askingSince: at(999) }, "working"],
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

test("no view counts of a shard that is not checked, nor before a tick after the return has confirmed it", () => {
  const now = new Date("2026-11-23T10:00:00.000Z");
  const views = { l0: viewOf("down", now.getTime() / 1000 - 5) };
  for (const condition of ["stalled", "unproven"] as const)
    expect(usableViews({ locations: ["l0"], views }, { l0: condition }, now)).toEqual([]);
});

test("a fresh view that is a clock's lead in the future is no sign of life", () => {
  const now = new Date("2026-11-23T10:00:00.000Z");
  const seen = (ahead: number) =>
    usableViews(
      { locations: ["l0"], views: { l0: viewOf("up", now.getTime() / 1000 + ahead) } },
      { l0: "silent" },
      now,
    );
  expect([60, 61].map((ahead) => seen(ahead).length)).toEqual([1, 0]);
});
