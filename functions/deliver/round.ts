/** One round of a pass: attempts the waiting mail that is due, and records each result. */
import type { Timestamp } from "../../shared/model.ts";
import { inParallel } from "../../shared/parallel.ts";
import {
  type Answer,
  type Digesting,
  digesting,
  isDue,
  isGivenUp,
  isPaused,
  type Lane,
  type Lease,
  lanesOf,
  type Mail,
  mayAttempt,
  mustStop,
  NO_BEHAVIOUR,
  observe,
  type ReceiverState,
  resultOf,
  standingAfter,
  withRecent,
  worstFirst,
} from "../../shared/rules/mailbox.ts";
import type { MailboxStore, Standing } from "../../shared/store/mailbox.ts";
import type { Losses } from "./losses.ts";
import type { FindRecipient } from "./send.ts";

/** Monitors whose mail to one receiver is sent at the same time. */
const LANES_AT_ONCE = 10;

interface Dependencies {
  readonly mailbox: Pick<MailboxStore, "record">;
  readonly findRecipient: FindRecipient;
  readonly losses: Losses;
  readonly now: () => Date;
  readonly sleep: (ms: number) => Promise<unknown>;
  /** A random number from 0 to 1. */
  readonly random: () => number;
  readonly log: (level: "info" | "warn" | "error", message: string, details: object) => void;
}

/** What a round did to the mail that it was given. */
export interface RoundReport {
  /** What still waits, oldest first. */
  readonly left: readonly Mail[];
  readonly sent: number;
  readonly lost: number;
  /** Whether the time of the lease was too short for all that was due. */
  readonly isCut: boolean;
  /** What the receiver's state becomes. */
  readonly standing: Standing;
  readonly pausedUntil: Timestamp | null;
}

export const createRound =
  ({ mailbox, findRecipient, losses, now, sleep, random, log }: Dependencies) =>
  /** @throws Error if another process records mail of this receiver */
  async (receiver: string, mail: readonly Mail[], state: ReceiverState, lease: Lease): Promise<RoundReport> => {
    const { failures, pausedUntil } = state;
    if (isPaused(state, now())) return { left: mail, sent: 0, lost: 0, isCut: false, standing: state, pausedUntil };
    const { takesDigests, spacingMs, send, done } = await findRecipient(receiver);
    const left = new Map(mail.map((one) => [one.place, one]));
    let behaviour = NO_BEHAVIOUR;
    let [sent, lost, isCut] = [0, 0, false];
    let { recent, digestAt } = state;
    let holdUntil: Timestamp | null = null;
    let refusal: Answer | undefined;
    // The pass before may just have sent something; its clock may have been ahead.
    let slotMs = Math.min(Date.parse(recent.at(-1) ?? "1970-01-01"), now().getTime()) + spacingMs;
    const wasDown = failures > 0;

    /** Whether no attempt may begin at a moment, in epoch milliseconds. */
    const isOver = (atMs: number): boolean => {
      if (mustStop(behaviour, wasDown)) return true;
      const isLate = !mayAttempt(lease, new Date(atMs));
      isCut ||= isLate;
      return isLate; // not `isCut`: another lane may have asked for a later moment
    };

    /** Waits for the receiver's rate, unless that would take longer than the lease. @returns false if no attempt may follow */
    const mayGo = async (): Promise<boolean> => {
      const atMs = Math.max(slotMs, now().getTime());
      if (isOver(atMs)) return false;
      slotMs = atMs + spacingMs;
      const waitMs = atMs - now().getTime();
      if (spacingMs > 0 && waitMs > 0) await sleep(waitMs);
      return !isOver(now().getTime());
    };

    /** Records an answer. @returns whether the mail is done */
    const settle = async (one: Mail, answer: Answer, digest: string | null = null): Promise<boolean> => {
      const count = standingAfter(behaviour, failures, now(), 0).failures;
      const result = { ...resultOf(one, answer, count, now(), random()), digest };
      if (answer.kind !== "delivered") await losses.report(one, answer, result);
      if (!(await mailbox.record(one, result, now())))
        throw new Error(`mail ${one.place} of ${receiver} was recorded by another process`);
      if (result.state === "waiting") {
        left.set(one.place, { ...one, ...result });
        return false;
      }
      await done?.(one.alert);
      left.delete(one.place);
      if (result.state === "sent") {
        sent++;
        log("info", "alert delivered", { alertId: one.alert.alertId, receiver, digest });
      } else lost++;
      return true;
    };

    /** Sends alerts as one message, and records the answer on each. @returns whether all are done */
    const attempt = async (some: readonly Mail[], digest: string | null = null): Promise<boolean> => {
      if (!(await mayGo())) return false;
      const alerts = some.map(({ alert }) => alert);
      const answer = await send(alerts, digest ?? "");
      behaviour = observe(behaviour, answer);
      if (answer.kind === "refused") refusal = answer;
      if (answer.kind === "delivered") recent = withRecent(recent, some.length, now());
      let isDone = true;
      await inParallel(some, LANES_AT_ONCE, async (one) => {
        isDone = (await settle(one, answer, digest)) && isDone;
      });
      return isDone;
    };

    /** Sends the mail about one monitor in order, until one has to wait. */
    const deliver = async (lane: readonly Mail[]): Promise<void> => {
      for (const one of lane) if (!(await attempt([one]))) return;
    };

    /** One attempt shows whether a receiver that was down works again; if it does, everything that waits goes at once. */
    const deliverAll = async (lanes: readonly Lane[]): Promise<void> => {
      const due = lanes.filter((lane) => isDue(lane, now()));
      if (!wasDown) return inParallel(due, LANES_AT_ONCE, deliver);
      // With the mail that was tried least, so that no single one that is refused holds up the others.
      const [probe] = due.toSorted((a, b) => a[0].attempts - b[0].attempts);
      if (!probe) return;
      await deliver(probe);
      if (!behaviour.hasAnswered) return;
      const others = lanes.filter((lane) => lane !== probe);
      await inParallel(others, LANES_AT_ONCE, deliver);
    };

    /** Sends a few alerts one by one, and the rest of what is due as one message when that may be sent. */
    const deliverDigest = async (lanes: readonly Lane[], { singles, digestAt: at }: Digesting): Promise<void> => {
      const first = wasDown ? [] : lanes.slice(0, singles);
      await inParallel(first, LANES_AT_ONCE, ([head]) => attempt([head]).then(() => {}));
      const isBlocked = ([head]: Lane) => first.some(([one]) => one === head) && left.has(head.place);
      const rest = lanes
        .filter((lane) => !isBlocked(lane))
        .flatMap((lane) => lane.filter(({ place }) => left.has(place)));
      if (rest.length === 0) return;
      if (Date.parse(at) > now().getTime()) {
        holdUntil = at;
        return;
      }
      const id = rest.length > 1 ? `${rest[0]!.alert.alertId}+${rest.length}` : null;
      if (await attempt(worstFirst(rest), id)) digestAt = now().toISOString();
    };

    const lanes = lanesOf(mail);
    const due = lanes.filter((lane) => isDue(lane, now()));
    const atOnce = due.length > 0 && wasDown ? lanes : due;
    const storm = takesDigests ? digesting(atOnce.flat().length, state, now()) : null;
    if (storm) await deliverDigest(atOnce, storm);
    else await deliverAll(lanes);
    if (refusal && !behaviour.hasAnswered) {
      const { failures: count } = standingAfter(behaviour, failures, now(), 0);
      for (const one of left.values()) if (isGivenUp(one, count, now())) await settle(one, refusal);
    }
    const after = standingAfter(behaviour, failures, now(), random());
    return {
      left: [...left.values()],
      sent,
      lost,
      isCut,
      standing: { failures: after.failures, recent, digestAt },
      pausedUntil: later(after.pausedUntil, holdUntil),
    };
  };

/** The later of two moments. */
const later = (one: Timestamp | null, other: Timestamp | null) =>
  one !== null && other !== null && one > other ? one : (other ?? one);

export type Round = ReturnType<typeof createRound>;
