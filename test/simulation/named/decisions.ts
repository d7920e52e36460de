/** Decisions: that each is made at last, and that people hear the beginning and the end of everything once. */
import {
  always,
  cut,
  DECISIONS,
  down,
  EVERYWHERE,
  edit,
  type Named,
  not,
  PROJECTIONS,
  REMOVALS,
  settings,
  story,
} from "./named.ts";

/** State-change's own table is away: no decision is stored. */
const AWAY = { caller: "state-change", service: "dynamodb", operations: ["Update"] } as const;

export const decisions: readonly Named[] = [
  {
    name: "state-change cannot store for a minute while a port goes down",
    scenario: story({ events: [down(600, 3_000)], faults: [always("outage", 595, 655, AWAY)] }),
    told: [
      ["down", 655, 900],
      ["recovered", 3_000, 3_017],
    ],
  },
  {
    name: "state-change cannot store for a minute while a port comes back",
    scenario: story({ events: [down(600, 900)], faults: [always("outage", 895, 955, AWAY)] }),
    told: [
      ["down", 600, 617],
      ["recovered", 955, 1_200],
    ],
  },
  {
    name: "a deletion that could not be finished is, and its key is free",
    scenario: story({
      edits: [edit(600, "delete"), edit(1_200, "create", settings())],
      faults: [always("outage", 595, 655, { caller: "state-change", service: "dynamodb", operations: ["Delete"] })],
    }),
    told: [],
  },
  {
    name: "a change that the stream gives up is decided all the same",
    scenario: story({
      events: [down(600, 3_000)],
      faults: [always("outage", 598, 1_500, { caller: "state-change", service: "dynamodb" })],
    }),
    told: [
      ["down", 1_500, 2_400],
      ["recovered", 3_000, 3_017],
    ],
  },
  {
    name: "an old decision that lands after a newer one is refused",
    scenario: story({
      events: [down(600, 606)],
      faults: [always("zombie", 599, 602), always("delay", 599, 602, DECISIONS, { amount: 25_000, most: 1 })],
    }),
    told: [
      ["down", 600, 700],
      ["recovered", 606, 900],
    ],
  },
  {
    name: "the stream is ten minutes late, and settings changed before",
    scenario: story({
      events: [down(600, 3_000)],
      edits: [edit(1_200, "patch", { failureThreshold: 2 })],
      faults: [always("stream-late", 1_190, 1_900, undefined, { amount: 600_000 })],
    }),
    told: [
      ["down", 600, 617],
      ["recovered", 3_000, 3_027],
    ],
    incidents: ["recovered"],
  },
  {
    name: "paused while down: the end is told at once, and resumed it is down again",
    scenario: story({ events: [down(600, 3_000)], edits: [edit(900, "pause"), edit(2_400, "resume")] }),
    told: [
      ["down", 600, 617],
      ["closed", 900, 912],
      ["down", 2_400, 2_420],
      ["recovered", 3_000, 3_017],
    ],
    incidents: ["paused", "recovered"],
  },
  {
    name: "deleted while down: the end is told",
    scenario: story({ events: [down(600, 3_000)], edits: [edit(900, "delete")] }),
    told: [
      ["down", 600, 617],
      ["closed", 900, 912],
    ],
    status: "gone",
    incidents: ["deleted"],
  },
  {
    name: "another host while down: the old one's end is told, the new one is up",
    scenario: story({ events: [down(600, 3_000)], edits: [edit(900, "patch", { host: "h2" })] }),
    told: [
      ["down", 600, 617],
      ["closed", 900, 912],
    ],
    incidents: ["changed"],
  },
  {
    name: "another host that is down as well: one end, one beginning",
    scenario: story({
      events: [down(600, 3_000), down(800, 3_000, { host: "h2" })],
      edits: [edit(900, "patch", { host: "h2" })],
    }),
    told: [
      ["down", 600, 617],
      ["closed", 900, 912],
      ["down", 900, 925],
      ["recovered", 3_000, 3_017],
    ],
    incidents: ["changed", "recovered"],
  },
  {
    name: "a threshold is changed while down: the incident goes on",
    scenario: story({
      monitor: EVERYWHERE,
      events: [down(600, 2_400)],
      edits: [edit(900, "patch", { failureThreshold: 3 }), edit(1_200, "patch", { timeoutMs: 1_500 })],
    }),
    told: [
      ["down", 600, 617],
      ["recovered", 2_400, 2_417],
    ],
    incidents: ["recovered"],
  },
  {
    name: "lane and locations are changed while down: the incident goes on",
    scenario: story({
      monitor: EVERYWHERE,
      events: [down(600, 2_400)],
      edits: [edit(900, "patch", { intervalSeconds: 30 }), edit(1_200, "patch", { locations: ["a", "b"] })],
    }),
    told: [
      ["down", 600, 617],
      ["recovered", 2_400, 2_437],
    ],
    incidents: ["recovered"],
  },
  {
    name: "a look is changed while down, and the port is up by then: recovered, not forgotten",
    scenario: story({ events: [down(600, 900)], edits: [edit(899, "patch", { failureThreshold: 3 })] }),
    told: [
      ["down", 600, 617],
      ["recovered", 900, 925],
    ],
    incidents: ["recovered"],
  },
  {
    name: "a receiver that was told the beginning is told the end, and a new one hears of both",
    scenario: story({
      monitor: { alerts: { afterSeconds: 0, emails: ["day@example.com"] } },
      events: [down(600, 2_400)],
      edits: [edit(900, "patch", { alerts: { afterSeconds: 0, emails: ["night@example.com"] } })],
    }),
    told: [
      ["down", 600, 617],
      ["recovered", 2_400, 2_417],
    ],
  },
  {
    name: "over before afterSeconds: nobody hears of it",
    scenario: story({ monitor: { alerts: { afterSeconds: 120, emails: [] } }, events: [down(600, 660)] }),
    told: [],
    incidents: ["recovered"],
  },
  {
    name: "trouble that turns between down and slow is told when it has lasted",
    scenario: story({
      monitor: { degradedAboveMs: 300, alerts: { afterSeconds: 300, emails: [] } },
      events: Array.from({ length: 12 }, (_, turn) =>
        not(turn % 2 === 0 ? "refused" : "slow", 600 + 200 * turn, 800 + 200 * turn),
      ),
    }),
    told: [
      ["degraded", 900, 1_020],
      ["recovered", 3_000, 3_017],
    ],
  },
  {
    name: "down for afterSeconds within longer trouble is told as down",
    scenario: story({
      monitor: { degradedAboveMs: 300, alerts: { afterSeconds: 120, emails: [] } },
      events: [not("slow", 600, 900), down(900, 2_400)],
    }),
    told: [
      ["degraded", 720, 737],
      ["down", 1_020, 1_037],
      ["recovered", 2_400, 2_417],
    ],
  },
  {
    name: "degraded is told to nobody where alerts of it are off, and down is",
    scenario: story({
      monitor: { degradedAboveMs: 300, alerts: { afterSeconds: 0, emails: [], degraded: false } },
      events: [not("slow", 600, 900), down(900, 1_200), not("slow", 1_200, 1_500), not("slow", 2_000, 2_400)],
    }),
    told: [
      ["down", 900, 917],
      ["recovered", 1_500, 1_517],
    ],
    incidents: ["recovered", "recovered"],
  },
  {
    name: "slow for a near location is not slow for a far one with a limit of its own",
    scenario: story({
      monitor: {
        ...EVERYWHERE,
        degradedAboveMs: 300,
        degradedAboveMsByLocation: { c: 900 },
        quorum: "all",
      },
      events: [not("slow", 600, 1_200, { latencyMs: 500 }), not("slow", 1_800, 2_400, { latencyMs: 1_000 })],
    }),
    told: [
      ["degraded", 1_800, 1_817],
      ["recovered", 2_400, 2_417],
    ],
  },
  {
    name: "an incident's beginning that is stored late does not replace its end",
    scenario: story({
      events: [down(600, 606)],
      faults: [always("delay", 599, 606, PROJECTIONS, { amount: 25_000, most: 1 })],
    }),
    told: [
      ["down", 600, 617],
      ["recovered", 606, 700],
    ],
    incidents: ["recovered"],
  },
  {
    name: "a removal that arrives late leaves the monitor that was made again by the same key",
    scenario: story({
      edits: [edit(300, "delete"), edit(308, "create", settings())],
      faults: [always("delay", 299, 320, REMOVALS, { amount: 20_000, most: 1 })],
    }),
    told: [],
  },
  {
    name: "the same key again, alone in its shard, up",
    scenario: story({
      monitor: { recoveryThreshold: 2 },
      edits: [edit(900, "delete"), edit(1_500, "create", settings({ recoveryThreshold: 2 }))],
    }),
    told: [],
  },
  {
    name: "the same key again, down before and after",
    scenario: story({
      monitor: { failureThreshold: 2 },
      events: [down(600, 3_000)],
      edits: [edit(900, "delete"), edit(1_500, "create", settings({ failureThreshold: 2 }))],
    }),
    told: [
      ["down", 600, 627],
      ["closed", 900, 912],
      ["down", 1_500, 1_535],
      ["recovered", 3_000, 3_017],
    ],
    incidents: ["deleted", "recovered"],
  },
  {
    name: "the same key again, another host: the old life's failures do not count",
    scenario: story({
      monitor: { failureThreshold: 3 },
      events: [down(600, 3_000), down(1_495, 1_512, { host: "h2" })],
      edits: [edit(900, "delete"), edit(1_500, "create", settings({ host: "h2", failureThreshold: 3 }))],
    }),
    told: [
      ["down", 600, 637],
      ["closed", 900, 912],
    ],
    incidents: ["deleted"],
  },
  {
    name: "deleted while SNS is away: its key is free within two minutes, and the end is told at last",
    scenario: story({
      events: [down(600, 1_000)],
      edits: [edit(700, "delete"), edit(850, "create", settings({ host: "h2" }))],
      faults: [always("refuse", 690, 1_500, { service: "sns" })],
    }),
    told: [
      ["down", 600, 617],
      ["closed", 1_500, 1_640],
    ],
    incidents: ["deleted"],
  },
  {
    name: "a create whose answer was lost is announced",
    scenario: story({
      events: [down(0, 3_000)],
      faults: [
        always("kill-after", 19, 23, { caller: "api", service: "dynamodb", operations: ["Put"], item: "MONITOR#" }),
      ],
    }),
    told: [
      ["down", 20, 150],
      ["recovered", 3_000, 3_017],
    ],
  },
  {
    name: "a location's cut does not hide what the others see",
    scenario: story({ monitor: EVERYWHERE, events: [down(900, 1_500)], cuts: [cut("c", 600, 2_400)] }),
    told: [
      ["down", 900, 917],
      ["recovered", 1_500, 1_517],
    ],
    system: ["silent", "working"],
  },
];
