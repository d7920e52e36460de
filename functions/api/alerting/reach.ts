/** Says whether alerts about a monitor reach anybody, and tells operators of policies that do not. */
import { type Audience, areNobody, unheardAmong, unheardNotice } from "../../../shared/alerts/audience.ts";
import { channelsSetUp } from "../../../shared/alerts/channels/index.ts";
import type { Monitor } from "../../../shared/model.ts";
import type { Receiver } from "../../../shared/receiver.ts";
import { type Policy, plansOf } from "../../../shared/rules/policies.ts";
import type { Deps } from "../deps.ts";

const audienceOf = ({ channels, receivers, subscribersOf, topics }: Deps): Audience => ({
  channels,
  setUp: channelsSetUp(receivers),
  subscribersOf,
  topics,
});

/** Whether no step of a monitor's policies, nor its own settings, reaches anybody. Null if SNS does not say. */
export type Reach = (monitor: Pick<Monitor, "alerts" | "tags">) => Promise<boolean | null>;

/** Reads policies once, and what each set of receivers comes to, for any number of monitors. */
export async function readReach(deps: Deps): Promise<Reach> {
  const all = await deps.policies.all();
  const known = new Map<string, Promise<boolean | null>>();
  const look = async (named: readonly Receiver[]) => {
    try {
      return await areNobody(audienceOf(deps), named);
    } catch (error) {
      deps.logger.warn("the subscribers of a topic could not be counted", { error: error as Error });
      return null;
    }
  };
  return (monitor) => {
    const steps = plansOf(monitor, all).flatMap((plan) => plan.steps);
    const named = [...new Set(steps.flatMap(({ receivers }) => receivers))].toSorted();
    const key = named.join("\n");
    const found = known.get(key) ?? look(named);
    known.set(key, found);
    return found;
  };
}

export const reachesNobody = async (deps: Deps, monitor: Parameters<Reach>[0]): Promise<boolean | null> =>
  (await readReach(deps))(monitor);

/**
 * Tells operators of those of these policies that reach nobody. A failure is logged and not thrown: what the call changed is
 * stored, and `compact` looks again within the hour.
 */
export async function tellOfUnheard(deps: Deps, policies: readonly Policy[]): Promise<void> {
  try {
    for (const policy of await unheardAmong(audienceOf(deps), policies))
      await deps.notify(unheardNotice(policy), deps.now());
  } catch (error) {
    deps.logger.warn("operators could not be told that a policy reaches nobody", { error: error as Error });
  }
}
