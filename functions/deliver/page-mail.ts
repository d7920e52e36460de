/** Writes the mails that subscribers of a status page get, in the page's language and under its public names. Pure. */
import type { MailContent } from "../../shared/alerts/mail.ts";
import { escapeHtml } from "../../shared/alerts/render.ts";
import { oneLine } from "../../shared/alerts/text.ts";
import { type PageNews, publicNameOf } from "../../shared/status-page/news.ts";
import { titleOf, type Wording, wordingOf } from "../../shared/status-page/words.ts";
import type { StatusPage } from "../../shared/store/status-pages.ts";

const MAX_SUBJECT = 200;

interface Message {
  readonly subject: string;
  readonly paragraphs: readonly string[];
  /** What the mail asks for, and where. */
  readonly action?: { readonly label: string; readonly url: string };
}

interface Links {
  readonly page: string;
  readonly confirm: string;
  readonly leave: string;
}

const spanOf = (startsAt: string, endsAt: string | null, { time, timeZone }: Wording) =>
  `${time(startsAt)}${endsAt === null ? "" : ` – ${time(endsAt)}`} (${timeZone})`;

/** @returns undefined for news of what the page shows no more */
function messageOf(page: StatusPage, news: PageNews, links: Links, wording: Wording): Message | undefined {
  const { words } = wording;
  const { subscribing } = words;
  switch (news.kind) {
    case "confirm":
      return {
        subject: subscribing.confirm,
        paragraphs: [subscribing.request(page.title), subscribing.ignore],
        action: { label: subscribing.confirm, url: links.confirm },
      };
    case "maintenance":
      return {
        subject: words.planned,
        paragraphs: [spanOf(news.startsAt, news.endsAt, wording), news.names.join(", ")],
      };
    case "notice": {
      const { kind, title, text, startsAt, endsAt } = news.notice;
      return {
        subject: `${words.kinds[kind]}: ${title}`,
        paragraphs: [spanOf(startsAt, endsAt, wording), ...(text === null ? [] : [text])],
      };
    }
    default: {
      const name = publicNameOf(page, news.monitor);
      if (name === undefined) return undefined;
      const { incident } = news;
      const subject = titleOf({ name, ...incident }, wording);
      const span = spanOf(incident.startedAt, incident.endedAt, wording);
      if (news.kind === "incident") return { subject, paragraphs: [span] };
      const state = news.state === null ? [] : [words.states[news.state]];
      return { subject: [subject, ...state].join(" – "), paragraphs: [...state, news.text, span] };
    }
  }
}

const paragraph = (text: string) => `<p style="margin:0 0 14px;white-space:pre-line">${escapeHtml(text)}</p>`;
const linkTo = (url: string, label: string) => `<a href="${escapeHtml(url)}">${escapeHtml(label)}</a>`;

/** @returns undefined if there is nothing to tell */
export function pageMail(page: StatusPage, news: PageNews, links: Links): MailContent | undefined {
  const wording = wordingOf(page);
  const message = messageOf(page, news, links, wording);
  if (!message) return undefined;
  const { paragraphs, action } = message;
  const { leave } = wording.words.subscribing;
  const subject = oneLine(`[${page.title}] ${message.subject}`, MAX_SUBJECT);
  // A first mail has nothing to leave.
  const foot = news.kind === "confirm" ? [] : [links.page, `${leave}: ${links.leave}`];
  return {
    subject,
    text: `${[...paragraphs, ...(action ? [action.url] : []), ...foot].join("\n\n")}\n`,
    html: `<!doctype html>
<html lang="${page.language}"><head><meta charset="utf-8"><meta name="color-scheme" content="light dark"><title>${escapeHtml(subject)}</title></head>
<body style="margin:0;padding:16px;font:16px/1.5 -apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif">
<div style="max-width:600px;margin:0 auto;overflow-wrap:anywhere">
<h1 style="font-size:20px;line-height:1.3;margin:0 0 14px">${escapeHtml(message.subject)}</h1>
${paragraphs.map(paragraph).join("\n")}
${action ? `<p style="margin:0 0 14px"><strong>${linkTo(action.url, action.label)}</strong></p>` : ""}
${foot.length > 0 ? `<p style="margin:24px 0 0;font-size:14px">${linkTo(links.page, page.title)} · ${linkTo(links.leave, leave)}</p>` : ""}
</div>
</body></html>
`,
  };
}
