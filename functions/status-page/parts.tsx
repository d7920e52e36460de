/** What the pages have in common: the frame, marks of a status, times, incidents and notices. */
import type { ComponentChildren } from "preact";
import { STATUS_SHAPES } from "../../shared/drawing/status-shapes.ts";
import { type PublicStatus, titleOf, type Wording } from "../../shared/status-page/words.ts";
import type { StatusPage } from "../../shared/store/status-pages.ts";
import type { PublicIncident, PublicNotice } from "./public.ts";
import { SCRIPT } from "./script.ts";
import { stylesOf, THEME_COLOURS } from "./styles.ts";

export const Mark = ({ status }: { readonly status: PublicStatus }) => (
  <svg class={`mark is-${status}`} viewBox="0 0 12 12" aria-hidden="true">
    <path d={STATUS_SHAPES[status]} fill="currentColor" fill-rule="evenodd" />
  </svg>
);

interface Worded {
  readonly wording: Wording;
}

export const Time = ({ at, wording }: Worded & { readonly at: string }) => (
  <time datetime={at}>{wording.time(at)}</time>
);

const iconOf = (status: PublicStatus) =>
  `data:image/svg+xml,${encodeURIComponent(
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 12 12"><path fill="${THEME_COLOURS[status][0]}" fill-rule="evenodd" d="${STATUS_SHAPES[status]}"/></svg>`,
  )}`;

/** What a page is framed with. */
export interface Frame extends Worded {
  /** Undefined where there is no page, or nobody may know of it. */
  readonly page?: StatusPage | undefined;
  /** Of the browser's tab. */
  readonly title: string;
  readonly status: PublicStatus;
  /** Whether times are written in the reader's zone, and the page is loaded anew. */
  readonly isLive?: boolean;
}

export const baseOf = ({ slug }: Pick<StatusPage, "slug">) => `/status/${slug}`;

/** Inline style or script: a constant of ours, which the Content-Security-Policy allows by its hash. */
const asIs = (content: string) => ({ __html: content });

const Foot = ({ page, wording }: Worded & { readonly page: StatusPage }) => {
  const { words } = wording;
  const base = baseOf(page);
  return (
    <footer>
      <div class="wide">
        <nav aria-label={words.links}>
          {page.links.map(({ label, url }) => (
            <a key={url} href={url} rel="noopener" dir="auto">
              {label}
            </a>
          ))}
          <a href={`${base}/history`}>{words.history}</a>
          {page.visibility !== "private" && (
            <>
              <a href={`${base}/feed.atom`}>Atom</a>
              <a href={`${base}/feed.rss`}>RSS</a>
              <a href={`${base}.json`}>JSON</a>
            </>
          )}
        </nav>
        <p>
          {words.times} <span id="zone">{wording.timeZone}</span>
        </p>
      </div>
    </footer>
  );
};

/** A whole document. */
export const Document = ({
  wording,
  page,
  title,
  status,
  isLive = false,
  children,
}: Frame & { readonly children: ComponentChildren }) => (
  <html lang={wording.language}>
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width" />
      <title>{title}</title>
      <meta name="color-scheme" content="light dark" />
      <meta name="theme-color" media="(prefers-color-scheme: light)" content={THEME_COLOURS[status][0]} />
      <meta name="theme-color" media="(prefers-color-scheme: dark)" content={THEME_COLOURS[status][1]} />
      {page?.visibility !== "public" && <meta name="robots" content="noindex" />}
      <link rel="icon" href={iconOf(status)} />
      {page && page.visibility !== "private" && (
        <link rel="alternate" type="application/atom+xml" title={page.title} href={`${baseOf(page)}/feed.atom`} />
      )}
      <style dangerouslySetInnerHTML={asIs(stylesOf(page?.accentColor ?? null))} />
    </head>
    <body>
      {page && (
        <header>
          <div class="wide">
            {page.logo && <img src={`${baseOf(page)}/logo`} alt="" height="48" />}
            <h1 dir="auto">
              <a href={baseOf(page)}>{page.title}</a>
            </h1>
          </div>
        </header>
      )}
      <main class="wide">{children}</main>
      {page && <Foot page={page} wording={wording} />}
      {isLive && <script dangerouslySetInnerHTML={asIs(SCRIPT)} />}
    </body>
  </html>
);

/** Text that people wrote: its line breaks stay. */
export const Lines = ({ text }: { readonly text: string }) => (
  <p class="lines" dir="auto">
    {text}
  </p>
);

/** When an incident began and ended, and what was said of it. */
export const IncidentFacts = ({ incident, wording }: Worded & { readonly incident: PublicIncident }) => {
  const { startedAt, endedAt, updates } = incident;
  const { words } = wording;
  return (
    <>
      <p class="dim small">
        <Time at={startedAt} wording={wording} />
        {endedAt === null ? (
          ` – ${words.ongoing}`
        ) : (
          <>
            {" – "}
            <Time at={endedAt} wording={wording} />,{" "}
            {words.lasted(wording.duration((Date.parse(endedAt) - Date.parse(startedAt)) / 1000))}
          </>
        )}
      </p>
      {updates.length > 0 && (
        <ul class="updates">
          {updates.toReversed().map(({ at, state, text }) => (
            <li key={at}>
              <p class="dim small">
                {state && <strong>{words.states[state]} · </strong>}
                <Time at={at} wording={wording} />
              </p>
              <Lines text={text} />
            </li>
          ))}
        </ul>
      )}
    </>
  );
};

const Incident = ({
  incident,
  page,
  wording,
}: Worded & { readonly incident: PublicIncident; readonly page: StatusPage }) => (
  <li class="incident">
    <h4>
      <Mark status={incident.severity} />
      <a href={`${baseOf(page)}/incidents/${incident.id}`} dir="auto">
        {titleOf(incident, wording)}
      </a>
    </h4>
    <IncidentFacts incident={incident} wording={wording} />
  </li>
);

const KIND_STATUS = { information: "unknown", maintenance: "maintenance", problem: "degraded" } as const;

/** From when to when a notice or maintenance is. */
export const Span = ({
  startsAt,
  endsAt,
  wording,
}: Worded & { readonly startsAt: string; readonly endsAt: string | null }) => (
  <p class="dim small">
    <Time at={startsAt} wording={wording} />
    {endsAt !== null && (
      <>
        {" – "}
        <Time at={endsAt} wording={wording} />
      </>
    )}
  </p>
);

export const Notice = ({ notice, wording }: Worded & { readonly notice: PublicNotice }) => (
  <div class={`box is-${KIND_STATUS[notice.kind]}`}>
    <h3 dir="auto">
      <span class="unseen">{wording.words.kinds[notice.kind]}: </span>
      <Mark status={KIND_STATUS[notice.kind]} />
      {notice.title}
    </h3>
    <Span startsAt={notice.startsAt} endsAt={notice.endsAt} wording={wording} />
    {notice.text !== null && <Lines text={notice.text} />}
  </div>
);

/** What happened, by day in the zone of the page, newest first. */
export const Days = ({
  incidents,
  page,
  wording,
}: Worded & { readonly incidents: readonly PublicIncident[]; readonly page: StatusPage }) => (
  <>
    {[...Map.groupBy(incidents, ({ startedAt }) => wording.day(startedAt))].map(([day, own]) => (
      <section key={day}>
        <h3>
          <time class="day" datetime={own[0]!.startedAt}>
            {day}
          </time>
        </h3>
        <ul>
          {own.map((incident) => (
            <Incident key={incident.id} incident={incident} page={page} wording={wording} />
          ))}
        </ul>
      </section>
    ))}
  </>
);

/** What was wrong with what somebody sent. */
export const Problem = ({ text }: { readonly text: string }) => (
  <p class="box is-down" role="alert">
    <span>{text}</span>
  </p>
);

/** By which people get mail. */
export const SubscribeForm = ({ page, wording }: Worded & { readonly page: StatusPage }) => {
  const { subscribing } = wording.words;
  return (
    <section>
      <h2>{subscribing.heading}</h2>
      <form method="post" action={`${baseOf(page)}/subscribers`}>
        <label for="address">{subscribing.address}</label>
        <p>
          <input id="address" name="address" type="email" required autocomplete="email" />
          <button type="submit">{subscribing.subscribe}</button>
        </p>
      </form>
    </section>
  );
};
