/** The query parameter `timeZone` of the history calls. */
import { InvalidInput } from "../../../../shared/errors.ts";
import { isCalendar, type Step } from "../../../../shared/history/steps.ts";
import { show } from "../../../../shared/issues.ts";

/** @throws InvalidInput for an unknown zone, or one given for a step below a day */
export function readTimeZone(timeZone: string | undefined, step: Step): string {
  if (timeZone === undefined) return "UTC";
  let zone: string;
  try {
    zone = new Intl.DateTimeFormat("en", { timeZone }).resolvedOptions().timeZone;
  } catch {
    throw new InvalidInput([
      {
        path: "timeZone",
        message: `must be a name of the IANA time zone database, such as Europe/Berlin, got ${show(timeZone)}`,
      },
    ]);
  }
  if (zone !== "UTC" && !isCalendar(step))
    throw new InvalidInput([{ path: "timeZone", message: `is for the steps 1d, 1w and 1mo; ${step} is cut in UTC` }]);
  return zone;
}
