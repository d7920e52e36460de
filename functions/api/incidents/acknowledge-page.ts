/**
 * The page behind the link of an alert, for people: it asks before it acknowledges, because mail scanners open links. Plain
 * HTML without a script, readable on a phone, light and dark.
 */
import { createHash } from "node:crypto";
import { endpoint, escapeHtml, moment } from "../../../shared/alerts/render.ts";
import { oneLine } from "../../../shared/alerts/text.ts";
import type { Acknowledgement, Incident, Timestamp } from "../../../shared/model.ts";

const STYLE = `
:root{color-scheme:light dark;font:18px/1.5 system-ui,sans-serif}
body{margin:0 auto;max-width:34rem;padding:1.5rem;overflow-wrap:anywhere;background:light-dark(#fff,#101418);color:light-dark(#101828,#e6e9ee)}
h1{font-size:1.4rem;line-height:1.25}
dl{display:grid;grid-template-columns:auto 1fr;gap:.25rem 1rem;margin:1rem 0}
dt{color:light-dark(#475467,#a7b0bd)}
dd{margin:0}
button{width:100%;padding:.9rem;border:0;border-radius:.5rem;background:#0b5394;color:#fff;font:inherit;font-weight:600;cursor:pointer}
button:focus-visible{outline:3px solid light-dark(#101828,#fff);outline-offset:3px}
`;

/** Nothing may be loaded or run; the form goes to this server alone, and no other page shows this one. */
const POLICY = `default-src 'none'; style-src 'sha256-${createHash("sha256").update(STYLE).digest("base64")}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'`;

export const PAGE_HEADERS = {
  "content-type": "text/html; charset=utf-8",
  "cache-control": "no-store",
  "content-security-policy": POLICY,
  // The page's address is the right to acknowledge.
  "referrer-policy": "no-referrer",
} as const;

type Facts = readonly (readonly [label: string, value: string])[];

const page = (title: string, text: string, facts: Facts = [], button = "") => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="robots" content="noindex">
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>${escapeHtml(title)}</h1>
${facts.length > 0 ? `<dl>\n${facts.map(([label, value]) => `<dt>${label}</dt><dd>${escapeHtml(oneLine(value))}</dd>`).join("\n")}\n</dl>\n` : ""}<p>${escapeHtml(text)}</p>
${button}</body>
</html>
`;

/** What the page says of an incident. */
export interface Trouble {
  readonly name: string;
  readonly incident: Pick<Incident, "target" | "startedAt" | "severity" | "message">;
}

const factsOf = ({ incident: { target, startedAt, message } }: Trouble): Facts => [
  ["Checks", endpoint({ monitor: target })],
  ["Since", moment(startedAt)],
  ["Why", message],
];

export const askPage = (trouble: Trouble) =>
  page(
    `${oneLine(trouble.name)} is ${trouble.incident.severity}`,
    "Acknowledging it tells everybody who was alerted that somebody is at work on it. Nobody further is alerted, unless it becomes worse.",
    factsOf(trouble),
    '<form method="post"><button>Acknowledge</button></form>\n',
  );

export const acknowledgedPage = (trouble: Trouble, { at, by }: Acknowledgement) =>
  page(`Somebody is at work on ${oneLine(trouble.name)}`, "There is nothing more to do here.", [
    ...factsOf(trouble),
    ["Who", by],
    ["From", moment(at)],
  ]);

export const endedPage = (name: string, endedAt: Timestamp | null) =>
  page(
    `The incident of ${oneLine(name)} is over`,
    "There is nothing more to do here.",
    endedAt === null ? [] : [["Ended", moment(endedAt)]],
  );

export const wrongLinkPage = () =>
  page(
    "This link does not work",
    "It is not complete, or older than seven days. Use the link of a later alert, or acknowledge the incident with a token.",
  );
