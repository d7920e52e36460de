/**
 * Store of state-change: reads whole monitors; writes decisions, results of deliveries, and incidents as items of their
 * own.
 */
import {
  DeleteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  UpdateCommand,
  type UpdateCommandInput,
} from "@aws-sdk/lib-dynamodb";
import type { Delivery, Incident, ItemKey, Monitor, PendingAlert } from "../model.ts";
import type { Decision } from "../rules/decide.ts";
import { unlessRaced } from "./condition.ts";
import { mustLook } from "./due.ts";
import { dueBucket, incidentKey, LEFT_PREFIX, leftKey, monitorKey, NOTICE_PREFIX } from "./keys.ts";
import { attentionPlace, changePlace, incidentPlace, openIncidentPlace } from "./listing.ts";
import { monitorFromItem } from "./monitor-item.ts";

/** An item with an outbox: a monitor, a location's state, what a deleted monitor left, or one message for `system`. */
export interface OutboxItem {
  readonly revision: number;
  readonly pendingAlerts: Readonly<Record<string, PendingAlert>>;
  readonly nextEvaluationAt: string | null;
  readonly lookBy: string | null;
  /** Of an item that DynamoDB deletes then. */
  readonly expiresAtSeconds?: number | undefined;
}

/** Result of one delivery: done (delivered or given up), or to be retried. */
export interface DeliveryUpdate {
  readonly key: string;
  readonly receiver: string;
  /** Of the delivered entry: guards against another entry that has replaced it under the same key. */
  readonly sequence: number;
  /** The retry; null when the delivery is done. */
  readonly next: Delivery | null;
}

/**
 * Attributes of the watchdog (see due.ts). A write on condition of the revision removes them: it has seen the latest
 * change.
 */
const LOOKED = ["lookBy", "lookBucket", "touches"];

/** Clauses that set or remove the item's own timer; index keys must be absent, not NULL. */
const timer = (next: string | null, bucket: string) =>
  next
    ? {
        set: ["nextEvaluationAt = :next", "dueBucket = :bucket"],
        remove: LOOKED,
        values: { ":next": next, ":bucket": bucket },
      }
    : { set: [], remove: ["nextEvaluationAt", "dueBucket", ...LOOKED], values: {} };

/** Leaves out entries without deliveries, which remain when two concurrent runs each settle one of the last two. */
const undelivered = (outbox: Readonly<Record<string, PendingAlert>>) =>
  Object.fromEntries(Object.entries(outbox).filter(([, { deliveries }]) => Object.keys(deliveries).length > 0));

const clauses = (set: readonly string[], remove: readonly string[]) =>
  `${set.length ? `SET ${set.join(", ")} ` : ""}${remove.length ? `REMOVE ${remove.join(", ")} ` : ""}ADD revision :one`;

/**
 * Whether this is an outbox of its own (a deleted monitor's, or one message's), and empty: the item can be deleted, unless it
 * expires by itself.
 */
export const isOver = (
  { pk }: ItemKey,
  { pendingAlerts, expiresAtSeconds }: Pick<OutboxItem, "pendingAlerts" | "expiresAtSeconds">,
) =>
  (pk.startsWith(LEFT_PREFIX) || pk.startsWith(NOTICE_PREFIX)) &&
  Object.keys(pendingAlerts).length === 0 &&
  expiresAtSeconds === undefined;

export const createDecisionStore = (client: DynamoDBDocumentClient, tableName: string) => {
  const read = async (key: ItemKey) => {
    const { Item } = await client.send(new GetCommand({ TableName: tableName, Key: { ...key }, ConsistentRead: true }));
    return (
      Item && {
        ...Item,
        nextEvaluationAt: Item.nextEvaluationAt ?? null,
        lookBy: Item.lookBy ?? null,
        pendingAlerts: undelivered(Item.pendingAlerts ?? {}),
      }
    );
  };

  const update = (key: ItemKey, input: Omit<UpdateCommandInput, "TableName" | "Key">) =>
    unlessRaced(client.send(new UpdateCommand({ TableName: tableName, Key: { ...key }, ...input })));

  const remove = (key: ItemKey, revision: number) =>
    unlessRaced(
      client.send(
        new DeleteCommand({
          TableName: tableName,
          Key: { ...key },
          ConditionExpression: "revision = :revision",
          ExpressionAttributeValues: { ":revision": revision },
        }),
      ),
    );

  /** Records the results of deliveries in one write, unless one of their entries has been replaced. */
  const settleAll = (
    key: ItemKey,
    item: OutboxItem,
    updates: readonly DeliveryUpdate[],
    timerAt?: { readonly at: string | null },
  ): Promise<boolean> => {
    const names: Record<string, string> = { "#outbox": "pendingAlerts" };
    const values: Record<string, unknown> = { ":one": 1 };
    const [set, remove]: [string[], string[]] = [[], []];
    const conditions = ["attribute_exists(pk)"];
    let n = 0;
    for (const [entry, own] of Map.groupBy(updates, ({ key: entry }) => entry)) {
      const alert = `#a${n}`;
      names[alert] = entry;
      names["#sequence"] = "sequence";
      values[`:s${n}`] = own[0]!.sequence;
      conditions.push(`#outbox.${alert}.#sequence = :s${n}`);
      const left = Object.keys(item.pendingAlerts[entry]?.deliveries ?? {}).length;
      if (own.filter(({ next }) => !next).length === left) remove.push(`#outbox.${alert}`);
      else
        own.forEach(({ receiver, next }, index) => {
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
    if (timerAt) {
      const next = timer(timerAt.at, dueBucket(key.pk));
      set.push(...next.set);
      remove.push(...next.remove);
      Object.assign(values, next.values, { ":revision": item.revision });
      conditions.push("revision = :revision");
    }
    return update(key, {
      UpdateExpression: clauses(set, remove),
      ConditionExpression: conditions.join(" AND "),
      ExpressionAttributeNames: names,
      ExpressionAttributeValues: values,
    });
  };

  return {
    async monitor(id: string): Promise<Monitor | undefined> {
      const item = await read(monitorKey(id));
      return item && monitorFromItem(item);
    },

    async outbox(key: ItemKey): Promise<OutboxItem | undefined> {
      return (await read(key)) as OutboxItem | undefined;
    },

    /** Stores the decision unless the monitor changed since it was read. @returns whether it was stored */
    save({ id, revision, status, since }: Monitor, decision: Decision, now: Date): Promise<boolean> {
      const { nextEvaluationAt, ...decided } = decision;
      const key = monitorKey(id);
      const next = timer(nextEvaluationAt, dueBucket(key.pk));
      const isNews = decided.status !== status || decided.since !== since;
      const attention = attentionPlace(id, decided.status, decided.since);
      const fields = { ...decided, ...attention, ...(isNews && changePlace(id, now.toISOString())) };
      const names = Object.keys(fields);
      return update(key, {
        UpdateExpression: clauses(
          [...names.map((name) => `#${name} = :${name}`), ...next.set],
          [...next.remove, ...(attention ? [] : ["attentionBucket", "attentionKey"])],
        ),
        ConditionExpression: "revision = :revision",
        ExpressionAttributeNames: Object.fromEntries(names.map((name) => [`#${name}`, name])),
        ExpressionAttributeValues: {
          ...Object.fromEntries(Object.entries(fields).map(([name, value]) => [`:${name}`, value])),
          ...next.values,
          ":revision": revision,
          ":one": 1,
        },
      });
    },

    /**
     * Records the results of deliveries: removes those that are done, and an entry with its last one; schedules the
     * retries. Entries that were added or replaced meanwhile stay untouched.
     * @param timerAt the item's next timer, set only if the item has not changed since it was read; null if unknown:
     *   the stream record of this write then leads to a new decision, which sets the timer
     * @returns whether the item was unchanged, so that the timer was set
     */
    async settle(
      key: ItemKey,
      item: OutboxItem,
      updates: readonly DeliveryUpdate[],
      timerAt: { readonly at: string | null } | null,
    ): Promise<boolean> {
      if (timerAt && (await settleAll(key, item, updates, timerAt))) return true;
      if (await settleAll(key, item, updates)) return false;
      // One entry has been replaced: record the others one by one, so that they are not delivered again.
      for (const [, own] of Map.groupBy(updates, ({ key: entry }) => entry)) await settleAll(key, item, own);
      return false;
    },

    /**
     * Sets or clears the timer of an item that is only an outbox, or deletes it if it is over, unless it has changed.
     */
    keepTimer(key: ItemKey, item: OutboxItem, next: string | null): Promise<boolean> {
      const { revision } = item;
      if (isOver(key, item)) return remove(key, revision);
      const { set, remove: gone, values } = timer(next, dueBucket(key.pk));
      return update(key, {
        UpdateExpression: clauses(set, gone),
        ConditionExpression: "revision = :revision",
        ExpressionAttributeValues: { ...values, ":revision": revision, ":one": 1 },
      });
    },

    /** Copies the outbox of a deleted monitor to an item of its own, so that the monitor's key can be used again. */
    async moveOutbox(monitor: Monitor, now: Date): Promise<void> {
      const { id, name, pendingAlerts, deletedAt } = monitor;
      const key = leftKey(id, deletedAt ?? "");
      await unlessRaced(
        client.send(
          new PutCommand({
            TableName: tableName,
            Item: {
              ...key,
              id,
              name,
              pendingAlerts,
              revision: monitor.revision,
              ...mustLook(key.pk, now.getTime()).attributes,
            },
            ConditionExpression: "attribute_not_exists(pk)",
          }),
        ),
      );
    },

    /** Deletes the item of a deleted monitor, unless it has changed since it was read. */
    remove: ({ id, revision }: Monitor): Promise<boolean> => remove(monitorKey(id), revision),

    /**
     * Writes an incident as an item of its own; its `undeliverable` notes stay.
     * @param sequence of the outbox entry; an item written by a later entry is not overwritten
     */
    async projectIncident(
      { id: monitorId, name }: Pick<Monitor, "id" | "name">,
      incident: Incident,
      sequence: number,
    ): Promise<void> {
      const fields = {
        ...incident,
        monitorId,
        monitorName: name,
        ...incident.target,
        ...incidentPlace(monitorId, incident.startedAt),
        ...(!incident.endedAt && openIncidentPlace(monitorId, incident.startedAt)),
        sequence,
      };
      const names = Object.keys(fields);
      const over = incident.endedAt ? " REMOVE attentionBucket, attentionKey" : "";
      await update(incidentKey(monitorId, incident.startedAt), {
        UpdateExpression: `SET ${names.map((field) => `#${field} = :${field}`).join(", ")}, undeliverable = if_not_exists(undeliverable, :none)${over}`,
        ConditionExpression: "attribute_not_exists(#sequence) OR #sequence < :sequence",
        ExpressionAttributeNames: Object.fromEntries(names.map((field) => [`#${field}`, field])),
        ExpressionAttributeValues: {
          ...Object.fromEntries(Object.entries(fields).map(([field, value]) => [`:${field}`, value])),
          ":none": {},
        },
      });
    },

    /** Notes on an incident that an alert could not be delivered to a receiver. Idempotent. */
    async noteUndeliverable(
      monitorId: string,
      startedAt: string,
      deliveryId: string,
      note: { readonly error: string; readonly at: string },
    ): Promise<void> {
      const write = (expression: string, condition: string, value: unknown, names?: Record<string, string>) =>
        update(incidentKey(monitorId, startedAt), {
          UpdateExpression: expression,
          ConditionExpression: condition,
          ExpressionAttributeNames: names,
          ExpressionAttributeValues: { ":value": value },
        });
      // The incident's item exists, because its copy is delivered first; old items may lack the map.
      await write("SET undeliverable = :value", "attribute_exists(pk) AND attribute_not_exists(undeliverable)", {});
      await write("SET undeliverable.#delivery = :value", "attribute_exists(undeliverable)", note, {
        "#delivery": deliveryId,
      });
    },
  };
};
export type DecisionStore = ReturnType<typeof createDecisionStore>;
