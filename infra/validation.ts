/** Settings checked by schemas: every wrong one is told, as the field, what was expected and what came. */
import { z } from "zod";
import { pathText } from "../shared/issues.ts";

export const show = (value: unknown): string => (value === undefined ? "nothing" : JSON.stringify(value));

/** Of a schema or a check. @param expected as it follows "must be" */
export const must = (expected: string) => ({
  error: ({ input }: { readonly input?: unknown }) => `must be ${expected}, got ${show(input)}`,
});

export const matching = (pattern: RegExp, expected: string) =>
  z.string(must(expected)).regex(pattern, { ...must(expected), abort: true });

/** An address that mail comes from: `localhost` will do, a name beside the address will not. */
export const senderAddress = () => matching(/^[^\s@<>"]+@[a-z0-9.-]+$/i, "a mail address");

/** One line for every wrong field. @param base path of what was parsed */
export const problemsOf = (error: z.ZodError | undefined, base = ""): string[] =>
  (error?.issues ?? []).flatMap((issue) => {
    switch (issue.code) {
      case "unrecognized_keys":
        return issue.keys.map((key) => `${pathText([...issue.path, key], base)} ${issue.message}`);
      // Its path ends with the key, which is what is wrong.
      case "invalid_key":
        return issue.issues.map(({ message }) => `${pathText(issue.path.slice(0, -1), base)} ${message}`);
      default:
        return [`${pathText(issue.path, base)} ${issue.message}`];
    }
  });
