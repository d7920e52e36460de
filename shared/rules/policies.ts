/** Alert policies: which of them apply to a monitor, and what they make of it. Pure. */
import type { Monitor, NotUp, Severity, Timestamp } from "../model.ts";
import { type Receiver, receiverOf, receiverOfStored } from "../receiver.ts";
import type { ALL_SYSTEM_EVENTS, SystemEvent } from "../system-events.ts";
import { levelsOf, type Plan, type Step } from "./telling.ts";

/** Whom to tell once trouble has lasted. */
export interface PolicyStep {
  readonly afterSeconds: number;
  /** Ids of channels; `sns` is the topic `alerts`, `people` the topic of that name. */
  readonly channels: readonly string[];
  readonly emails: readonly string[];
}

/** When reminders stop: with an acknowledgement, or not before the recovery. */
export const REMINDED_UNTIL = ["acknowledged", "recovered"] as const;
/** Severities of trouble: `critical` for down, `warning` for degraded. */
export const TROUBLES = ["critical", "warning"] as const satisfies readonly Severity[];

export interface Policy {
  readonly id: string;
  readonly name: string;
  /**
   * What it takes though nothing names it: monitors with all of these tags (`*` stands for any value), and messages about the
   * monitoring itself. None: null.
   */
  readonly match: {
    readonly tags?: Readonly<Record<string, string>> | undefined;
    readonly events?: readonly (SystemEvent | typeof ALL_SYSTEM_EVENTS)[] | undefined;
  } | null;
  readonly severities: readonly (typeof TROUBLES)[number][];
  readonly steps: readonly PolicyStep[];
  readonly remindEverySeconds: number | null;
  readonly remindAtMost: number;
  readonly until: (typeof REMINDED_UNTIL)[number];
  /** In which people are told times. Default UTC. */
  readonly timeZone?: string;
  readonly revision: number;
  readonly createdAt: Timestamp;
  readonly updatedAt: Timestamp;
}

/** Channels that steps may name though nobody has created them: the topics `alerts`, for programs, and `people`. */
export const BUILT_IN_CHANNELS = ["sns", "people"] as const;
type BuiltIn = (typeof BUILT_IN_CHANNELS)[number];
export const isBuiltIn = (id: string): id is BuiltIn => BUILT_IN_CHANNELS.some((one) => one === id);
const ANY = "*";

export const receiversOf = ({ channels, emails }: PolicyStep): Receiver[] => [
  ...channels.map((id) => (isBuiltIn(id) ? receiverOf(id) : receiverOfStored(id))),
  ...emails.map((address) => receiverOf("email", address)),
];

type Told = Pick<Monitor, "alerts" | "tags">;

export const LEVELS: Readonly<Record<(typeof TROUBLES)[number], NotUp>> = { critical: "down", warning: "degraded" };

const planOf = (
  { severities, steps, remindEverySeconds, remindAtMost, until, timeZone }: Policy,
  monitor: Told,
): Plan => ({
  steps: steps.map(stepOf),
  levels: severities.map((severity) => LEVELS[severity]).filter((level) => levelsOf(monitor).includes(level)),
  remindEverySeconds,
  remindAtMost,
  takesAdvisories: severities.includes("warning"),
  until,
  ...(timeZone !== undefined && { timeZone }),
});

/** Whether a policy takes a monitor by its tags. */
const matches = ({ match }: Pick<Policy, "match">, { tags }: Pick<Monitor, "tags">): boolean =>
  match?.tags !== undefined &&
  Object.entries(match.tags).every(([name, value]) =>
    value === ANY ? Object.hasOwn(tags, name) : tags[name] === value,
  );

const stepOf = (step: PolicyStep): Step => ({ afterSeconds: step.afterSeconds, receivers: receiversOf(step) });

/** Steps in the order of time; those at the same time are one. */
const inOrder = (steps: readonly Step[]): Step[] =>
  [...Map.groupBy(steps, ({ afterSeconds }) => afterSeconds)]
    .map(([afterSeconds, some]) => ({
      afterSeconds,
      receivers: [...new Set(some.flatMap(({ receivers }) => receivers))],
    }))
    .toSorted((a, b) => a.afterSeconds - b.afterSeconds);

/**
 * The plan of a monitor's own settings; without steps, they name nobody.
 * @param isTaken whether a policy takes it; if none does and it has no steps, the topics `alerts` and `people` are told too
 */
function ownPlan(monitor: Told, isTaken: boolean): Plan {
  const { afterSeconds, emails, steps, remindEverySeconds, remindAtMost, until } = monitor.alerts;
  const first = { afterSeconds, channels: isTaken || steps.length > 0 ? [] : BUILT_IN_CHANNELS, emails };
  return {
    steps: inOrder([first, ...steps].map(stepOf).filter(({ receivers }) => receivers.length > 0)),
    levels: levelsOf(monitor),
    remindEverySeconds,
    remindAtMost,
    takesAdvisories: true,
    until,
  };
}

/** A plan of a monitor, and the policy that it comes from; null for the monitor's own settings. */
interface Source {
  readonly policy: Policy | null;
  readonly plan: Plan;
}

/**
 * The plans of a monitor: those of the policies that it names or that take it by its tags, and its own addresses and steps. One
 * that no policy takes and that has no steps also tells the topics `alerts` and `people`, so that nobody is forgotten.
 */
export function sourcesOf(monitor: Told, policies: readonly Policy[]): Source[] {
  const taking = policies.filter((policy) => monitor.alerts.policies.includes(policy.id) || matches(policy, monitor));
  const sources = taking.map((policy) => ({ policy, plan: planOf(policy, monitor) }));
  const plan = ownPlan(monitor, taking.length > 0);
  return plan.steps.length > 0 ? [...sources, { policy: null, plan }] : sources;
}

export const plansOf = (monitor: Told, policies: readonly Policy[]): Plan[] =>
  sourcesOf(monitor, policies).map(({ plan }) => plan);
