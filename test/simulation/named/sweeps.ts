/** Sweeps of ports: what opens or closes for good is told once, and no loss of slices makes up a change. */
import { sweptSettings } from "../listeners.ts";
import type { Listener, SentSettings } from "../scenario.ts";
import { always, cut, EVERYWHERE, edit, type Named, story } from "./named.ts";

const FOR_GOOD = 5_000;
const listening = (port: number, from = 0, to = FOR_GOOD, more: Partial<Listener> = {}): Listener => ({
  port,
  from,
  to,
  ...more,
});
/** In either slice are some of them, in whatever order it connects. */
const ALWAYS = [8_000, 8_010, 8_020, 8_030, 8_040, 8_050].map((port) => listening(port));

const sweeping = (more: Parameters<typeof story>[0] = {}, settings: Partial<SentSettings> = {}) =>
  story({ monitors: [{ at: 20, settings: sweptSettings({ key: "m", ...settings }) }], listeners: ALWAYS, ...more });

const PARTS = { caller: "probe", service: "dynamodb", operations: ["Put"], item: "SWEEP#" };
/** The first sweep is asked for, and over two minutes later; those of the interval follow. */
const FIRST = ["baseline-learned", 110, 160] as const;

export const sweeps: readonly Named[] = [
  {
    name: "a port that opens is told with the next sweep, once, and its closing as the end of that",
    scenario: sweeping({ listeners: [...ALWAYS, listening(8_005, 600, 1_800)] }),
    told: [FIRST, ["changed", 600, 1_150], ["change-reverted", 1_800, 2_350]],
  },
  {
    name: "three locations that sweep tell one change, and one baseline",
    scenario: sweeping({ listeners: [...ALWAYS, listening(8_005, 600)] }, EVERYWHERE),
    told: [FIRST, ["changed", 600, 1_150]],
  },
  {
    name: "ports that open for moments, also while they are swept: nobody is told",
    scenario: sweeping({
      listeners: [
        ...ALWAYS,
        ...Array.from({ length: 30 }, (_, place) => {
          const from = 300 + 97 * place;
          return Array.from({ length: 50 }, (_unused, at) => listening(8_005 + at, from, from + 9));
        }).flat(),
      ],
    }),
    told: [FIRST],
  },
  {
    name: "a slice of the first sweep is lost: the next one makes the baseline, and nothing is told as new",
    scenario: sweeping({ faults: [always("outage", 98, 118, PARTS)] }),
    told: [["baseline-learned", 260, 560]],
  },
  {
    name: "slices whose processes die before they store what they found: what opened meanwhile is told afterwards, once",
    scenario: sweeping({
      listeners: [...ALWAYS, listening(8_005, 700)],
      faults: [always("kill-before", 600, 1_500, PARTS)],
    }),
    told: [FIRST, ["changed", 1_500, 2_150]],
    system: ["stand still", "run again"],
  },
  {
    name: "slices whose processes die after they stored what they found count",
    scenario: sweeping({
      listeners: [...ALWAYS, listening(8_005, 700)],
      faults: [always("kill-after", 600, 1_500, PARTS)],
    }),
    told: [FIRST, ["changed", 700, 1_600]],
  },
  {
    name: "the network of the location is down during the first sweep: that makes no baseline",
    scenario: sweeping({ cuts: [cut("a", 15, 95, "targets")] }),
    told: [["baseline-learned", 260, 560]],
    system: ["offline", "working"],
  },
  {
    name: "a location that is cut off from the targets takes no port for closed",
    scenario: sweeping({ cuts: [cut("a", 600, 1_500, "targets")] }),
    told: [FIRST],
    system: ["offline", "working"],
  },
  {
    name: "a location sees a port of its own and falls silent: it is told while that works",
    scenario: sweeping(
      { listeners: [...ALWAYS, listening(8_005, 1_000, FOR_GOOD, { locations: ["c"] })], cuts: [cut("c", 900, 2_400)] },
      EVERYWHERE,
    ),
    told: [FIRST, ["changed", 2_400, 3_000]],
    system: ["silent", "working"],
  },
  {
    name: "what the first sweep found is told at the end of maintenance",
    scenario: sweeping({ edits: [{ ...edit(40, "maintain"), seconds: 600 }] }),
    told: [["baseline-learned", 640, 710]],
  },
  {
    name: "a port that is accepted is expected from then on: its closing is a change",
    scenario: sweeping({ listeners: [...ALWAYS, listening(8_005, 600, 2_400)], edits: [edit(1_300, "accept")] }),
    told: [FIRST, ["changed", 600, 1_150], ["change-accepted", 1_300, 1_310], ["changed", 2_400, 2_950]],
  },
  {
    name: "other ports are swept from now on, amid a sweep: parts of both are never put together",
    scenario: sweeping({
      edits: [
        edit(70, "patch", { settings: { ports: "8000-8049", perSecond: 1, identify: false } }),
        edit(1_000, "patch", { settings: { ports: "8000-8059", perSecond: 1, identify: false } }),
      ],
    }),
    told: [
      ["baseline-learned", 110, 200],
      // That 8050 is open was not known, because nobody had looked; that it has just opened would be wrong.
      ["baseline-learned", 1_000, 1_250],
    ],
  },
];
