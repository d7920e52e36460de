/** Draws the pages: the status, the history of a month, one incident, the question for a password, and that there is nothing. */
import type { ComponentChildren } from "preact";
import { renderToString } from "preact-render-to-string";
import { BAR, barPaths, kindOf, widthOf } from "../../shared/drawing/bars.ts";
import { DAY_SECONDS } from "../../shared/durations.ts";
import { titleOf, type Wording } from "../../shared/status-page/words.ts";
import type { StatusPage } from "../../shared/store/status-pages.ts";
import {
  baseOf,
  Days,
  Document,
  type Frame,
  IncidentFacts,
  Lines,
  Mark,
  Notice,
  Problem,
  Span,
  SubscribeForm,
  Time,
} from "./parts.tsx";
import type {
  PublicEntry,
  PublicGroup,
  PublicIncident,
  PublicMaintenance,
  PublicNotice,
  PublicPage,
} from "./public.ts";
import { isPresent } from "./read.ts";

/** A whole document as text. */
export const html = (frame: Frame, children: ComponentChildren): string =>
  `<!doctype html>${renderToString(<Document {...frame}>{children}</Document>)}\n`;

/** From so many entries on they can be searched. */
const SEARCHED_FROM = 20;
/** Days with trouble that an entry names. */
const MOST_DAYS = 30;

/** The sentence on top, by the worst entry. */
export function sentenceOf({ counts, status, notices, at }: PublicPage, { words }: Wording): string {
  const all = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const problems = counts.down + counts.degraded;
  if (problems > 0) return words.problems(problems, all);
  if (status === "degraded" && notices.some((one) => one.kind === "problem" && isPresent(one, at)))
    return words.knownProblem;
  if (counts.maintenance > 0) return words.inMaintenance(counts.maintenance, all);
  if (all === 0) return words.nothing;
  return counts.up === all ? words.allUp(all) : words.someUp(counts.up, all);
}

interface Drawn {
  readonly page: StatusPage;
  readonly wording: Wording;
}

/** The days with trouble in words, for whoever does not see the bars, and for fingers. */
const TroubleDays = ({
  entry,
  firstDay,
  wording,
}: { readonly entry: PublicEntry; readonly firstDay: number } & Pick<Drawn, "wording">) => {
  const { words } = wording;
  const days = [...entry.bars].flatMap((letter, day) => (letter === "x" || letter === "d" ? [{ letter, day }] : []));
  if (days.length === 0) return null;
  return (
    <details>
      <summary>{words.daysWithTrouble(days.length)}</summary>
      <ul>
        {days.slice(-MOST_DAYS).map(({ letter, day }) => {
          const down = entry.downSeconds[day];
          return (
            <li key={day}>
              {wording.utcDay(firstDay + day * DAY_SECONDS)}:{" "}
              {down ? words.downFor(wording.duration(down)) : words.status[letter === "x" ? "down" : "degraded"]}
            </li>
          );
        })}
      </ul>
    </details>
  );
};

const figuresOf = ({ uptimePercent, latencyMs }: PublicEntry, { words, number }: Wording) => [
  ...(uptimePercent === undefined
    ? []
    : [uptimePercent === null ? words.noData : words.uptime(number(uptimePercent, 2))]),
  ...(latencyMs === undefined || latencyMs === null ? [] : [words.latency(number(latencyMs))]),
];

/** Characters that fit between the ends of the bars on a phone. */
const MOST_BETWEEN = 22;

const Entry = ({
  entry,
  data,
  wording,
}: { readonly entry: PublicEntry; readonly data: PublicPage } & Pick<Drawn, "wording">) => {
  const { words } = wording;
  const { bars } = entry;
  const figures = figuresOf(entry, wording).join(" · ");
  const troubled = [...bars].filter((letter) => ["down", "degraded"].includes(kindOf(letter))).length;
  return (
    <li>
      <div class="head">
        <span class="name" dir="auto">
          {entry.name}
        </span>
        <span class={`word is-${entry.status}`}>
          <Mark status={entry.status} />
          {words.status[entry.status]}
        </span>
      </div>
      {entry.text !== null && (
        <p class="dim small" dir="auto">
          {entry.text}
        </p>
      )}
      <svg
        class="bars"
        viewBox={`0 0 ${widthOf(bars.length)} ${BAR.height}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={words.bars(bars.length, troubled)}
      >
        {barPaths(bars).map(({ kind, d }) => (
          <path key={kind} class={`bar-${kind}`} d={d} />
        ))}
      </svg>
      <div class="foot">
        <span>{words.daysAgo(data.days)}</span>
        <span class={figures.length > MOST_BETWEEN ? "long" : undefined}>{figures}</span>
        <span>{words.today}</span>
      </div>
      <TroubleDays entry={entry} firstDay={Date.parse(data.from) / 1000} wording={wording} />
    </li>
  );
};

const Group = ({
  group,
  data,
  wording,
}: { readonly group: PublicGroup; readonly data: PublicPage } & Pick<Drawn, "wording">) => (
  <section>
    {group.name === null ? <h2 class="unseen">{wording.words.services}</h2> : <h2 dir="auto">{group.name}</h2>}
    {group.text !== null && (
      <p class="dim" dir="auto">
        {group.text}
      </p>
    )}
    <ul class="entries">
      {group.entries.map((entry, place) => (
        <Entry key={place} entry={entry} data={data} wording={wording} />
      ))}
    </ul>
  </section>
);

const Maintenance = ({
  maintenance,
  at,
  wording,
}: { readonly maintenance: readonly PublicMaintenance[]; readonly at: string } & Pick<Drawn, "wording">) => (
  <>
    {maintenance.map(({ names, startsAt, endsAt }) => (
      <div class="box is-maintenance" key={`${startsAt} ${endsAt}`}>
        <h3>
          <Mark status="maintenance" />
          {startsAt <= at ? wording.words.present : wording.words.planned}
        </h3>
        <Span startsAt={startsAt} endsAt={endsAt} wording={wording} />
        <p dir="auto">{names.join(", ")}</p>
      </div>
    ))}
  </>
);

/** @param takesSubscribers whether people can get mail */
export function drawPage({ page, wording }: Drawn, data: PublicPage, takesSubscribers = false): string {
  const { words } = wording;
  const sentence = sentenceOf(data, wording);
  const entries = data.groups.reduce((sum, group) => sum + group.entries.length, 0);
  const open = data.notices.filter(({ endsAt }) => endsAt === null || endsAt > data.at);
  const past = data.notices.filter((notice) => !open.includes(notice));
  return html(
    { page, wording, title: `${sentence} – ${page.title}`, status: data.status, isLive: true },
    <>
      <p class={`overall is-${data.status}`}>
        <Mark status={data.status} />
        <span>{sentence}</span>
      </p>
      <p class="dim small">
        {words.asOf} <Time at={data.at} wording={wording} />
      </p>
      {page.description !== null && <Lines text={page.description} />}
      {open.map((notice) => (
        <Notice key={notice.id} notice={notice} wording={wording} />
      ))}
      <Maintenance maintenance={data.maintenance} at={data.at} wording={wording} />
      {entries >= SEARCHED_FROM && (
        <div hidden>
          <input type="search" aria-label={words.search} placeholder={words.search} />
        </div>
      )}
      {data.groups.map((group, place) => (
        <Group key={place} group={group} data={data} wording={wording} />
      ))}
      <h2>{words.incidents}</h2>
      {data.incidents.length === 0 ? (
        <p class="dim">{words.noIncidents(data.days)}</p>
      ) : (
        <Days incidents={data.incidents} page={page} wording={wording} />
      )}
      {past.map((notice) => (
        <Notice key={notice.id} notice={notice} wording={wording} />
      ))}
      {takesSubscribers && <SubscribeForm page={page} wording={wording} />}
    </>,
  );
}

/** A month of the history. */
export interface Month {
  readonly incidents: readonly PublicIncident[];
  readonly notices: readonly PublicNotice[];
  /** Its first moment. */
  readonly from: string;
  /** Of the months before and after, such as `2026-10`; null where the history ends. */
  readonly earlier: string | null;
  readonly later: string | null;
}

export function drawHistory({ page, wording }: Drawn, { incidents, notices, from, earlier, later }: Month): string {
  const { words } = wording;
  const base = baseOf(page);
  const linkTo = (month: string) => (
    <a href={`${base}/history?month=${month}`}>{wording.month(`${month}-15T12:00:00.000Z`)}</a>
  );
  return html(
    { page, wording, title: `${words.history} – ${page.title}`, status: "unknown" },
    <>
      <p>
        <a href={base}>{words.back}</a>
      </p>
      <h2>
        {words.history}: {wording.month(from)}
      </h2>
      {notices.map((notice) => (
        <Notice key={notice.id} notice={notice} wording={wording} />
      ))}
      {incidents.length + notices.length === 0 && <p class="dim">{words.noneInMonth}</p>}
      <Days incidents={incidents} page={page} wording={wording} />
      <nav class="months" aria-label={words.history}>
        <span>{earlier !== null && linkTo(earlier)}</span>
        <span>{later !== null && linkTo(later)}</span>
      </nav>
    </>,
  );
}

export const drawIncident = ({ page, wording }: Drawn, incident: PublicIncident): string =>
  html(
    {
      ...{ page, wording, title: `${titleOf(incident, wording)} – ${page.title}` },
      status: incident.endedAt === null ? incident.severity : "unknown",
    },
    <>
      <p>
        <a href={baseOf(page)}>{wording.words.back}</a>
      </p>
      <h2 dir="auto">
        <Mark status={incident.severity} />
        {titleOf(incident, wording)}
      </h2>
      <IncidentFacts incident={incident} wording={wording} />
    </>,
  );

/** Asks for the password of a private page, of which it tells nothing. @param problem what was wrong with the last attempt */
export const drawPassword = ({ page, wording }: Drawn, problem?: string): string => {
  const { words } = wording;
  return html(
    { wording, title: words.privatePage, status: "unknown" },
    <>
      <h1>{words.privatePage}</h1>
      {problem !== undefined && <Problem text={problem} />}
      {page.password !== null && (
        <form method="post" action={`${baseOf(page)}/access`}>
          <label for="password">{words.password}</label>
          <p>
            <input id="password" name="password" type="password" required autocomplete="current-password" />
            <button type="submit">{words.open}</button>
          </p>
        </form>
      )}
    </>,
  );
};

export const drawNothing = (wording: Wording, page?: StatusPage): string =>
  html(
    { wording, page, title: wording.words.notFound, status: "unknown" },
    <>
      <h2>{wording.words.notFound}</h2>
      <p>{wording.words.notFoundText}</p>
    </>,
  );
