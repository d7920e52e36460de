/** Clocks that differ, are ahead, or step back. */
import { always, BLOCKS, down, edit, type Named, settings, story } from "./named.ts";

export const clocks: readonly Named[] = [
  {
    name: "changed by a clock that is two seconds ahead, then down at once: told once",
    scenario: story({
      seconds: 1_800,
      clockSteps: [{ at: 1, caller: "api", ms: 2_000 }],
      monitor: { locations: ["a", "b"], quorum: "any" },
      events: [down(599, 640, { locations: ["b"] })],
      edits: [edit(600, "patch", { timeoutMs: 1_900 })],
    }),
    told: [
      ["down", 599, 625],
      ["recovered", 640, 660],
    ],
  },
  {
    name: "changed by a clock that is a minute ahead, then down: told once",
    scenario: story({
      seconds: 1_800,
      clockSteps: [{ at: 1, caller: "api", ms: 59_000 }],
      events: [down(620, 900)],
      edits: [edit(600, "patch", { timeoutMs: 1_900 })],
    }),
    told: [
      ["down", 620, 700],
      ["recovered", 900, 920],
    ],
  },
  {
    name: "all clocks were an hour ahead and are set right: checks go on",
    scenario: story({
      clockSteps: [
        { at: 600, ms: 3_600_000 },
        { at: 660, ms: -3_600_000 },
      ],
      events: [down(1_800, 2_400)],
    }),
    told: [
      ["down", 1_800, 1_820],
      ["recovered", 2_400, 2_420],
    ],
    excused: {
      "outcome-lost": "outcomes of the future are compacted when it comes",
      "block-rewritten": "while blocks of the future stand there, the last run of a tick that came twice is kept",
    },
  },
  {
    name: "a fence that was put up while all clocks were an hour ahead: an outage soon after is told",
    scenario: story({
      clockSteps: [
        { at: 600, ms: 3_600_000 },
        { at: 660, ms: -3_600_000 },
      ],
      monitors: [
        { at: 20, settings: settings() },
        { at: 20.5, settings: settings({ key: "n", name: "n", host: "h2" }) },
      ],
      // The neighbour's view claims a tick whose block is lost, so the next run fences off all.
      faults: [always("throttle", 627, 642, BLOCKS, { skip: 1, most: 3 })],
      events: [down(625, 3_000, { host: "h2" }), down(1_800, 2_400)],
    }),
    of: "m",
    told: [
      ["down", 1_800, 1_820],
      ["recovered", 2_400, 2_420],
    ],
    excused: {
      false: "the neighbour's alert bears a moment of the future",
      "outcome-lost": "outcomes of the future are compacted when it comes",
      "block-rewritten": "while blocks of the future stand there, the last run of a tick that came twice is kept",
    },
  },
  {
    name: "a port goes down while all clocks are an hour ahead: it is told though afterSeconds counts from the future",
    scenario: story({
      monitor: { alerts: { afterSeconds: 120, emails: [] } },
      clockSteps: [
        { at: 600, ms: 3_600_000 },
        { at: 660, ms: -3_600_000 },
      ],
      events: [down(610, 3_000)],
    }),
    told: [
      ["down", 660, 800],
      ["recovered", 3_000, 3_020],
    ],
    excused: {
      false: "the incident keeps the beginning that the clock gave it",
      "outcome-lost": "outcomes of the future are compacted when it comes",
      "block-rewritten": "while blocks of the future stand there, the last run of a tick that came twice is kept",
    },
  },
  {
    name: "the probes' clocks step back by a minute",
    scenario: story({
      clockSteps: [
        { at: 600, caller: "probe", ms: -60_000 },
        { at: 900, caller: "probe", ms: 60_000 },
      ],
      events: [down(1_800, 2_400)],
    }),
    told: [
      ["down", 1_800, 1_820],
      ["recovered", 2_400, 2_420],
    ],
  },
  {
    name: "the clock of state-change is 50 s ahead for a while",
    scenario: story({
      clockSteps: [
        { at: 600, caller: "state-change", ms: 50_000 },
        { at: 900, caller: "state-change", ms: -50_000 },
      ],
      events: [down(700, 2_400)],
    }),
    told: [
      ["down", 700, 720],
      ["recovered", 2_400, 2_420],
    ],
  },
];
