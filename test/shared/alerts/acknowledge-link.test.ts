import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { asksForSomebody, linkToken, readLinkToken } from "../../../shared/alerts/acknowledge-link.ts";
import { ALERT_EVENTS } from "../../../shared/model.ts";
import { alertOf } from "../../support/alerts.ts";

const SECRET = randomBytes(32);
const NOW = new Date("2026-12-01T12:00:00.000Z");
const LINK = { incidentId: "m1.1795341600000", receiver: "email:ops+ä@example.com" };
const later = (days: number) => new Date(NOW.getTime() + days * 86_400_000);

test("a token says which incident and whom it was sent to, for seven days", () => {
  const token = linkToken(LINK, SECRET, NOW);
  expect(token).toMatch(/^[\w-]+\.[\w-]+$/);
  expect(readLinkToken(token, SECRET, later(6.99))).toEqual(LINK);
  expect(readLinkToken(token, SECRET, later(7))).toBeUndefined();
});

test("a token that was changed, cut, or signed with another secret says nothing", () => {
  const token = linkToken(LINK, SECRET, NOW);
  const [content = "", signature = ""] = token.split(".");
  const other = linkToken({ ...LINK, incidentId: "m2.1" }, SECRET, NOW).split(".")[0];
  for (const wrong of ["", ".", content, `${content}.`, `.${signature}`, `${other}.${signature}`, `${token}A`, "ä.ö"])
    expect(readLinkToken(wrong, SECRET, NOW), wrong).toBeUndefined();
  for (let place = 0; place < token.length - 1; place++) {
    const changed = token[place] === "A" ? "B" : "A";
    expect(readLinkToken(token.slice(0, place) + changed + token.slice(place + 1), SECRET, NOW)).toBeUndefined();
  }
  expect(readLinkToken(token, randomBytes(32), NOW)).toBeUndefined();
});

test("alerts about trouble ask for somebody, others do not", () => {
  const asking = ALERT_EVENTS.filter((event) => asksForSomebody(alertOf(event)));
  expect(asking).toEqual(["down", "degraded", "escalated", "reminder"]);
});
