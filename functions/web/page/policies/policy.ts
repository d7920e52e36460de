/** Alert policies: what they do in words, and the form's texts of one. Pure. */
import type { Policy, PolicyStep, Trouble } from "../alerts-model.ts";
import type { Tags } from "../model.ts";
import { addressesFrom, numberOr, tagsFrom, tagsText } from "../parts/texts.ts";
import { lasting, listed } from "../words.ts";

const ALL = "system.*";

/** By the id of a channel. */
export type Names = ReadonlyMap<string, string>;

/** The channels that every deployment has: those who have subscribed to the topics, by kind. */
export const SUBSCRIPTIONS: Names = new Map([
  ["people", "whoever has subscribed by mail or SMS"],
  ["sns", "programs that have subscribed"],
]);

const DELETED = "a channel that was deleted";

/** A receiver as the API names it (`email:ops@example.com`, `channel:<id>`, `sns`), in words. */
export const receiverInWords = (receiver: string, names: Names): string => {
  const [, kind, rest = ""] = /^(\w+):(.*)$/.exec(receiver) ?? [];
  if (kind === "email") return rest;
  if (kind === "channel") return names.get(rest) ?? DELETED;
  return SUBSCRIPTIONS.get(receiver) ?? receiver;
};

const ANY = "*";

/** Whether a policy takes a monitor with these tags though nothing names it. */
export const takes = ({ match }: Pick<Policy, "match">, tags: Tags): boolean =>
  match?.tags !== undefined &&
  Object.entries(match.tags).every(([name, value]) => name in tags && (value === ANY || tags[name] === value));

const receiversOf = ({ channels, emails }: PolicyStep, names: Names): string => {
  const told = channels.map((id) => SUBSCRIPTIONS.get(id) ?? names.get(id) ?? DELETED);
  const all = [...(emails.length > 0 ? [`mail to ${listed(emails)}`] : []), ...told];
  return all.length > 0 ? listed(all) : "nobody yet";
};

/** Each step in words: whom it tells, and when. */
export const stepsInWords = ({ steps }: Pick<Policy, "steps">, names: Names): string[] =>
  steps.map((step, index) => {
    const after = step.afterSeconds === 0 ? "At once" : `After ${lasting(step.afterSeconds)}`;
    return `${after}${index > 0 ? ", if nobody has acknowledged" : ""}: ${receiversOf(step, names)}.`;
  });

const monitorsOf = (tags: Tags | undefined): string => {
  if (!tags) return "Only for monitors that name it.";
  return Object.keys(tags).length === 0 ? "For every monitor." : `For monitors with ${tagsText(tags)}.`;
};

/** Which monitors a policy is for. */
export const scopeInWords = ({ match }: Pick<Policy, "match">): string => {
  const events = match?.events ?? [];
  const system = events.includes(ALL) ? "Also messages about the monitoring itself." : `Also ${listed(events)}.`;
  return `${monitorsOf(match?.tags)}${events.length > 0 ? ` ${system}` : ""}`;
};

type Reminders = Pick<Policy, "remindEverySeconds" | "remindAtMost" | "until">;

export const remindersInWords = ({ remindEverySeconds, remindAtMost, until }: Reminders): string => {
  if (remindEverySeconds === null) return "No reminders.";
  const ends = until === "acknowledged" ? "until somebody acknowledges" : "until it has recovered";
  return `Reminds every ${lasting(remindEverySeconds)} ${ends}, ${remindAtMost} times at most.`;
};

/** What a policy tells of, and how often it reminds. */
export const habitsInWords = ({ severities, timeZone, ...reminders }: Policy): string => {
  const what =
    severities.length === 2 ? "down and degraded" : severities[0] === "warning" ? "degraded only" : "down only";
  return `Tells of ${what}. ${remindersInWords(reminders)} Times in ${timeZone}.`;
};

interface StepDraft {
  readonly afterSeconds: number;
  readonly channels: readonly string[];
  readonly emails: string;
}

/** Who is told step by step, and how often. */
export interface EscalationDraft {
  readonly steps: readonly StepDraft[];
  /** 0: never. */
  readonly remindEverySeconds: number;
  readonly remindAtMost: string;
  readonly until: Policy["until"];
}

export interface PolicyDraft extends EscalationDraft {
  readonly name: string;
  /** Which monitors it takes. */
  readonly takes: "named" | "all" | "tags";
  readonly tags: string;
  readonly events: readonly string[];
  readonly severities: readonly Trouble[];
  readonly timeZone: string;
}

/** Messages about the monitoring itself that a policy may take; the first stands for all. */
export const EVENTS = [
  ALL,
  "system.location-silent",
  "system.location-offline",
  "system.location-removed",
  "system.location-working",
  "system.checks-stalled",
  "system.checks-resumed",
  "system.monitors-unjudged",
  "system.undeliverable",
  "system.alerts-dropped",
  "system.fault",
  "system.policy-reaches-nobody",
  "system.subscription-gone",
  "system.alarm",
  "system.alarm-ended",
] as const;

export const EMPTY_STEP: StepDraft = { afterSeconds: 0, channels: [], emails: "" };
/** Without steps and reminders. */
export const NO_ESCALATION: EscalationDraft = {
  steps: [],
  remindEverySeconds: 0,
  remindAtMost: "10",
  until: "acknowledged",
};

/** Of a new policy. */
export const emptyPolicy = (timeZone: string): PolicyDraft => ({
  name: "",
  takes: "all",
  tags: "",
  events: [],
  severities: ["critical", "warning"],
  ...NO_ESCALATION,
  steps: [EMPTY_STEP],
  timeZone,
});

type Escalation = Reminders & Pick<Policy, "steps">;

export const draftOfEscalation = ({ steps, ...reminders }: Escalation): EscalationDraft => ({
  steps: steps.map((step) => ({ ...step, emails: step.emails.join(", ") })),
  remindEverySeconds: reminders.remindEverySeconds ?? 0,
  remindAtMost: String(reminders.remindAtMost),
  until: reminders.until,
});

/** What the API takes. */
export const bodyOfEscalation = (draft: EscalationDraft): Escalation => ({
  steps: draft.steps.map((step) => ({ ...step, emails: addressesFrom(step.emails) })),
  remindEverySeconds: draft.remindEverySeconds === 0 ? null : draft.remindEverySeconds,
  remindAtMost: numberOr(draft.remindAtMost) as number,
  until: draft.until,
});

export const draftOfPolicy = ({ match, ...policy }: Policy): PolicyDraft => ({
  name: policy.name,
  takes: !match?.tags ? "named" : Object.keys(match.tags).length === 0 ? "all" : "tags",
  tags: tagsText(match?.tags ?? {}),
  events: match?.events ?? [],
  severities: policy.severities,
  ...draftOfEscalation(policy),
  timeZone: policy.timeZone,
});

const matchOf = ({ takes, tags, events }: PolicyDraft): Policy["match"] => {
  const match = {
    ...(takes !== "named" && { tags: takes === "all" ? {} : tagsFrom(tags) }),
    ...(events.length > 0 && { events }),
  };
  return Object.keys(match).length > 0 ? match : null;
};

/** What the API takes. */
export const bodyOfPolicy = (draft: PolicyDraft) => ({
  name: draft.name.trim(),
  match: matchOf(draft),
  severities: draft.severities,
  ...bodyOfEscalation(draft),
  timeZone: draft.timeZone.trim(),
});
