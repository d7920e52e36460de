/** Delivery: each alert once, in order, and soon after receivers take it again. */
import { HOUR_SECONDS as HOUR } from "../../../shared/durations.ts";
import { always, DECISIONS, down, edit, type Named, not, story } from "./named.ts";

const SNS = { service: "sns" } as const;

export const delivery: readonly Named[] = [
  {
    name: "SNS is away for half an hour: what it missed comes within two minutes",
    scenario: story({ events: [down(900, 3_000)], faults: [always("refuse", 890, 2_600, SNS)] }),
    told: [
      ["down", 2_600, 2_730],
      ["recovered", 3_000, 3_017],
    ],
  },
  {
    name: "SNS is away over an outage and its end: both come, in order",
    scenario: story({
      monitor: { degradedAboveMs: 300 },
      events: [not("slow", 900, 1_200), down(1_200, 1_500)],
      faults: [always("refuse", 890, 2_600, SNS)],
    }),
    told: [
      ["degraded", 2_600, 2_730],
      ["down", 2_600, 2_760],
      ["recovered", 2_600, 2_790],
    ],
  },
  {
    name: "SNS is away for 26 hours: the beginning is given up, and system hears of it",
    scenario: story({
      seconds: 30 * HOUR,
      monitor: { intervalSeconds: 300 },
      events: [down(900, 27.5 * HOUR)],
      faults: [always("refuse", 890, 26.3 * HOUR, SNS)],
    }),
    told: [["recovered", 27.5 * HOUR, 27.5 * HOUR + 310]],
    system: ["could not be delivered", "could not be delivered"],
    excused: {
      lost: "nobody can be told while SNS is away for longer than a day",
      "trouble-lost": "the same, told in another way",
    },
  },
  {
    name: "a reply of SNS is lost: the same alertId again, and no other",
    scenario: story({ events: [down(600, 900)], faults: [always("lost", 598, 640, SNS, { most: 1 })] }),
    told: [
      ["down", 600, 617],
      ["recovered", 900, 917],
    ],
  },
  {
    name: "state-change is frozen for a minute over the end of an outage: its incident stays closed",
    scenario: story({
      events: [down(600, 640)],
      faults: [always("freeze", 599, 612, DECISIONS, { most: 1, amount: 55_000 })],
    }),
    told: [
      ["down", 600, 700],
      ["recovered", 640, 760],
    ],
  },
  {
    name: "clocks of state-change's processes differ: order is kept all the same",
    scenario: story({
      skewMs: 2_000,
      monitor: { degradedAboveMs: 300 },
      events: [not("slow", 595, 625), not("slow", 655, 685), down(685, 715), down(745, 775)],
    }),
    told: [
      ["degraded", 595, 616],
      ["recovered", 625, 646],
      ["degraded", 655, 676],
      ["down", 685, 706],
      ["recovered", 715, 736],
      ["down", 745, 766],
      ["recovered", 775, 796],
    ],
  },
  {
    name: "a mail address that is refused for good keeps nobody else waiting",
    scenario: story({
      monitor: { alerts: { afterSeconds: 0, emails: ["gone@example.com", "ops@example.com"] } },
      events: [down(600, 900)],
      faults: [always("refuse-for-good", 0, 3_900, { service: "ses", item: "gone@example.com" })],
    }),
    told: [
      ["down", 600, 617],
      ["recovered", 900, 917],
    ],
    system: ["could not be delivered", "could not be delivered"],
  },
  {
    name: "edited while an alert waits in the outbox: it is told once",
    scenario: story({
      events: [down(600, 3_000)],
      edits: [edit(700, "patch", { name: "another name" })],
      faults: [always("refuse", 590, 900, SNS)],
    }),
    told: [
      ["down", 900, 1_030],
      ["recovered", 3_000, 3_017],
    ],
  },
];
