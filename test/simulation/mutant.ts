/** A mistake that is put into the product on purpose, to see whether the oracle finds it. */
import type { Replacement } from "./mutation-hooks.ts";

export interface Mutant {
  readonly name: string;
  readonly replacements: readonly Replacement[];
  /** Words in the name of the scenario that is there for it. Default: all of them are tried. */
  readonly caughtBy?: string;
  /** Why it may live: what else holds. */
  readonly lives?: string;
}

export const mutant = (name: string, file: string, from: string, to: string, more: Partial<Mutant> = {}): Mutant => ({
  name,
  replacements: [{ file, from, to }],
  ...more,
});
