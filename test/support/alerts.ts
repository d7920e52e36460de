/** Alerts for tests, also hostile ones: names and messages that try to break out of their place. */
import { ALERT_EVENTS, type Alert, type AlertEvent } from "../../shared/model.ts";

export const alertOf = (event: AlertEvent = "down", more: Partial<Alert> = {}): Alert => {
  const isOver = event === "recovered" || event === "closed";
  return {
    alertId: "19ea3a11ef31d1ea79c8.1795775490000.1",
    event,
    severity: isOver || event === "acknowledged" ? "info" : event === "degraded" ? "warning" : "critical",
    monitor: {
      id: "19ea3a11ef31d1ea79c8",
      name: "Orders database",
      protocol: "postgresql",
      host: "db.example.com",
      port: 5432,
      tags: { team: "orders" },
    },
    status: isOver ? "up" : event === "degraded" ? "degraded" : "down",
    previousStatus: isOver ? "down" : "up",
    reason: isOver ? null : "connection-refused",
    message: "db.example.com:5432 refused the connection",
    locations: { local: { health: "down", state: "closed", reason: "connection-refused", message: "refused" } },
    startedAt: "2026-11-27T10:31:30.000Z",
    endedAt: isOver ? "2026-11-27T10:31:40.000Z" : null,
    durationSeconds: isOver ? 10 : null,
    incidentId: "19ea3a11ef31d1ea79c8.1795775490000",
    incidentState: isOver ? "ended" : "open",
    endReason: event === "recovered" ? "recovered" : event === "closed" ? "deleted" : null,
    url: "https://api.example.com/v1/monitors/19ea3a11ef31d1ea79c8",
    ...more,
  };
};

export const EVENTS = ALERT_EVENTS;

/** Text with markup of all services, mentions, line ends, quotes, a change of direction, and half of nothing. */
const MARKUP =
  '<b>x</b> <!channel> <@U012> <users/all> @all @everyone *bold* _it_ ~no~ `code` [a](http://evil.example) {{alert}} "quoted" \\back &amp; ![i](x) > q\r\n# head\n- item\u2028next\u202egnp.exe\u202c';

export const HOSTILE: Readonly<Record<string, string>> = {
  markup: MARKUP,
  long: "x".repeat(500),
  emoji: "🔥👩‍👩‍👧‍👦".repeat(60),
  "right to left": "قاعدة بيانات الطلبات ".repeat(30),
  "markup again and again": MARKUP.repeat(20).slice(0, 3000),
  "to be escaped throughout": "&<>*_".repeat(100),
};

/** An alert in which everything that users and targets can choose is this text. */
export const hostile = (text: string, event: AlertEvent = "down"): Alert => {
  const alert = alertOf(event);
  return {
    ...alert,
    monitor: { ...alert.monitor, name: text, tags: { [text.slice(0, 100)]: text } },
    message: text,
    locations: Object.fromEntries(
      Array.from({ length: 20 }, (_, n) => [
        `location-${n}`,
        { health: "down", state: "closed", reason: "connection-refused", message: text },
      ]),
    ),
  };
};
