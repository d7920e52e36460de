/**
 * One pass over a receiver's mailbox: takes the lease, sends what is due, records each result, and ends when nothing more
 * is due. Mail that is posted meanwhile makes it look again.
 */
import { mayAttempt, needsPass, newLease, retryMoment } from "../../shared/rules/mailbox.ts";
import type { TimerQueue } from "../../shared/store/jobs.ts";
import { receiverKey } from "../../shared/store/keys.ts";
import type { MailboxStore } from "../../shared/store/mailbox.ts";
import type { Round } from "./round.ts";

export interface PassReport {
  readonly delivered: number;
  readonly undeliverable: number;
}

interface Dependencies {
  readonly mailbox: MailboxStore;
  readonly queueTimers: TimerQueue;
  readonly round: Round;
  readonly now: () => Date;
  readonly newId: () => string;
}

export const createPass = ({ mailbox, queueTimers, round, now, newId }: Dependencies) => {
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
        if (retryAt) await queueTimers([{ ...receiverKey(receiver), dueAt: retryAt }]);
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
