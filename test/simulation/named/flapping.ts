/** Flapping: people hear once that it starts and once that it has settled; what stays down is told, and nothing is hidden. */
import { always, DECISIONS, down, edit, type Named, story, type Telling } from "./named.ts";

/** Checked every 10 s, down at every other check. */
const flaps = (from: number, outages: number) =>
  Array.from({ length: outages }, (_, n) => down(from + 20 * n, from + 20 * n + 10));
const FLAPPING = { flapping: { highPercent: 30, lowPercent: 20 } } as const;
/** The outages before the mark is reached. */
const FIRST: readonly Telling[] = [600, 620, 640].flatMap((at): Telling[] => [
  ["down", at, at + 17],
  ["recovered", at + 10, at + 27],
]);

export const flapping: readonly Named[] = [
  {
    name: "a port that flaps is told as flapping and as settled, and each outage is recorded",
    scenario: story({ monitor: FLAPPING, events: flaps(600, 8) }),
    told: [...FIRST, ["flapping-started", 660, 677], ["flapping-stopped", 880, 960]],
    incidents: Array(8).fill("recovered"),
  },
  {
    name: "a port that flaps and then stays down is told as settled and as down",
    scenario: story({ monitor: FLAPPING, events: [...flaps(600, 8), down(770, 2_400)] }),
    told: [
      ...FIRST,
      ["flapping-started", 660, 677],
      ["flapping-stopped", 900, 970],
      ["down", 900, 970],
      ["recovered", 2_400, 2_417],
    ],
    incidents: Array(9).fill("recovered"),
  },
  {
    name: "an outage in which it began to flap and that stays is one incident",
    scenario: story({ monitor: FLAPPING, events: [...flaps(600, 3), down(660, 2_400)] }),
    told: [
      ...FIRST,
      ["flapping-started", 660, 677],
      ["flapping-stopped", 800, 840],
      ["down", 800, 840],
      ["recovered", 2_400, 2_417],
    ],
    incidents: Array(4).fill("recovered"),
  },
  {
    name: "state-change cannot store while flapping ends: that it has settled is told later",
    scenario: story({
      monitor: FLAPPING,
      events: flaps(600, 8),
      faults: [always("outage", 860, 1_200, { caller: "state-change", service: "dynamodb", operations: ["Update"] })],
    }),
    told: [...FIRST, ["flapping-started", 660, 677], ["flapping-stopped", 1_200, 1_700]],
    incidents: Array(8).fill("recovered"),
  },
  {
    name: "processes die after each decision while it flaps: everything is told once",
    scenario: story({
      monitor: { ...FLAPPING, alerts: { afterSeconds: 0, emails: ["ops@example.com"] } },
      events: flaps(600, 8),
      faults: [always("kill-after", 650, 700, DECISIONS)],
    }),
    told: [
      ...FIRST.slice(0, -1),
      ["recovered", 650, 720],
      ["flapping-started", 700, 720],
      ["flapping-stopped", 880, 1_100],
    ],
    // Changes that follow each other while no decision lives long enough are decided as one.
    incidents: Array(7).fill("recovered"),
  },
  {
    name: "paused while it flaps: people hear that it has ended",
    scenario: story({ monitor: FLAPPING, events: flaps(600, 20), edits: [edit(745, "pause")] }),
    told: [...FIRST, ["flapping-started", 660, 677], ["flapping-stopped", 745, 757]],
    status: "paused",
    incidents: ["recovered", "recovered", "recovered", "recovered", "recovered", "recovered", "recovered", "paused"],
  },
  {
    name: "without flap detection each change is told",
    scenario: story({ events: flaps(600, 6) }),
    told: [600, 620, 640, 660, 680, 700].flatMap((at): Telling[] => [
      ["down", at, at + 17],
      ["recovered", at + 10, at + 27],
    ]),
  },
];
