/** Conditions of alerts in scenarios that are made from seeds. */
import { type Chance, chanceOf } from "./clock.ts";
import type { Scenario, SentSettings } from "./scenario.ts";

/** What people hear of beside outages, for some monitors. Drawn apart, so that seeds stay what they were otherwise. */
const withConditions = (chance: Chance, settings: SentSettings): SentSettings => ({
  ...settings,
  flapping: chance.pick([null, { highPercent: 30, lowPercent: 20 }, { highPercent: 15, lowPercent: 5 }]),
  alerts: { ...settings.alerts!, minorityAfterSeconds: chance.pick([null, 0, 60]) },
});

export function withAllConditions(scenario: Scenario): Scenario {
  const chance = chanceOf(`${scenario.seed}/alerts`);
  const monitors = scenario.monitors.map(({ at, settings }) => ({ at, settings: withConditions(chance, settings) }));
  return { ...scenario, monitors };
}
