/** Numbers and times as people read them. */

export const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const significant = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const exact = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });
const clock = new Intl.DateTimeFormat("en-GB", { timeStyle: "short" });
const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });
const inWords = new Intl.ListFormat("en-GB", { type: "conjunction" });

export const NONE = "–";
export const when = (at: string | number) => exact.format(new Date(at));
export const atClock = (at: string | number) => clock.format(new Date(at));
export const onDay = (at: string | number) => day.format(new Date(at));

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
  `${IPV6.test(host) ? `[${host}]` : host}:${port}`;

/** `a`, `a and b`, `a, b and c` */
export const listed = (words: readonly string[]): string => inWords.format(words);
