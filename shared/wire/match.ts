/** Settings and matching of expected text (`contains`, `excludes`, `pattern`), for HTTP bodies and headers. */
import { z } from "zod";
import { ProbeFailure } from "../contract/protocol.ts";
import { printable } from "./cursor.ts";
import { compilePattern, patternSetting } from "./pattern.ts";

export const matchSettings = z
  .strictObject({
    contains: z.string().min(1).max(1024).optional().describe("Text that must be there."),
    excludes: z.string().min(1).max(1024).optional().describe("Text that must not be there."),
    pattern: patternSetting.optional().describe("Regular expression; linear time, ^ and $ at line ends."),
  })
  .refine((rule) => Object.values(rule).some((value) => value !== undefined), "needs contains, excludes or pattern")
  .meta({ title: "TextMatch", description: "What a text must be like; all that is given must hold." });

export type Match = z.output<typeof matchSettings>;

/**
 * Checks a text against a rule.
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
  if (rule.pattern !== undefined && !compilePattern(rule.pattern).test(text)) fail(`must match /${rule.pattern}/`);
};
