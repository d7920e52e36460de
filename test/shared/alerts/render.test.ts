import { describe, expect, test } from "vitest";
import { snsMessage } from "../../../shared/alerts/channels/sns.ts";
import { attributes, duration, headline, moment, sms, snsSubject, toAscii } from "../../../shared/alerts/render.ts";
import { ALERT_EVENTS, type Alert } from "../../../shared/model.ts";

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
  test("a recovery says how long it lasted", () => {
    const recovered = alert({ event: "recovered", status: "up", previousStatus: "down", durationSeconds: 125 });
    expect(headline(recovered)).toBe("Zürich DB ✓ is up again after 2 min 5 s");
  });
});

describe("an SMS", () => {
  const long = {
    name: "Orders database of the warehouse in Łódź ✓ ".repeat(10),
    host: `${"a".repeat(60)}.example.com`,
  };
  const texts = ALERT_EVENTS.flatMap((event) =>
    [{}, long].map((names) => {
      const monitor = { ...alert().monitor, ...names };
      return sms(alert({ event, monitor, message: "x".repeat(500), durationSeconds: 359_999 }));
    }),
  );
  test("has fewer than 140 characters of the GSM alphabet, whatever the names", () => {
    for (const text of texts) expect(text).toMatch(/^[\x20-\x7e]{20,139}$/);
  });
  test("says what and where, also with long names", () => {
    expect(sms(alert({ monitor: { ...alert().monitor, ...long } }))).toBe(
      "Orders database of the warehouse in L... is down (tcp aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa...:5432). 2001:db8::1 port 5432 refused the ...",
    );
  });
});

test.each([
  ["2026-11-27T10:31:30.000Z", undefined, "2026-11-27 10:31:30 UTC"],
  ["2026-11-27T23:31:30.000Z", "Europe/Zurich", "2026-11-28 00:31:30 Europe/Zurich"],
  ["2026-07-01T00:00:00.000Z", "America/New_York", "2026-06-30 20:00:00 America/New_York"],
])("%s in zone %s is written %s", (timestamp, timeZone, expected) =>
  expect(moment(timestamp, timeZone)).toBe(expected),
);

test.each<[Partial<Alert>, string]>([
  [{ previousStatus: "degraded" }, "Zürich DB ✓ became worse and is down"],
  [{ event: "degraded", previousStatus: "down" }, "Zürich DB ✓ is back but degraded"],
  [{ event: "escalated", durationSeconds: 900 }, "Zürich DB ✓ has been down for 15 min"],
  [{ event: "escalated", severity: "warning", durationSeconds: 900 }, "Zürich DB ✓ has been degraded for 15 min"],
  [{ event: "reminder", durationSeconds: 3600 }, "Zürich DB ✓ is still down, after 1 h"],
])("%j reads %j", (more, expected) => expect(headline(alert(more))).toBe(expected));

test("SNS gets the contract for machines and text for people", () => {
  const message = JSON.parse(snsMessage(alert()));
  expect(JSON.parse(message.default)).toEqual(alert());
  expect(message.email).toContain("Zürich DB ✓ is down");
  expect(attributes(alert()).tags).toEqual({ DataType: "String.Array", StringValue: '["team=orders"]' });
});
