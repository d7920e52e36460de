import { describe, expect, test } from "vitest";
import {
  attributes,
  duration,
  headline,
  mailHtml,
  mailSubject,
  mailText,
  sms,
  snsMessage,
  snsSubject,
  toAscii,
} from "../../../shared/alerts/render.ts";
import type { Alert } from "../../../shared/model.ts";

const alert = (more: Partial<Alert> = {}): Alert => ({
  alertId: "m1.1.1",
  event: "down",
  severity: "critical",
  monitor: {
    id: "m1",
    name: "Zürich DB ✓",
    protocol: "tcp",
    host: "2001:db8::1",
    port: 5432,
    tags: { team: "orders" },
  },
  status: "down",
  previousStatus: "up",
  reason: "connection-refused",
  message: "2001:db8::1 port 5432 refused the connection",
  locations: { local: { health: "down", state: "closed", reason: "connection-refused", message: "refused" } },
  startedAt: "2026-11-23T10:00:00.000Z",
  endedAt: null,
  durationSeconds: null,
  incidentId: "m1.1",
  incidentState: "open",
  endReason: null,
  url: "https://x/v1/monitors/m1",
  ...more,
});

test.each([
  ["Zürich DB ✓", "Zuerich DB OK"],
  ["Łódź – café", "Lodz - cafe"],
  ["数据库", "?"],
  ["line\r\nbreak", "line?break"],
  ["🔥 prod", "? prod"],
])("%j in ASCII is %j", (text, expected) => expect(toAscii(text)).toBe(expected));

test.each([
  [0, "0 s"],
  [45, "45 s"],
  [60, "1 min"],
  [125, "2 min 5 s"],
  [3600, "1 h"],
  [7510, "2 h 5 min"],
  [90_061, "1 d 1 h"],
])("%i seconds are %j", (seconds, expected) => expect(duration(seconds)).toBe(expected));

describe("subjects", () => {
  test("SNS takes printable ASCII of fewer than 100 characters", () => {
    const subject = snsSubject(alert({ monitor: { ...alert().monitor, name: "ß".repeat(300) } }));
    expect(subject).toMatch(/^DOWN: [\x20-\x7e]+\.\.\.$/);
    expect(subject.length).toBeLessThan(100);
    expect(snsSubject(alert())).toBe("DOWN: Zuerich DB OK is down");
  });
  test("mail keeps the name's letters and stays on one line", () => {
    expect(mailSubject(alert())).toBe("[DOWN] Zürich DB ✓ is down");
    expect(mailSubject(alert({ monitor: { ...alert().monitor, name: "a\r\nBcc: x@y" } }))).not.toMatch(/[\r\n]/);
  });
  test("a recovery says how long it lasted", () => {
    const recovered = alert({ event: "recovered", status: "up", previousStatus: "down", durationSeconds: 125 });
    expect(headline(recovered)).toBe("Zürich DB ✓ is up again after 2 min 5 s");
    expect(mailText(recovered)).toContain("Lasted: 2 min 5 s");
  });
});

test("HTML mail escapes what targets and users wrote", () => {
  const html = mailHtml(alert({ message: `<script>"x" & 'y'</script>` }));
  expect(html).not.toContain("<script>");
  expect(html).toContain("&#60;script&#62;");
});

test("an SMS fits one message", () => expect(sms(alert({ message: "x".repeat(500) })).length).toBeLessThanOrEqual(160));

test("SNS gets the contract for machines and text for people", () => {
  const message = JSON.parse(snsMessage(alert()));
  expect(JSON.parse(message.default)).toEqual(alert());
  expect(message.email).toContain("Zürich DB ✓ is down");
  expect(attributes(alert()).tags).toEqual({ DataType: "String.Array", StringValue: '["team=orders"]' });
});
