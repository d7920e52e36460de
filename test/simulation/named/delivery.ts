/** Delivery: each alert once, in order, and soon after receivers take it again. */
import { always, DECISIONS, down, edit, type Named, not, story } from "./named.ts";

const SNS = { service: "sns" } as const;
const HOUR = 3_600;

export const delivery: readonly Named[] = [
  {
    name: "SNS is away for half an hour: what it missed comes within two minutes",
    scenario: story({ events: [down(900, 4_500)], faults: [always("refuse", 890, 2_600, SNS)] }),
    told: [
      ["down", 2_600, 2_730],
      ["recovered", 4_500, 4_517],
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
      monitor: { intervalSeconds: 60 },
      events: [down(900, 27.5 * HOUR)],
      faults: [always("refuse", 890, 26.3 * HOUR, SNS)],
    }),
    told: [["recovered", 27.5 * HOUR, 27.5 * HOUR + 70]],
    system: ["could not be delivered"],
    excused: { lost: "nobody can be told while SNS is away for longer than a day" },
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
    name: "state-change is killed between publishing and removing",
    scenario: story({ events: [down(600, 900)], faults: [always("kill-after", 598, 640, SNS, { most: 1 })] }),
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
      events: [not("slow", 600, 606), not("slow", 660, 666), down(666, 676), down(720, 726)],
    }),
    told: [
      ["degraded", 598, 620],
      ["recovered", 604, 630],
      ["degraded", 658, 680],
      ["down", 664, 690],
      ["recovered", 674, 700],
      ["down", 718, 740],
      ["recovered", 724, 750],
    ],
    excused: { lost: "blips between two ticks need not be seen" },
  },
  {
    name: "a mail address that is refused for good keeps nobody else waiting",
    scenario: story({
      monitor: { alerts: { afterSeconds: 0, emails: ["gone@example.com", "ops@example.com"] } },
      events: [down(600, 900)],
      faults: [always("refuse-for-good", 0, 5_400, { service: "ses", item: "gone@example.com" })],
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
      events: [down(600, 4_500)],
      edits: [edit(700, "patch", { name: "another name" })],
      faults: [always("refuse", 590, 900, SNS)],
    }),
    told: [
      ["down", 900, 1_030],
      ["recovered", 4_500, 4_517],
    ],
  },
];
