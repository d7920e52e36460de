import { arnMatches, textMatches } from "./patterns.ts";

/** IAM request context: values by condition key, for example `ses:FromAddress`. Keys ignore case. */
export type PolicyContext = Readonly<Record<string, string | readonly string[]>>;

type Comparison = (wanted: string, actual: string) => boolean;

const equals: Comparison = (wanted, actual) => wanted === actual;
const equalsIgnoringCase: Comparison = (wanted, actual) => wanted.toLowerCase() === actual.toLowerCase();
const not = (comparison: Comparison) => ({ comparison, negated: true });
const is = (comparison: Comparison) => ({ comparison, negated: false });

/** The supported operators. A negated one holds when no value matches, and when the key is absent. */
const OPERATORS: Readonly<Record<string, { comparison: Comparison; negated: boolean }>> = {
  StringEquals: is(equals),
  StringNotEquals: not(equals),
  StringEqualsIgnoreCase: is(equalsIgnoringCase),
  StringNotEqualsIgnoreCase: not(equalsIgnoringCase),
  StringLike: is(textMatches),
  StringNotLike: not(textMatches),
  ArnEquals: is(arnMatches),
  ArnLike: is(arnMatches),
  ArnNotEquals: not(arnMatches),
  ArnNotLike: not(arnMatches),
  Bool: is(equalsIgnoringCase),
};

/**
 * Whether one line of a `Condition` block holds.
 * @throws for an operator that is not supported
 */
export function holds(operator: string, key: string, wanted: readonly string[], context: PolicyContext): boolean {
  const found = Object.entries(context).find(([name]) => name.toLowerCase() === key.toLowerCase())?.[1];
  const actual = found === undefined ? undefined : typeof found === "string" ? [found] : found;
  if (operator === "Null") return wanted.some((one) => (one.toLowerCase() === "true") === (actual === undefined));
  const [, quantifier, name, ifExists] = /^(?:(ForAllValues|ForAnyValue):)?(\w+?)(IfExists)?$/.exec(operator) ?? [];
  const rule = OPERATORS[name ?? ""];
  // AWS does not say what a quantifier means together with IfExists.
  if (!rule || (quantifier !== undefined && ifExists !== undefined))
    throw new Error(`the condition operator ${operator} is not known here`);
  const matches = (one: string) => wanted.some((value) => rule.comparison(value, one)) !== rule.negated;
  if (quantifier === "ForAllValues") return (actual ?? []).every(matches);
  if (actual === undefined) return ifExists !== undefined || (rule.negated && quantifier === undefined);
  return rule.negated && quantifier === undefined ? actual.every(matches) : actual.some(matches);
}
