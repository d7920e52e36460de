/** The mistakes that `mutants.ts` puts into sweeps of ports. */
import { type Mutant, mutant } from "./mutant.ts";

const END = "/functions/probe/sweep-end.ts";
const SLICE = "/functions/probe/sweep-slice.ts";
const CHANGES = "/shared/rules/changes.ts";
const TOLD = "/shared/rules/baseline-told.ts";
const FINDINGS = "/shared/rules/sweep-findings.ts";

export const SWEEP_MUTANTS: readonly Mutant[] = [
  mutant("ports that differ are not looked at again", END, "const LOOKS = 3", "const LOOKS = 0", {
    caughtBy: "open for moments",
  }),
  mutant("a sweep with lost slices counts", END, "if (missing > 0)", "if (missing > 99)", {
    caughtBy: "a slice of the first sweep is lost",
  }),
  mutant("what a slice saw offline counts", SLICE, '(await control(now())) === "offline"', "slice > 99", {
    caughtBy: "the network of the location is down",
  }),
  mutant(
    "parts of other settings count",
    END,
    "part.settingsVersion === job.settingsVersion",
    "part.settingsVersion <= job.settingsVersion",
    { lives: "other settings begin another sweep, whose tick differs; the probe's test has them at one tick" },
  ),
  mutant(
    "the baseline is told at each decision",
    TOLD,
    "const { untold, ...told } = baseline;",
    "const { untold } = baseline;\n  const told = baseline;",
    {
      caughtBy: "a port that opens",
    },
  ),
  mutant(
    "the baseline is told in maintenance",
    TOLD,
    "if (lookAgainAt !== null) return",
    "if (lookAgainAt === 0) return",
    {
      caughtBy: "at the end of maintenance",
    },
  ),
  mutant("the baseline is told to nobody", TOLD, "? { ...after, untold } : after", "? after : after", {
    caughtBy: "a port that opens",
  }),
  mutant(
    "ports that are watched from now on count as newly open",
    CHANGES,
    "stored?.watched !== undefined && stored.watched !== watched",
    "stored?.watched !== undefined && stored.watched === null",
    { caughtBy: "other ports are swept from now on" },
  ),
  mutant(
    "what differs is confirmed without its port",
    FINDINGS,
    "const isDoubtful = new Set(found.opened.map(key).filter((one) => !isOpened.has(one)));",
    "const isDoubtful = new Set<string>();",
    { caughtBy: "open for moments" },
  ),
  mutant(
    "ports that no longer answer are closed at once",
    FINDINGS,
    "!isClosed.has(key(one))",
    "isClosed.has(key(one))",
    {
      caughtBy: "a port that opens",
    },
  ),
];
