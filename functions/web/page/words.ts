/** Numbers and times as people read them. */
import { computed } from "@preact/signals";
import { display, zone } from "./display.ts";

const significant = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const inWords = new Intl.ListFormat("en-GB", { type: "conjunction" });
/** In the time zone and by the clock that were chosen. */
const times = computed(() => {
  const common = { timeZone: zone.value, hour12: display.value.clock === "12" };
  return {
    exact: new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium", ...common }),
    clock: new Intl.DateTimeFormat("en-GB", { timeStyle: "short", ...common }),
    day: new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", timeZone: zone.value }),
    date: new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeZone: zone.value }),
    offset: new Intl.DateTimeFormat("en", { timeZone: zone.value, timeZoneName: "longOffset" }),
  };
});
const utcDay = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });

export const NONE = "–";
export const when = (at: string | number) => times.value.exact.format(new Date(at));
export const atClock = (at: string | number) => times.value.clock.format(new Date(at));
export const onDay = (at: string | number) => times.value.day.format(new Date(at));
export const onDate = (at: string | number) => times.value.date.format(new Date(at));
/** Days of bars and figures are days of UTC, whatever the zone. */
export const onUtcDay = (at: string | number) => `${utcDay.format(new Date(at))} (UTC)`;

/** How many minutes the shown time zone is behind UTC at a moment, as `Date.getTimezoneOffset` has it. */
export const minutesBehindUtc = (at: number): number => {
  const [, sign, hours, minutes] = /([+-])(\d\d):(\d\d)/.exec(times.value.offset.format(at)) ?? [];
  return hours === undefined ? 0 : (sign === "+" ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
};

export const milliseconds = (value: number | null | undefined): string => {
  if (value === null || value === undefined) return NONE;
  return value >= 1000 ? `${significant.format(value / 1000)} s` : `${significant.format(value)} ms`;
};

/** Never rounded up: 100 means no second down. */
export const percent = (value: number | null) =>
  value === null ? NONE : `${value === 100 ? "100" : (Math.floor(value * 100) / 100).toFixed(2)} %`;

const UNITS = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
  ["second", 1],
] as const;

export const ago = (at: string, now: number): string => {
  const seconds = Math.max(0, (now - Date.parse(at)) / 1000);
  if (seconds < 10) return "just now";
  const [unit, size] = UNITS.find(([, length]) => seconds >= length)!;
  return relative.format(-Math.floor(seconds / size), unit);
};

/** How long something has lasted, by its largest unit: `12 minutes`. */
export const lastingSince = (at: string, now: number): string => {
  const seconds = Math.max(0, (now - Date.parse(at)) / 1000);
  const [unit, size] = UNITS.find(([, length]) => seconds >= length) ?? UNITS.at(-1)!;
  return plural(Math.floor(seconds / size), unit);
};

/** Its two largest units: `2 d 5 h`, `3 min 20 s`. */
export const lasting = (seconds: number): string => {
  const parts: string[] = [];
  let rest = Math.round(seconds);
  for (const [unit, size] of UNITS) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0 && parts.length < 2)
      parts.push(`${count} ${{ day: "d", hour: "h", minute: "min", second: "s" }[unit]}`);
  }
  return parts.join(" ") || "0 s";
};

export const plural = (count: number, one: string, many = `${one}s`) => `${count} ${count === 1 ? one : many}`;

const IPV6 = /:/;
export const target = ({ host, port }: { readonly host: string; readonly port: number }) =>
  port === 0 ? host : `${IPV6.test(host) ? `[${host}]` : host}:${port}`;

/** `a`, `a and b`, `a, b and c` */
export const listed = (words: readonly string[]): string => inWords.format(words);
