/** Views: what a location believes, and whether block and table agree about it. */
import { always, BLOCKS, cut, down, EVERYWHERE, edit, type Named, not, settings, story, VIEWS } from "./named.ts";

/** The first put of a tick under its block's key claims it, the second is the block itself. */
const BLOCK_ALONE = { skip: 1, most: 3 };

export const views: readonly Named[] = [
  {
    name: "a blip whose block is refused leaves nothing behind",
    scenario: story({ events: [down(600, 606)], faults: [always("throttle", 598, 610, BLOCKS)] }),
    told: [],
  },
  {
    name: "a blip whose view was stored and whose block was lost ends",
    scenario: story({ events: [down(600, 606)], faults: [always("throttle", 598, 610, BLOCKS, BLOCK_ALONE)] }),
    told: [
      ["down", 600, 617],
      ["recovered", 606, 900],
    ],
  },
  {
    name: "one answer within an outage, its block refused: the outage goes on and is told",
    scenario: story({
      events: [down(600, 900), down(906, 3_000)],
      faults: [always("throttle", 898, 910, BLOCKS, BLOCK_ALONE)],
    }),
    told: [
      ["down", 600, 617],
      ["recovered", 900, 917],
      ["down", 906, 1_200],
      ["recovered", 3_000, 3_017],
    ],
  },
  {
    name: "a probe is killed between view and block",
    scenario: story({
      events: [down(600, 606)],
      faults: [always("kill-before", 598, 610, BLOCKS, { skip: 1, most: 1 })],
    }),
    told: [
      ["down", 600, 617],
      ["recovered", 606, 900],
    ],
  },
  {
    name: "a view's write takes twelve seconds, in a blip",
    scenario: story({ events: [down(600, 606)], faults: [always("stall", 598, 610, VIEWS, { amount: 12_000 })] }),
    told: [
      ["down", 600, 640],
      ["recovered", 606, 900],
    ],
  },
  {
    name: "an old tick's view that lands after a newer one is refused",
    scenario: story({
      monitor: { degradedAboveMs: 300 },
      events: [down(600, 606), not("slow", 606, 3_000)],
      faults: [always("delay", 599, 605, VIEWS, { amount: 15_000 })],
    }),
    told: [
      ["down", 600, 610],
      ["degraded", 606, 900],
      ["recovered", 3_000, 3_017],
    ],
  },
  {
    name: "a view's write arrives after minutes, when nobody doubts the blocks any more: it is refused",
    scenario: story({
      events: [down(600, 606)],
      faults: [always("delay", 598, 612, VIEWS, { amount: 150_000 })],
    }),
    told: [],
  },
  {
    name: "a probe freezes between its claim and a view's write: it stores no view a minute later",
    scenario: story({
      events: [down(600, 606)],
      faults: [always("freeze", 598, 610, BLOCKS, { amount: 60_000, most: 1 })],
    }),
    told: [],
  },
  {
    name: "a target is changed while its check is under way: what the old one answered is refused",
    scenario: story({
      spotDelaySeconds: 5,
      events: [not("silent", 600, 3_000)],
      edits: [edit(601, "patch", { host: "h2" })],
    }),
    told: [],
  },
  {
    name: "the job of a tick is delivered twice",
    scenario: story({
      events: [down(600, 606), down(660, 720)],
      faults: [always("duplicate", 590, 760, { service: "sqs" }, { amount: 3_000 })],
    }),
    told: [
      ["down", 600, 617],
      ["recovered", 606, 900],
      ["down", 660, 900],
      ["recovered", 720, 1_020],
    ],
  },
  {
    name: "two runs of one tick see different things: only its owner's are stored",
    scenario: story({
      // The first run owns the tick when the second, which began before that, sees a blip that the first did not.
      monitors: [
        { at: 20, settings: settings({ retries: { count: 1, delayMs: 1_500 } }) },
        { at: 21, settings: settings({ key: "n", name: "n", host: "h2", retries: { count: 1, delayMs: 1_500 } }) },
      ],
      events: [down(595, 609, { host: "h2" }), down(600.5, 604)],
      faults: [always("duplicate", 400, 700, { service: "sqs" }, { amount: 1_000 })],
    }),
    of: "m",
    told: [],
  },
  {
    name: "six seconds without our own network are nobody's outage",
    scenario: story({ cuts: [cut("a", 595, 601, "targets")] }),
    told: [],
  },
  {
    name: "twelve seconds without our own network, retries in between",
    scenario: story({ monitor: { retries: { count: 2, delayMs: 1_000 } }, cuts: [cut("a", 595, 607.5, "targets")] }),
    told: [],
    system: ["offline", "working"],
  },
  {
    name: "fourteen seconds without our own network, beside a slow neighbour",
    scenario: story({
      monitors: [
        { at: 20, settings: settings({ intervalSeconds: 60, retries: { count: 2, delayMs: 1_000 } }) },
        {
          at: 20.5,
          settings: settings({ key: "n", name: "n", intervalSeconds: 60, retries: { count: 2, delayMs: 1_000 } }),
        },
        {
          at: 21,
          settings: settings({
            key: "slow",
            name: "slow",
            intervalSeconds: 60,
            timeoutMs: 5_000,
            retries: { count: 2, delayMs: 1_000 },
          }),
        },
      ],
      cuts: [cut("a", 910, 924.5, "targets")],
    }),
    told: [],
    system: ["offline", "working"],
  },
  {
    name: "checks lost to our own network do not count towards a threshold",
    scenario: story({
      monitor: { failureThreshold: 20 },
      cuts: [cut("a", 300, 612, "targets")],
      events: [down(612, 790)],
    }),
    told: [],
    system: ["offline", "working"],
  },
  {
    name: "our own network fails between a blip and the retry: the last attempt is nobody's outage",
    // In the middle of a minute: the heartbeat at its beginning asks the control targets too.
    scenario: story({
      monitor: { retries: { count: 1, delayMs: 1_500 } },
      events: [down(628, 630.6)],
      cuts: [cut("a", 630.8, 638, "targets")],
    }),
    told: [],
    system: ["offline", "working"],
  },
  {
    name: "a neighbour that is silent delays nobody's alert",
    scenario: story({
      monitors: [
        { at: 20, settings: settings({ intervalSeconds: 60 }) },
        {
          at: 21,
          settings: settings({
            key: "slow",
            name: "slow",
            host: "h2",
            intervalSeconds: 60,
            timeoutMs: 18_000,
            retries: { count: 2, delayMs: 1_000 },
          }),
        },
      ],
      events: [down(916, 3_000), not("silent", 974, 3_000, { host: "h2" })],
    }),
    of: "m",
    told: [
      ["down", 916, 983],
      ["recovered", 3_000, 3_067],
    ],
  },
  {
    name: "a target that answers in 2.5 s is up again within the bound, though silence costs 2 s alone",
    scenario: story({
      monitor: { intervalSeconds: 60, timeoutMs: 5_000 },
      events: [not("silent", 600, 1_500), not("slow", 0, 3_900, { latencyMs: 2_500 })],
    }),
    told: [
      ["down", 600, 670],
      ["recovered", 1_500, 1_570],
    ],
  },
  {
    name: "a target that has become slow while it was silent is up again within ten minutes",
    scenario: story({
      monitor: { intervalSeconds: 60, timeoutMs: 5_000 },
      events: [not("silent", 600, 1_500), not("slow", 1_500, 3_900, { latencyMs: 2_500 })],
    }),
    told: [
      ["down", 600, 670],
      ["recovered", 1_500, 2_170],
    ],
  },
  {
    name: "a target that is back within an attempt answers to TCP's next packet",
    scenario: story({ monitor: { timeoutMs: 5_000 }, events: [not("silent", 600, 1_500.4)] }),
    told: [
      ["down", 600, 620],
      ["recovered", 1_500, 1_520],
    ],
  },
  {
    name: "slow once is not degraded where the threshold is two",
    scenario: story({
      monitor: { degradedAboveMs: 300, failureThreshold: 2, recoveryThreshold: 2 },
      events: [not("slow", 600, 606), not("slow", 900, 1_200)],
    }),
    told: [
      ["degraded", 900, 927],
      ["recovered", 1_200, 1_227],
    ],
  },
  {
    name: "partial answers lose no view",
    scenario: story({
      monitor: EVERYWHERE,
      events: [down(600, 900)],
      faults: [{ fault: "partial", strength: 0.7, from: 100, to: 1_200, only: { service: "dynamodb" } }],
    }),
    told: [
      ["down", 600, 917],
      ["recovered", 900, 1_220],
    ],
  },
  {
    name: "a spot check that comes twice, in a blip between two ticks, does not replace a view",
    scenario: story({ events: [down(111.2, 118)], faults: [always("received-again", 19, 30, { service: "sqs" })] }),
    told: [],
  },
  {
    name: "a spot check that is ten minutes late, in a blip, changes nothing",
    scenario: story({ spotDelaySeconds: 585, events: [down(604.5, 607.5)] }),
    told: [],
  },
  {
    name: "a tick waits for its claim's owner to end, and then goes on",
    scenario: story({ events: [down(600, 900)], faults: [always("kill-after", 598, 610, BLOCKS, { most: 1 })] }),
    told: [
      ["down", 600, 640],
      ["recovered", 900, 917],
    ],
  },
  {
    name: "a run of a slow lane that died after its view: who does its tick again reads the views",
    scenario: story({
      monitor: { intervalSeconds: 600 },
      events: [down(2_300, 2_700)],
      faults: [always("kill-before", 2_300, 2_700, BLOCKS, { skip: 1, most: 1 })],
    }),
    told: [
      ["down", 2_339, 2_360],
      ["recovered", 2_700, 3_000],
    ],
  },
  {
    name: "a view of a slow lane cannot be stored for some seconds: the job's repetition tells, not the next tick",
    scenario: story({
      monitor: { intervalSeconds: 900 },
      events: [down(1_100, 3_500)],
      faults: [always("throttle", 1_170, 1_210, VIEWS)],
    }),
    told: [
      ["down", 1_180, 1_700],
      ["recovered", 3_500, 4_410],
    ],
  },
  {
    name: "views of a slow lane cannot be read for some seconds: the job's repetition tells, not the next tick",
    scenario: story({
      monitor: { intervalSeconds: 900 },
      events: [down(1_100, 3_500)],
      faults: [always("throttle", 1_170, 1_210, { caller: "probe", service: "dynamodb", operations: ["BatchGet"] })],
    }),
    told: [
      ["down", 1_180, 1_700],
      ["recovered", 3_500, 4_410],
    ],
  },
  {
    name: "the read of a spot check is handed back: the first status does not wait for a tick of a slow lane",
    scenario: story({
      monitor: { intervalSeconds: 900 },
      events: [down(1, 2_500)],
      faults: [always("partial", 0, 60, { service: "dynamodb" }, { most: 3 })],
    }),
    told: [
      ["down", 20, 60],
      ["recovered", 2_500, 3_400],
    ],
  },
];
