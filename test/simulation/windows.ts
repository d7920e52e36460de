/** When faults may strike in a scenario. */
import type { FaultWindow } from "./faults.ts";
import { queueUrl, type Scenario } from "./scenario.ts";

/** While a location is cut off its queue is asked again after this. */
const UNHEARD_MS = 15_000;

/** Windows of the scenario, and those of its cuts, on the world's clock. */
export function windowsOf({ startMs, faults, cuts }: Scenario): FaultWindow[] {
  const onClock = <W extends { readonly from: number; readonly to: number }>({ from, to, ...window }: W) => ({
    ...window,
    fromMs: startMs + from * 1000,
    toMs: startMs + to * 1000,
  });
  const away = cuts.filter(({ how }) => how === "all");
  return [
    ...faults.map(onClock),
    ...away.flatMap(({ location, from, to }) => [
      onClock({ from, to, fault: "outage" as const, strength: 1, only: { caller: "probe", location } }),
      onClock({
        from,
        to,
        fault: "outage" as const,
        strength: 1,
        only: { service: "sqs", target: queueUrl(location) },
      }),
      onClock({ from, to, fault: "not-received" as const, strength: 1, only: { location }, amount: UNHEARD_MS }),
    ]),
  ];
}
