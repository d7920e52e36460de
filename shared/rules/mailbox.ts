/**
 * Rules of a receiver's mailbox: who may deliver (the lease), which mail is due, in which order, and when a failed one
 * is tried again. Pure.
 */
import type { Alert, Timestamp } from "../model.ts";
import { CLOCK_TOLERANCE_SECONDS, isBelievable } from "./clock-skew.ts";
import { backoffSeconds, isHopeless } from "./outbox.ts";

/** One alert for one receiver that has not been delivered yet. */
export interface Mail {
  /** Sort key of its item: the time of the change, and the alert's id. */
  readonly place: string;
  readonly receiver: string;
  readonly alert: Alert;
  readonly createdAt: Timestamp;
  /** Of the outbox entry: orders the mail about one monitor, independent of clocks. */
  readonly sequence: number;
  readonly attempts: number;
  readonly nextAttemptAt: Timestamp;
  /** Whether a bug of ours has prevented an attempt, which topic `system` was told. */
  readonly hadFault: boolean;
}

/** The right of one process to deliver a receiver's mail. */
export interface Lease {
  readonly token: string;
  /** By the clock of its holder, which alone goes by it. Others wait for `LEASE_MS`, because clocks differ. */
  readonly until: Timestamp;
}

/** What is known of a receiver, beside its mail. */
export interface ReceiverState {
  readonly revision: number;
  readonly lease: Lease | null;
  /** Places before this one hold no waiting mail. */
  readonly doneUntil: string;
  /** Passes in a row in which the receiver took nothing. */
  readonly failures: number;
  /** Until when a receiver is left alone: it fails, it asked for a pause, or its next digest is not due yet. */
  readonly pausedUntil: Timestamp | null;
  /** When the last alerts were delivered, one moment for each, at most `STORM_ALERTS`; oldest first. */
  readonly recent: readonly Timestamp[];
  /** When the last digest was sent. */
  readonly digestAt: Timestamp | null;
  /** When the next failed mail is to be tried again. */
  readonly retryAt: Timestamp | null;
  /** Watchdog (`store/due.ts`): set while mail was posted that no pass has seen. */
  readonly lookBy: Timestamp | null;
}

/** Time that a process has for a pass. Its last attempt begins `ATTEMPT_MS` before the end. */
export const LEASE_MS = 20_000;
/** Timeout of one attempt. */
export const ATTEMPT_MS = 10_000;
/** After so many failed attempts, and none that the receiver took, a pass ends: the receiver is down. */
const FAILURES_PER_PASS = 3;
/** Longest pause that a receiver may ask for by `Retry-After`. */
const RETRY_AFTER_LIMIT_SECONDS = 24 * 3600;
const TOLERANCE_MS = CLOCK_TOLERANCE_SECONDS * 1000;
/** How far a pass may begin before the retry that it is for: the clock of whoever touches the receiver is not ours. */
const EARLY_MS = 5_000;

const iso = (ms: number): Timestamp => new Date(ms).toISOString();

export const newLease = (token: string, now: Date): Lease => ({ token, until: iso(now.getTime() + LEASE_MS) });

/** Whether the holder of a lease may still begin an attempt, which ends within the lease. */
export const mayAttempt = ({ until }: Lease, now: Date) => now.getTime() + ATTEMPT_MS <= Date.parse(until);

/** Whether a moment lies ahead; one that is further ahead than any can be was written by a wrong clock. */
const isAhead = (moment: Timestamp, now: Date, furthestMs = RETRY_AFTER_LIMIT_SECONDS * 1000) => {
  const ahead = Date.parse(moment) - now.getTime();
  return ahead > 0 && ahead <= furthestMs + TOLERANCE_MS;
};

export const isPaused = ({ pausedUntil }: Pick<ReceiverState, "pausedUntil">, now: Date) =>
  pausedUntil !== null && isAhead(pausedUntil, now);

/**
 * Whether a pass has anything to do: mail came that none has seen, a retry is due, or the last pass never ended; and the
 * receiver may be asked.
 */
export function needsPass(state: ReceiverState, now: Date): boolean {
  const soon = new Date(now.getTime() + EARLY_MS);
  if (isPaused(state, soon)) return false;
  return state.lease !== null || state.lookBy !== null || (state.retryAt !== null && !isAhead(state.retryAt, soon));
}

/** The mail about one monitor, in order: a later one waits until the earlier one is done. Never empty. */
export type Lane = readonly [Mail, ...Mail[]];

const SEVERITIES = ["critical", "warning", "info"];
const bySeverity = (one: Mail, other: Mail) =>
  SEVERITIES.indexOf(one.alert.severity) - SEVERITIES.indexOf(other.alert.severity) ||
  one.place.localeCompare(other.place);

/** Sorts by severity, then the oldest first. */
export const worstFirst = (mail: readonly Mail[]): Mail[] => mail.toSorted(bySeverity);

/** Waiting mail by monitor; the worst first, then the oldest. */
export function lanesOf(waiting: readonly Mail[]): Lane[] {
  const lanes = [...Map.groupBy(waiting, ({ alert }) => alert.monitor.id).values()].map(
    (own) => own.toSorted((a, b) => a.sequence - b.sequence) as unknown as Lane,
  );
  return lanes.toSorted(([one], [other]) => bySeverity(one, other));
}

/** When mail may be attempted. New mail at once: the clock of whoever posted it may have been ahead. */
const attemptAt = ({ attempts, nextAttemptAt }: Mail, now: Date) =>
  attempts === 0 ? now.toISOString() : nextAttemptAt;

export const isDue = ([first]: Lane, now: Date) => !isAhead(attemptAt(first, now), now);

/** From this many alerts within a minute on, people get digests. */
const STORM_ALERTS = 10;
const STORM_MS = 60_000;
/** Pause between two digests. */
const DIGEST_EVERY_MS = 30_000;

/** How people are told of much at once. */
export interface Digesting {
  /** How many alerts still go out one by one. */
  readonly singles: number;
  /** When the rest goes out as one message; a moment that has come means now. */
  readonly digestAt: Timestamp;
}

/** Whether so much waits, and was sent within the last minute, that people get a digest. @returns null if not */
export function digesting(
  waiting: number,
  { recent, digestAt }: Pick<ReceiverState, "recent" | "digestAt">,
  now: Date,
): Digesting | null {
  const since = now.getTime() - STORM_MS;
  const sent = recent.filter((moment) => isBelievable(moment, now) && Date.parse(moment) > since).length;
  if (sent + waiting < STORM_ALERTS) return null;
  const next = digestAt === null ? now.getTime() : Date.parse(digestAt) + DIGEST_EVERY_MS;
  const isPlausible = next - now.getTime() <= DIGEST_EVERY_MS + TOLERANCE_MS;
  return { singles: Math.max(0, STORM_ALERTS - 1 - sent), digestAt: iso(isPlausible ? next : now.getTime()) };
}

/** The moments of the last deliveries, with `count` more now. */
export const withRecent = (recent: readonly Timestamp[], count: number, now: Date): Timestamp[] =>
  [...recent, ...Array<Timestamp>(Math.min(count, STORM_ALERTS)).fill(now.toISOString())].slice(-STORM_ALERTS);

/** How a receiver took a message. */
export type Answer =
  | { readonly kind: "delivered"; readonly said: string }
  /** The receiver or the network did not take it. `isPermanent`: a retry cannot help. */
  | {
      readonly kind: "refused";
      readonly isPermanent: boolean;
      readonly error: string;
      readonly retryAfterSeconds: number | null;
    }
  /** We failed to make the message (a bug of ours); the receiver is not to blame. */
  | { readonly kind: "fault"; readonly error: string; readonly cause: unknown };

/** What becomes of mail after an attempt. */
export interface Result {
  readonly state: "waiting" | "sent" | "undeliverable";
  readonly attempts: number;
  readonly nextAttemptAt: Timestamp;
  readonly hadFault: boolean;
  /** What the receiver said, or why it was not asked. */
  readonly answer: string;
  /** The digest that it was a part of; null if it went alone. */
  readonly digest: string | null;
}

/** Milliseconds until the next attempt, shortened by up to a quarter so that receivers of one outage do not come at once. */
const pauseMs = (attempts: number, drawn: number) => backoffSeconds(attempts) * 1000 * (1 - drawn / 4);

/**
 * @param failures passes in a row in which the receiver took nothing, this one included: they count like attempts,
 * because only a few mails are attempted while a receiver is down
 * @param drawn a random number from 0 to 1
 */
export function resultOf(
  mail: Mail,
  answer: Answer,
  failures: number,
  now: Date,
  drawn: number,
): Omit<Result, "digest"> {
  const attempts = mail.attempts + 1;
  const next = new Date(now.getTime() + pauseMs(attempts, drawn));
  const isLost =
    answer.kind !== "delivered" &&
    ((answer.kind === "refused" && answer.isPermanent) ||
      isHopeless(mail.createdAt, Math.max(attempts, failures), next));
  return {
    state: answer.kind === "delivered" ? "sent" : isLost ? "undeliverable" : "waiting",
    attempts,
    nextAttemptAt: next.toISOString(),
    hadFault: mail.hadFault || answer.kind === "fault",
    answer: answer.kind === "delivered" ? answer.said : answer.error,
  };
}

/** Whether mail that was not attempted is to be given up, because its receiver has been down for too long. */
export const isGivenUp = ({ createdAt }: Mail, failures: number, now: Date) => isHopeless(createdAt, failures, now);

/** How a receiver as a whole behaved in a pass. */
export interface Behaviour {
  /** Whether it took or refused for good any message: it can be reached. */
  readonly hasAnswered: boolean;
  /** Attempts that failed and may be repeated. */
  readonly failed: number;
  /** The longest pause that it asked for. */
  readonly retryAfterSeconds: number | null;
}

export const NO_BEHAVIOUR: Behaviour = { hasAnswered: false, failed: 0, retryAfterSeconds: null };

export function observe(seen: Behaviour, answer: Answer): Behaviour {
  switch (answer.kind) {
    case "delivered":
      return { ...seen, hasAnswered: true };
    case "refused":
      return answer.isPermanent
        ? { ...seen, hasAnswered: true }
        : {
            ...seen,
            failed: seen.failed + 1,
            retryAfterSeconds:
              Math.max(
                seen.retryAfterSeconds ?? 0,
                Math.min(answer.retryAfterSeconds ?? 0, RETRY_AFTER_LIMIT_SECONDS),
              ) || null,
          };
    case "fault":
      return seen;
  }
}

/** Whether a pass must end: the receiver asked for a pause, or is down. @param wasDown whether it was before the pass */
export const mustStop = ({ hasAnswered, failed, retryAfterSeconds }: Behaviour, wasDown: boolean) =>
  retryAfterSeconds !== null || (!hasAnswered && failed >= (wasDown ? 1 : FAILURES_PER_PASS));

/** What a receiver's state becomes by a pass. @param failures before it */
export function standingAfter(
  { hasAnswered, failed, retryAfterSeconds }: Behaviour,
  failures: number,
  now: Date,
  drawn: number,
) {
  const isDown = !hasAnswered && failed > 0;
  const count = hasAnswered ? 0 : failures + (isDown ? 1 : 0);
  const pause = Math.max(isDown ? pauseMs(count, drawn) : 0, (retryAfterSeconds ?? 0) * 1000);
  return { failures: count, pausedUntil: pause > 0 ? iso(now.getTime() + pause) : null };
}

/** When the receiver's mail must be looked at again; null when none waits. */
export function retryMoment(waiting: readonly Mail[], pausedUntil: Timestamp | null, now: Date): Timestamp | null {
  const next = lanesOf(waiting).map(([first]) => attemptAt(first, now));
  const [first] = next.toSorted();
  if (!first) return null;
  return pausedUntil !== null && pausedUntil > first ? pausedUntil : first;
}
