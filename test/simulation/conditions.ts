/** Conditions of alerts in scenarios that are made from seeds. */
import { type Chance, chanceOf } from "./clock.ts";
import { type Scenario, SECOND, type SentSettings } from "./scenario.ts";

/** What people hear of beside outages, for some monitors. Drawn apart, so that seeds stay what they were otherwise. */
const withConditions = (chance: Chance, settings: SentSettings): SentSettings => ({
  ...settings,
  flapping: chance.pick([null, { highPercent: 30, lowPercent: 20 }, { highPercent: 15, lowPercent: 5 }]),
  alerts: { ...settings.alerts!, minorityAfterSeconds: chance.pick([null, 0, 60]) },
});

/** An escalation of its own: the topics first, and somebody else later. Nobody is told before the topics, who then hear `down`. */
const withSteps = (chance: Chance, settings: SentSettings): SentSettings => {
  const afterSeconds = chance.pick([0, 0, 60, 120]);
  const later = afterSeconds + chance.pick([30, 120, 600]);
  const steps = [
    { afterSeconds, channels: ["sns", "people"] },
    { afterSeconds: later, emails: [SECOND] },
  ];
  return { ...settings, alerts: { ...settings.alerts!, emails: [], steps } };
};

export function withAllConditions(scenario: Scenario): Scenario {
  const chance = chanceOf(`${scenario.seed}/alerts`);
  const steps = chanceOf(`${scenario.seed}/steps`);
  const monitors = scenario.monitors.map(({ at, settings }) => {
    const conditioned = withConditions(chance, settings);
    const isEdited = scenario.edits.some((edit) => edit.key === settings.key && edit.settings?.alerts);
    return { at, settings: steps.chance(0.3) && !isEdited ? withSteps(steps, conditioned) : conditioned };
  });
  return { ...scenario, monitors };
}
