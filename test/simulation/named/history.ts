/** History: compaction that dies, lags, or is late; what expires. */
import { HOUR_SECONDS as HOUR } from "../../../shared/durations.ts";
import { always, cut, down, EVERYWHERE, edit, type Named, settings, story } from "./named.ts";

const BEFORE_MIDNIGHT_MS = Date.parse("2026-12-01T22:30:00Z");

export const history: readonly Named[] = [
  {
    name: "compact dies while it writes chunks",
    scenario: story({
      faults: [always("kill-before", 2_100, 3_400, { caller: "compact", operations: ["BatchWrite"] }, { most: 1 })],
    }),
    told: [],
  },
  {
    name: "compact has half of each batch handed back",
    scenario: story({
      events: [down(600, 900)],
      faults: [{ fault: "partial", strength: 0.7, from: 2_000, to: 3_600, only: { service: "dynamodb" } }],
    }),
    told: [
      ["down", 600, 617],
      ["recovered", 900, 917],
    ],
  },
  {
    name: "a day ends while one location lags: its item counts all of it",
    scenario: story({
      startMs: BEFORE_MIDNIGHT_MS,
      seconds: 6 * HOUR,
      monitor: { ...EVERYWHERE, intervalSeconds: 60 },
      events: [down(HOUR, 2 * HOUR)],
      cuts: [cut("b", HOUR, 3 * HOUR)],
    }),
    told: [
      ["down", HOUR, HOUR + 67],
      ["recovered", 2 * HOUR, 2 * HOUR + 67],
    ],
    system: ["silent", "working"],
  },
  {
    name: "outcomes of a former life can be read before they are compacted",
    scenario: story({
      seconds: 2_000,
      events: [down(300, 600)],
      edits: [edit(1_200, "delete"), edit(1_500, "create", settings())],
    }),
    told: [
      ["down", 300, 317],
      ["recovered", 600, 617],
    ],
  },
  {
    name: "history expires after two days, and streaks, rosters and days do not mind",
    scenario: story({
      seconds: 72 * HOUR,
      retention: { blockDays: 2, rosterDays: 3, chunkDays: 400, dayMonths: 25 },
      monitor: { intervalSeconds: 600 },
      events: [down(30 * HOUR, 31 * HOUR), down(60 * HOUR, 61 * HOUR)],
    }),
    told: [
      ["down", 30 * HOUR, 30 * HOUR + 610],
      ["recovered", 31 * HOUR, 31 * HOUR + 610],
      ["down", 60 * HOUR, 60 * HOUR + 610],
      ["recovered", 61 * HOUR, 61 * HOUR + 610],
    ],
  },
];
