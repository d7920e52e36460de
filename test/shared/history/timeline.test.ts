import { describe, expect, test } from "vitest";
import { mergeStretches, type Stretch, type TimeStatus, type Voters } from "../../../shared/history/timeline.ts";

const NAMES = ["a", "b", "c", "d", "e"];

/** What each location says of one minute; null where nothing is known of it. */
const verdict = (quorum: Voters["quorum"], n: number, said: readonly (TimeStatus | null)[]) => {
  const byLocation = new Map<string, Stretch[]>(
    said.flatMap((status, i) => (status ? [[NAMES[i]!, [{ from: 0, to: 60, status }]] as const] : [])),
  );
  return [...mergeStretches(byLocation, { locations: NAMES.slice(0, n), quorum })].map(({ status }) => status)[0];
};

describe("time as the quorum sees it", () => {
  test.each<[Voters["quorum"], number, (TimeStatus | null)[], TimeStatus | undefined]>([
    ["majority", 1, ["up"], "up"],
    ["majority", 1, ["unknown"], "unknown"],
    ["majority", 1, [null], undefined],
    ["majority", 3, ["down", "up", "up"], "up"],
    ["majority", 3, ["down", "down", "up"], "down"],
    ["majority", 3, ["down", "degraded", "up"], "degraded"],
    // As long as the one that cannot tell could turn it, nobody can tell: it is no recovery.
    ["majority", 3, ["up", "down", null], "unknown"],
    ["majority", 3, ["up", "down", "unknown"], "unknown"],
    ["majority", 3, ["up", "up", null], "up"],
    ["majority", 3, ["down", "down", null], "down"],
    ["majority", 3, ["up", null, null], "unknown"],
    ["any", 2, ["up", "up"], "up"],
    ["any", 2, ["up", "unknown"], "unknown"],
    ["any", 2, ["up", null], "unknown"],
    ["any", 2, ["down", null], "down"],
    ["all", 2, ["up", null], "up"],
    ["all", 2, ["down", null], "unknown"],
    [2, 5, ["up", "up", "up", "up", null], "up"],
    [2, 5, ["up", "up", "up", null, null], "unknown"],
    ["majority", 2, ["paused", "down"], "paused"],
    // A location that the monitor no longer has: everyone who was there votes.
    ["majority", 1, ["down", "down", "up"], "down"],
    ["any", 1, ["up", "up"], "up"],
  ])("quorum %s of %i, which say %j: %s", (quorum, n, said, expected) => {
    expect(verdict(quorum, n, said)).toBe(expected);
  });
});
