/**
 * One pass over a receiver's mailbox: takes the lease, sends what is due, records each result, and ends when nothing more
 * is due. Mail that is posted meanwhile makes it look again.
 */
import type { Timestamp } from "../../shared/model.ts";
import { MAX_MAIL_DELAY_SECONDS } from "../../shared/payloads.ts";
import { mayAttempt, needsPass, newLease, retryMoment } from "../../shared/rules/mailbox.ts";
import type { MailQueue } from "../../shared/store/mail-queue.ts";
import type { MailboxStore } from "../../shared/store/mailbox.ts";
import type { Round } from "./round.ts";

export interface PassReport {
  readonly delivered: number;
  readonly undeliverable: number;
}

interface Dependencies {
  readonly mailbox: MailboxStore;
  readonly queue: MailQueue;
  readonly round: Round;
  readonly now: () => Date;
  readonly newId: () => string;
  readonly log: (level: "info" | "warn" | "error", message: string, details: object) => void;
}

export const createPass = ({ mailbox, queue, round, now, newId, log }: Dependencies) => {
  /** Queues the next pass. An error is only logged: the receiver's timer brings it up half a minute later. */
  const queueRetry = async (receiver: string, retryAt: Timestamp) => {
    const seconds = Math.max(0, Math.ceil((Date.parse(retryAt) - now().getTime()) / 1000));
    if (seconds > MAX_MAIL_DELAY_SECONDS) return;
    try {
      await queue(receiver, seconds);
    } catch (error) {
      log("warn", "a retry could not be queued", { receiver, error });
    }
  };

  /**
   * Delivers the mail of a receiver, unless another process does.
   * @throws Error if another process has recorded mail of this receiver meanwhile
   */
  return async (receiver: string): Promise<PassReport> => {
    let [delivered, undeliverable] = [0, 0];
    const seen = await mailbox.state(receiver);
    const lease = newLease(newId(), now());
    let state = seen && needsPass(seen, now()) ? await mailbox.take(receiver, seen, lease) : undefined;
    let from = state?.doneUntil ?? "";
    while (state) {
      const { mail, last, hasMore } = await mailbox.waiting(receiver, from);
      const { left, sent, lost, isCut, standing, pausedUntil } = await round(receiver, mail, state, lease);
      delivered += sent;
      undeliverable += lost;
      const doneUntil = left[0]?.place ?? last;
      const readsOn = hasMore && !pausedUntil && (doneUntil > from || left.length < mail.length);
      if (isCut || (readsOn && !mayAttempt(lease, now()))) {
        await mailbox.release(receiver, lease, standing, now());
        break;
      }
      if (readsOn) {
        from = doneUntil;
        state = { ...state, ...standing };
        continue;
      }
      const retryAt = retryMoment(left, pausedUntil, now());
      if (await mailbox.finish(receiver, state, lease, { ...standing, pausedUntil, retryAt, doneUntil })) {
        if (retryAt) await queueRetry(receiver, retryAt);
        break;
      }
      const fresh = await mailbox.state(receiver);
      if (fresh?.lease?.token !== lease.token) break;
      state = { ...fresh, ...standing, pausedUntil };
      from = fresh.doneUntil;
    }
    return { delivered, undeliverable };
  };
};
