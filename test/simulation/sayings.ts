/** What services say of themselves in scenarios that are made from seeds, and what people do about it. */
import { type Chance, chanceOf } from "./clock.ts";
import { type Edit, LOCATIONS, type Saying, type Scenario } from "./scenario.ts";

/** Hosts that ever say anything of themselves. */
const SHARE = 0.5;

/** One value after the other: for good, for a while, from some locations, or by two servers in turn. */
function saysOf(chance: Chance, host: string, seconds: number): Saying[] {
  const says: Saying[] = [];
  let before = "first";
  const count = 1 + chance.int(4);
  for (let place = 0, from = seconds * chance.range(0.05, 0.2); place < count; place++) {
    const isForGood = chance.chance(0.4);
    const length = chance.pick([20, 60, 300, seconds / 6]) * chance.range(0.5, 1.5);
    const value = `${host}-${place}`;
    const to = isForGood ? seconds + 100 : from + length;
    says.push({
      host,
      from: Math.round(from * 10) / 10,
      to: Math.round(to * 10) / 10,
      values: chance.chance(0.2) ? [before, value] : [value],
      ...(chance.chance(0.2) && { locations: LOCATIONS.filter(() => chance.chance(0.6)) }),
    });
    if (isForGood) before = value;
    from += (isForGood ? 0 : length) + chance.pick([5, 60, seconds / 6]) * chance.range(0.5, 1.5);
  }
  // What is said later holds, also over what was said for good before.
  return says.toReversed();
}

function acceptancesOf(chance: Chance, key: string, says: readonly Saying[]): Edit[] {
  return says.flatMap(({ from }): Edit[] => {
    if (chance.chance(0.5)) return [];
    const at = Math.round(from * 10 + chance.range(100, 4_000)) / 10;
    const action = chance.chance(0.15) ? "learn" : "accept";
    // Two people at the same time.
    return [{ at, key, action }, ...(chance.chance(0.5) ? [{ at: at + 0.1, key, action: "accept" as const }] : [])];
  });
}

/** Drawn apart, so that seeds stay what they were otherwise. */
export function withSayings(scenario: Scenario): Scenario {
  const chance = chanceOf(`${scenario.seed}/facts`);
  const says: Saying[] = [];
  const edits: Edit[] = [];
  for (const { settings } of scenario.monitors) {
    if (!chance.chance(SHARE)) continue;
    const own = saysOf(chance, settings.host!, scenario.seconds);
    says.push(...own);
    edits.push(...acceptancesOf(chance, settings.key, own));
  }
  return says.length > 0 ? { ...scenario, says, edits: [...scenario.edits, ...edits] } : scenario;
}
