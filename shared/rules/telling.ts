/**
 * Decides who is alerted about an open incident, and when: escalation steps, reminders, acknowledgement. Pure. An
 * incident remembers what each receiver was told, so a changed policy takes effect at once and repeats nothing.
 */
import type { Alert, AlertEvent, Incident, Monitor, NotUp, Severity, Timestamp } from "../model.ts";
import { parseReceiver, type Receiver } from "../receiver.ts";
import { isBelievable, notAfter } from "./clock-skew.ts";

/** What a receiver was last told about an incident. */
export interface Told {
  readonly event: NotUp | "flapping";
  /** When, reminders included. */
  readonly at: Timestamp;
  /** Since `event`. */
  readonly reminders: number;
}

export interface Step {
  /** How long the trouble must have lasted. */
  readonly afterSeconds: number;
  readonly receivers: readonly Receiver[];
}

/** An alert policy as it applies to one monitor. */
export interface Plan {
  readonly steps: readonly Step[];
  /** What it tells of. */
  readonly levels: readonly NotUp[];
  /** Seconds between reminders to whoever was told; null for none. */
  readonly remindEverySeconds: number | null;
  readonly remindAtMost: number;
  /** Whether its first step hears of minor trouble, such as that of a minority of locations. */
  readonly takesAdvisories: boolean;
  /** What ends the reminders. */
  readonly until: "acknowledged" | "recovered";
  /** In which people are told times. Default UTC. */
  readonly timeZone?: string;
}

/** An alert that is due, with everybody it goes to. */
export interface DueAlert {
  readonly event: AlertEvent;
  /** What the receivers know after it; null where it changes nothing of that. */
  readonly level: NotUp | null;
  readonly receivers: readonly Receiver[];
  /** Set in an alert about what the service says of itself. */
  readonly about?: {
    readonly message: string;
    readonly severity: Severity;
    readonly changes?: Alert["changes"];
  };
}

export interface DueAlerts {
  readonly alerts: readonly DueAlert[];
  /** When further alerts become due if nothing changes, in epoch milliseconds; null for never. */
  readonly lookAgainAt: number | null;
}

/** What a monitor lets anybody be told of. */
export const levelsOf = ({ alerts: { degraded } }: Pick<Monitor, "alerts">): readonly NotUp[] =>
  degraded ? ["degraded", "down"] : ["down"];

const RANK: Readonly<Record<NotUp, number>> = { degraded: 1, down: 2 };

const latest = (...moments: readonly Timestamp[]) => moments.toSorted().at(-1)!;

interface Wish {
  readonly event: NotUp | "reminder" | null;
  readonly lookAgainAt: number | null;
}
const NOTHING: Wish = { event: null, lookAgainAt: null };

/**
 * What one receiver has to be told because of one step, as if there were no other. A level is due `afterSeconds` after its
 * start: `degraded` after the start of the incident, `down` after the start of its present down phase. A start in the
 * future (clock skew) does not tell how long the trouble has lasted, so it is due at once.
 */
function wishOf(
  incident: Incident,
  { status, since }: { readonly status: NotUp; readonly since: Timestamp },
  { levels }: Plan,
  afterSeconds: number,
  told: Told | undefined,
  now: Date,
): Wish {
  if (told?.event === status) return NOTHING;
  const after = (moment: Timestamp) =>
    isBelievable(moment, now) ? Date.parse(notAfter(moment, now)) + afterSeconds * 1000 : now.getTime();
  const troubleAt = after(incident.startedAt);
  const levelAt =
    status === "down"
      ? after(incident.downSince ?? since)
      : told
        ? after(latest(since, incident.startedAt))
        : troubleAt;
  const takesLevel = levels.includes(status);
  if (takesLevel && levelAt <= now.getTime()) return { event: status, lookAgainAt: null };
  const levelTurn = takesLevel ? levelAt : null;
  // Trouble that has lasted long enough is told although it has been this bad for a moment only.
  if (told || status !== "down" || !levels.includes("degraded")) return { event: null, lookAgainAt: levelTurn };
  if (troubleAt <= now.getTime()) return { event: "degraded", lookAgainAt: levelTurn };
  return { event: null, lookAgainAt: levelTurn === null ? troubleAt : Math.min(troubleAt, levelTurn) };
}

function reminderOf(incident: Incident, plan: Plan, told: Told | undefined, now: Date): Wish {
  const { remindEverySeconds, remindAtMost, until } = plan;
  const isOff =
    remindEverySeconds === null || told?.event === "flapping" || (incident.acknowledged && until === "acknowledged");
  if (isOff || !told || told.reminders >= remindAtMost) return NOTHING;
  const at = Date.parse(notAfter(told.at, now)) + remindEverySeconds * 1000;
  return at <= now.getTime() ? { event: "reminder", lookAgainAt: null } : { event: null, lookAgainAt: at };
}

/** The acknowledgement holds back those who know nothing yet, until the trouble becomes worse than it was then. */
const isHeldBack = ({ acknowledged }: Incident, status: NotUp, told: Told | undefined) =>
  acknowledged !== null && !told && RANK[status] <= RANK[acknowledged.severity];

/** What matters more is told: a level before a reminder, the worse level before the other. */
const weight = (event: Wish["event"]) => (event === null ? 0 : event === "reminder" ? 1 : 1 + RANK[event]);

/**
 * Which alerts about an open incident are due now, and when to look again.
 * @param plans with receivers that this deployment can reach only
 */
export function alertsDue(
  incident: Incident,
  standing: { readonly status: NotUp; readonly since: Timestamp },
  plans: readonly Plan[],
  now: Date,
): DueAlerts {
  const due = new Map<Receiver, NonNullable<Wish["event"]>>();
  const turns: number[] = [];
  const wish = (receiver: Receiver, { event, lookAgainAt }: Wish) => {
    if (event && weight(event) > weight(due.get(receiver) ?? null)) due.set(receiver, event);
    if (lookAgainAt !== null) turns.push(lookAgainAt);
  };
  for (const plan of plans)
    for (const { afterSeconds, receivers } of plan.steps)
      for (const receiver of receivers) {
        const told = incident.told[receiver];
        if (!isHeldBack(incident, standing.status, told))
          wish(receiver, wishOf(incident, standing, plan, afterSeconds, told, now));
        wish(receiver, reminderOf(incident, plan, told, now));
      }

  const wanting = (event: Wish["event"]) =>
    due
      .entries()
      .filter(([, own]) => own === event)
      .map(([one]) => one)
      .toArray();
  const isKnown = Object.keys(incident.told).length > 0;
  const isLate = (receiver: Receiver) => isKnown && !incident.told[receiver];
  const alerts: DueAlert[] = [];
  for (const level of ["degraded", "down"] as const) {
    const own = wanting(level);
    // Who hears of an incident for the first time after others have heard of it does so by a later step.
    const [late, others] = [own.filter(isLate), own.filter((receiver) => !isLate(receiver))];
    if (others.length > 0) alerts.push({ event: level, level, receivers: others });
    if (late.length > 0) alerts.push({ event: "escalated", level, receivers: late });
  }
  const reminded = wanting("reminder");
  if (reminded.length > 0) alerts.push({ event: "reminder", level: null, receivers: reminded });
  return { alerts, lookAgainAt: turns.length > 0 ? Math.min(...turns) : null };
}

/** Plans without the receivers that this deployment cannot reach, because it does not have their channel. */
export const reachable = (plans: readonly Plan[], channels: readonly string[]): Plan[] =>
  plans.map((plan) => ({
    ...plan,
    steps: plan.steps.map(({ afterSeconds, receivers }) => ({
      afterSeconds,
      receivers: receivers.filter((receiver) => channels.includes(parseReceiver(receiver).channel)),
    })),
  }));

/** What an incident remembers of its receivers after an alert. */
export function remembered(told: Incident["told"], { event, level, receivers }: DueAlert, now: Date): Incident["told"] {
  if (level === null && event !== "reminder") return told;
  const at = now.toISOString();
  const after: Partial<Record<Receiver, Told>> = { ...told };
  const known = event === "flapping-started" ? "flapping" : level;
  for (const receiver of receivers) {
    const before = told[receiver];
    if (known) after[receiver] = { event: known, at, reminders: 0 };
    else if (before) after[receiver] = { ...before, at, reminders: before.reminders + 1 };
  }
  return after;
}
