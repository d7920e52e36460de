import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { SCRIPT } from "../../../functions/status-page/script.ts";
import { stylesOf } from "../../../functions/status-page/styles.ts";
import { wordingOf } from "../../../shared/status-page/words.ts";

test("the script has at most 1 KB", () => {
  expect(Buffer.byteLength(SCRIPT)).toBeLessThanOrEqual(1024);
});

test("the colours are the dashboard's", () => {
  const tokens = readFileSync(new URL("../../../functions/web/page/tokens.css", import.meta.url), "utf8");
  const colours = (css: string) =>
    [...css.matchAll(/(--[\w-]+):\s*(#[0-9a-f]{6})/g)].map(([, name, value]) => `${name} ${value}`);
  const known = new Set(colours(tokens));
  const own = colours(stylesOf(null));
  expect(own.length).toBe(24);
  expect(own.filter((colour) => !known.has(colour))).toEqual([]);
});

test.each([
  ["en", "1 sec", "1 hr 1 min", "99.99", "21 Nov 2026, 00:30", "November 2026"],
  ["de", "1 Sek.", "1 Std. 1 Min.", "99,99", "21.11.2026, 00:30", "November 2026"],
  ["fr", "1 s", "1 h 1 min", "99,99", "21 nov. 2026, 00:30", "novembre 2026"],
  ["es", "1 s", "1 h 1 min", "99,99", "21 nov 2026, 0:30", "noviembre de 2026"],
  ["ja", "1 秒", "1 時間 1 分", "99.99", "2026/11/21 0:30", "2026年11月"],
] as const)("durations, numbers and days are written as in %s", (language, ...expected) => {
  const { duration, number, time, month } = wordingOf({ language, timeZone: "Europe/Zurich" });
  const written = [duration(0.4), duration(3_661), number(99.99, 2), time("2026-11-20T23:30:00Z")];
  // French has narrow spaces that do not break.
  expect([...written, month("2026-11-15T12:00:00Z")].map((text) => text.replace(/\s/g, " "))).toEqual(expected);
});
