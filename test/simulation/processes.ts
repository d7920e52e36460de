/** What happens to processes from outside: their code is replaced by a deploy, their clocks jump. */
import { type Clock, draw } from "./clock.ts";
import type { Process, SimulatedFunction } from "./lambda.ts";
import type { Scenario } from "./scenario.ts";

/** A function whose code is replaced at each deploy: for a while old processes and new ones take turns. */
export function deployed<Event>(
  { deploys = [], startMs, seed }: Scenario,
  clock: Clock,
  count: (name: string) => string,
  create: () => SimulatedFunction<Event, unknown>,
): SimulatedFunction<Event, unknown> {
  let [old, present] = [create(), create()];
  let overlapEndsMs = Number.NEGATIVE_INFINITY;
  for (const { at, overlapSeconds } of deploys)
    clock.at(startMs + at * 1000, () => {
      [old, present] = [present, create()];
      overlapEndsMs = clock.now() + overlapSeconds * 1000;
    });
  const { name, location } = present;
  return {
    ...present,
    invoke(event) {
      const isOld = clock.now() < overlapEndsMs && draw(seed, count(`version of ${name}/${location ?? ""}`)) < 0.5;
      return (isOld ? old : present).invoke(event);
    },
  };
}

/** Lets the clocks of running and of later processes jump when the scenario says so. */
export function watchClocks({ clockSteps = [], startMs }: Scenario, clock: Clock) {
  const processes = new Set<Process>();
  const done: { readonly caller?: string; readonly ms: number }[] = [];
  const fits = (process: Process, caller: string | undefined) => caller === undefined || caller === process.caller;
  for (const step of clockSteps)
    clock.at(startMs + step.at * 1000, () => {
      done.push(step);
      for (const process of processes)
        if (process.isDead) processes.delete(process);
        else if (fits(process, step.caller)) process.stepClock(step.ms);
    });
  return {
    adopt(process: Process) {
      if (clockSteps.length === 0) return;
      processes.add(process);
      for (const { caller, ms } of done) if (fits(process, caller)) process.stepClock(ms);
    },
  };
}
