/**
 * Tells topic `system` of mail that cannot be delivered, and notes it on the incident; before that is recorded on the
 * mail, so that a process that dies in between does it again.
 */
import { createHash } from "node:crypto";
import { headline } from "../../shared/alerts/render.ts";
import type { Answer, Mail, Result } from "../../shared/rules/mailbox.ts";
import type { DecisionStore } from "../../shared/store/decisions.ts";
import type { MailboxStore } from "../../shared/store/mailbox.ts";
import { isSystemEvent, type SystemEvent } from "../../shared/system-events.ts";

interface Dependencies {
  readonly mailbox: Pick<MailboxStore, "notify">;
  readonly decisions: Pick<DecisionStore, "noteUndeliverable">;
  readonly now: () => Date;
  readonly log: (level: "info" | "warn" | "error", message: string, details: object) => void;
}

/** Tells such messages apart without naming the receiver, which may be somebody's address. */
const aboutOf = (name: string) => `delivery.${createHash("sha256").update(name).digest("hex").slice(0, 16)}`;

export const createLosses = ({ mailbox, decisions, now, log }: Dependencies) => {
  /** What could not be told is told by policies too, unless it was such a message itself: that would go on for ever. */
  const tell = (name: string, { alert }: Mail, event: SystemEvent, subject: string, message: string) => {
    const isSystem = isSystemEvent(alert.event);
    const content = { kind: "system", subject, message, ...(!isSystem && { event, about: aboutOf(name) }) } as const;
    return mailbox.notify({ name, entry: { key: `system#${name}`, content, receivers: ["system"] } }, now());
  };

  const reportFault = async (mail: Mail, error: string, isLost: boolean) => {
    const { alert, receiver, hadFault } = mail;
    if (hadFault && !isLost) return;
    const outlook = isLost
      ? "It was tried again for a day and is given up."
      : "It is tried again, and what else the receiver has to be told of this monitor waits for it.";
    const message = `Alert ${alert.alertId} for ${receiver} cannot be sent, by a fault of Harborlight: ${error}. ${outlook} Please report this.`;
    const name = `${isLost ? "lost" : "fault"}#${alert.alertId}#${receiver}`;
    await tell(name, mail, "system.fault", "An alert cannot be sent by a fault of Harborlight", message);
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
      if (!isLost || alert.page) return;
      const note = { error, at: now().toISOString() };
      if (!isSystemEvent(alert.event))
        await decisions.noteUndeliverable(monitor.id, startedAt, `${alertId} ${receiver}`, note);
      const message = `"${headline(alert)}" (alert ${alertId}) could not be delivered to ${receiver}: ${error}`;
      const name = `lost#${alertId}#${receiver}`;
      await tell(name, mail, "system.undeliverable", "An alert could not be delivered", message);
    },
  };
};
export type Losses = ReturnType<typeof createLosses>;
