/** Who would be told of trouble with a monitor, in words. Pure. */
import type { Hearer, PolicyStep } from "../alerts-model.ts";
import { addressesFrom } from "../parts/texts.ts";
import { bodyOfEscalation, type Names, SUBSCRIPTIONS, stepsInWords } from "../policies/policy.ts";
import type { Draft } from "./draft.ts";

/**
 * What a monitor's own settings do: its addresses and steps, in order and each time once. Without steps, and where no
 * policy takes it, the subscriptions hear as well.
 */
export const ownSteps = (draft: Draft, isTaken: boolean): PolicyStep[] => {
  const { steps } = bodyOfEscalation(draft);
  const channels = isTaken || steps.length > 0 ? [] : [...SUBSCRIPTIONS.keys()];
  const first = { afterSeconds: draft.afterSeconds, emails: addressesFrom(draft.emails), channels };
  const named = [first, ...steps].filter((step) => step.emails.length + step.channels.length > 0);
  return [...Map.groupBy(named, ({ afterSeconds }) => afterSeconds)]
    .map(([afterSeconds, some]) => ({
      afterSeconds,
      emails: [...new Set(some.flatMap(({ emails }) => emails))],
      channels: [...new Set(some.flatMap((step) => step.channels))],
    }))
    .toSorted((a, b) => a.afterSeconds - b.afterSeconds);
};

const after = (prefix: string, receivers: readonly string[]) =>
  receivers.flatMap((one) => (one.startsWith(prefix) ? [one.slice(prefix.length)] : []));

/** What one policy, or the monitor itself, does. */
export const groupsOf = (hearers: readonly Hearer[], names: Names) => {
  const byPolicy = Map.groupBy(hearers, ({ policy }) => policy?.id ?? "");
  return [...byPolicy.values()].map((own) => {
    const steps = [...Map.groupBy(own, ({ afterSeconds }) => afterSeconds)].map(([afterSeconds, some]) => {
      const receivers = some.map(({ receiver }) => receiver);
      return {
        afterSeconds,
        emails: after("email:", receivers),
        channels: [...after("channel:", receivers), ...receivers.filter((one) => SUBSCRIPTIONS.has(one))],
      };
    });
    const { policy, severities } = own[0]!;
    return { policy, steps: stepsInWords({ steps }, names), isDownOnly: !severities.includes("warning") };
  });
};
