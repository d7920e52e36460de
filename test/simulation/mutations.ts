/** The mistakes that `mutants.ts` puts in, one at a time. */
import type { Replacement } from "./mutation-hooks.ts";

export interface Mutant {
  readonly name: string;
  readonly replacements: readonly Replacement[];
  /** Words in the name of the scenario that is there for it. Default: all of them are tried. */
  readonly caughtBy?: string;
  /** Why it may live: what else holds. */
  readonly lives?: string;
}

export const MUTANTS: readonly Mutant[] = [];
