/** Makes delivery attempts through alert channels. */
import { refused } from "../../shared/alerts/channels/answer.ts";
import type { Outside } from "../../shared/alerts/channels/channel.ts";
import { withoutSecrets } from "../../shared/alerts/channels/secrets.ts";
import type { Alert } from "../../shared/model.ts";
import { HIDDEN } from "../../shared/protocols/secrets.ts";
import { type Answer, ATTEMPT_MS } from "../../shared/rules/mailbox.ts";
import { type AcknowledgeLinksOf, type LinkOf, NO_LINKS } from "./acknowledge-link.ts";
import { DELETED, type FindTarget, type Target, UnknownReceiver } from "./targets.ts";

/** A receiver that messages can be sent to. */
export interface Recipient {
  /** Whether it can get many alerts in one message. */
  readonly takesDigests: boolean;
  /** Milliseconds between two messages. */
  readonly spacingMs: number;
  /** Makes one delivery attempt: of one alert, or of several as a digest. Never throws: a failure is an answer. */
  readonly send: (alerts: readonly Alert[], digestId: string) => Promise<Answer>;
  /** Called once an alert is recorded as delivered or given up. */
  readonly done?: (alert: Alert) => Promise<void>;
}

/** @throws Error if the receiver cannot be looked up now */
export type FindRecipient = (receiver: string) => Promise<Recipient>;

interface Dependencies {
  readonly findTarget: FindTarget;
  /** Notes that a deleted channel was told the end of an incident. */
  readonly settleOwed: (receiver: string, incidentId: string) => Promise<void>;
  readonly outside: Outside;
  /** Where people read all incidents; null if nowhere. */
  readonly url: string | null;
  readonly linksOf: AcknowledgeLinksOf;
  readonly now: () => Date;
}

const saidBy = (error: unknown) => {
  const { name, message } = error as Error;
  return `${name}: ${message}`;
};

/** A receiver that gets nothing, because it is unknown. */
const without = (answer: Answer): Recipient => ({ takesDigests: false, spacingMs: 0, send: async () => answer });

export const createFindRecipient = (dependencies: Dependencies): FindRecipient => {
  const { findTarget, settleOwed, outside, url, linksOf, now } = dependencies;
  const render = ({ channel, settings }: Target, linkOf: LinkOf, alerts: readonly Alert[], id: string) => {
    const context = { ...outside, now: now() };
    const [alert] = alerts;
    return alerts.length > 1 && channel.renderDigest
      ? channel.renderDigest({ id, alerts, url }, settings, context)
      : channel.render({ ...alert!, acknowledgeUrl: linkOf(alert!) }, settings, context);
  };

  const attempt = async (
    target: Target,
    linkOf: LinkOf,
    alerts: readonly Alert[],
    digestId: string,
  ): Promise<Answer> => {
    let message: unknown;
    try {
      message = render(target, linkOf, alerts, digestId);
    } catch (error) {
      return { kind: "fault", error: saidBy(error), cause: error };
    }
    try {
      return await target.channel.send(message, outside, AbortSignal.timeout(ATTEMPT_MS));
    } catch (error) {
      return refused(saidBy(error));
    }
  };

  /** An answer may repeat the request's URL, which may be secret. */
  const hide = (answer: Answer, { secrets }: Target): Answer =>
    answer.kind === "delivered"
      ? { ...answer, said: withoutSecrets(answer.said, secrets, HIDDEN) }
      : { ...answer, error: withoutSecrets(answer.error, secrets, HIDDEN) };

  /** A channel that was deleted: it is told the end of what it was told of, one by one, and nothing else. */
  const deleted = (receiver: string, { spacingMs, send }: Recipient, owed: ReadonlySet<string>): Recipient => {
    const isOwed = ({ incidentState, incidentId }: Alert) => incidentState === "ended" && owed.has(incidentId);
    return {
      takesDigests: false,
      spacingMs,
      send: async ([alert], digestId) => (isOwed(alert!) ? send([alert!], digestId) : DELETED),
      done: async (alert) => {
        if (isOwed(alert)) await settleOwed(receiver, alert.incidentId);
      },
    };
  };

  return async (receiver) => {
    let target: Target | Answer;
    try {
      target = await findTarget(receiver);
    } catch (error) {
      if (!(error instanceof UnknownReceiver)) throw error;
      return without({ kind: "fault", error: saidBy(error.cause), cause: error.cause });
    }
    if ("kind" in target) return without(target);
    const { audience, renderDigest, rate } = target.channel;
    const linkOf = audience === "people" ? await linksOf(receiver) : NO_LINKS;
    const recipient: Recipient = {
      takesDigests: audience === "people" && renderDigest !== undefined,
      spacingMs: rate ? (rate.seconds * 1000) / rate.messages : 0,
      send: async (alerts, digestId) => hide(await attempt(target, linkOf, alerts, digestId), target),
    };
    return target.owed ? deleted(receiver, recipient, target.owed) : recipient;
  };
};
