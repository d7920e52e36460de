/** Schemas of values that callers send; their error messages say what was expected and what came. */
import { z } from "zod";
import { expecting } from "./issues.ts";

// biome-ignore lint/suspicious/noControlCharactersInRegex: as ranges, because not all regular expressions know \p{Cc}
export const ONE_LINE = [/^[^\x00-\x1f\x7f-\x9f]*$/, { error: "must be one line without control characters" }] as const;

// biome-ignore lint/suspicious/noControlCharactersInRegex: as above
const MANY_LINES = /^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*$/;

export const whole = (min: number, max: number, unit = "") => {
  const error = expecting(`a whole number from ${min} to ${max}${unit}`);
  return z.int({ error }).min(min, { error }).max(max, { error });
};

/** The port of a monitor. 0 is taken too, for what is swept; that others need a port is a rule between fields. */
export const portNumber = () => {
  const error = expecting("a whole number from 1 to 65535");
  return z.int({ error }).min(0, { error }).max(65535, { error });
};

export const text = (maxLength: number, what = "text") => {
  const error = expecting(`${what} of 1 to ${maxLength} characters`);
  return z
    .string({ error })
    .trim()
    .min(1, { error })
    .max(maxLength, { error })
    .regex(...ONE_LINE);
};

/** Text of several lines. */
export const paragraphs = (maxLength: number, what = "text") => {
  const error = expecting(`${what} of 1 to ${maxLength} characters`);
  return z
    .string({ error })
    .trim()
    .min(1, { error })
    .max(maxLength, { error })
    .regex(MANY_LINES, { error: "must have no control characters but line breaks and tabs" });
};

const isTimeZone = (name: string) => {
  try {
    return Boolean(new Intl.DateTimeFormat("en", { timeZone: name }));
  } catch {
    return false;
  }
};

/** Name of a time zone. */
export const timeZone = () =>
  text(100, "a time zone").refine(isTimeZone, {
    error: expecting("a name of the IANA time zone database, such as Europe/Berlin"),
  });

/** A moment in ISO 8601 with its offset; parsed, it is in UTC. */
export const instant = () =>
  z.iso
    .datetime({ offset: true, error: expecting("a moment with its offset, such as 2026-12-01T22:00:00Z") })
    .transform((value) => new Date(value).toISOString())
    .meta({ override: { type: "string", format: "date-time" } });

export const oneOf = <const V extends readonly [string, ...string[]]>(values: V) =>
  z.enum(values, { error: expecting(`one of ${values.join(", ")}`) });

/** The id of something: short enough for a key of the table, and never empty, which it refuses. */
export const idOf = (what: string) => z.string().regex(/^[\w:-]{1,64}$/, { error: expecting(`the id of a ${what}`) });

export const flag = () => z.boolean({ error: expecting("true or false") });

export const list = <S extends z.ZodType>(item: S, max: number, what: string) => {
  const error = expecting(`a list of at most ${max} ${what}`);
  return z.array(item, { error }).max(max, { error: `must be a list of at most ${max} ${what}` });
};

const objectError = (issue: { code?: string; input?: unknown }) =>
  issue.code === "unrecognized_keys" ? undefined : expecting("a JSON object")(issue);

/** An object with these fields and no others. */
export const fields = <S extends z.ZodRawShape>(shape: S) => z.strictObject(shape, { error: objectError });
