/** Lists incidents for the API, newest first, of one monitor or of all. `state-change` writes them. */
import { type DynamoDBDocumentClient, GetCommand, QueryCommand } from "@aws-sdk/lib-dynamodb";
import type { Incident, ItemKey, Timestamp } from "../model.ts";
import type { Page } from "./cursor.ts";
import { INCIDENT_PREFIX, incidentKey, monitorIdOf, monitorKey } from "./keys.ts";
import { createListing, incidentPlace } from "./listing.ts";
import { readMany, type Waiting } from "./read.ts";

/** An incident with its monitor, as that was named at the time. */
export interface RecordedIncident extends Incident {
  readonly monitorId: string;
  readonly monitorName: string;
  readonly protocol: string;
  readonly host: string;
  readonly port: number;
  /** Deliveries that were given up, by `<alert id> <receiver>`. */
  readonly undeliverable: Readonly<Record<string, { readonly error: string; readonly at: Timestamp }>>;
}

const fromItem = ({
  pk: _pk,
  sk: _sk,
  listBucket: _bucket,
  listKey: _key,
  attentionBucket: _attention,
  attentionKey: _open,
  revision: _revision,
  ...incident
}: Record<string, unknown>) => incident as unknown as RecordedIncident;

/** Which incidents a list is of. */
export interface IncidentQuestion {
  readonly state: "open" | "closed" | "all";
  /** The first moment at which they may have begun. */
  readonly from?: Timestamp | undefined;
  /** The moment before which they began. */
  readonly to?: Timestamp | undefined;
}

/** Whether an incident is one of those asked for. */
export const answers = ({ state, from = "", to }: IncidentQuestion, { startedAt, endedAt }: RecordedIncident) =>
  (state === "all" || (endedAt === null) === (state === "open")) &&
  startedAt >= from &&
  (to === undefined || startedAt < to);

/** Position in the list of all: where the next page begins. */
export const incidentPosition = ({ monitorId, startedAt }: RecordedIncident) =>
  incidentPlace(monitorId, startedAt).listKey;

/** Pages of keys, of 1 MB in each bucket, that are counted: some 36,000 incidents. */
const MOST_COUNTED_PAGES = 1;
/** After all moments in ISO 8601. */
const LAST = "~";

export const createIncidentStore = (client: DynamoDBDocumentClient, tableName: string, waiting: Waiting = {}) => {
  const listing = createListing(client, tableName);

  const read = async (keys: readonly ItemKey[]): Promise<RecordedIncident[]> => {
    const found = new Map<string, RecordedIncident>();
    for await (const page of readMany(client, tableName, keys, {}, waiting))
      for (const item of page) found.set(`${item.pk} ${item.sk}`, fromItem(item));
    return keys.flatMap(({ pk, sk }) => found.get(`${pk} ${sk}`) ?? []);
  };

  return {
    /**
     * Incidents of all monitors, newest first. A page may be short or empty and still have a next page.
     * @param before position of the last one seen
     */
    async list(question: IncidentQuestion, limit: number, before?: string): Promise<Page<RecordedIncident>> {
      const { state, from = "", to } = question;
      const index = state === "open" ? "attention" : "listed";
      const { keys, hasMore } = await listing.page(index, "INCIDENTS", limit, { after: before ?? to, back: true });
      const inRange = keys.filter(({ position }) => position >= from);
      return {
        items: (await read(inRange)).filter((incident) => answers(question, incident)),
        next: hasMore && inRange.length === keys.length ? (keys.at(-1)?.position ?? null) : null,
      };
    },

    /** How many there are; null if they are too many to count. */
    async count({ state, from = "", to = LAST }: IncidentQuestion): Promise<number | null> {
      const countIn = (index: "listed" | "attention") =>
        listing.count(index, "INCIDENTS", [from, to], MOST_COUNTED_PAGES);
      const open = state === "all" ? 0 : await countIn("attention");
      if (state === "open") return open;
      const all = await countIn("listed");
      return all === null || open === null ? null : Math.max(0, all - open);
    },

    /**
     * Incidents of one monitor, newest first. Like `list`.
     * @param before start of the last one seen
     */
    async listOf(
      monitorId: string,
      limit: number,
      before?: string,
      question: IncidentQuestion = { state: "all" },
    ): Promise<Page<RecordedIncident>> {
      const { Items = [] } = await client.send(
        new QueryCommand({
          TableName: tableName,
          KeyConditionExpression: "pk = :pk AND sk BETWEEN :from AND :to",
          ExpressionAttributeValues: {
            ":pk": monitorKey(monitorId).pk,
            ":from": `${INCIDENT_PREFIX}${question.from ?? ""}`,
            ":to": `${INCIDENT_PREFIX}${question.to ?? LAST}`,
          },
          ScanIndexForward: false,
          // One more, to know whether anything follows.
          Limit: limit + 1,
          ExclusiveStartKey: before ? incidentKey(monitorId, before) : undefined,
        }),
      );
      const found = Items.slice(0, limit).map(fromItem);
      return {
        items: found.filter((incident) => answers(question, incident)),
        next: Items.length > limit ? (found.at(-1)?.startedAt ?? null) : null,
      };
    },

    /** Incidents of all monitors that began after a moment: which monitor's, and when. */
    async startsAfter(moment: Timestamp): Promise<{ readonly monitorId: string; readonly startedAt: Timestamp }[]> {
      const keys = await Array.fromAsync(listing.all("listed", "INCIDENTS", { from: moment }));
      return keys.flat().map(({ pk, position }) => ({
        monitorId: monitorIdOf(pk),
        startedAt: position.slice(0, position.indexOf("#")),
      }));
    },

    /** Those of these incidents that exist, by `<monitor id>.<start in epoch milliseconds>`. */
    async getMany(ids: readonly string[]): Promise<RecordedIncident[]> {
      const keys = [...new Set(ids)].flatMap((id) => {
        const [, monitorId, start] = /^([a-z0-9]{1,64})\.(\d{1,15})$/.exec(id) ?? [];
        return monitorId && start ? [incidentKey(monitorId, new Date(Number(start)).toISOString())] : [];
      });
      return read(keys);
    },

    async get(monitorId: string, startedAt: string): Promise<RecordedIncident | undefined> {
      const { Item } = await client.send(
        new GetCommand({ TableName: tableName, Key: incidentKey(monitorId, startedAt) }),
      );
      return Item && fromItem(Item);
    },
  };
};
export type IncidentStore = ReturnType<typeof createIncidentStore>;
