/**
 * Tells topic `system` of mail that cannot be delivered, and notes it on the incident; before that is recorded on the
 * mail, so that a process that dies in between does it again.
 */
import { headline } from "../../shared/alerts/render.ts";
import type { Answer, Mail, Result } from "../../shared/rules/mailbox.ts";
import type { DecisionStore } from "../../shared/store/decisions.ts";
import type { MailboxStore } from "../../shared/store/mailbox.ts";

interface Dependencies {
  readonly mailbox: Pick<MailboxStore, "notify">;
  readonly decisions: Pick<DecisionStore, "noteUndeliverable">;
  readonly now: () => Date;
  readonly log: (level: "info" | "warn" | "error", message: string, details: object) => void;
}

export const createLosses = ({ mailbox, decisions, now, log }: Dependencies) => {
  const tell = (name: string, subject: string, message: string) => {
    const content = { kind: "system", subject, message } as const;
    return mailbox.notify({ name, entry: { key: `system#${name}`, content, receivers: ["system"] } }, now());
  };

  const reportFault = async ({ alert, receiver, hadFault }: Mail, error: string, isLost: boolean) => {
    if (hadFault && !isLost) return;
    const outlook = isLost
      ? "It was tried again for a day and is given up."
      : "It is tried again, and what else the receiver has to be told of this monitor waits for it.";
    const message = `Alert ${alert.alertId} for ${receiver} cannot be sent, by a fault of Harborlight: ${error}. ${outlook} Please report this.`;
    const name = `${isLost ? "lost" : "fault"}#${alert.alertId}#${receiver}`;
    await tell(name, "An alert cannot be sent by a fault of Harborlight", message);
  };

  return {
    /** Tells of a failed attempt what people have to know. */
    async report(mail: Mail, answer: Exclude<Answer, { kind: "delivered" }>, { state }: Result): Promise<void> {
      const { alert, receiver } = mail;
      const { alertId, startedAt, monitor } = alert;
      const { error } = answer;
      const isLost = state === "undeliverable";
      if (answer.kind === "fault") {
        const details = { alertId, receiver, givenUp: isLost, error: answer.cause };
        log("error", "a message could not be rendered (a bug of Harborlight)", details);
        return reportFault(mail, error, isLost);
      }
      log("error", "delivery failed", { alertId, receiver, givenUp: isLost, error });
      if (!isLost) return;
      await decisions.noteUndeliverable(monitor.id, startedAt, `${alertId} ${receiver}`, {
        error,
        at: now().toISOString(),
      });
      const message = `"${headline(alert)}" (alert ${alertId}) could not be delivered to ${receiver}: ${error}`;
      await tell(`lost#${alertId}#${receiver}`, "An alert could not be delivered", message);
    },
  };
};
export type Losses = ReturnType<typeof createLosses>;
