/** Every single fault at every call of a short story: no luck needed to find the one that hurts. */
import type { Deployment } from "./deployment.ts";
import type { FaultName } from "./faults.ts";
import { family, router } from "./named/dependencies.ts";
import { cut, down, edit, not, settings, story } from "./named/named.ts";
import type { Violation } from "./oracle/case.ts";
import { runAndJudge } from "./runner.ts";
import type { ExplicitFault, Scenario } from "./scenario.ts";
import { simulate } from "./world.ts";

export interface Story {
  readonly scenario: Scenario;
  /** Calls within these seconds are swept. */
  readonly from: number;
  readonly to: number;
}

export const STORIES: Readonly<Record<string, Story>> = {
  /** A blip, an outage and its end, each within a minute. */
  blip: {
    scenario: story({ seconds: 1_500, events: [down(600, 606), down(660, 690), not("silent", 720, 727)] }),
    from: 595,
    to: 740,
  },
  /** Created, paused, resumed, deleted and created again by the same key. */
  life: {
    scenario: story({
      seconds: 1_800,
      events: [down(230, 4_500)],
      edits: [
        edit(200, "pause"),
        edit(220, "resume"),
        edit(260, "delete"),
        edit(265, "create", settings({ host: "h2" })),
      ],
    }),
    from: 18,
    to: 290,
  },
  /** Another target, and another look, while down. */
  edits: {
    scenario: story({
      seconds: 1_500,
      events: [down(300, 360), down(300, 420, { host: "h2" })],
      edits: [edit(320, "patch", { failureThreshold: 2 }), edit(340, "patch", { host: "h2" })],
    }),
    from: 298,
    to: 440,
  },
  /** One of two locations falls silent while the port is down, and returns. */
  silence: {
    scenario: story({
      seconds: 2_100,
      monitor: { locations: ["a", "b"], quorum: "any", intervalSeconds: 30 },
      events: [down(300, 420, { locations: ["a"] })],
      cuts: [cut("a", 310, 620)],
    }),
    from: 480,
    to: 760,
  },
  /** A monitor and what it depends on go down, and only the latter comes back. */
  family: {
    scenario: family({ seconds: 2_100, events: [router(600, 690), down(603, 2_000)] }),
    from: 598,
    to: 730,
  },
};

/** Twelve seconds are longer than a tick and than any time-out of a request. */
const ON_THE_WAY_MS = 12_000;
/** The SDK's attempts: a fault that all of them meet. */
const ATTEMPTS = 3;

interface Trial {
  readonly what: string;
  readonly fault: FaultName;
  readonly amount: number;
  readonly everyAttempt?: boolean;
}

export const TRIALS: readonly Trial[] = [
  { what: "three throttles", fault: "throttle", amount: 1, everyAttempt: true },
  { what: "lost reply", fault: "lost", amount: 20 },
  { what: "killed before", fault: "kill-before", amount: 1 },
  { what: "killed after", fault: "kill-after", amount: 1 },
  { what: "12 s on the way there", fault: "delay", amount: ON_THE_WAY_MS },
  { what: "12 s on the way back", fault: "stall", amount: ON_THE_WAY_MS },
];

export interface Broken {
  readonly call: string;
  readonly at: number;
  readonly what: string;
  readonly violations: readonly Violation[];
}

/** @param isTime asked before each run: the sweep of a test ends with its time */
export async function sweep(
  { scenario, from, to }: Story,
  deployment: Deployment,
  { share = 1, isTime = () => true }: { readonly share?: number; readonly isTime?: () => boolean } = {},
): Promise<{ readonly calls: number; readonly runs: number; readonly broken: readonly Broken[] }> {
  const calls: { readonly name: string; readonly at: number }[] = [];
  await simulate(scenario, {
    deployment,
    onCall({ name, caller }, at) {
      if (at >= from && at < to && caller !== "compact" && name.endsWith(".1"))
        calls.push({ name: name.slice(0, -2), at });
    },
  });
  const broken: Broken[] = [];
  let [runs, place] = [0, 0];
  for (const { name, at } of calls)
    for (const { what, fault, amount, everyAttempt } of TRIALS) {
      if (place++ % share !== 0 || !isTime()) continue;
      const attempts = Array.from({ length: everyAttempt ? ATTEMPTS : 1 }, (_, index) => index + 1);
      const replay: ExplicitFault[] = attempts.map((attempt) => ({
        fault,
        occasion: `${name}.${attempt}`,
        amount,
        at,
      }));
      runs++;
      const { violations } = await runAndJudge({ ...scenario, replay }, deployment);
      if (violations.length > 0) broken.push({ call: name, at, what, violations });
    }
  return { calls: calls.length, runs, broken };
}
