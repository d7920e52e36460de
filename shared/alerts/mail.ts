/** Renders mails: subject, plain text and HTML, which say the same. Pure. */
import type { Alert } from "../model.ts";
import type { Digest, RenderedAlert } from "./channels/channel.ts";
import { endpoint, escapeHtml, headline, isAboutSystem, labelOf, where } from "./render.ts";
import { ACKNOWLEDGE, digestText, digestTitle, facts, oneLine, PLAIN, title } from "./text.ts";

const MAX_SUBJECT = 250;
/** A digest names twenty alerts of some 150 characters each. */
const MAX_DIGEST = 10_000;

/** What a mail consists of. */
export interface MailContent {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/** "[DOWN] Orders is down (tcp db.example.com:5432)": in Unicode, on one line. */
const mailSubject = (alert: Alert) => oneLine(`[${labelOf(alert)}] ${headline(alert)}${where(alert)}`, MAX_SUBJECT);

type Lines = readonly (readonly [label: string, value: string])[];

/** Messages about the monitoring itself have no status. */
const factsOf = (alert: Alert): Lines => {
  const { status, previousStatus } = alert;
  const change = status === previousStatus ? status : `${status}, before ${previousStatus}`;
  return [...(isAboutSystem(alert) ? [] : ([["Status", change]] as const)), ...facts(alert)];
};
/** What is checked, below the headline. */
const placeOf = (alert: Alert) => (isAboutSystem(alert) ? [] : [endpoint(alert)]);
/** What finds the alert in the API and in logs. */
const idsOf = (alert: Alert): Lines => [
  ...(isAboutSystem(alert) ? [] : ([["Incident", alert.incidentId]] as const)),
  ["Alert", alert.alertId],
];
const linksOf = ({ acknowledgeUrl, url }: RenderedAlert): Lines => [
  ...(acknowledgeUrl ? ([[ACKNOWLEDGE, acknowledgeUrl]] as const) : []),
  ...(url ? ([["Details", url]] as const) : []),
];

export function mailText(alert: RenderedAlert): string {
  const write = (lines: Lines) => lines.map(([label, value]) => `${label}: ${value}\n`).join("");
  const parts = [factsOf(alert), linksOf(alert), idsOf(alert)].filter((lines) => lines.length > 0);
  const head = [`${oneLine(headline(alert))}.`, ...placeOf(alert)].join("\n");
  return `${head}\n\n${parts.map(write).join("\n")}`;
}

type Tone = "bad" | "warning" | "good" | "calm";
/** By severity; an end is green, or grey where nothing recovered. */
const toneOf = ({ event, severity }: Alert): Tone =>
  event === "recovered" ? "good" : ({ critical: "bad", warning: "warning", info: "calm" } as const)[severity];

/** Light colours stand beside the elements, because some mail programs drop style sheets; dark ones replace them. */
const LIGHT: Readonly<Record<Tone, string>> = { bad: "#b42318", warning: "#93370d", good: "#067647", calm: "#344054" };
const DARK_STYLE = `
:root{color-scheme:light dark;supported-color-schemes:light dark}
@media (prefers-color-scheme:dark){
body{background:#101418!important;color:#e6e9ee!important}
.muted{color:#a7b0bd!important}
.bad{color:#ff9d94!important}.warning{color:#ffb868!important}.good{color:#6ee7a8!important}.calm{color:#cbd3dd!important}
a.link{color:#8ec5ff!important}
}`;

const page = (subject: string, body: string) => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(subject)}</title>
<style>${DARK_STYLE}
</style>
</head>
<body style="margin:0;padding:16px;background:#fff;color:#101828;font:16px/1.5 -apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif">
<div style="max-width:600px;margin:0 auto;overflow-wrap:anywhere">
${body}
</div>
</body>
</html>
`;

const heading = (tone: Tone, label: string, text: string) =>
  `<p class="${tone}" style="margin:0;font-size:14px;font-weight:bold;color:${LIGHT[tone]}">${escapeHtml(label)}</p>
<h1 class="${tone}" style="margin:0 0 4px;font-size:22px;line-height:1.25;color:${LIGHT[tone]}">${escapeHtml(text)}</h1>`;

const MUTED = 'class="muted" style="color:#475467';
const link = (url: string, text: string) =>
  `<a class="link" href="${escapeHtml(url)}" style="color:#0b5394">${escapeHtml(text)}</a>`;
const button = (url: string, text: string) =>
  `<p style="margin:20px 0"><a href="${escapeHtml(url)}" style="display:inline-block;padding:12px 24px;border-radius:8px;background:#0b5394;color:#ffffff;font-weight:bold;text-decoration:none">${escapeHtml(text)}</a></p>`;

/** A label above its value, so that long ones fit a phone. */
const row = ([label, value]: Lines[number]) =>
  `<p style="margin:10px 0 0"><span ${MUTED};font-size:14px">${escapeHtml(label)}</span><br>${escapeHtml(value)}</p>`;

function mailHtml(alert: RenderedAlert): string {
  const { acknowledgeUrl, url } = alert;
  const body = [
    heading(toneOf(alert), labelOf(alert), oneLine(headline(alert))),
    ...placeOf(alert).map((place) => `<p ${MUTED};margin:0">${escapeHtml(place)}</p>`),
    ...(acknowledgeUrl ? [button(acknowledgeUrl, ACKNOWLEDGE)] : []),
    ...factsOf(alert).map(row),
    ...(url ? [`<p style="margin:20px 0">${link(url, "Details")}</p>`] : []),
    `<p ${MUTED};margin:20px 0 0;font-size:13px">${idsOf(alert)
      .map(([label, value]) => escapeHtml(`${label} ${value}`))
      .join("<br>")}</p>`,
  ];
  return page(mailSubject(alert), body.join("\n"));
}

/** Alerts that the HTML of a digest names; the others are counted. */
const MAX_NAMED = 20;

function digestHtml({ alerts, url }: Digest, subject: string): string {
  const [worst] = alerts;
  const more = alerts.length - MAX_NAMED;
  const items = alerts.slice(0, MAX_NAMED).map((alert) => {
    const tone = toneOf(alert);
    const text = title(alert, 150);
    return `<li class="${tone}" style="margin:8px 0;color:${LIGHT[tone]}">${alert.url ? `<a class="${tone}" href="${escapeHtml(alert.url)}" style="color:${LIGHT[tone]}">${escapeHtml(text)}</a>` : escapeHtml(text)}</li>`;
  });
  const body = [
    heading(worst ? toneOf(worst) : "calm", "MANY ALERTS AT ONCE", subject),
    `<p ${MUTED};margin:0">The worst first.</p>`,
    `<ul style="padding-left:20px">\n${items.join("\n")}\n</ul>`,
    ...(more > 0 ? [`<p>and ${more} more</p>`] : []),
    ...(url ? [`<p>${link(url, "All alerts")}</p>`] : []),
  ];
  return page(subject, body.join("\n"));
}

export const alertMail = (alert: RenderedAlert): MailContent => ({
  subject: mailSubject(alert),
  text: mailText(alert),
  html: mailHtml(alert),
});

export const digestPlainText = (digest: Digest): string => digestText(digest, { ...PLAIN, limit: MAX_DIGEST });

export const digestMail = (digest: Digest): MailContent => {
  const subject = digestTitle(digest);
  return { subject, text: digestPlainText(digest), html: digestHtml(digest, subject) };
};
