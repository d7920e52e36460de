/** The mistakes that `mutants.ts` puts into dependencies between monitors. */
import { type Mutant, mutant } from "./mutant.ts";

const RULES = "/shared/rules/dependencies.ts";
const STATE_CHANGE = "/functions/state-change/dependencies.ts";

export const DEPENDENCY_MUTANTS: readonly Mutant[] = [
  mutant(
    "a child does not wait for its parent's alert",
    RULES,
    "after(trouble.since, holdSeconds)",
    "after(trouble.since, 0)",
    {
      caughtBy: "a child is down and its parent is not",
    },
  ),
  mutant("a parent that is down explains nothing", RULES, 'incident.announced === "down" ||', "", {
    caughtBy: "parent and child go down and come back",
  }),
  mutant(
    "a child gets no time after its parent's recovery",
    RULES,
    "[after(monitor.since, recheckSeconds)]",
    "[after(monitor.since, 0)]",
    { caughtBy: "parent and child go down and come back" },
  ),
  mutant(
    "a held child does not look again by itself",
    RULES,
    "LOOK_AGAIN_SECONDS = 300",
    "LOOK_AGAIN_SECONDS = 30_000",
    {
      caughtBy: "the touch of a held child is lost",
    },
  ),
  mutant(
    "a parent's recovery touches nobody",
    STATE_CHANGE,
    "if (!incident?.downSince) return;",
    "if (!incident || id) return;",
    {
      caughtBy: "the parent comes back and the child does not",
    },
  ),
  mutant(
    "the deletion of a parent touches nobody",
    STATE_CHANGE,
    "if (!isOver && !isDownNoMore)",
    "if (!isDownNoMore)",
    {
      caughtBy: "the parent of a held child is deleted",
    },
  ),
];
