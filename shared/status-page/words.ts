/** The fixed words of status pages, in each language; dates, durations and numbers come from `Intl`. */
import type { NoteState } from "../store/notes.ts";
import type { Language, PageNotice } from "../store/status-pages.ts";
import { de } from "./words/de.ts";
import { en } from "./words/en.ts";
import { es } from "./words/es.ts";
import { fr } from "./words/fr.ts";
import { ja } from "./words/ja.ts";

/** `unknown` also for what has no data yet. */
export type PublicStatus = "up" | "degraded" | "down" | "maintenance" | "unknown";

export interface Words {
  readonly status: Readonly<Record<PublicStatus, string>>;
  readonly problems: (some: number, all: number) => string;
  readonly inMaintenance: (some: number, all: number) => string;
  readonly allUp: (all: number) => string;
  readonly someUp: (some: number, all: number) => string;
  /** A problem that no monitor sees. */
  readonly knownProblem: string;
  readonly nothing: string;
  readonly services: string;
  readonly search: string;
  readonly today: string;
  readonly daysAgo: (days: number) => string;
  /** What bars show to whoever does not see them. */
  readonly bars: (days: number, withTrouble: number) => string;
  readonly daysWithTrouble: (days: number) => string;
  readonly downFor: (duration: string) => string;
  readonly uptime: (percent: string) => string;
  readonly latency: (milliseconds: string) => string;
  readonly noData: string;
  readonly now: string;
  readonly incidents: string;
  readonly noIncidents: (days: number) => string;
  readonly noneInMonth: string;
  readonly history: string;
  readonly back: string;
  readonly isDown: (name: string) => string;
  readonly wasDown: (name: string) => string;
  readonly hasProblems: (name: string) => string;
  readonly hadProblems: (name: string) => string;
  readonly ongoing: string;
  readonly lasted: (duration: string) => string;
  readonly states: Readonly<Record<NoteState, string>>;
  readonly kinds: Readonly<Record<PageNotice["kind"], string>>;
  readonly planned: string;
  readonly present: string;
  readonly asOf: string;
  readonly times: string;
  readonly links: string;
  readonly privatePage: string;
  readonly password: string;
  readonly open: string;
  readonly wrongPassword: string;
  readonly tooMany: string;
  readonly notFound: string;
  readonly notFoundText: string;
  readonly subscribing: SubscribingWords;
}

/** Of the form, the mails and the pages by which people subscribe and leave. */
interface SubscribingWords {
  readonly heading: string;
  readonly address: string;
  readonly subscribe: string;
  readonly sent: string;
  readonly wrongAddress: string;
  readonly tooMany: string;
  readonly confirm: string;
  readonly confirmText: (title: string) => string;
  readonly confirmed: string;
  readonly leave: string;
  readonly leaveText: (title: string) => string;
  readonly left: string;
  readonly over: string;
  /** Of the first mail. */
  readonly request: (title: string) => string;
  readonly ignore: string;
}

const WORDS: Readonly<Record<Language, Words>> = { en, de, fr, es, ja };

/** Words, dates and numbers as a page writes them. */
export interface Wording {
  readonly words: Words;
  readonly language: Language;
  readonly timeZone: string;
  /** A day and time. */
  readonly time: (iso: string) => string;
  readonly day: (iso: string) => string;
  /** A day of the bars, which are days in UTC. */
  readonly utcDay: (epochSeconds: number) => string;
  readonly month: (iso: string) => string;
  readonly duration: (seconds: number) => string;
  readonly number: (value: number, digits?: number) => string;
}

const UNITS = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
  ["second", 1],
] as const;

export function wordingOf({ language, timeZone }: { readonly language: Language; readonly timeZone: string }): Wording {
  const format = (options: Intl.DateTimeFormatOptions) => {
    const formatter = new Intl.DateTimeFormat(language === "en" ? "en-GB" : language, { timeZone, ...options });
    return (iso: string) => formatter.format(new Date(iso));
  };
  const utcDay = format({ dateStyle: "long", timeZone: "UTC" });
  return {
    words: WORDS[language],
    language,
    timeZone,
    time: format({ dateStyle: "medium", timeStyle: "short" }),
    day: format({ dateStyle: "full" }),
    utcDay: (epochSeconds) => utcDay(new Date(epochSeconds * 1000).toISOString()),
    month: format({ year: "numeric", month: "long" }),
    duration: (seconds) => {
      const whole = Math.max(1, Math.round(seconds));
      const place = UNITS.findIndex(([, length]) => whole >= length);
      let left = whole;
      return UNITS.slice(place, place + 2)
        .flatMap(([unit, length]) => {
          const count = Math.floor(left / length);
          left -= count * length;
          return count === 0
            ? []
            : [new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay: "short" }).format(count)];
        })
        .join(" ");
    },
    number: (value, digits = 0) =>
      new Intl.NumberFormat(language, { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value),
  };
}

/** An incident as its headline needs it, under the public name of what it is about. */
export interface Headlined {
  readonly name: string;
  readonly severity: "degraded" | "down";
  readonly endedAt: string | null;
}

/** "Orders is down", "Orders had problems". */
export function titleOf({ name, severity, endedAt }: Headlined, { words }: Pick<Wording, "words">): string {
  if (severity === "down") return endedAt === null ? words.isDown(name) : words.wasDown(name);
  return endedAt === null ? words.hasProblems(name) : words.hadProblems(name);
}
