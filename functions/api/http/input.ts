/** Parses input by schema, and reports every wrong field with what was expected and what came. */
import type { z } from "zod";
import { type FieldError, InvalidInput } from "../../../shared/errors.ts";
import { inOurWords, pathText, show } from "../../../shared/issues.ts";

/** Names that people look for in a monitor. */
const IN_STEPS = new Set(["alerts.escalation", "alerts.channels", "channels"]);

const unknownField = (path: string, field: string): string => {
  if (IN_STEPS.has(field)) return "is set in alerts.steps, or in a policy, which alerts.policies names";
  return `there is no field ${show(path)} here`;
};

/** Turns zod's issues into our errors. @param base path of the parsed value, such as `monitors[3]` */
export const fieldErrors = (issues: readonly z.core.$ZodIssue[], base = ""): FieldError[] =>
  issues.flatMap((issue): FieldError[] => {
    const path = pathText(issue.path, base);
    switch (issue.code) {
      case "unrecognized_keys":
        return issue.keys.map((key) => ({
          path: pathText([...issue.path, key], base),
          message: unknownField(key, pathText([...issue.path, key])),
        }));
      case "invalid_key":
        return issue.issues.map(({ message }) => ({ path, message }));
      case "invalid_union":
        return [{ path, message: issue.message }];
      default:
        return [{ path, message: issue.message }];
    }
  });

/** Options of all parsing; `reportInput` makes the sent value available to messages. */
export const PARSING = { reportInput: true, error: inOurWords } as const;

/** @throws InvalidInput */
export const parse = <S extends z.ZodType>(schema: S, input: unknown, base = ""): z.output<S> => {
  const parsed = schema.safeParse(input, PARSING);
  if (parsed.success) return parsed.data;
  throw new InvalidInput(fieldErrors(parsed.error.issues, base));
};
