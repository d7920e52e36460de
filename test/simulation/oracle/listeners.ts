/** Which ports of the swept address are open, by the scenario. */
import { type Scenario, SWEPT } from "../scenario.ts";

type Listening = Pick<Scenario, "listeners">;

export const isOpen = ({ listeners = [] }: Listening, location: string, port: number, at: number): boolean =>
  listeners.some(
    (one) => one.port === port && at >= one.from && at < one.to && (!one.locations || one.locations.includes(location)),
  );

/** Moments at which a port opens or closes, in order. */
export const edgesOf = ({ listeners = [] }: Listening): readonly number[] =>
  [...new Set(listeners.flatMap(({ from, to }) => [from, to]))].toSorted((a, b) => a - b);

/** The open ports, in order, as text that can be compared. */
export const openPorts = (scenario: Listening, location: string, at: number): string =>
  [...new Set((scenario.listeners ?? []).map(({ port }) => port))]
    .filter((port) => isOpen(scenario, location, port, at))
    .toSorted((a, b) => a - b)
    .join(" ");

/** The same of a fact: `8000,8002-8004`. */
export const portsOfFact = (value: string): string =>
  value
    .split(",")
    .filter((part) => part !== "")
    .flatMap((part) => {
      const [first, last = first] = part.split("-").map(Number) as [number, number?];
      return Array.from({ length: last - first + 1 }, (_, place) => first + place);
    })
    .join(" ");

/** Whether a location could see a port open or closed, for so long at least, within a stretch of time. */
export function couldSee(
  scenario: Scenario,
  { location, port, open }: { readonly location: string; readonly port: number; readonly open: boolean },
  { from, to }: { readonly from: number; readonly to: number },
  seconds: number,
): boolean {
  if (port < SWEPT.firstPort || port > SWEPT.lastPort) return false;
  const cuts = scenario.cuts.filter((cut) => cut.location === location);
  const edges = [...edgesOf(scenario), ...cuts.flatMap((cut) => [cut.from, cut.to])];
  const borders = [from, ...edges.filter((at) => at > from && at < to).toSorted((a, b) => a - b), to];
  const isSeen = (at: number) =>
    isOpen(scenario, location, port, at) === open && !cuts.some((cut) => at >= cut.from && at < cut.to);
  let since = from;
  for (const [place, begins] of borders.slice(0, -1).entries()) {
    const ends = borders[place + 1]!;
    if (!isSeen((begins + ends) / 2)) since = ends;
    else if (ends - since >= seconds) return true;
  }
  return false;
}
