/** Makes delivery attempts through alert channels. */
import { refused } from "../../shared/alerts/channels/answer.ts";
import type { Outside } from "../../shared/alerts/channels/channel.ts";
import { withoutSecrets } from "../../shared/alerts/channels/secrets.ts";
import type { Alert } from "../../shared/model.ts";
import { HIDDEN } from "../../shared/protocols/secrets.ts";
import { type Answer, ATTEMPT_MS } from "../../shared/rules/mailbox.ts";
import { type AcknowledgeLinksOf, type LinkOf, NO_LINKS } from "./acknowledge-link.ts";
import { type FindTarget, type Target, UnknownReceiver } from "./targets.ts";

/** A receiver that messages can be sent to. */
export interface Recipient {
  /** Whether it can get many alerts in one message. */
  readonly takesDigests: boolean;
  /** Milliseconds between two messages. */
  readonly spacingMs: number;
  /** Makes one delivery attempt: of one alert, or of several as a digest. Never throws: a failure is an answer. */
  readonly send: (alerts: readonly Alert[], digestId: string) => Promise<Answer>;
}

/** @throws Error if the receiver cannot be looked up now */
export type FindRecipient = (receiver: string) => Promise<Recipient>;

interface Dependencies {
  readonly findTarget: FindTarget;
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

export const createFindRecipient = ({ findTarget, outside, url, linksOf, now }: Dependencies): FindRecipient => {
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

  return async (receiver) => {
    let target: Target | null;
    try {
      target = await findTarget(receiver);
    } catch (error) {
      if (!(error instanceof UnknownReceiver)) throw error;
      return without({ kind: "fault", error: saidBy(error.cause), cause: error.cause });
    }
    if (!target) return without(refused("the channel was deleted", { isPermanent: true }));
    const { audience, renderDigest, rate } = target.channel;
    const linkOf = audience === "people" ? await linksOf(receiver) : NO_LINKS;
    return {
      takesDigests: audience === "people" && renderDigest !== undefined,
      spacingMs: rate ? (rate.seconds * 1000) / rate.messages : 0,
      send: async (alerts, digestId) => hide(await attempt(target, linkOf, alerts, digestId), target),
    };
  };
};
