/** Schemas and messages of settings: each message names the field, what was expected and what came. */
import { z } from "zod";
import { pathText } from "../shared/issues.ts";

export const show = (value: unknown): string => (value === undefined ? "nothing" : JSON.stringify(value));

/** The error of a schema or a check. @param expected completes the sentence "must be …" */
export const must = (expected: string) => ({
  error: ({ input }: { readonly input?: unknown }) => `must be ${expected}, got ${show(input)}`,
});

export const matching = (pattern: RegExp, expected: string) =>
  z.string(must(expected)).regex(pattern, { ...must(expected), abort: true });

/** Sender address of mail. A domain without a dot (`localhost`) is allowed, a display name is not. */
export const senderAddress = () => matching(/^[^\s@<>"]+@[a-z0-9.-]+$/i, "a mail address");

/** One line for every wrong field. @param base path of what was parsed */
export const problemsOf = (error: z.ZodError | undefined, base = ""): string[] =>
  (error?.issues ?? []).flatMap((issue) => {
    switch (issue.code) {
      case "unrecognized_keys":
        return issue.keys.map((key) => `${pathText([...issue.path, key], base)} ${issue.message}`);
      // The path ends with the invalid key, which the message shows.
      case "invalid_key":
        return issue.issues.map(({ message }) => `${pathText(issue.path.slice(0, -1), base)} ${message}`);
      default:
        return [`${pathText(issue.path, base)} ${issue.message}`];
    }
  });
