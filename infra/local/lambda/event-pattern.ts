/**
 * Amazon EventBridge event patterns, which event source mappings and SNS filter policies use too (EventBridge User Guide,
 * "Comparison operators"). A pattern is an object shaped like the event; its leaves are lists of matchers, one of
 * which must match. All fields of the pattern must match; fields of the event that it lacks do not matter.
 */
export type Pattern = { readonly [name: string]: Pattern | readonly Matcher[] };

export type Matcher = string | number | boolean | null | { readonly [operator: string]: unknown };

const OPERATORS = new Set(["prefix", "suffix", "anything-but", "numeric", "exists", "equals-ignore-case", "wildcard"]);

/** @throws when the pattern has an unsupported operator: ignoring it would let wrong records through */
export const parsePattern = (text: string): Pattern => {
  const pattern = JSON.parse(text) as Pattern;
  check(pattern, text);
  return pattern;
};

const check = (pattern: Pattern, text: string): void => {
  for (const [name, inner] of Object.entries(pattern)) {
    if (name === "$or") for (const choice of inner as unknown as Pattern[]) check(choice, text);
    else if (Array.isArray(inner)) inner.forEach(checkMatcher);
    else if (inner !== null && typeof inner === "object") check(inner as Pattern, text);
    else throw new Error(`event pattern ${text}: ${name} must be a list or an object, got ${JSON.stringify(inner)}`);
  }
};

/** @throws when the operator is not supported */
const checkMatcher = (matcher: Matcher): void => {
  if (matcher === null || typeof matcher !== "object") return;
  const operators = Object.keys(matcher);
  const unknown = operators.find((operator) => !OPERATORS.has(operator));
  if (unknown === undefined && operators.length === 1) return;
  throw new Error(
    `unknown comparison operator ${JSON.stringify(matcher)}: one of ${[...OPERATORS].join(", ")} expected`,
  );
};

export const matchesPattern = (pattern: Pattern, event: unknown): boolean =>
  Object.entries(pattern).every(([name, inner]) => {
    if (name === "$or") return (inner as unknown as Pattern[]).some((choice) => matchesPattern(choice, event));
    const value = isObject(event) ? event[name] : undefined;
    return Array.isArray(inner) ? matchesLeaf(inner, value) : matchesPattern(inner as Pattern, value);
  });

/** A list in the event matches when one of its elements does. */
const matchesLeaf = (matchers: readonly Matcher[], value: unknown): boolean => {
  const values = Array.isArray(value) ? value : [value];
  return matchers.some((matcher) => {
    // For EventBridge only leaves exist: an object counts as absent.
    if (isObject(matcher) && "exists" in matcher) return (value !== undefined && !isObject(value)) === matcher.exists;
    return values.some((one) => matchesValue(matcher, one));
  });
};

/** Whether a value matches. Callers handle `exists`, which is about the field and not its value. */
const matchesValue = (matcher: Matcher, value: unknown): boolean => {
  if (!isObject(matcher)) return matcher === value;
  const [operator, operand] = Object.entries(matcher)[0]!;
  switch (operator) {
    case "prefix":
      return isText(value) && folded(operand, value, (text, part) => text.startsWith(part));
    case "suffix":
      return isText(value) && folded(operand, value, (text, part) => text.endsWith(part));
    case "equals-ignore-case":
      return isText(value) && value.toLowerCase() === String(operand).toLowerCase();
    case "wildcard":
      return isText(value) && wildcard(String(operand)).test(value);
    case "anything-but":
      return value !== undefined && !isObject(value) && !anyOf(operand, value);
    case "numeric":
      return typeof value === "number" && inRange(operand as (string | number)[], value);
    default:
      return false;
  }
};

/** `anything-but` takes a value, a list of values, or one nested operator with a value or a list. */
const anyOf = (operand: unknown, value: unknown): boolean => {
  if (Array.isArray(operand)) return operand.some((one) => one === value);
  if (!isObject(operand)) return operand === value;
  const [operator, inner] = Object.entries(operand)[0]!;
  return [inner].flat().some((one) => matchesValue({ [operator]: one }, value));
};

const folded = (operand: unknown, text: string, holds: (text: string, part: string) => boolean): boolean =>
  isObject(operand)
    ? holds(text.toLowerCase(), String(operand["equals-ignore-case"]).toLowerCase())
    : holds(text, String(operand));

const wildcard = (text: string): RegExp => {
  const parts = text.split(/(\\[*\\]|\*)/).map((part) => {
    if (part === "*") return ".*";
    return (/^\\[*\\]$/.test(part) ? part.slice(1) : part).replace(/[.+^${}()|[\]\\*?]/g, "\\$&");
  });
  return new RegExp(`^${parts.join("")}$`, "s");
};

/** `[">", 0, "<=", 5]`: every pair must hold. */
const inRange = (conditions: readonly (string | number)[], value: number): boolean => {
  for (let index = 0; index < conditions.length; index += 2) {
    const limit = Number(conditions[index + 1]);
    const holds = {
      "=": value === limit,
      "<": value < limit,
      "<=": value <= limit,
      ">": value > limit,
      ">=": value >= limit,
    };
    if (!holds[conditions[index] as keyof typeof holds]) return false;
  }
  return true;
};

const isText = (value: unknown): value is string => typeof value === "string";
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
