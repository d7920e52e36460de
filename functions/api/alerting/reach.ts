/** Says whether alerts about a monitor reach anybody, and tells operators of policies that do not. */
import { channelsSetUp } from "../../../shared/alerts/channels/index.ts";
import { show } from "../../../shared/issues.ts";
import type { Monitor } from "../../../shared/model.ts";
import { parseReceiver, type Receiver, STORED_CHANNEL } from "../../../shared/receiver.ts";
import { BUILT_IN_CHANNELS, isBuiltIn, type Policy, plansOf, receiversOf } from "../../../shared/rules/policies.ts";
import type { Deps } from "../deps.ts";

const TOPIC_OF = { sns: "alerts", people: "people" } as const;

/**
 * Whether none of these receivers is a channel that exists, a mail address, or a topic with a confirmed subscription, whatever its
 * filter.
 * @returns null if SNS does not say how many subscriptions there are
 */
async function areNobody(
  { channels, receivers, subscribersOf, topics, logger }: Deps,
  named: readonly Receiver[],
): Promise<boolean | null> {
  const usable: readonly string[] = [...channelsSetUp(receivers), STORED_CHANNEL];
  const parsed = named.map(parseReceiver).filter(({ channel }) => usable.includes(channel));
  if (parsed.some(({ channel }) => channel !== STORED_CHANNEL && !isBuiltIn(channel))) return false;
  for (const { channel, target = "" } of parsed)
    if (channel === STORED_CHANNEL && (await channels.get(target))) return false;
  try {
    for (const channel of BUILT_IN_CHANNELS)
      if (named.includes(channel) && (await subscribersOf(topics[TOPIC_OF[channel]])) > 0) return false;
    return true;
  } catch (error) {
    logger.warn("the subscribers of a topic could not be counted", { error: error as Error });
    return null;
  }
}

/** Whether no step of a monitor's policies, nor its own settings, reaches anybody. Null if SNS does not say. */
export type Reach = (monitor: Pick<Monitor, "alerts" | "tags">) => Promise<boolean | null>;

/** Reads policies once, and what each set of receivers comes to, for any number of monitors. */
export async function readReach(deps: Deps): Promise<Reach> {
  const all = await deps.policies.all();
  const known = new Map<string, Promise<boolean | null>>();
  return (monitor) => {
    const steps = plansOf(monitor, all).flatMap((plan) => plan.steps);
    const named = [...new Set(steps.flatMap(({ receivers }) => receivers))].toSorted();
    const key = named.join("\n");
    const found = known.get(key) ?? areNobody(deps, named);
    known.set(key, found);
    return found;
  };
}

export const reachesNobody = async (deps: Deps, monitor: Parameters<Reach>[0]): Promise<boolean | null> =>
  (await readReach(deps))(monitor);

/**
 * Tells operators of those of these policies that reach nobody, once for each version of a policy. A failure is logged and not
 * thrown: what the call changed is stored.
 */
export async function tellOfUnheard(deps: Deps, policies: readonly Policy[]): Promise<void> {
  try {
    for (const { id, name, revision, steps } of policies) {
      if (!(await areNobody(deps, steps.flatMap(receiversOf)))) continue;
      const content = {
        kind: "system",
        event: "system.policy-reaches-nobody",
        about: `policy.${id}`,
        subject: "A policy reaches nobody",
        message: `Policy ${show(name)} names no channel that exists, no mail address, and no topic that somebody has subscribed to: nobody hears what it should tell. Change its steps.`,
      } as const;
      const notice = `unheard#${id}#${revision}`;
      await deps.notify(
        { name: notice, entry: { key: `system#${notice}`, content, receivers: ["system"] } },
        deps.now(),
      );
    }
  } catch (error) {
    deps.logger.warn("operators could not be told that a policy reaches nobody", { error: error as Error });
  }
}
