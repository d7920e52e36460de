import { expect, test } from "vitest";
import { type Mail, writeMail } from "../../../shared/alerts/mime.ts";
import { HOSTILE } from "../../support/alerts.ts";
import { readMail } from "../../support/raw-mail.ts";

const mail = (more: Partial<Mail> = {}): Mail => ({
  from: "sender@example.com",
  to: "ops@example.com",
  subject: "[DOWN] Zürich ✓",
  text: "Zürich = ✓ \nWhy: no answer ",
  html: "<p>Zürich &#38; ✓</p>\n",
  date: new Date("2026-11-27T10:31:30.000Z"),
  id: "m1.1.2@example.com",
  thread: "m1.1@example.com",
  ...more,
});
const read = (content: Mail) =>
  readMail({ Destinations: [content.to], RawMessage: { Data: Buffer.from(writeMail(content)) } });

test("headers name sender, receiver, date and thread", () => {
  const [head = ""] = writeMail(mail({ subject: "[DOWN] Orders" })).split("\r\n\r\n");
  expect(head.split("\r\n")).toEqual([
    "From: sender@example.com",
    "To: ops@example.com",
    "Subject: [DOWN] Orders",
    "Date: Fri, 27 Nov 2026 10:31:30 +0000",
    "Message-ID: <m1.1.2@example.com>",
    "References: <m1.1@example.com>",
    "MIME-Version: 1.0",
    'Content-Type: multipart/alternative; boundary="=_harborlight"',
  ]);
  expect(writeMail(mail({ thread: undefined }))).not.toContain("References");
});

const CONTENTS = {
  nothing: "",
  "a word": "Orders",
  umlauts: "Zürich ✓",
  "an encoded word": "=?UTF-8?B?eA==?=",
  "the boundary": "--=_harborlight--",
  dots: ". \n.\n",
  ...HOSTILE,
};
test.each(Object.entries(CONTENTS))("%s arrives as it was written, in short lines of ASCII", (_, content) => {
  const oneLine = content.replace(/[\r\n]+/g, " ");
  const lines = content.replaceAll("\r", "");
  const sent = mail({ subject: oneLine, text: lines, html: `<p>${lines}</p>` });
  expect(read(sent)).toMatchObject({ subject: oneLine, text: lines, html: `<p>${lines}</p>` });
  const raw = writeMail(sent);
  expect(raw).toMatch(/^[\x20-\x7e\r\n]+$/);
  for (const line of raw.split("\r\n")) expect(line.length).toBeLessThanOrEqual(78);
  expect(raw.match(/^--=_harborlight/gm)).toHaveLength(3);
});
