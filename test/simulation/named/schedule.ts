/** Ticks: planned, checked, and in force at once when something changes. */
import { HOUR_SECONDS as HOUR } from "../../../shared/durations.ts";
import { always, down, EVERYWHERE, edit, type Named, not, settings, story } from "./named.ts";

export const schedule: readonly Named[] = [
  {
    name: "a queue refuses for a minute: its ticks are caught up",
    scenario: story({
      // Down only during ticks that were planned while the queue refused.
      events: [down(672, 712)],
      faults: [always("throttle", 600, 659, { caller: "dispatch", service: "sqs" })],
    }),
    told: [
      ["down", 672, 689],
      ["recovered", 712, 729],
    ],
  },
  {
    name: "dispatch misses five minutes",
    scenario: story({ events: [down(700, 3_000)], faults: [always("missed-run", 600, 900)] }),
    told: [
      ["down", 700, 1_050],
      ["recovered", 3_000, 3_017],
    ],
  },
  {
    name: "every minute runs twice",
    scenario: story({ events: [down(700, 1_500)], faults: [always("doubled-run", 0, 3_900)] }),
    told: [
      ["down", 700, 717],
      ["recovered", 1_500, 1_517],
    ],
  },
  {
    name: "paused: no check after the next tick",
    scenario: story({
      monitor: EVERYWHERE,
      events: [down(900, 2_400)],
      edits: [edit(895, "pause"), edit(2_450, "resume")],
    }),
    told: [],
  },
  {
    name: "to another lane and back: every outcome is read once",
    scenario: story({
      monitor: EVERYWHERE,
      edits: [edit(600.5, "patch", { intervalSeconds: 30 }), edit(1_200.2, "patch", { intervalSeconds: 10 })],
    }),
    told: [],
  },
  {
    name: "a location that is new to the shard is planned at once",
    scenario: story({
      edits: [edit(600, "patch", { locations: ["a", "b"], quorum: "any" })],
      events: [down(640, 1_500, { locations: ["b"] })],
    }),
    told: [
      ["down", 640, 657],
      ["recovered", 1_500, 1_517],
    ],
  },
  {
    name: "an hourly tick whose job was lost runs late, and is not dropped",
    scenario: story({
      seconds: 5 * HOUR,
      monitor: { intervalSeconds: 3_600 },
      events: [down(2 * HOUR - 600, 5 * HOUR)],
      faults: [always("missed-run", 1.5 * HOUR, 2 * HOUR + 2_700)],
    }),
    told: [["down", 2 * HOUR - 600, 3.2 * HOUR]],
    status: "down",
  },
  {
    name: "the hourly lane: down, back, slow",
    scenario: story({
      seconds: 12 * HOUR,
      monitor: { ...EVERYWHERE, intervalSeconds: 3_600, timeoutMs: 5_000 },
      events: [
        down(2 * HOUR, 4 * HOUR),
        not("silent", 6 * HOUR, 8 * HOUR),
        not("slow", 8 * HOUR, 12 * HOUR, { latencyMs: 2_500 }),
      ],
    }),
    told: [
      ["down", 2 * HOUR, 3 * HOUR + 10],
      ["recovered", 4 * HOUR, 5 * HOUR + 10],
      ["down", 6 * HOUR, 7 * HOUR + 10],
      ["recovered", 8 * HOUR, 9 * HOUR + 10],
    ],
  },
  {
    name: "several shards in a lane",
    scenario: story({
      seatsTaken: { 10: 248 },
      monitors: Array.from({ length: 5 }, (_, place) => ({
        at: 20 + place,
        settings: settings({ key: `m${place}`, name: `m${place}`, host: `h${place}`, ...EVERYWHERE }),
      })),
      events: [down(600, 900, { host: "h0" }), down(700, 1_000, { host: "h4" })],
    }),
    of: "m4",
    told: [
      ["down", 700, 717],
      ["recovered", 1_000, 1_017],
    ],
  },
  {
    name: "new code comes while a port goes down, old processes with old caches beside it",
    scenario: story({
      monitor: EVERYWHERE,
      events: [down(600, 900)],
      edits: [edit(590, "patch", { failureThreshold: 2 }), edit(640, "patch", { failureThreshold: 1 })],
      deploys: [{ at: 595, overlapSeconds: 300 }],
    }),
    told: [
      ["down", 600, 640],
      ["recovered", 900, 917],
    ],
  },
];
