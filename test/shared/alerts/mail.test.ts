import { expect, test } from "vitest";
import { alertMail, digestMail } from "../../../shared/alerts/mail.ts";
import { alertOf, EVENTS, HOSTILE, hostile } from "../../support/alerts.ts";

const ACKNOWLEDGE = "https://api.example.com/v1/acknowledge?token=a.b";

/** The text of a page as people read it. */
const readable = (html: string) =>
  html
    .replace(/<style>[\s\S]*?<\/style>/, "")
    .replace(/<[^>]+>/g, " ")
    .replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)))
    .replace(/\s+/g, " ");

test("the subject says what and where, in Unicode and on one line", () => {
  expect(alertMail(alertOf()).subject).toBe("[DOWN] Orders database is down (postgresql db.example.com:5432)");
  const named = (name: string) => alertMail(alertOf("down", { monitor: { ...alertOf().monitor, name } })).subject;
  expect(named("Zürich ✓")).toMatch(/^\[DOWN\] Zürich ✓ is down/);
  expect(named("a\r\nBcc: x@y")).not.toMatch(/[\r\n]/);
  expect(named("x".repeat(500)).length).toBeLessThanOrEqual(250);
});

test("the text says since when, why, from where and how to acknowledge, in the zone of the policy", () => {
  const alert = alertOf("down", { timeZone: "Europe/Zurich", previousStatus: "degraded" });
  expect(alertMail({ ...alert, acknowledgeUrl: ACKNOWLEDGE }).text).toBe(`Orders database became worse and is down.
postgresql db.example.com:5432

Status: down, before degraded
Since: 2026-11-27 11:31:30 Europe/Zurich
Why: db.example.com:5432 refused the connection
From local: down: refused
Tags: team=orders

Acknowledge: ${ACKNOWLEDGE}
Details: https://api.example.com/v1/monitors/19ea3a11ef31d1ea79c8

Incident: 19ea3a11ef31d1ea79c8.1795775490000
Alert: 19ea3a11ef31d1ea79c8.1795775490000.1
`);
});

test("a message about the monitoring itself names no target, no status and no incident", () => {
  const alert = alertOf("down", { subject: "eu is silent", message: "No heartbeat.", locations: {} });
  const { subject, text, html } = alertMail({ ...alert, event: "system.location-silent" });
  expect(subject).toBe("[SYSTEM] eu is silent");
  expect(text).toMatch(/^eu is silent\.\n\nSince: .*\nWhat: No heartbeat\.\n/);
  for (const part of [text, readable(html)]) expect(part).not.toMatch(/Status|Incident|db\.example\.com/);
});

test.each(EVENTS)("HTML and text of %s say the same", (event) => {
  const { text, html } = alertMail({ ...alertOf(event), acknowledgeUrl: ACKNOWLEDGE });
  const shown = readable(html);
  for (const line of text.split("\n").slice(1)) {
    const [label = "", value = ""] = line.split(/: (.*)/);
    if (value.startsWith("https://")) expect(html).toContain(`href="${value}"`);
    else expect(shown).toContain(`${label} ${value}`.trim());
  }
});

test.each(Object.entries(HOSTILE))("HTML escapes what targets and users wrote: %s", (_, text) => {
  const { html } = alertMail(hostile(text));
  const { html: digest } = digestMail({ id: "d", alerts: [hostile(text), hostile(text)], url: null });
  const ours = /^(html|head|meta|title|style|body|div|p|h1|span|br|a|ul|li)$/;
  for (const page of [html, digest]) {
    for (const [, tag = ""] of page.matchAll(/<\/?([^\s>]*)/g)) expect(tag.replace("!doctype", "html")).toMatch(ours);
    expect(page).toContain("prefers-color-scheme:dark");
  }
});

test("a digest names twenty alerts with their links, and counts the others", () => {
  const alerts = Array.from({ length: 23 }, (_, n) => alertOf(n < 20 ? "down" : "recovered"));
  const { subject, html, text } = digestMail({ id: "d", alerts, url: "https://api.example.com/v1/incidents" });
  expect(subject).toBe("23 alerts: 20 down, 3 recovered");
  expect(html.match(/<li/g)).toHaveLength(20);
  for (const part of [html, text]) expect(part).toContain("and 3 more");
  expect(html).toContain('href="https://api.example.com/v1/incidents"');
});
