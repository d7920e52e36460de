/**
 * One pass over a receiver's mailbox: takes the lease, sends what is due, records each result, and ends when nothing more
 * is due. Mail that is posted meanwhile makes it look again.
 */
import {
  LEASE_MS,
  mayAttempt,
  needsPass,
  newLease,
  type ReceiverState,
  retryMoment,
} from "../../shared/rules/mailbox.ts";
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
  readonly sleep: (ms: number) => Promise<unknown>;
  readonly newId: () => string;
}

export const createPass = ({ mailbox, queueTimers, round, now, sleep, newId }: Dependencies) => {
  /**
   * Reads a receiver. If another process has the lease, waits until that process is done or the lease is over, measured by
   * our own wait: a stored end would be that of another's clock. The stream delivers records of one receiver one after
   * another, so the holder has usually died.
   * @returns undefined if another process delivers
   */
  const stateWhenFree = async (receiver: string): Promise<ReceiverState | undefined> => {
    const seen = await mailbox.state(receiver);
    if (!seen?.lease) return seen;
    await sleep(LEASE_MS);
    const later = await mailbox.state(receiver);
    return later?.lease && later.lease.token !== seen.lease.token ? undefined : later;
  };

  /**
   * Delivers the mail of a receiver, unless another process does.
   * @throws Error if another process has recorded mail of this receiver meanwhile
   */
  return async (receiver: string): Promise<PassReport> => {
    let [delivered, undeliverable] = [0, 0];
    const seen = await stateWhenFree(receiver);
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
