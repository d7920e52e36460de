/**
 * Decides which interfaces of a device are in trouble, from its last polls. Each verdict has two limits, so that it does not come and
 * go (hysteresis), and says what to look at. Pure.
 */
import type { InterfaceLimits, InterfaceReading, JudgedPoll } from "../contract/poll.ts";
import { type Interval, isLinkUp, isOn, perMillion, total, utilisation } from "../measures/counters.ts";
import type { Outcome } from "../model.ts";

/** What may be wrong with an interface, worst first. Their places are stored: append only. */
export const VERDICTS = [
  "link-down",
  "duplex-mismatch",
  "speed-fell",
  "link-flapping",
  "errors-high",
  "discards-high",
  "utilisation-high",
] as const;
export type Verdict = (typeof VERDICTS)[number];

/** What is remembered of an interface from poll to poll. */
export interface InterfaceMemory {
  /** Whether its link was up since somebody turned it on. */
  readonly wasUp: boolean;
  /** Its best speed since then, in megabits a second. */
  readonly bestMbps: number;
  readonly verdicts: readonly Verdict[];
  /** When a sign of a duplex mismatch was seen last, in epoch milliseconds; 0: never. */
  readonly duplexSignMs: number;
}
export const NEW_INTERFACE: InterfaceMemory = { wasUp: false, bestMbps: 0, verdicts: [], duplexSignMs: 0 };

/** A verdict on one interface, in words. */
export interface Fault {
  readonly name: string;
  readonly verdict: Verdict;
  readonly message: string;
  /** Whether it makes the monitor down, not degraded. */
  readonly isDown: boolean;
}

const MINUTE_MS = 60_000;
/** Longest time that a verdict looks back. */
export const WINDOW_MINUTES = 15;
const ERRORS_MINUTES = 5;
const FLAPS_MINUTES = 10;
/** A mean of 15 minutes needs polls of so much of it. */
const COVERED_SECONDS = 600;
/** Points below the limit at which the load is normal again. */
const LOAD_MARGIN = 3;
const FEWEST_EVENTS = 20;
/** Polls that are looked at for signs of a duplex mismatch, and how many of them must show it. */
const SIGN_POLLS = 3;
const SIGNS = 2;
const FAST_MBPS = 100;
const BUSY_PERCENT = 50;
const HALF_DUPLEX = 2;
const FULL_DUPLEX = 3;

interface Looked {
  readonly now: InterfaceReading;
  readonly memory: InterfaceMemory;
  /** Oldest first. */
  readonly intervals: readonly Interval[];
  readonly limits: InterfaceLimits;
  readonly atMs: number;
}

/** Intervals that ended in the last minutes, and the newest one in any case. */
const lately = ({ intervals, atMs }: Looked, minutes: number) =>
  intervals.filter(({ endMs }, place) => endMs > atMs - minutes * MINUTE_MS || place === intervals.length - 1);

const count = (value: number) => Math.round(value).toLocaleString("en-US");
const percent = (value: number) => `${value.toFixed(value < 10 ? 1 : 0)} %`;

/** What speaks for a verdict, in words; undefined where nothing does. @param isOn whether the verdict stands already */
type Judge = (looked: Looked, isOn: boolean) => string | undefined;

const linkDown: Judge = ({ now: { name, oper }, memory, limits }) => {
  const isDown = oper === 2 || oper === 6 || oper === 7; // down, not present, a lower layer is down
  const mustBeUp = limits.down === "if-it-was-up" || (limits.down === "critical" && limits.isCritical(name));
  if (!isDown || !memory.wasUp || !mustBeUp || limits.isIdle(name)) return undefined;
  return "the link is down and was up before: look at the cable, and whether the other device is on";
};

const linkFlapping: Judge = (looked, isOn) => {
  const { flaps: limit } = looked.limits;
  const changes = lately(looked, FLAPS_MINUTES).reduce((sum, { flaps }) => sum + flaps, 0);
  if (limit === null || changes < (isOn ? 1 : limit)) return undefined;
  return `the link changed ${changes} times in ${FLAPS_MINUTES} minutes: look at the cable, its plugs and the transceiver`;
};

const load: Judge = (looked, isOn) => {
  const { utilisationPercent: limit } = looked.limits;
  const { speedMbps } = looked.now;
  const { inBytes, outBytes, seconds } = total(lately(looked, WINDOW_MINUTES));
  if (limit === null || seconds < COVERED_SECONDS) return undefined;
  const [received, sent] = [inBytes, outBytes].map((bytes) => utilisation(bytes, seconds, speedMbps) ?? 0) as [
    number,
    number,
  ];
  const most = Math.max(received, sent);
  if (isOn ? most < limit - LOAD_MARGIN : most <= limit) return undefined;
  const where = received > sent ? "in" : "out";
  return `${percent(most)} of ${speedMbps} Mb/s ${where}, on average of ${WINDOW_MINUTES} minutes: look at what uses it`;
};

const rising = (
  looked: Looked,
  isOn: boolean,
  { limit, minutes, of }: { limit: number | null; minutes: number; of: "errors" | "discards" },
): { events: number; share: number } | undefined => {
  const sums = total(lately(looked, minutes));
  const [events, share] = [sums[of], perMillion(sums[of], sums)];
  const part = isOn ? 2 : 1;
  if (limit === null || events < FEWEST_EVENTS / part || share < limit / part) return undefined;
  return { events, share };
};

const errors: Judge = (looked, isOn) => {
  const how = { limit: looked.limits.errorsPerMillion, minutes: ERRORS_MINUTES, of: "errors" } as const;
  const found = rising(looked, isOn, how);
  return (
    found &&
    `${count(found.events)} errors in ${ERRORS_MINUTES} minutes, ${count(found.share)} in a million packets: look at the cable, its plugs, the transceiver and what disturbs them`
  );
};

const discards: Judge = (looked, isOn) => {
  const how = { limit: looked.limits.discardsPerMillion, minutes: WINDOW_MINUTES, of: "discards" } as const;
  const found = rising(looked, isOn, how);
  return (
    found &&
    `${count(found.events)} packets discarded in ${WINDOW_MINUTES} minutes, ${count(found.share)} in a million: more comes at once than the link or its buffers take`
  );
};

/** A sign of a duplex mismatch. @param isOn then one poll is enough of a sign */
function duplexSign({ now, intervals }: Looked, isOn: boolean): string | undefined {
  const { duplex, speedMbps } = now;
  if (duplex === HALF_DUPLEX && speedMbps >= FAST_MBPS)
    return `half duplex at ${speedMbps} Mb/s: look at the duplex setting of both sides, which must be the same`;
  const polls = intervals.slice(-SIGN_POLLS).filter(({ counts }) => counts);
  const seen = (sign: "lateCollisions" | "fcsErrors") =>
    isOn ? (polls.at(-1)?.counts?.[sign] ?? 0) > 0 : polls.filter(({ counts }) => counts![sign] > 0).length >= SIGNS;
  if (seen("lateCollisions"))
    return "late collisions: the other side likely sends at full duplex; look at its duplex setting, or at a cable that is too long";
  const { inBytes, outBytes, seconds } = total(polls);
  const busy = utilisation(Math.max(inBytes, outBytes), seconds, speedMbps) ?? 0;
  if (duplex === FULL_DUPLEX && busy < BUSY_PERCENT && seen("fcsErrors"))
    return "frames with wrong checksums at full duplex and little load: the other side may be at half duplex; look at its setting, then at the cable";
  return undefined;
}

const duplex: Judge = (looked, isOn) => {
  if (!looked.limits.duplex) return undefined;
  const sign = duplexSign(looked, isOn);
  if (sign) return sign;
  const minutes = Math.floor((looked.atMs - looked.memory.duplexSignMs) / MINUTE_MS);
  return isOn && minutes < WINDOW_MINUTES
    ? `signs of a duplex mismatch ${minutes} minutes ago: look at the duplex setting of both sides`
    : undefined;
};

const speedFell: Judge = ({ now: { name, speedMbps }, memory: { bestMbps }, limits }) =>
  limits.slower && speedMbps > 0 && speedMbps < bestMbps && !limits.isIdle(name)
    ? `${speedMbps} Mb/s instead of ${bestMbps}: look at the cable, of which a pair may be broken, and at the other side's setting`
    : undefined;

const JUDGES: Readonly<Record<Verdict, Judge>> = {
  "link-down": linkDown,
  "duplex-mismatch": duplex,
  "speed-fell": speedFell,
  "link-flapping": linkFlapping,
  "errors-high": errors,
  "discards-high": discards,
  "utilisation-high": load,
};
/** Verdicts that hold of links that are down too. */
const OF_ANY_LINK: ReadonlySet<Verdict> = new Set(["link-down", "link-flapping"]);

function judgeOne(looked: Looked): { readonly memory: InterfaceMemory; readonly faults: readonly Fault[] } {
  const { now, limits, atMs } = looked;
  const { name, alias, speedMbps } = now;
  // Whoever turns it off does not expect it to be up, nor at a certain speed.
  if (!isOn(now)) return { memory: NEW_INTERFACE, faults: [] };
  const isUp = isLinkUp(now);
  const { wasUp, bestMbps, verdicts, duplexSignMs } = looked.memory;
  const faults: Fault[] = [];
  for (const verdict of VERDICTS) {
    if (!isUp && !OF_ANY_LINK.has(verdict)) continue;
    const words = JUDGES[verdict](looked, verdicts.includes(verdict));
    if (words === undefined) continue;
    const message = `${name}${alias === "" ? "" : ` (${alias})`}: ${words}`;
    faults.push({ name, verdict, message, isDown: verdict === "link-down" && limits.isCritical(name) });
  }
  const memory: InterfaceMemory = {
    wasUp: wasUp || isUp,
    bestMbps: isUp ? Math.max(bestMbps, speedMbps) : bestMbps,
    verdicts: faults.map(({ verdict }) => verdict),
    duplexSignMs: isUp && duplexSign(looked, verdicts.includes("duplex-mismatch")) ? atMs : duplexSignMs,
  };
  return { memory, faults };
}

export interface Judged {
  readonly memory: ReadonlyMap<string, InterfaceMemory>;
  /** Worst first. */
  readonly faults: readonly Fault[];
}

/**
 * @param memory of the poll before, by name
 * @param intervals of the last 15 minutes up to this poll, by name
 */
export function judgeInterfaces(
  { interfaces, limits, atMs }: JudgedPoll,
  memory: ReadonlyMap<string, InterfaceMemory>,
  intervals: ReadonlyMap<string, readonly Interval[]>,
): Judged {
  const after = new Map<string, InterfaceMemory>();
  const faults: Fault[] = [];
  for (const now of interfaces) {
    const { name } = now;
    const known = memory.get(name) ?? NEW_INTERFACE;
    const judged = judgeOne({ now, memory: known, intervals: intervals.get(name) ?? [], limits, atMs });
    after.set(name, judged.memory);
    faults.push(...judged.faults);
  }
  const rank = ({ isDown, verdict }: Fault) => (isDown ? -1 : VERDICTS.indexOf(verdict));
  return { memory: after, faults: faults.toSorted((a, b) => rank(a) - rank(b)) };
}

/** Interfaces that the evidence names. */
const MOST_NAMED = 8;

/** The outcome of a check with what is wrong with interfaces. */
export function withFaults(outcome: Outcome, faults: readonly Fault[]): Outcome {
  const [worst] = faults;
  if (!worst || (outcome.health !== "up" && outcome.health !== "degraded")) return outcome;
  const others = faults.length - 1;
  const more = others === 0 ? "" : `; ${others} other ${others === 1 ? "finding" : "findings"}, see the evidence`;
  const named = faults.slice(0, MOST_NAMED).map(({ name, verdict }) => `${name} ${verdict}`);
  return {
    ...outcome,
    health: worst.isDown ? "down" : "degraded",
    reason: worst.verdict,
    message: `${worst.message}${more}`,
    evidence: { faults: named, ...(faults.length > MOST_NAMED && { findings: faults.length }), ...outcome.evidence },
  };
}
