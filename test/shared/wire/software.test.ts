import { expect, test } from "vitest";
import { printable } from "../../../shared/wire/cursor.ts";
import { softwareIn } from "../../../shared/wire/software.ts";

test.each([
  ["(vsFTPd 3.0.3)", "vsFTPd 3.0.3"],
  ["mail.example.com ESMTP Exim 4.96 Mon, 23 Nov 2026 09:00:00 +0000", "Exim 4.96"],
  ["mail.example.com ESMTP bereit 26.11.2026", undefined],
  ["hello from [192.0.2.7]", undefined],
  ["mx ESMTP Postfix (Debian/GNU)", "Postfix"],
])("%j names %j", (greeting, software) => {
  expect(softwareIn(greeting)).toBe(software);
});

test.each([
  [Buffer.from("verfügbar").toString("latin1"), "verfügbar"],
  [Buffer.from("verf\xfcgbar", "latin1").toString("latin1"), "verfügbar"],
  ["Grüße", "Grüße"],
  ["港", "港"],
])("UTF-8 and Latin-1 are decoded: %j", (text, read) => {
  expect(printable(text)).toBe(read);
});
