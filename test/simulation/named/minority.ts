/** Minority: trouble below the quorum is told where it lasts, and never beside an incident of the same trouble. */
import { idOfKey } from "../api-client.ts";
import { cut, down, EVERYWHERE, edit, type Named, settings, story } from "./named.ts";

const MINORITY = { ...EVERYWHERE, alerts: { afterSeconds: 0, emails: ["ops@example.com"], minorityAfterSeconds: 300 } };

export const minority: readonly Named[] = [
  {
    name: "a minority of locations is told once it has lasted, and when it ends; there is no incident",
    scenario: story({ monitor: MINORITY, events: [down(600, 2_400, { locations: ["b"] })] }),
    told: [
      ["minority", 900, 930],
      ["minority-ended", 2_400, 2_417],
    ],
    incidents: [],
  },
  {
    name: "a minority that ends in time is told to nobody",
    scenario: story({ monitor: MINORITY, events: [down(600, 880, { locations: ["b"] })] }),
    told: [],
    incidents: [],
  },
  {
    name: "a minority that becomes an incident ends before it",
    scenario: story({
      monitor: MINORITY,
      events: [down(600, 2_400, { locations: ["b"] }), down(1_200, 1_800, { locations: ["c"] })],
    }),
    told: [
      ["minority", 900, 930],
      ["minority-ended", 1_200, 1_217],
      ["down", 1_200, 1_217],
      ["recovered", 1_800, 1_817],
      ["minority", 2_100, 2_130],
      ["minority-ended", 2_400, 2_417],
    ],
    incidents: ["recovered"],
  },
  {
    name: "a location that is cut off is no minority",
    scenario: story({ monitor: MINORITY, cuts: [cut("b", 600, 1_500, "targets"), cut("c", 1_800, 2_700)] }),
    told: [],
    incidents: [],
    system: ["offline", "working", "silent", "working"],
  },
  {
    name: "a location that saw it down and then fell silent is no minority",
    scenario: story({
      monitor: MINORITY,
      events: [down(600, 1_500, { locations: ["b"] })],
      cuts: [cut("b", 640, 2_000)],
    }),
    told: [],
    incidents: [],
    system: ["silent", "working"],
  },
  {
    name: "another target ends what a minority was told of, also where the same location sees it down",
    scenario: story({
      monitor: MINORITY,
      events: [down(600, 2_400, { locations: ["b"] }), down(600, 2_400, { locations: ["b"], host: "h2" })],
      edits: [edit(1_200, "patch", { host: "h2" })],
    }),
    told: [
      ["minority", 900, 930],
      ["minority-ended", 1_200, 1_212],
      ["minority", 1_500, 1_540],
      ["minority-ended", 2_400, 2_417],
    ],
    incidents: [],
  },
  {
    name: "a minority that sees a child down says nothing while its parent is down",
    scenario: story({
      monitors: [
        { at: 10, settings: settings({ key: "router", name: "router", host: "router" }) },
        { at: 20, settings: settings({ ...MINORITY, dependsOn: [idOfKey("router")] }) },
      ],
      events: [down(600, 2_400, { host: "router" }), down(700, 2_000, { locations: ["b"] })],
    }),
    of: "m",
    told: [],
    incidents: [],
  },
  {
    name: "a location returns with an old view that its first check contradicts: no minority",
    scenario: story({
      monitor: { ...MINORITY, intervalSeconds: 60, recoveryThreshold: 2 },
      events: [down(600, 2_000)],
      cuts: [cut("a", 900, 2_700)],
    }),
    told: [
      ["down", 600, 670],
      ["recovered", 2_000, 2_200],
    ],
    system: ["silent", "working"],
  },
  {
    name: "paused while a minority is told: its end is told",
    scenario: story({
      monitor: MINORITY,
      events: [down(600, 2_400, { locations: ["b"] })],
      edits: [edit(1_200, "pause")],
    }),
    told: [
      ["minority", 900, 930],
      ["minority-ended", 1_200, 1_212],
    ],
    status: "paused",
    incidents: [],
  },
];
