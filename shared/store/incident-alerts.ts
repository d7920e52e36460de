/**
 * The alerts about an incident, and to whom each went: state-change notes them as it posts them, the API reads them together
 * with what became of each delivery, which stands in the receivers' mailboxes for 30 days.
 */
import { type DynamoDBDocumentClient, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { DAY_SECONDS } from "../durations.ts";
import type { Alert, Timestamp } from "../model.ts";
import { INCIDENT_ALERT_PREFIX, incidentAlertKey, mailKey } from "./keys.ts";
import type { Post } from "./mailbox.ts";
import { type Item, pagesOf, readMany, type Waiting } from "./read.ts";

/** As long as outcomes are kept by default. */
const KEPT_SECONDS = 400 * DAY_SECONDS;

export interface IncidentAlert {
  readonly createdAt: Timestamp;
  readonly alert: Pick<Alert, "alertId" | "event" | "severity" | "reason" | "message">;
  readonly receivers: readonly string[];
}

/** What became of an alert for one receiver. */
export interface AlertDelivery {
  readonly receiver: string;
  /** Null where it is not known any more. */
  readonly state: "waiting" | "sent" | "undeliverable" | null;
  readonly attempts: number;
  /** Of the last attempt; null before the first. */
  readonly attemptedAt: Timestamp | null;
  /** What the receiver said to the last attempt. */
  readonly answer: string | null;
}

const fromItem = ({ createdAt, alert, receivers }: Item) =>
  ({ createdAt, alert, receivers: [...(receivers as Iterable<string>)].toSorted() }) as IncidentAlert;

export const createIncidentAlertStore = (client: DynamoDBDocumentClient, tableName: string, waiting: Waiting = {}) => ({
  /** Notes that an alert goes to a receiver. Repeated, it changes nothing. */
  async note({ receiver, alert, createdAt }: Post): Promise<void> {
    const { alertId, event, severity, reason, message } = alert;
    await client.send(
      new UpdateCommand({
        TableName: tableName,
        Key: incidentAlertKey(alert.incidentId, createdAt, alertId),
        UpdateExpression:
          "SET alert = :alert, createdAt = :createdAt, expiresAtSeconds = :expiresAtSeconds ADD receivers :receiver",
        ExpressionAttributeValues: {
          ":alert": { alertId, event, severity, reason, message },
          ":createdAt": createdAt,
          ":expiresAtSeconds": Math.floor(Date.parse(createdAt) / 1000) + KEPT_SECONDS,
          ":receiver": new Set([receiver]),
        },
      }),
    );
  },

  /** All alerts about an incident, the oldest first. */
  async of(incidentId: string): Promise<IncidentAlert[]> {
    const alerts: IncidentAlert[] = [];
    const pages = pagesOf(client, {
      TableName: tableName,
      KeyConditionExpression: "pk = :pk AND begins_with(sk, :alerts)",
      ExpressionAttributeValues: {
        ":pk": incidentAlertKey(incidentId, "", "").pk,
        ":alerts": INCIDENT_ALERT_PREFIX,
      },
    });
    for await (const page of pages) alerts.push(...page.map(fromItem));
    return alerts;
  },

  /** What became of these alerts for each receiver, by the alert's id. */
  async deliveries(alerts: readonly IncidentAlert[]): Promise<ReadonlyMap<string, readonly AlertDelivery[]>> {
    const keyOf = ({ createdAt, alert }: IncidentAlert, receiver: string) =>
      mailKey(receiver, createdAt, alert.alertId);
    const keys = alerts.flatMap((one) => one.receivers.map((receiver) => keyOf(one, receiver)));
    const found = new Map<string, Item>();
    for await (const page of readMany(client, tableName, keys, {}, waiting))
      for (const item of page) found.set(`${item.pk} ${item.sk}`, item);
    const deliveryOf = (one: IncidentAlert, receiver: string): AlertDelivery => {
      const { pk, sk } = keyOf(one, receiver);
      const { state = null, attempts = 0, attemptedAt = null, answer = null } = found.get(`${pk} ${sk}`) ?? {};
      return { receiver, state, attempts, attemptedAt, answer } as AlertDelivery;
    };
    return new Map(
      alerts.map((one) => [one.alert.alertId, one.receivers.map((receiver) => deliveryOf(one, receiver))]),
    );
  },
});
export type IncidentAlertStore = ReturnType<typeof createIncidentAlertStore>;
