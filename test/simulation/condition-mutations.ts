/** The mistakes that `mutants.ts` puts into flap detection and into advisories about a minority of locations. */
import { type Mutant, mutant } from "./mutant.ts";

const DECIDE = "/shared/rules/decide.ts";
const FLAPPING = "/shared/rules/flapping.ts";
const MINORITY = "/shared/rules/minority.ts";
const INCIDENT = "/shared/rules/incident.ts";

export const CONDITION_MUTANTS: readonly Mutant[] = [
  mutant(
    "while it flaps, everything is told all the same",
    INCIDENT,
    "isFlapping ? untold : alerts",
    "isFlapping && untold.length > 0 ? untold : alerts",
    { caughtBy: "flaps" },
  ),
  mutant(
    "the end of the incident in which it began to flap is told at once",
    DECIDE,
    'incident.id === before?.toldIn && over.reason === "recovered"',
    'incident.id === before?.targetVersion.toString() && over.reason === "recovered"',
    { caughtBy: "flaps" },
  ),
  mutant(
    "it flaps for ever",
    FLAPPING,
    "known.since !== null && percent > marks.lowPercent",
    "known.since !== null && percent >= 0",
    { caughtBy: "flaps" },
  ),
  mutant(
    "no timer looks whether it has settled",
    FLAPPING,
    "isFlapping ? settlesAt(changes, intervalSeconds, marks.lowPercent, now) : null",
    "isFlapping && changes.length > 1_000 ? settlesAt(changes, intervalSeconds, marks.lowPercent, now) : null",
    { caughtBy: "flaps" },
  ),
  mutant(
    "who heard that it flaps knows that it is down",
    "/shared/rules/telling.ts",
    'event === "flapping-started" ? "flapping" : level',
    'event === "flapping-started" ? level : level',
    { caughtBy: "it began to flap and that stays" },
  ),
  mutant(
    "the flapping of another target counts",
    FLAPPING,
    "monitor.flapState?.targetVersion === target.version ? monitor.flapState : null",
    "monitor.flapState?.targetVersion !== -1 ? monitor.flapState : null",
    { caughtBy: "paused while it flaps" },
  ),
  mutant(
    "what an offline or silent location saw last is a minority",
    MINORITY,
    'conditions[name] === "working" ||',
    "conditions[name] !== undefined ||",
    { caughtBy: "fell silent" },
  ),
  mutant(
    "an advisory goes on beside an incident",
    MINORITY,
    'status === "up" ? whereDown',
    'status !== "paused" ? whereDown',
    { caughtBy: "a minority" },
  ),
  mutant(
    "an advisory has the id of one before",
    MINORITY,
    "minority.$" + "{now.getTime()}",
    "minority.$" + "{Date.parse(first.since)}",
    { caughtBy: "a minority" },
  ),
  mutant(
    "another target does not end an advisory",
    MINORITY,
    "present?.targetVersion !== monitor.target.version",
    "false",
    { caughtBy: "another target" },
  ),
  mutant(
    "an advisory about a child is told while its parent is down",
    MINORITY,
    "return hold?.lookAgainAt ?? null",
    "return null",
    { caughtBy: "sees a child down" },
  ),
];
