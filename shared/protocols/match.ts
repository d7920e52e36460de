/** What a text must look like: `contains`, `excludes`, `pattern`. Used for HTTP bodies and headers. */
import { Script } from "node:vm";
import { z } from "zod";
import { printable } from "./cursor.ts";
import { ProbeFailure } from "./protocol.ts";

/** Longest time one pattern may take. A pattern that backtracks would hold up every other check of the process. */
const PATTERN_LIMIT_MS = 100;

export const matchSettings = z
  .strictObject({
    contains: z.string().min(1).max(1024).optional(),
    excludes: z.string().min(1).max(1024).optional(),
    /** JavaScript regular expression, Unicode mode, without slashes; `(?i:…)` for either case. */
    pattern: z
      .string()
      .min(1)
      .max(1024)
      .superRefine((pattern, context) => {
        try {
          new RegExp(pattern, "u");
        } catch (error) {
          context.addIssue({ code: "custom", message: `is no regular expression: ${(error as Error).message}` });
        }
      })
      .optional(),
  })
  .refine((rule) => Object.values(rule).some((value) => value !== undefined), "needs contains, excludes or pattern");

export type Match = z.output<typeof matchSettings>;

/** @returns undefined when the pattern took too long */
const matchesPattern = (pattern: string, text: string): boolean | undefined => {
  const script = new Script(`new RegExp(${JSON.stringify(pattern)}, "u").test(${JSON.stringify(text)})`);
  try {
    return script.runInThisContext({ timeout: PATTERN_LIMIT_MS }) as boolean;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_SCRIPT_EXECUTION_TIMEOUT") return undefined;
    throw error;
  }
};

/**
 * Holds a text against a rule.
 * @param what names the text in messages: "body", "header content-type"
 * @throws ProbeFailure `unexpected-answer`
 */
export const expectMatch = (rule: Match, text: string, what: string): void => {
  const fail = (expectation: string): never => {
    throw new ProbeFailure(
      "unexpected-answer",
      `the ${what} ${expectation}, got: ${printable(text, 160) || "nothing"}`,
    );
  };
  if (rule.contains !== undefined && !text.includes(rule.contains)) fail(`must contain "${rule.contains}"`);
  if (rule.excludes !== undefined && text.includes(rule.excludes)) fail(`must not contain "${rule.excludes}"`);
  if (rule.pattern === undefined) return;
  const matches = matchesPattern(rule.pattern, text);
  if (matches === undefined)
    fail(`was not matched within ${PATTERN_LIMIT_MS} ms by /${rule.pattern}/u: make it simpler`);
  if (!matches) fail(`must match /${rule.pattern}/u`);
};
