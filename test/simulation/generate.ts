/** From a seed to a scenario. Modes say what may happen in it. */
import { idOfKey } from "./api-client.ts";
import { type Chance, chanceOf, draw } from "./clock.ts";
import { withAllConditions } from "./conditions.ts";
import type { FaultName, Only } from "./faults.ts";
import { withListeners } from "./listeners.ts";
import { withSayings } from "./sayings.ts";
import {
  type Cut,
  type Edit,
  type FaultWindow,
  LOCATIONS,
  type Scenario,
  type SentSettings,
  type TargetEvent,
  type TargetKind,
} from "./scenario.ts";

export const MODES = ["calm", "edits", "cuts", "faults", "day", "hot", "slow"] as const;
export type Mode = (typeof MODES)[number];

/** Two and a half hours before midnight in UTC: days end within each scenario but the hot ones. */
const START_MS = Date.parse("2026-12-01T21:30:00.000Z");
const DAY = { seconds: 280 * 60, chaosEnds: 185 * 60 };
const HOT = { seconds: 75 * 60, chaosEnds: 38 * 60 };

const tenths = (seconds: number) => Math.round(seconds * 10) / 10;

/** @param seed `<mode>-<anything>` */
export function generate(seed: string): Scenario {
  const mode = modeOf(seed);
  const chance = chanceOf(`${seed}/scenario`);
  return withListeners(withSayings(withAllConditions(mode === "hot" ? hot(seed, chance) : day(seed, chance, mode))));
}

/** @throws for a seed that names no mode */
function modeOf(seed: string): Mode {
  const mode = MODES.find((name) => seed.startsWith(`${name}-`));
  if (!mode) throw new Error(`the seed ${seed} must begin with one of ${MODES.join(", ")} and a hyphen`);
  return mode;
}

/** Five minutes short of five hours over midnight, with about three hours in which things happen. */
function day(seed: string, chance: Chance, mode: Exclude<Mode, "hot">): Scenario {
  const [hasFaults, hasEdits, hasCuts] = (
    {
      calm: [],
      edits: ["edits"],
      cuts: ["cuts"],
      faults: ["faults"],
      day: ["faults", "edits", "cuts"],
      slow: ["edits", "cuts"],
    } as const
  )[mode].reduce<[boolean, boolean, boolean]>(
    ([f, e, c], what) => [f || what === "faults", e || what === "edits", c || what === "cuts"],
    [false, false, false],
  );
  const isSlow = mode === "slow";
  const length = isSlow ? { seconds: 15 * 3_600, chaosEnds: 8 * 3_600 } : DAY;
  const count = 3 + chance.int(5);
  const monitors = Array.from({ length: count }, (_, place) => ({
    at: chance.chance(0.8) ? 20 + place : tenths(chance.range(60, 6_000)),
    settings: settingsOf(chance, place, isSlow ? [120, 300, 900, 3_600] : [10, 10, 30, 30, 60]),
  }));
  const events = monitors.flatMap(({ settings }) => eventsOf(chance, settings, length.seconds));
  const skewMs = hasFaults ? chance.pick([0, 500, 2_000]) : 0;
  return {
    seed,
    startMs: START_MS + chance.int(60_000),
    seconds: length.seconds,
    skewMs,
    jitterMs: chance.pick([500, 3_000, 59_000]),
    monitors,
    ...(chance.chance(0.3) && { seatsTaken: { 10: 249, 30: 248, 60: 249, 300: 249 } }),
    events,
    cuts: hasCuts ? cutsOf(chance, length.chaosEnds) : [],
    edits: hasEdits
      ? monitors.flatMap(({ settings }) => editsOf(chance, settings, count, length.chaosEnds, isSlow))
      : [],
    faults: hasFaults ? faultsOf(chance, length.chaosEnds) : [],
    ...(hasFaults &&
      chance.chance(0.5) && {
        deploys: [{ at: tenths(chance.range(900, length.chaosEnds)), overlapSeconds: chance.pick([30, 300]) }],
      }),
  };
}

/** An hour in which something happens all the time, then calm: what depends on two things meeting shows sooner. */
function hot(seed: string, chance: Chance): Scenario {
  const count = 2 + chance.int(4);
  const monitors = Array.from({ length: count }, (_, place) => {
    const alerts = { afterSeconds: chance.pick([0, 0, 15]), emails: [] };
    const settings = { ...settingsOf(chance, place, [10, 10, 10, 30]), timeoutMs: 2_000, alerts };
    return { at: 20 + place, settings };
  });
  return {
    seed,
    startMs: START_MS + chance.int(60_000),
    seconds: HOT.seconds,
    skewMs: chance.pick([0, 500, 2_000]),
    jitterMs: chance.pick([500, 3_000, 59_000]),
    monitors,
    events: monitors.flatMap(({ settings }) => hotEventsOf(chance, settings.host!)),
    cuts: chance.chance(0.3) ? [hotCut(chance)] : [],
    edits: [
      ...(chance.chance(0.7) ? monitors.flatMap(({ settings }) => hotEditsOf(chance, settings, count)) : []),
      ...dependenciesOf(seed, monitors),
    ],
    faults: hotFaultsOf(chance),
    ...(chance.chance(0.2) && { deploys: [{ at: tenths(chance.range(300, HOT.chaosEnds)), overlapSeconds: 120 }] }),
  };
}

/** In a third of the runs monitors depend on one another, so that alerts are held back. Drawn apart: other seeds stay as they are. */
const dependenciesOf = (seed: string, monitors: Scenario["monitors"]): Edit[] =>
  draw(seed, "dependencies") < 1 / 3
    ? monitors.slice(1).map(({ settings: { key } }, place) => {
        const parent = monitors[Math.floor((place + 1) / 2)]!.settings.key;
        return { at: 60 + place, key, action: "patch", settings: { dependsOn: [idOfKey(parent)] } };
      })
    : [];

function settingsOf(chance: Chance, place: number, lanes: readonly number[]): SentSettings {
  const intervalSeconds = chance.pick(lanes);
  const timeoutMs = intervalSeconds === 10 ? 2_000 : chance.pick([2_000, 5_000]);
  const many = chance.chance(0.7) ? 3 : chance.chance(0.5) ? 2 : 1;
  const first = chance.int(3);
  const locations = Array.from(
    { length: many },
    (_, index) => LOCATIONS[(index + first) % LOCATIONS.length]!,
  ).toSorted();
  // More attempts than fit before the next tick are refused.
  const most = Math.floor((Math.min(intervalSeconds, 60) * 1_000 - 1_000 + 1_000) / (timeoutMs + 1_000)) - 1;
  return {
    name: `m${place}`,
    key: `m${place}`,
    protocol: "tcp",
    host: `h${place}`,
    port: 443,
    intervalSeconds,
    timeoutMs,
    retries: { count: Math.min(most, chance.int(3)), delayMs: chance.pick([500, 1_000]) },
    degradedAboveMs: chance.chance(0.5) ? 300 : null,
    failureThreshold: 1 + chance.int(3),
    recoveryThreshold: 1 + chance.int(2),
    locations,
    quorum: chance.pick(["majority", "majority", "any", "all", Math.min(2, many)] as const),
    alerts: {
      afterSeconds: chance.pick([0, 0, 0, 30, 120, 300]),
      emails: chance.chance(0.4) ? ["ops@example.com"] : [],
    },
  };
}

const KINDS: readonly TargetKind[] = ["refused", "refused", "silent", "silent", "slow", "nxdomain", "resolver"];

const somewhere = (chance: Chance, probability: number) =>
  chance.chance(probability) ? { locations: LOCATIONS.filter(() => chance.chance(0.5)) } : {};

/** Blips, outages of minutes and of hours, and now and then one that flaps. */
function eventsOf(chance: Chance, { host = "", intervalSeconds = 60 }: SentSettings, seconds: number): TargetEvent[] {
  const events: TargetEvent[] = [];
  const add = (from: number, length: number, more: Pick<TargetEvent, "kind" | "locations" | "latencyMs">) =>
    events.push({ host, from: tenths(from), to: tenths(Math.min(from + length, seconds + 100)), ...more });
  const unit = Math.max(1, intervalSeconds / 60);
  for (let at = chance.range(120, 1_500 * unit); at < seconds - 1_200; ) {
    const kind = chance.pick(KINDS);
    const more = {
      kind,
      ...somewhere(chance, 0.25),
      ...(kind === "slow" && chance.chance(0.3) && { latencyMs: chance.pick([1_500, 2_500]) }),
    };
    const shape = chance.next();
    let length =
      shape < 0.25
        ? chance.range(1, intervalSeconds * 0.9)
        : shape < 0.5
          ? chance.range(intervalSeconds, intervalSeconds * 5)
          : shape < 0.92
            ? chance.range(300, 1_800) * unit
            : chance.range(1_800, 5_400) * unit;
    if (shape < 0.06) {
      for (let flaps = 0; flaps < 8; flaps++) {
        const flap = chance.range(2, intervalSeconds * 2);
        add(at, flap, more);
        at += flap + chance.range(2, intervalSeconds * 2);
      }
      length = 0;
    } else add(at, length, more);
    at += length + (chance.chance(0.3) ? chance.range(5, 120) : chance.range(300, 2_400) * unit);
  }
  return events;
}

function hotEventsOf(chance: Chance, host: string): TargetEvent[] {
  const events: TargetEvent[] = [];
  const { chaosEnds } = HOT;
  for (let at = chance.range(60, 200); at < chaosEnds; ) {
    const length = chance.chance(0.6) ? chance.range(2, 14) : chance.range(15, 90);
    const kind = chance.pick(["refused", "refused", "silent", "resolver", "slow"] as const);
    events.push({ host, from: tenths(at), to: tenths(at + length), kind, ...somewhere(chance, 0.35) });
    at += length + (chance.chance(0.5) ? chance.range(4, 25) : chance.range(30, 150));
  }
  // Something to tell when it is calm again: an outage that goes on, or a new one.
  if (chance.chance(0.5))
    events.push({ host, from: chaosEnds - 60, to: tenths(chaosEnds + chance.range(1_100, 1_500)), kind: "refused" });
  else {
    const from = tenths(chaosEnds + chance.range(600, 900));
    events.push({ host, from, to: from + 420, kind: "silent" });
  }
  return events;
}

const cutsOf = (chance: Chance, chaosEnds: number): Cut[] =>
  Array.from({ length: chance.int(3) }, () => {
    const from = Math.round(chance.range(600, chaosEnds - 600));
    const to = Math.round(Math.min(chaosEnds, from + chance.pick([40, 200, 600, 2_400]) * chance.range(0.5, 1.5)));
    return { location: chance.pick(LOCATIONS), from, to, how: chance.pick(["targets", "all"] as const) };
  });

function hotCut(chance: Chance): Cut {
  const from = Math.round(chance.range(300, 1_200));
  return {
    location: chance.pick(LOCATIONS),
    from,
    to: from + Math.round(chance.range(20, 500)),
    how: chance.pick(["targets", "all"] as const),
  };
}

const ACTIONS = ["pause", "host", "threshold", "lane", "alerts", "delete", "locations", "name", "apply"] as const;

interface Pace {
  readonly first: () => number;
  readonly next: (isDeletion: boolean) => number;
  readonly goesOn: () => boolean;
  readonly lanes: readonly number[];
}

/** What somebody does to one monitor, one thing after the other. */
function changesOf(chance: Chance, settings: SentSettings, hosts: number, until: number, pace: Pace): Edit[] {
  const edits: Edit[] = [];
  const { key } = settings;
  let [isPaused, isGone] = [false, false];
  for (let time = pace.first(); time < until && pace.goesOn(); ) {
    const at = tenths(time);
    const host = `h${chance.int(hosts)}`;
    const what = isGone ? "create" : isPaused ? "resume" : chance.pick(ACTIONS);
    const ifMatch = chance.chance(0.3) ? { ifMatch: true } : {};
    const patch = (changed: Partial<SentSettings>) =>
      void edits.push({ at, key, action: "patch", settings: changed, ...ifMatch });
    switch (what) {
      case "create":
      case "apply":
        edits.push({ at, key, action: what, settings: { ...settings, host } });
        isGone = false;
        break;
      case "pause":
      case "resume":
        edits.push({ at, key, action: what });
        isPaused = what === "pause";
        break;
      case "delete":
        edits.push({ at, key, action: what });
        isGone = true;
        break;
      case "host":
        patch({ host });
        break;
      case "threshold":
        patch({ failureThreshold: 1 + chance.int(3) });
        break;
      case "lane":
        patch({ intervalSeconds: chance.pick(pace.lanes), timeoutMs: 2_000, retries: { count: 1, delayMs: 500 } });
        break;
      case "alerts":
        patch({
          alerts: { afterSeconds: chance.pick([0, 30, 120]), emails: chance.chance(0.3) ? ["night@example.com"] : [] },
        });
        break;
      case "name":
        patch({ name: `${key} ${chance.int(99)}` });
        break;
      case "locations":
        patch({ locations: LOCATIONS.filter((_, place) => place === 0 || chance.chance(0.6)), quorum: "majority" });
    }
    time += pace.next(what === "delete");
  }
  return edits;
}

const editsOf = (chance: Chance, settings: SentSettings, hosts: number, until: number, isSlow: boolean) =>
  changesOf(chance, settings, hosts, until, {
    first: () => chance.range(600, 4_000),
    goesOn: () => chance.chance(0.6),
    next: (isDeletion) =>
      isDeletion
        ? chance.chance(0.5)
          ? chance.range(0.2, 10)
          : chance.range(60, 1_200)
        : chance.chance(0.3)
          ? chance.range(0.1, 30)
          : chance.range(300, isSlow ? 9_000 : 2_400),
    lanes: isSlow ? [60, 300, 900] : [10, 30, 60],
  });

const hotEditsOf = (chance: Chance, settings: SentSettings, hosts: number) =>
  changesOf(chance, settings, hosts, HOT.chaosEnds - 100, {
    first: () => chance.range(100, 400),
    goesOn: () => true,
    next: () => (chance.chance(0.3) ? chance.range(0.1, 4) : chance.range(15, 200)),
    lanes: [10, 30],
  });

/** A fault that a window may have: how often it has it, and how strong it is then. */
interface Likely {
  readonly fault: FaultName;
  readonly probability: number;
  readonly strengths: readonly number[];
  readonly only?: Only;
}

const CALLERS = ["probe", "state-change", "dispatch", "api"];
const WRITES = ["Update", "Put", "Delete", "BatchWrite"];
const DYNAMODB = { service: "dynamodb" };
const SNS = { service: "sns" };
const SES = { service: "ses" };

const LIKELY: readonly Likely[] = [
  { fault: "duplicate", probability: 0.4, strengths: [0.05, 0.3] },
  { fault: "received-again", probability: 0.3, strengths: [0.05, 0.15] },
  { fault: "late", probability: 0.4, strengths: [0.05, 0.3] },
  { fault: "not-received", probability: 0.1, strengths: [0.3, 0.7] },
  { fault: "stream-duplicate", probability: 0.3, strengths: [0.3] },
  { fault: "stream-late", probability: 0.3, strengths: [0.05, 0.3] },
  { fault: "zombie", probability: 0.25, strengths: [0.05, 0.3] },
  { fault: "kill-before", probability: 0.3, strengths: [0.001, 0.01, 0.04] },
  { fault: "kill-after", probability: 0.3, strengths: [0.001, 0.01, 0.04] },
  { fault: "cold", probability: 0.3, strengths: [0.02, 0.3] },
  { fault: "freeze", probability: 0.2, strengths: [0.001, 0.01] },
  { fault: "lost", probability: 0.4, strengths: [0.01, 0.1, 0.3] },
  { fault: "throttle", probability: 0.35, strengths: [0.05, 0.3, 0.7] },
  { fault: "delay", probability: 0.2, strengths: [0.002, 0.02] },
  { fault: "stall", probability: 0.2, strengths: [0.002, 0.02] },
  { fault: "partial", probability: 0.4, strengths: [0.1, 0.5] },
  { fault: "stale", probability: 0.3, strengths: [0.3] },
  { fault: "index-lag", probability: 0.3, strengths: [0.3, 1] },
  { fault: "missed-run", probability: 0.25, strengths: [0.3, 1] },
  { fault: "doubled-run", probability: 0.3, strengths: [0.5] },
  { fault: "clock-step", probability: 0.05, strengths: [0.002] },
  { fault: "refuse", probability: 0.15, strengths: [1], only: SNS },
  { fault: "lost", probability: 0.25, strengths: [0.4], only: SNS },
  { fault: "refuse-for-good", probability: 0.08, strengths: [0.2], only: SNS },
  { fault: "refuse", probability: 0.15, strengths: [1], only: SES },
  { fault: "refuse-for-good", probability: 0.1, strengths: [0.5], only: SES },
  { fault: "kill-before", probability: 0.3, strengths: [0.01, 0.1], only: { caller: "compact" } },
  { fault: "outage", probability: 0.1, strengths: [1], only: { service: "sqs" } },
];

const windowsFrom = (chance: Chance, likely: readonly Likely[], from: number, to: number): FaultWindow[] =>
  likely
    .filter(({ probability }) => chance.chance(probability))
    .map(({ fault, strengths, only }) => ({
      fault,
      strength: chance.pick(strengths),
      from: Math.round(from),
      to: Math.round(to),
      ...(only && { only }),
    }));

function faultsOf(chance: Chance, chaosEnds: number): FaultWindow[] {
  const windows: FaultWindow[] = [];
  for (let at = chance.range(400, 1_500); at < chaosEnds - 120; ) {
    const big = chance.next();
    let length = chance.pick([30, 120, 600, 1_500]) * chance.range(0.5, 1.5);
    if (big < 0.12) length = chance.pick([60, 300, 1_200, 3_500]);
    const to = Math.min(chaosEnds, at + length);
    windows.push(...windowsFrom(chance, LIKELY, at, to));
    const away = (only: Only) =>
      windows.push({ fault: "outage", strength: 1, from: Math.round(at), to: Math.round(to), only });
    if (big < 0.12) away(DYNAMODB);
    else if (big < 0.24) away({ ...DYNAMODB, caller: chance.pick(CALLERS) });
    else if (big < 0.34) away({ ...DYNAMODB, caller: chance.pick(CALLERS.slice(0, 3)), operations: WRITES });
    at += length + chance.pick([60, 300, 1_200]) * chance.range(0.5, 1.5);
  }
  return windows;
}

/** Without what takes longer than the hour leaves time for. */
const HOT_LIKELY = LIKELY.filter(({ fault, only }) => fault !== "clock-step" && only?.caller !== "compact");

function hotFaultsOf(chance: Chance): FaultWindow[] {
  const windows: FaultWindow[] = [];
  for (let at = chance.range(60, 200); at < HOT.chaosEnds - 60; ) {
    const length = chance.range(40, 240);
    windows.push(...windowsFrom(chance, HOT_LIKELY, at, Math.min(HOT.chaosEnds, at + length)));
    at += length + (chance.chance(0.5) ? 5 : chance.range(60, 400));
  }
  return windows;
}
