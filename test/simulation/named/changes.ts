/** Changes of what a service says of itself: each is told once, when it may be, and its end once. */
import { idOfKey } from "../api-client.ts";
import type { Saying } from "../scenario.ts";
import { always, cut, DECISIONS, down, EVERYWHERE, edit, type Named, settings, story, VIEWS } from "./named.ts";

const says = (from: number, to: number, values: readonly string[], more: Partial<Saying> = {}): Saying => ({
  host: "h",
  from,
  to,
  values,
  ...more,
});
const FOR_GOOD = 4_000;
const another = (from: number, to = FOR_GOOD) => says(from, to, ["second"]);

export const changes: readonly Named[] = [
  {
    name: "another host key, seen by three locations, is told once, and is told to have reverted",
    scenario: story({ monitor: EVERYWHERE, says: [another(600, 1_200)] }),
    told: [
      ["changed", 610, 625],
      ["change-reverted", 1_220, 1_240],
    ],
  },
  {
    name: "two people accept a change at the same time: its end is told once, and the former value is then another change",
    scenario: story({
      says: [another(600, 2_400)],
      edits: [edit(900, "accept"), edit(900.1, "accept"), edit(901, "accept")],
    }),
    told: [
      ["changed", 610, 625],
      ["change-accepted", 900, 905],
      ["changed", 2_410, 2_425],
    ],
  },
  {
    name: "two servers that differ answer in turn from the beginning on: nobody is told",
    scenario: story({ says: [says(0, FOR_GOOD, ["one", "two"])] }),
    told: [],
  },
  {
    name: "a second server joins behind the name: it is told once, whatever comes after",
    scenario: story({ says: [says(600, FOR_GOOD, ["first", "two"])] }),
    told: [["changed", 620, 650]],
  },
  {
    name: "a change that comes with an outage is told after the recovery",
    scenario: story({ says: [another(700)], events: [down(600, 1_200)] }),
    told: [
      ["down", 600, 617],
      ["recovered", 1_200, 1_217],
      ["changed", 1_210, 1_230],
    ],
  },
  {
    name: "a change that comes and goes while the port is down is told to nobody",
    scenario: story({ says: [another(700, 1_100)], events: [down(600, 1_200)] }),
    told: [
      ["down", 600, 617],
      ["recovered", 1_200, 1_217],
    ],
  },
  {
    name: "a change is seen, and then the port goes down before it is decided: it is told after the recovery",
    scenario: story({
      says: [another(600)],
      events: [down(625, 1_800)],
      faults: [always("outage", 600, 650, DECISIONS)],
    }),
    told: [
      ["down", 625, 760],
      ["recovered", 1_800, 1_817],
      ["changed", 1_800, 1_830],
    ],
  },
  {
    name: "a change in maintenance is told at its end",
    scenario: story({ says: [another(700)], edits: [{ ...edit(600, "maintain"), seconds: 900 }] }),
    told: [["changed", 1_500, 1_570]],
  },
  {
    name: "a change in maintenance that reverts is told to nobody",
    scenario: story({ says: [another(700, 1_200)], edits: [{ ...edit(600, "maintain"), seconds: 900 }] }),
    told: [],
  },
  {
    name: "a change while the parent is down is told afterwards",
    scenario: story({
      monitors: [
        { at: 10, settings: settings({ key: "router", name: "router", host: "router" }) },
        { at: 30, settings: settings({ dependsOn: [idOfKey("router")] }) },
      ],
      events: [down(600, 1_350, { host: "router" })],
      says: [another(700)],
    }),
    told: [["changed", 1_350, 1_720]],
  },
  {
    name: "a location sees a change and falls silent before it is decided: nobody is told until it works again",
    scenario: story({
      monitor: EVERYWHERE,
      says: [says(600, 2_400, ["second"], { locations: ["c"] })],
      cuts: [cut("c", 625, 1_800)],
      faults: [always("outage", 600, 760, DECISIONS)],
    }),
    told: [
      ["changed", 1_800, 1_900],
      ["change-reverted", 2_420, 2_450],
    ],
    system: ["silent", "working"],
  },
  {
    name: "a view with a change is lost: the next check stores it",
    scenario: story({ says: [another(600)], faults: [always("outage", 605, 640, VIEWS)] }),
    told: [["changed", 640, 720]],
  },
  {
    name: "deleted while a change is open: its end is told",
    scenario: story({ says: [another(600)], edits: [edit(1_200, "delete")] }),
    told: [
      ["changed", 610, 625],
      ["closed", 1_200, 1_212],
    ],
    status: "gone",
  },
  {
    name: "the write of an acceptance arrives late, after another one is decided: neither change is told again",
    scenario: story({
      says: [another(600), says(1_200, FOR_GOOD, ["Apache"], { key: "http.header.x" })],
      edits: [edit(1_198, "accept")],
      faults: [
        always(
          "delay",
          1_197,
          1_210,
          { caller: "api", service: "dynamodb", operations: ["Update"], item: "MONITOR#" },
          { amount: 20_000, most: 1 },
        ),
      ],
    }),
    told: [
      ["changed", 610, 625],
      ["change-accepted", 1_198, 1_206],
      ["changed", 1_210, 1_225],
    ],
  },
  {
    name: "another target has another baseline; what was open is closed",
    scenario: story({
      says: [another(600), says(0, FOR_GOOD, ["third"], { host: "h2" })],
      edits: [edit(1_200, "patch", { host: "h2" })],
    }),
    told: [
      ["changed", 610, 625],
      ["closed", 1_200, 1_212],
    ],
  },
  {
    name: "another target is decided only after its first checks: what was open is closed, and the new baseline is there",
    scenario: story({
      says: [another(600), says(0, 2_400, ["third"], { host: "h2" })],
      edits: [edit(1_200, "patch", { host: "h2" })],
      faults: [always("outage", 1_195, 1_290, DECISIONS)],
    }),
    told: [
      ["changed", 610, 625],
      ["closed", 1_290, 1_500],
      ["changed", 2_410, 2_425],
    ],
  },
  {
    name: "learned anew while a change is open: that is closed, and the former value is a change",
    scenario: story({ says: [another(600, 2_400)], edits: [edit(1_200, "learn")] }),
    told: [
      ["changed", 610, 625],
      ["closed", 1_200, 1_212],
      ["changed", 2_410, 2_425],
    ],
  },
  {
    name: "a change that one check alone saw is none",
    scenario: story({ says: [another(600, 610)] }),
    told: [],
  },
];
