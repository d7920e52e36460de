/** Says whether alerts about a monitor reach anybody. */
import { channelsSetUp } from "../../../shared/alerts/channels/index.ts";
import type { Monitor } from "../../../shared/model.ts";
import { parseReceiver, STORED_CHANNEL } from "../../../shared/receiver.ts";
import { plansOf } from "../../../shared/rules/policies.ts";
import { reachable } from "../../../shared/rules/telling.ts";
import type { Deps } from "../deps.ts";

/**
 * Whether no step of its policies, nor its own settings, ends in a channel that exists, in a mail address, or in a confirmed
 * subscription of topic `alerts`, whatever its filter. Null if SNS does not say how many there are.
 */
export type Reach = (monitor: Pick<Monitor, "alerts" | "tags">) => Promise<boolean | null>;

/** Reads policies, channels and the number of subscribers once each, for any number of monitors. */
export async function readReach({ policies, channels, receivers, alertsSubscribers, logger }: Deps): Promise<Reach> {
  const all = await policies.all();
  const setUp = [...channelsSetUp(receivers), STORED_CHANNEL];
  const channelsThere = new Map<string, Promise<boolean>>();
  const isThere = (id: string) => {
    const known = channelsThere.get(id) ?? channels.get(id).then((channel) => channel !== undefined);
    channelsThere.set(id, known);
    return known;
  };
  let hasNoSubscribers: Promise<boolean | null> | undefined;
  const countSubscribers = async () => {
    try {
      return (await alertsSubscribers()) === 0;
    } catch (error) {
      logger.warn("the subscribers of topic alerts could not be counted", { error: error as Error });
      return null;
    }
  };
  return async (monitor) => {
    const plans = reachable(plansOf(monitor, all), setUp);
    const named = new Set(plans.flatMap(({ steps }) => steps.flatMap((step) => step.receivers)));
    const stored: string[] = [];
    for (const { channel, target } of [...named].map(parseReceiver)) {
      if (channel === STORED_CHANNEL) stored.push(target ?? "");
      else if (channel !== "sns") return false;
    }
    for (const id of stored) if (await isThere(id)) return false;
    if (!named.has("sns")) return true;
    hasNoSubscribers ??= countSubscribers();
    return hasNoSubscribers;
  };
}

export const reachesNobody = async (deps: Deps, monitor: Parameters<Reach>[0]): Promise<boolean | null> =>
  (await readReach(deps))(monitor);
