/** Local times of any time zone, as `<input type="datetime-local">` writes them (`2026-12-01T22:00`). Pure. */

/** How far a zone is ahead of UTC at a moment. @throws RangeError for a zone that does not exist */
const aheadMs = (at: number, timeZone: string): number => {
  const parts = new Intl.DateTimeFormat("en", { timeZone, timeZoneName: "longOffset" }).formatToParts(at);
  const name = parts.find(({ type }) => type === "timeZoneName")?.value ?? "";
  const [, sign, hours, minutes] = /([+-])(\d\d):(\d\d)/.exec(name) ?? [];
  return hours === undefined ? 0 : (sign === "-" ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000;
};

/** @throws RangeError for a zone that does not exist */
export const localOf = (instant: string, timeZone: string): string => {
  const at = Date.parse(instant);
  return new Date(at + aheadMs(at, timeZone)).toISOString().slice(0, 16);
};

/**
 * The moment of a local time. One that the change to summer time skips is as long after the gap; one that occurs twice is
 * the first of the two.
 * @throws RangeError for a zone or a time that does not exist
 */
export const instantOf = (local: string, timeZone: string): string => {
  const asUtc = Date.parse(`${local}Z`);
  const before = asUtc - aheadMs(asUtc - 86_400_000, timeZone);
  const after = asUtc - aheadMs(asUtc + 86_400_000, timeZone);
  const fits = [before, after].find((at) => at + aheadMs(at, timeZone) === asUtc);
  return new Date(fits ?? before).toISOString();
};

/** As `instantOf`. A zone that does not exist is left to the API, whose message then names it. */
export const startOf = (local: string, timeZone: string): string => {
  try {
    return instantOf(local, timeZone);
  } catch {
    return `${local} in ${timeZone}`;
  }
};
