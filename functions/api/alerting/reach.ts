/** Says whether alerts about a monitor reach anybody. */
import { channelsSetUp } from "../../../shared/alerts/channels/index.ts";
import type { Monitor } from "../../../shared/model.ts";
import { parseReceiver, STORED_CHANNEL } from "../../../shared/receiver.ts";
import { BUILT_IN_CHANNELS, isBuiltIn, plansOf } from "../../../shared/rules/policies.ts";
import { reachable } from "../../../shared/rules/telling.ts";
import type { Deps } from "../deps.ts";

const TOPIC_OF = { sns: "alerts", people: "people" } as const;

/**
 * Whether no step of its policies, nor its own settings, ends in a channel that exists, in a mail address, or in a confirmed
 * subscription of the topics `alerts` or `people`, whatever its filter.
 * @returns null if SNS does not say how many there are
 */
export async function reachesNobody(
  { policies, channels, receivers, subscribersOf, topics, logger }: Deps,
  monitor: Pick<Monitor, "alerts" | "tags">,
): Promise<boolean | null> {
  const plans = reachable(plansOf(monitor, await policies.all()), [...channelsSetUp(receivers), STORED_CHANNEL]);
  const named = new Set(plans.flatMap(({ steps }) => steps.flatMap((step) => step.receivers)));
  const stored: string[] = [];
  for (const { channel, target } of [...named].map(parseReceiver)) {
    if (channel === STORED_CHANNEL) stored.push(target ?? "");
    else if (!isBuiltIn(channel)) return false;
  }
  for (const id of stored) if (await channels.get(id)) return false;
  try {
    for (const channel of BUILT_IN_CHANNELS)
      if (named.has(channel) && (await subscribersOf(topics[TOPIC_OF[channel]])) > 0) return false;
    return true;
  } catch (error) {
    logger.warn("the subscribers of a topic could not be counted", { error: error as Error });
    return null;
  }
}
