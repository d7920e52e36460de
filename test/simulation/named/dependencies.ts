/** Dependencies: a monitor whose parent is down is told of only if it is still down afterwards, whatever gets lost. */
import { idOfKey } from "../api-client.ts";
import type { Only } from "../faults.ts";
import type { Scenario } from "../scenario.ts";
import { always, down, edit, type Named, settings, story } from "./named.ts";

/** `m` depends on `router`. */
export const family = (more: Partial<Scenario>): Scenario =>
  story({
    monitors: [
      { at: 10, settings: settings({ key: "router", name: "router", host: "router" }) },
      { at: 30, settings: settings({ dependsOn: [idOfKey("router")] }) },
    ],
    ...more,
  });
export const router = (from: number, to: number) => down(from, to, { host: "router" });

const UPDATES: Only = { caller: "state-change", service: "dynamodb", operations: ["Update"] };
/** Decisions about the child, and the touch by its parent's recovery. */
const OF_CHILD: Only = { ...UPDATES, item: `MONITOR#${idOfKey("m")} MONITOR` };
const OF_PARENT: Only = { ...UPDATES, item: `MONITOR#${idOfKey("router")} MONITOR` };
/** What a held child leaves under its parent. */
const NOTES: Only = { ...UPDATES, operations: ["Put"], item: `MONITOR#${idOfKey("router")} HELD#` };

/** Interval, one attempt, and 10 s. */
const HOLD = 22;
/** It looks again by itself after 300 s, which dispatch sees to within a minute. */
const BY_ITSELF = 370;

export const dependencies: readonly Named[] = [
  {
    name: "a child is down and its parent is not: it is told once the parent's alert would have come",
    scenario: family({ events: [down(600, 900)] }),
    told: [
      ["down", 600 + HOLD, 617 + HOLD],
      ["recovered", 900, 917],
    ],
  },
  {
    name: "parent and child go down and come back: nobody is told of the child",
    scenario: family({ events: [down(600, 915), router(595, 905)] }),
    told: [],
    incidents: ["recovered"],
  },
  {
    name: "the parent comes back and the child does not: it is told",
    scenario: family({ events: [down(600, 3_000), router(595, 1_350)] }),
    told: [
      ["down", 1_350 + HOLD, 1_367 + HOLD],
      ["recovered", 3_000, 3_017],
    ],
  },
  {
    name: "the touch of a held child is lost: it looks again by itself",
    scenario: family({
      events: [down(600, 3_000), router(595, 1_350)],
      faults: [always("outage", 1_348, 1_380, OF_CHILD)],
    }),
    told: [
      ["down", 1_350, 1_350 + BY_ITSELF],
      ["recovered", 3_000, 3_017],
    ],
  },
  {
    name: "the process dies after it stored a parent's recovery: the held child looks again by itself",
    scenario: family({
      events: [down(600, 3_000), router(595, 1_350)],
      faults: [always("kill-after", 1_348, 1_365, OF_PARENT)],
    }),
    told: [
      ["down", 1_350, 1_350 + BY_ITSELF],
      ["recovered", 3_000, 3_017],
    ],
  },
  {
    name: "a held child cannot be noted under its parent for a minute: it is held all the same, and told afterwards",
    scenario: family({
      events: [down(600, 3_000), router(595, 1_350)],
      faults: [always("outage", 595, 660, NOTES)],
    }),
    told: [
      ["down", 1_350, 1_350 + BY_ITSELF],
      ["recovered", 3_000, 3_017],
    ],
  },
  {
    name: "the parent of a held child is deleted: the child is told at once",
    scenario: family({
      events: [down(600, 3_000), router(595, 3_000)],
      edits: [edit(1_350, "delete", undefined, "router")],
    }),
    told: [
      ["down", 1_350, 1_362],
      ["recovered", 3_000, 3_017],
    ],
  },
];
