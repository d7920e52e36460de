/** Lists incidents for the API, newest first, of one monitor or of all. `state-change` writes them. */
import { type DynamoDBDocumentClient, GetCommand, QueryCommand } from "@aws-sdk/lib-dynamodb";
import type { Incident, Timestamp } from "../model.ts";
import type { Page } from "./cursor.ts";
import { INCIDENT_PREFIX, incidentKey, monitorKey } from "./keys.ts";
import { createListing } from "./listing.ts";
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

export const createIncidentStore = (client: DynamoDBDocumentClient, tableName: string, waiting: Waiting = {}) => {
  const listing = createListing(client, tableName);

  return {
    /**
     * Incidents of all monitors, newest first. A page of closed ones may be short or empty and still have a next page.
     * @param before position of the last one seen: `<startedAt>#<monitor id>`
     */
    async list(state: "open" | "closed" | "all", limit: number, before?: string): Promise<Page<RecordedIncident>> {
      const index = state === "open" ? "attention" : "listed";
      const { keys, hasMore } = await listing.page(index, "INCIDENTS", limit, { after: before, back: true });
      const found = new Map<string, RecordedIncident>();
      for await (const page of readMany(client, tableName, keys, {}, waiting))
        for (const item of page) found.set(`${item.pk} ${item.sk}`, fromItem(item));
      const isWanted = ({ endedAt }: RecordedIncident) => state === "all" || (endedAt === null) === (state === "open");
      return {
        items: keys.flatMap(({ pk, sk }) => found.get(`${pk} ${sk}`) ?? []).filter(isWanted),
        next: hasMore ? (keys.at(-1)?.position ?? null) : null,
      };
    },

    async listOf(monitorId: string, limit: number, before?: string): Promise<Page<RecordedIncident>> {
      const { Items = [], LastEvaluatedKey } = await client.send(
        new QueryCommand({
          TableName: tableName,
          KeyConditionExpression: "pk = :pk AND sk BETWEEN :from AND :to",
          ExpressionAttributeValues: {
            ":pk": monitorKey(monitorId).pk,
            ":from": INCIDENT_PREFIX,
            ":to": `${INCIDENT_PREFIX}~`,
          },
          ScanIndexForward: false,
          Limit: limit,
          ExclusiveStartKey: before ? incidentKey(monitorId, before) : undefined,
        }),
      );
      return {
        items: Items.map(fromItem),
        next: LastEvaluatedKey ? String(LastEvaluatedKey.sk).slice(INCIDENT_PREFIX.length) : null,
      };
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
