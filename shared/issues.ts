/** Texts for validation errors of zod: messages, paths and values. */
import type { z } from "zod";

const TYPES: Readonly<Record<string, string>> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "an object",
  record: "an object",
};
const UNITS: Readonly<Record<string, readonly [one: string, more: string]>> = {
  string: ["character", "characters"],
  array: ["entry", "entries"],
};
const counted = (count: number | bigint, origin: string): string => {
  const [one, more] = UNITS[origin] ?? [];
  return one ? `${count} ${Number(count) === 1 ? one : more}` : String(count);
};

/**
 * Replaces zod's messages, as in `safeParse(input, { error: inOurWords })`. Shows no value, because it may be a secret.
 * @returns undefined to keep zod's own message
 */
export const inOurWords = (issue: z.core.$ZodRawIssue): string | undefined => {
  const [least, most] = issue.inclusive === false ? ["more than", "less than"] : ["at least", "at most"];
  switch (issue.code) {
    case "invalid_type":
      return issue.input === undefined ? "is required" : `must be ${TYPES[issue.expected] ?? issue.expected}`;
    case "too_small":
      return issue.origin === "string" && issue.minimum === 1
        ? "must not be empty"
        : `must be ${least} ${counted(issue.minimum, issue.origin)}`;
    case "too_big":
      return `must be ${most} ${counted(issue.maximum, issue.origin)}`;
    case "invalid_value": {
      if (issue.input === undefined) return "is required";
      const values = issue.values.map((value) => JSON.stringify(value));
      return `must be ${values.length > 1 ? `one of ${values.join(", ")}` : values[0]}`;
    }
    default:
      return undefined;
  }
};

/** Formats a JSON path such as `alerts.emails[0]`. @param base path of the parsed value, such as `monitors[3]` */
export const pathText = (path: readonly PropertyKey[], base = ""): string =>
  path.reduce<string>(
    (text, key) => (typeof key === "number" ? `${text}[${key}]` : text ? `${text}.${String(key)}` : String(key)),
    base,
  );

/** Formats a value for a message: JSON, cut to 80 characters. */
export const show = (value: unknown): string => {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
};

/** Makes the error message of a schema: what was expected and what came. */
export const expecting =
  (expected: string) =>
  (issue: { readonly input?: unknown }): string =>
    issue.input === undefined ? `is required: ${expected}` : `must be ${expected}, got ${show(issue.input)}`;
