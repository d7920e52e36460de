/** The mistakes that `mutants.ts` puts into changes of what services say of themselves. */
import { type Mutant, mutant } from "./mutant.ts";

const CHANGES = "/shared/rules/changes.ts";
const BASELINE = "/shared/rules/baseline.ts";
const FACTS = "/shared/rules/facts.ts";
const MONITORS = "/shared/store/monitors.ts";
const STORE = "/shared/store/changes.ts";
const DEPENDENCIES = "/functions/state-change/dependencies.ts";
const VIEW_CHANGES = "/functions/probe/view-changes.ts";

export const CHANGE_MUTANTS: readonly Mutant[] = [
  mutant(
    "an open change is told at each decision",
    CHANGES,
    "[id, { ...change, isTold: true }]",
    "[id, { ...change, isTold: change.locations.length > 9 }]",
    { caughtBy: "another host key" },
  ),
  mutant("a change that one check saw is told", FACTS, "one.newAt === undefined && !isGone(one)", "!isGone(one)", {
    caughtBy: "one check alone",
  }),
  mutant("a value is never gone", FACTS, "const GONE = 3", "const GONE = 3_000", { caughtBy: "another host key" }),
  mutant(
    "an offline location's values count",
    CHANGES,
    'isProven(location) && conditions[location] === "working"',
    "isProven(location) && conditions[location] !== undefined",
    { caughtBy: "falls silent before it is decided" },
  ),
  mutant(
    "changes are told while the port is down",
    CHANGES,
    'isHeldBack || (status !== "up" && status !== "degraded")',
    "isHeldBack",
    { caughtBy: "the port goes down before it is decided" },
  ),
  mutant(
    "changes are told in maintenance, and while the parents are down",
    CHANGES,
    "if (heldUntil !== null) return quiet(heldUntil);",
    "",
    { caughtBy: "a change in maintenance" },
  ),
  mutant(
    "parents are not read for a change",
    DEPENDENCIES,
    "mayTellChange(monitor);",
    "(mayTellChange(monitor) && monitor.incident !== null);",
    { caughtBy: "while the parent is down" },
  ),
  mutant("an accepted change stays open", CHANGES, "if (!accepted && !isExpected", "if (!isExpected", {
    caughtBy: "two people accept",
  }),
  mutant(
    "a former value stays right when another one is accepted",
    BASELINE,
    "isSet(key) ? values : values.filter(isSeen)",
    "isSet(key) ? values : values.filter((one) => isSeen(one) || one !== value)",
    { caughtBy: "two people accept" },
  ),
  mutant(
    "a location learns for ever",
    BASELINE,
    "!before.learned.includes(location) && isDone(location)",
    "isDone(location)",
    {
      caughtBy: "another host key",
    },
  ),
  mutant(
    "the baseline of another target stays",
    CHANGES,
    "stored !== null && !sameTarget(stored.target, target)",
    "stored !== null && stored.learned.length > 99",
    { caughtBy: "another target has another baseline" },
  ),
  mutant(
    "what is learned anew leaves its alert open",
    CHANGES,
    "isOff || isOther || isElsewhere || stored?.isForgotten",
    "isOff || isOther || isElsewhere",
    { caughtBy: "learned anew" },
  ),
  mutant(
    "the probe writes no view for facts alone",
    VIEW_CHANGES,
    "!== last.facts;",
    "!== last.facts && last.readAt < 0;",
    { caughtBy: "another host key" },
  ),
  mutant(
    "the API stores a baseline over a decision",
    MONITORS,
    "SET baseline = :baseline, $" +
      '{look.set} ADD revision :one`,\n            ConditionExpression: "revision = :read"',
    "SET baseline = :baseline, $" +
      '{look.set} ADD revision :one`,\n            ConditionExpression: "revision >= :read"',
    { caughtBy: "the write of an acceptance arrives late" },
  ),
  mutant(
    "an older record of a change replaces a newer one",
    STORE,
    "attribute_not_exists(#sequence) OR #sequence < :sequence",
    "attribute_not_exists(#sequence) OR #sequence <> :sequence",
    { lives: "an older record comes later only where its process was frozen meanwhile; the store's test has it" },
  ),
];
