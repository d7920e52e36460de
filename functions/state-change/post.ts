/** Posts alerts into the mailboxes of receivers, and has `deliver` look at them. */
import { needsPass } from "../../shared/rules/mailbox.ts";
import type { MailQueue } from "../../shared/store/mail-queue.ts";
import type { MailboxStore, Post } from "../../shared/store/mailbox.ts";

interface Dependencies {
  readonly mailbox: Pick<MailboxStore, "post" | "state">;
  readonly mailQueue: MailQueue;
  readonly now: () => Date;
  readonly log: (level: "warn", message: string, details: object) => void;
}

export const createPosting = ({ mailbox, mailQueue, now, log }: Dependencies) => {
  /** Errors are only logged: the mailbox's watchdog brings the receiver up again. */
  const queue = async (receiver: string) => {
    try {
      await mailQueue(receiver);
    } catch (error) {
      log("warn", "deliver could not be told of mail", { receiver, error });
    }
  };

  return {
    /** Puts an alert into a receiver's mailbox; delivered at least once, even if the process dies right after it. */
    async post(mail: Post): Promise<void> {
      await mailbox.post(mail, now());
      await queue(mail.receiver);
    },

    /** Queues a receiver whose state has changed, or was touched by dispatch, unless its mail is being delivered. */
    async call(receiver: string): Promise<void> {
      const state = await mailbox.state(receiver);
      if (state && needsPass(state, now())) await queue(receiver);
    },
  };
};
