/** One round of a pass: attempts the waiting mail that is due, and records each result. */
import { inParallel } from "../../shared/parallel.ts";
import {
  type Answer,
  type Behaviour,
  isDue,
  isGivenUp,
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
} from "../../shared/rules/mailbox.ts";
import type { MailboxStore } from "../../shared/store/mailbox.ts";
import type { Losses } from "./losses.ts";
import type { Send } from "./send.ts";

/** Monitors whose mail to one receiver is sent at the same time. */
const LANES_AT_ONCE = 10;

interface Dependencies {
  readonly mailbox: Pick<MailboxStore, "record">;
  readonly send: Send;
  readonly losses: Losses;
  readonly now: () => Date;
  /** A random number from 0 to 1. */
  readonly random: () => number;
  readonly log: (level: "info" | "warn" | "error", message: string, details: object) => void;
}

/** What a round did to the mail that it was given. */
export interface RoundReport {
  readonly behaviour: Behaviour;
  /** What still waits, oldest first. */
  readonly left: readonly Mail[];
  readonly sent: number;
  readonly lost: number;
  /** Whether the time of the lease was too short for all that was due. */
  readonly isCut: boolean;
}

export const createRound =
  ({ mailbox, send, losses, now, random, log }: Dependencies) =>
  /** @throws Error if another process records mail of this receiver */
  async (mail: readonly Mail[], { failures }: Pick<ReceiverState, "failures">, lease: Lease): Promise<RoundReport> => {
    const left = new Map(mail.map((one) => [one.place, one]));
    let behaviour = NO_BEHAVIOUR;
    let [sent, lost, isCut] = [0, 0, false];
    let refusal: Answer | undefined;
    const wasDown = failures > 0;

    /** Records an answer. @returns whether the mail is done */
    const settle = async (one: Mail, answer: Answer): Promise<boolean> => {
      const count = standingAfter(behaviour, failures, now(), 0).failures;
      const result = resultOf(one, answer, count, now(), random());
      if (answer.kind !== "delivered") await losses.report(one, answer, result);
      if (!(await mailbox.record(one, result, now())))
        throw new Error(`mail ${one.place} of ${one.receiver} was recorded by another process`);
      if (result.state === "waiting") {
        left.set(one.place, { ...one, ...result });
        return false;
      }
      left.delete(one.place);
      if (result.state === "sent") sent++;
      else lost++;
      return true;
    };

    /** Sends the mail about one monitor in order, until one has to wait. */
    const deliver = async (lane: readonly Mail[]): Promise<void> => {
      for (const one of lane) {
        if (mustStop(behaviour, wasDown)) return;
        if (!mayAttempt(lease, now())) {
          isCut = true;
          return;
        }
        const answer = await send(one);
        behaviour = observe(behaviour, answer);
        if (answer.kind === "refused") refusal = answer;
        if (!(await settle(one, answer))) return;
        if (answer.kind === "delivered")
          log("info", "alert delivered", { alertId: one.alert.alertId, receiver: one.receiver });
      }
    };

    const lanes = lanesOf(mail);
    const due = lanes.filter((lane) => isDue(lane, now()));
    // One attempt shows whether a receiver that was down works again: with the mail that was tried least, so that no
    // single one that is refused holds up the others. If it does, everything that waits goes at once.
    const probe = wasDown ? due.toSorted((a, b) => a[0].attempts - b[0].attempts)[0] : undefined;
    if (probe) await deliver(probe);
    if (!wasDown) await inParallel(due, LANES_AT_ONCE, deliver);
    else if (behaviour.hasAnswered)
      await inParallel(
        lanes.filter((lane) => lane !== probe),
        LANES_AT_ONCE,
        deliver,
      );
    if (refusal && !behaviour.hasAnswered) {
      const { failures: count } = standingAfter(behaviour, failures, now(), 0);
      for (const one of left.values()) if (isGivenUp(one, count, now())) await settle(one, refusal);
    }
    return { behaviour, left: [...left.values()], sent, lost, isCut };
  };
export type Round = ReturnType<typeof createRound>;
