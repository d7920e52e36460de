/** Parses the range of time in a query (`from`, `to`), and reports everything that is wrong with it. */
import { z } from "zod";
import { DAY_SECONDS, HOUR_SECONDS, MINUTE_SECONDS } from "../../../shared/durations.ts";
import { type FieldError, InvalidInput } from "../../../shared/errors.ts";
import type { Range } from "../../../shared/history/steps.ts";
import { expecting, show } from "../../../shared/issues.ts";

const ISO = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2}))?$/;
/** Before now, as in `-7d`. */
const RELATIVE = /^-(\d{1,9})([smhdw])$/;
const UNIT_SECONDS: Readonly<Record<string, number>> = {
  s: 1,
  m: MINUTE_SECONDS,
  h: HOUR_SECONDS,
  d: DAY_SECONDS,
  w: 7 * DAY_SECONDS,
};
/** From 1973 on, so that neither a year nor a date without hyphens passes for seconds. */
const EPOCH_SECONDS = /^\d{9,10}$/;
const EPOCH_MS = /^\d{12,13}$/;
const EXAMPLE =
  "a moment in ISO 8601 with its offset, from 1970 on, such as 2026-11-22T10:00:00Z, a date in UTC such as 2026-11-22, a time before now such as -90m, -24h or -7d (s, m, h, d, w), or seconds or milliseconds since 1970";
/** A moment up to this far in the future counts as now, because clocks differ. */
const CLOCK_SKEW_SECONDS = 60;

/** Whether the date exists: JavaScript turns 30 February into a day of March. */
const isInCalendar = (date: string) => new Date(`${date}T00:00:00Z`).toISOString().startsWith(date);

/** From 1970 on, because ticks are epoch seconds. */
const isMoment = (text: string) =>
  [RELATIVE, EPOCH_SECONDS, EPOCH_MS].some((form) => form.test(text)) ||
  (ISO.test(text) && Date.parse(text) >= 0 && isInCalendar(text.slice(0, "2026-11-22".length)));

/** @returns whole epoch seconds of a text that `isMoment` accepts */
const secondsOf = (text: string, nowSeconds: number): number => {
  const [, count, unit = ""] = RELATIVE.exec(text) ?? [];
  if (count) return nowSeconds - Number(count) * (UNIT_SECONDS[unit] ?? 0);
  if (EPOCH_SECONDS.test(text)) return Number(text);
  return Math.floor((EPOCH_MS.test(text) ? Number(text) : Date.parse(text)) / 1000);
};

/** Accepts a space in place of the offset's plus, which arrives if the plus was not URL-encoded. */
const moment = (what: string, example: string) =>
  z
    .string()
    .transform((text) => text.replace(/ (?=\d{2}:?\d{2}$)/, "+"))
    .refine(isMoment, { error: expecting(EXAMPLE) })
    .optional()
    .meta({ description: what, example });

export const rangeFields = (standard: string) => ({
  from: moment(`First moment, ${EXAMPLE}. Default: ${standard} before \`to\`.`, "-24h"),
  to: moment("The moment that the range ends before. Default: now.", "-1h"),
});

/**
 * @param defaultSeconds length of the range without `from`
 * @returns whole epoch seconds, ending now at the latest
 * @throws InvalidInput for `from` and `to`
 */
export function readRange(
  { from, to }: { readonly from?: string | undefined; readonly to?: string | undefined },
  now: Date,
  defaultSeconds: number,
): Range {
  const nowSeconds = Math.floor(now.getTime() / 1000);
  const end = to === undefined ? nowSeconds : secondsOf(to, nowSeconds);
  const start = from === undefined ? end - defaultSeconds : secondsOf(from, nowSeconds);
  const errors: FieldError[] = [];
  const ahead = (path: string, text: string) =>
    errors.push({ path, message: `must not be in the future: it is ${now.toISOString()}, got ${show(text)}` });
  for (const [path, text, second] of [
    ["from", from, start],
    ["to", to, end],
  ] as const)
    if (text !== undefined && second < 0) errors.push({ path, message: `must be ${EXAMPLE}, got ${show(text)}` });
  if (from !== undefined && start > nowSeconds + CLOCK_SKEW_SECONDS) ahead("from", from);
  if (to !== undefined && end > nowSeconds + CLOCK_SKEW_SECONDS) ahead("to", to);
  if (errors.length === 0 && start >= end)
    errors.push({
      path: "from",
      message: `must be before to (${new Date(end * 1000).toISOString()}), got ${show(from ?? null)}`,
    });
  if (errors.length > 0) throw new InvalidInput(errors);
  return { from: start, to: Math.min(end, nowSeconds) };
}
