/** Who would be told of trouble with a monitor, in words. Pure. */
import type { Hearer } from "../alerts-model.ts";
import { type Names, SUBSCRIPTIONS, stepsInWords } from "../policies/policy.ts";

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
