/** Locations that fall silent, lose their network, return; shards whose checks stop. */
import { always, cut, down, EVERYWHERE, type Named, not, story } from "./named.ts";

export const locations: readonly Named[] = [
  {
    name: "down at b and c, and b falls silent: nothing is repaired by that",
    scenario: story({
      monitor: EVERYWHERE,
      events: [down(600, 3_000, { locations: ["b", "c"] })],
      cuts: [cut("b", 1_200, 2_400)],
    }),
    told: [
      ["down", 600, 617],
      ["recovered", 3_000, 3_017],
    ],
    system: ["silent", "cannot be judged", "working"],
  },
  {
    name: "down at a with quorum any, and a falls silent",
    scenario: story({
      monitor: { ...EVERYWHERE, quorum: "any" },
      events: [down(600, 3_000, { locations: ["a"] })],
      cuts: [cut("a", 1_200, 2_400)],
    }),
    told: [
      ["down", 600, 617],
      ["recovered", 3_000, 3_017],
    ],
    system: ["silent", "cannot be judged", "working"],
  },
  {
    name: "a location returns with an old view: it does not count before its next check",
    scenario: story({
      monitor: { ...EVERYWHERE, quorum: "any", intervalSeconds: 300 },
      events: [down(900, 2_000, { locations: ["a"] })],
      cuts: [cut("a", 1_300, 2_400)],
    }),
    told: [
      ["down", 900, 1_210],
      ["recovered", 2_000, 3_100],
    ],
    system: ["silent", "working"],
  },
  {
    name: "the table is away for 20 minutes while the port comes back",
    scenario: story({
      monitor: { ...EVERYWHERE, intervalSeconds: 60 },
      events: [down(900, 1_800)],
      faults: [always("outage", 1_200, 2_400, { service: "dynamodb" })],
    }),
    told: [
      ["down", 900, 970],
      ["recovered", 2_400, 2_900],
    ],
  },
  {
    name: "the table is away for 20 minutes, quorum any",
    scenario: story({
      monitor: { ...EVERYWHERE, intervalSeconds: 60, quorum: "any" },
      events: [down(900, 1_800)],
      faults: [always("outage", 1_200, 2_400, { service: "dynamodb" })],
    }),
    told: [
      ["down", 900, 970],
      ["recovered", 2_400, 2_900],
    ],
  },
  {
    name: "the table is away for 20 minutes, and the port goes down meanwhile",
    scenario: story({
      monitor: { ...EVERYWHERE, intervalSeconds: 60, quorum: "all" },
      events: [down(1_500, 3_000)],
      faults: [always("outage", 1_200, 2_400, { service: "dynamodb" })],
    }),
    told: [
      ["down", 2_400, 2_900],
      ["recovered", 3_000, 3_070],
    ],
  },
  {
    name: "probes are dead for 20 minutes while the port comes back",
    scenario: story({
      monitor: { ...EVERYWHERE, intervalSeconds: 60 },
      events: [down(900, 1_800)],
      faults: [always("outage", 1_200, 2_400, { caller: "probe", service: "dynamodb" })],
    }),
    told: [
      ["down", 900, 970],
      ["recovered", 2_400, 2_900],
    ],
    system: [
      "a: silent",
      "b: silent",
      "c: silent",
      "cannot be judged",
      "cannot be judged",
      "cannot be judged",
      "working",
      "working",
      "working",
    ],
  },
  {
    name: "probes are dead for 20 minutes, quorum any, every five minutes",
    scenario: story({
      monitor: { ...EVERYWHERE, intervalSeconds: 300, quorum: "any" },
      events: [down(600, 1_800)],
      faults: [always("outage", 1_200, 2_400, { caller: "probe", service: "dynamodb" })],
    }),
    told: [
      ["down", 600, 910],
      ["recovered", 2_400, 3_100],
    ],
    system: ["a: silent", "b: silent", "c: silent", "working", "working", "working"],
  },
  {
    name: "checks stop while heartbeats go on: system hears of it, and the status does not stay up",
    scenario: story({
      events: [down(900, 3_000)],
      faults: [always("kill-before", 600, 2_700, { caller: "probe", service: "dynamodb", item: " SHARD#" })],
    }),
    told: [
      ["down", 2_700, 3_000],
      ["recovered", 3_000, 3_017],
    ],
    system: ["", ""],
  },
  {
    name: "history refuses one shard's reads: views of it do not count",
    scenario: story({
      monitor: EVERYWHERE,
      events: [],
      faults: [always("outage", 600, 3_000, { caller: "probe", location: "a", service: "dynamodb", item: " SHARD#" })],
    }),
    told: [],
    system: ["", ""],
  },
  {
    name: "two locations with majority: one is silent, nobody can tell, and system hears how many monitors that is",
    scenario: story({ monitor: { locations: ["a", "b"] }, cuts: [cut("b", 600, 3_000)], events: [down(900, 2_400)] }),
    told: [],
    system: ["silent", "cannot be judged", "working"],
  },
  {
    name: "cut off from its targets for ten minutes: offline, and no outage",
    scenario: story({ monitor: EVERYWHERE, cuts: [cut("a", 600, 1_200, "targets")] }),
    told: [],
    system: ["offline", "working"],
  },
  {
    name: "an outage that begins while a location is cut off from its targets",
    scenario: story({
      monitor: EVERYWHERE,
      cuts: [cut("a", 600, 1_800, "targets")],
      events: [not("silent", 900, 2_400)],
    }),
    told: [
      ["down", 900, 917],
      ["recovered", 2_400, 2_417],
    ],
    system: ["offline", "working"],
  },
  {
    name: "down and back within afterSeconds, while one location cannot say: nobody is told of what is over",
    scenario: story({
      monitor: { ...EVERYWHERE, quorum: "any", alerts: { afterSeconds: 120, emails: [] } },
      cuts: [cut("c", 300, 2_000, "targets")],
      events: [down(600, 640, { locations: ["a", "b"] })],
    }),
    told: [],
    incidents: ["recovered"],
    system: ["offline", "working"],
  },
];
