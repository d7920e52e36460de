/** Says whether alerts about a monitor reach anybody. */
import { channelsSetUp } from "../../../shared/alerts/channels/index.ts";
import type { Monitor } from "../../../shared/model.ts";
import { parseReceiver, STORED_CHANNEL } from "../../../shared/receiver.ts";
import { plansOf } from "../../../shared/rules/policies.ts";
import { reachable } from "../../../shared/rules/telling.ts";
import type { Deps } from "../deps.ts";

/**
 * Whether no step of its policies, nor its own settings, ends in a channel that exists, in a mail address, or in a confirmed
 * subscription of topic `alerts`, whatever its filter.
 * @returns null if SNS does not say how many there are
 */
export async function reachesNobody(
  { policies, channels, receivers, alertsSubscribers, logger }: Deps,
  monitor: Pick<Monitor, "alerts" | "tags">,
): Promise<boolean | null> {
  const plans = reachable(plansOf(monitor, await policies.all()), [...channelsSetUp(receivers), STORED_CHANNEL]);
  const named = new Set(plans.flatMap(({ steps }) => steps.flatMap((step) => step.receivers)));
  const stored: string[] = [];
  for (const { channel, target } of [...named].map(parseReceiver)) {
    if (channel === STORED_CHANNEL) stored.push(target ?? "");
    else if (channel !== "sns") return false;
  }
  for (const id of stored) if (await channels.get(id)) return false;
  if (!named.has("sns")) return true;
  try {
    return (await alertsSubscribers()) === 0;
  } catch (error) {
    logger.warn("the subscribers of topic alerts could not be counted", { error: error as Error });
    return null;
  }
}
