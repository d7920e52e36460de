/** Traffic of the store of mailboxes: each of its methods, races included. */
import type { Lease, ReceiverState } from "../../shared/rules/mailbox.ts";
import type { MailboxStore } from "../../shared/store/mailbox.ts";
import { numberedAlert } from "../support/mail.ts";
import type { Chance } from "./clock.ts";

const RECEIVERS = ["sns", "email:ops@example.com"];

export function mailboxTraffic(
  mailbox: MailboxStore,
  chance: Chance,
  now: () => Date,
): Record<string, () => Promise<unknown>> {
  const receiver = () => chance.pick(RECEIVERS);
  const iso = (afterSeconds: number) => new Date(now().getTime() + afterSeconds * 1000).toISOString();
  /** What was read of a receiver some time ago. */
  const read = new Map<string, ReceiverState>();
  const seen = async (name: string) => {
    const state = chance.chance(0.5) ? read.get(name) : await mailbox.state(name);
    if (state) read.set(name, state);
    return state;
  };
  const lease = (): Lease => ({ token: chance.pick(["one", "other"]), until: iso(60) });
  const standing = () => ({
    failures: chance.int(3),
    recent: chance.chance(0.5) ? [] : [iso(-5), iso(0)],
    digestAt: chance.chance(0.5) ? null : iso(0),
  });

  return {
    post: () =>
      mailbox.post(
        {
          receiver: receiver(),
          alert: numberedAlert(chance.int(4)),
          createdAt: iso(chance.int(60) - 30),
          sequence: chance.int(9),
        },
        now(),
      ),
    receiverState: async () => {
      await seen(receiver());
    },
    takeLease: async () => {
      const name = receiver();
      const state = await seen(name);
      if (state) await mailbox.take(name, state, lease());
    },
    waiting: () => mailbox.waiting(receiver(), chance.chance(0.5) ? " " : iso(-30)),
    record: async () => {
      const { mail } = await mailbox.waiting(receiver(), " ");
      const [first] = mail;
      if (!first) return;
      const attempts = chance.chance(0.8) ? first.attempts : first.attempts + 1;
      await mailbox.record(
        { ...first, attempts },
        {
          state: chance.pick(["sent", "waiting", "undeliverable"]),
          attempts: first.attempts + 1,
          nextAttemptAt: iso(10),
          hadFault: chance.chance(0.2),
          answer: "said",
          digest: chance.chance(0.2) ? "digest" : null,
        },
        now(),
      );
    },
    finish: async () => {
      const name = receiver();
      const state = await seen(name);
      if (!state) return;
      const pausedUntil = chance.chance(0.5) ? null : iso(20);
      const retryAt = chance.chance(0.5) ? null : iso(30);
      await mailbox.finish(name, state, lease(), { ...standing(), pausedUntil, retryAt, doneUntil: iso(-20) });
    },
    release: () => mailbox.release(receiver(), lease(), standing(), now()),
    notify: () => {
      const content = { kind: "system", subject: "s", message: "m" } as const;
      const entry = { key: "system#x", content, receivers: ["system"] } as const;
      return mailbox.notify({ name: chance.pick(["x", "y"]), entry }, now());
    },
  };
}
