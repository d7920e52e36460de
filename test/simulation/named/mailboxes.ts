/** Mailboxes of receivers: posting, the lease, retries, and what brings a receiver up whose record is lost. */

import { idOfKey } from "../api-client.ts";
import type { Only } from "../faults.ts";
import { always, DECISIONS, down, edit, type Named, settings, story } from "./named.ts";

const SNS: Only = { service: "sns" };
const DELIVER: Only = { caller: "deliver" };
const POSTS: Only = { caller: "state-change", service: "dynamodb", operations: ["Put"], item: "MAIL#sns" };
/** Of deliver. */
const READS: Only = { caller: "deliver", service: "dynamodb", operations: ["Query"] };
const RECORDS: Only = { caller: "deliver", service: "dynamodb", operations: ["Update"], item: "MAIL#sns" };

const TWO = [
  { at: 20, settings: settings() },
  { at: 20.5, settings: settings({ key: "n", name: "n", host: "h2" }) },
];
const USUAL = [
  ["down", 600, 617],
  ["recovered", 900, 917],
] as const;
/** From the death of a lease's holder to the next attempt, once the stream has brought the receiver up again. */
const LEASE_SECONDS = 40;

export const mailboxes: readonly Named[] = [
  {
    name: "SNS refuses for ten minutes, then takes everything within two",
    scenario: story({
      monitors: TWO,
      events: [down(900, 2_400), down(1_200, 1_400, { host: "h2" })],
      faults: [always("refuse", 890, 1_500, SNS)],
    }),
    told: [
      ["down", 1_500, 1_630],
      ["recovered", 2_400, 2_417],
    ],
  },
  {
    name: "deliver is killed between sending and recording: the same alertId again when its lease is over",
    scenario: story({ events: [down(600, 900)], faults: [always("kill-after", 598, 640, SNS, { most: 1 })] }),
    told: USUAL,
  },
  {
    name: "deliver is killed before it sends: the alert comes when its lease is over",
    scenario: story({ events: [down(600, 900)], faults: [always("kill-before", 598, 640, SNS, { most: 1 })] }),
    told: [
      ["down", 600, 617 + LEASE_SECONDS],
      ["recovered", 900, 917],
    ],
  },
  {
    name: "the holder of a lease is frozen until it is over: it sends nothing more",
    scenario: story({
      events: [down(600, 900)],
      faults: [always("freeze", 598, 640, READS, { most: 1, amount: 25_000 })],
    }),
    told: [
      ["down", 620, 617 + LEASE_SECONDS],
      ["recovered", 900, 917],
    ],
  },
  {
    name: "deliver dies with a lease of a clock that is an hour ahead: it holds nobody up",
    scenario: story({
      events: [down(600, 900)],
      clockSteps: [
        { at: 590, caller: "deliver", ms: 3_600_000 },
        { at: 640, caller: "deliver", ms: -3_600_000 },
      ],
      faults: [always("kill-before", 598, 640, SNS, { most: 1 })],
    }),
    told: [
      ["down", 600, 617 + LEASE_SECONDS],
      ["recovered", 900, 917],
    ],
  },
  {
    name: "mail is posted while a pass ends: it is not forgotten",
    scenario: story({
      monitors: TWO,
      events: [down(600, 900), down(600, 900, { host: "h2" })],
      faults: [
        always("delay", 598, 620, { ...DECISIONS, item: `MONITOR#${idOfKey("n")}` }, { most: 1, amount: 2_900 }),
        always("stall", 598, 620, READS, { most: 1, amount: 2_900 }),
      ],
    }),
    of: "n",
    told: [
      ["down", 600, 620],
      ["recovered", 900, 917],
    ],
  },
  {
    name: "mail is posted after later mail was sent: it is not passed over",
    scenario: story({
      monitors: TWO,
      events: [down(590, 900), down(612, 900, { host: "h2" })],
      faults: [always("refuse", 588, 611, POSTS)],
    }),
    told: [
      ["down", 611, 660],
      ["recovered", 900, 917],
    ],
  },
  {
    name: "the record of a receiver is given up, because deliver dies: the watchdog brings the receiver up",
    scenario: story({ events: [down(600, 1_200)], faults: [always("kill-before", 598, 640, DELIVER)] }),
    told: [
      ["down", 640, 617 + 160],
      ["recovered", 1_200, 1_217],
    ],
  },
  {
    name: "the job of a retry is lost: dispatch finds the receiver's timer",
    scenario: story({
      events: [down(600, 1_200)],
      faults: [always("refuse", 598, 625, SNS), always("refuse", 598, 640, { ...DELIVER, service: "sqs" })],
    }),
    told: [
      ["down", 625, 700],
      ["recovered", 1_200, 1_217],
    ],
  },
  {
    name: "the result of an attempt cannot be recorded: the same alertId again, and later mail after it",
    scenario: story({ events: [down(600, 640)], faults: [always("refuse", 598, 640, RECORDS)] }),
    told: [
      ["down", 600, 617],
      ["recovered", 640, 640 + LEASE_SECONDS + 20],
    ],
  },
  {
    name: "mail is refused for an hour: the topic hears in time",
    scenario: story({
      monitor: { alerts: { afterSeconds: 0, emails: ["ops@example.com"] } },
      events: [down(600, 900)],
      faults: [always("refuse", 0, 3_900, { service: "ses" })],
    }),
    told: USUAL,
    excused: { final: "its mail waits", "receiver-lost": "the same" },
  },
  {
    name: "deleted with mail waiting: its end is told after its beginning, and its key is free at once",
    scenario: story({
      events: [down(600, 3_000)],
      edits: [edit(700, "delete"), edit(720, "create", settings({ host: "h2" }))],
      faults: [always("refuse", 590, 1_000, SNS)],
    }),
    told: [
      ["down", 1_000, 1_130],
      ["closed", 1_000, 1_150],
    ],
    incidents: ["deleted"],
  },
];
