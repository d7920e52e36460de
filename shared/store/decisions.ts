/** What state-change reads and writes: monitors as a whole, decisions, deliveries, the incidents' own items. */
import { DeleteCommand, type DynamoDBDocumentClient, GetCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import type { Delivery, Incident, ItemKey, Monitor, PendingAlert } from "../model.ts";
import type { Decision } from "../rules/decide.ts";
import { unlessRaced } from "./condition.ts";
import { dueBucket, incidentKey, LISTING, monitorKey } from "./keys.ts";

/** Anything with an outbox: a monitor, or a location's state. */
export interface OutboxItem {
  readonly revision: number;
  readonly pendingAlerts: Readonly<Record<string, PendingAlert>>;
  readonly nextEvaluationAt: string | null;
  /** Of a monitor on its way out. */
  readonly deletedAt?: string | null;
}

/** What happened to one delivery: gone (delivered or given up), or to be tried again. */
export interface DeliveryUpdate {
  readonly key: string;
  readonly receiver: string;
  readonly next: Delivery | null;
}

/** Clauses that set or remove a timer; index keys must be absent, not NULL. */
const timer = (next: string | null, bucket: string) =>
  next
    ? {
        set: ["nextEvaluationAt = :next", "dueBucket = :bucket"],
        remove: [],
        values: { ":next": next, ":bucket": bucket },
      }
    : { set: [], remove: ["nextEvaluationAt", "dueBucket"], values: {} };

const clauses = (set: readonly string[], remove: readonly string[]) =>
  `${set.length ? `SET ${set.join(", ")} ` : ""}${remove.length ? `REMOVE ${remove.join(", ")} ` : ""}ADD revision :one`;

export const createDecisionStore = (client: DynamoDBDocumentClient, tableName: string) => {
  const read = async (key: ItemKey) => {
    const { Item } = await client.send(new GetCommand({ TableName: tableName, Key: { ...key }, ConsistentRead: true }));
    return (
      Item && { ...Item, nextEvaluationAt: Item.nextEvaluationAt ?? null, pendingAlerts: Item.pendingAlerts ?? {} }
    );
  };

  return {
    async monitor(id: string): Promise<Monitor | undefined> {
      const item = await read(monitorKey(id));
      return item && ({ undecidedSince: null, ...item } as unknown as Monitor);
    },

    async outbox(key: ItemKey): Promise<OutboxItem | undefined> {
      return (await read(key)) as OutboxItem | undefined;
    },

    /** Stores the decision unless the monitor changed since it was read. @returns whether it was stored */
    save({ id, revision }: Monitor, decision: Decision): Promise<boolean> {
      const { nextEvaluationAt, ...fields } = decision;
      const next = timer(nextEvaluationAt, dueBucket(monitorKey(id).pk));
      const names = Object.keys(fields);
      return unlessRaced(
        client.send(
          new UpdateCommand({
            TableName: tableName,
            Key: monitorKey(id),
            UpdateExpression: clauses([...names.map((name) => `#${name} = :${name}`), ...next.set], next.remove),
            ConditionExpression: "revision = :revision",
            ExpressionAttributeNames: Object.fromEntries(names.map((name) => [`#${name}`, name])),
            ExpressionAttributeValues: {
              ...Object.fromEntries(Object.entries(fields).map(([name, value]) => [`:${name}`, value])),
              ...next.values,
              ":revision": revision,
              ":one": 1,
            },
          }),
        ),
      );
    },

    /**
     * Records what became of deliveries: removes those that are done, and the entry with its last one; dates the next
     * attempt of the others. Entries that came in meanwhile stay untouched.
     */
    async settle(
      key: ItemKey,
      item: OutboxItem,
      updates: readonly DeliveryUpdate[],
      added: Readonly<Record<string, PendingAlert>>,
      nextEvaluationAt: string | null,
    ): Promise<boolean> {
      const names: Record<string, string> = { "#outbox": "pendingAlerts" };
      const values: Record<string, unknown> = { ":one": 1 };
      const [set, remove]: [string[], string[]] = [[], []];
      const touched = new Map<string, DeliveryUpdate[]>();
      for (const update of updates) touched.set(update.key, [...(touched.get(update.key) ?? []), update]);
      let n = 0;
      const conditions = ["attribute_exists(pk)"];
      for (const [entry, list] of touched) {
        const alert = `#a${n}`;
        names[alert] = entry;
        const left = Object.keys(item.pendingAlerts[entry]?.deliveries ?? {}).length;
        conditions.push(`attribute_exists(#outbox.${alert})`);
        if (list.filter(({ next }) => !next).length === left) remove.push(`#outbox.${alert}`);
        else
          list.forEach(({ receiver, next }, index) => {
            names["#deliveries"] = "deliveries";
            names[`#r${n}x${index}`] = receiver;
            const path = `#outbox.${alert}.#deliveries.#r${n}x${index}`;
            if (next) {
              set.push(`${path} = :d${n}x${index}`);
              values[`:d${n}x${index}`] = next;
            } else remove.push(path);
          });
        n++;
      }
      for (const [entry, content] of Object.entries(added)) {
        names[`#n${n}`] = entry;
        values[`:n${n}`] = content;
        set.push(`#outbox.#n${n} = :n${n}`);
        n++;
      }
      const next = timer(nextEvaluationAt, dueBucket(key.pk));
      return unlessRaced(
        client.send(
          new UpdateCommand({
            TableName: tableName,
            Key: { ...key },
            UpdateExpression: clauses([...set, ...next.set], [...remove, ...next.remove]),
            ConditionExpression: conditions.join(" AND "),
            ExpressionAttributeNames: names,
            ExpressionAttributeValues: { ...values, ...next.values },
          }),
        ),
      );
    },

    /** Removes a deleted monitor, unless something came up for it meanwhile. */
    remove({ id, revision }: Monitor): Promise<boolean> {
      return unlessRaced(
        client.send(
          new DeleteCommand({
            TableName: tableName,
            Key: monitorKey(id),
            ConditionExpression: "revision = :revision",
            ExpressionAttributeValues: { ":revision": revision },
          }),
        ),
      );
    },

    /** Writes an incident as an item of its own; what was noted on it (`undeliverable`) stays. */
    async projectIncident(
      { id: monitorId, name, protocol, host, port }: Pick<Monitor, "id" | "name" | "protocol" | "host" | "port">,
      incident: Incident,
    ): Promise<void> {
      const fields = {
        ...incident,
        monitorId,
        monitorName: name,
        protocol,
        host,
        port,
        collection: incident.endedAt ? LISTING.incidents : LISTING.openIncidents,
        collectionKey: `${incident.startedAt}#${monitorId}`,
      };
      const names = Object.keys(fields);
      await client.send(
        new UpdateCommand({
          TableName: tableName,
          Key: incidentKey(monitorId, incident.startedAt),
          UpdateExpression: `SET ${names.map((field) => `#${field} = :${field}`).join(", ")}, undeliverable = if_not_exists(undeliverable, :none)`,
          ExpressionAttributeNames: Object.fromEntries(names.map((field) => [`#${field}`, field])),
          ExpressionAttributeValues: {
            ...Object.fromEntries(Object.entries(fields).map(([field, value]) => [`:${field}`, value])),
            ":none": {},
          },
        }),
      );
    },

    /** Notes on an incident that a receiver could not be told. Writing it twice changes nothing. */
    async noteUndeliverable(
      monitorId: string,
      startedAt: string,
      deliveryId: string,
      note: { readonly error: string; readonly at: string },
    ): Promise<void> {
      const write = (expression: string, condition: string, value: unknown, names?: Record<string, string>) =>
        unlessRaced(
          client.send(
            new UpdateCommand({
              TableName: tableName,
              Key: incidentKey(monitorId, startedAt),
              UpdateExpression: expression,
              ConditionExpression: condition,
              ExpressionAttributeNames: names,
              ExpressionAttributeValues: { ":value": value },
            }),
          ),
        );
      // The projection comes first in the outbox, so the incident is there; the map may not be, on old items.
      await write("SET undeliverable = :value", "attribute_exists(pk) AND attribute_not_exists(undeliverable)", {});
      await write("SET undeliverable.#delivery = :value", "attribute_exists(undeliverable)", note, {
        "#delivery": deliveryId,
      });
    },
  };
};
export type DecisionStore = ReturnType<typeof createDecisionStore>;
