/** Incidents as people read them: newest first, of one monitor or of all. `state-change` writes them. */
import { type DynamoDBDocumentClient, GetCommand, QueryCommand } from "@aws-sdk/lib-dynamodb";
import type { Incident, Timestamp } from "../model.ts";
import type { Page } from "./cursor.ts";
import { INCIDENT_PREFIX, incidentKey, LISTING, monitorKey } from "./keys.ts";

/** An incident with the monitor it happened to, as that was named then. */
export interface RecordedIncident extends Incident {
  readonly monitorId: string;
  readonly monitorName: string;
  readonly protocol: string;
  readonly host: string;
  readonly port: number;
  /** Deliveries that a receiver refused for good, by their id. */
  readonly undeliverable: Readonly<Record<string, { readonly error: string; readonly at: Timestamp }>>;
}

const fromItem = ({
  pk: _pk,
  sk: _sk,
  collection: _collection,
  collectionKey: _key,
  revision: _revision,
  ...incident
}: Record<string, unknown>) => incident as unknown as RecordedIncident;

export const createIncidentStore = (client: DynamoDBDocumentClient, tableName: string) => {
  /** One partition of the listing, newest first, before a position. */
  const partition = async (collection: string, limit: number, before: string | undefined) => {
    const { Items = [] } = await client.send(
      new QueryCommand({
        TableName: tableName,
        IndexName: "listing",
        KeyConditionExpression: before ? "#collection = :c AND collectionKey < :before" : "#collection = :c",
        ExpressionAttributeNames: { "#collection": "collection" },
        ExpressionAttributeValues: { ":c": collection, ...(before && { ":before": before }) },
        ScanIndexForward: false,
        Limit: limit,
      }),
    );
    return Items;
  };

  return {
    /** Across monitors. A position is the last incident's `<startedAt>#<monitor id>`, the same in both partitions. */
    async list(state: "open" | "closed" | "all", limit: number, before?: string): Promise<Page<RecordedIncident>> {
      const { openIncidents, incidents } = LISTING;
      const collections = { open: [openIncidents], closed: [incidents], all: [openIncidents, incidents] }[state];
      const found = await Promise.all(collections.map((collection) => partition(collection, limit + 1, before)));
      const newest = found
        .flat()
        .sort((a, b) => (String(a.collectionKey) < String(b.collectionKey) ? 1 : -1))
        // An incident that closed while we read stands in both partitions for a moment.
        .filter((item, index, all) => item.collectionKey !== all[index - 1]?.collectionKey);
      const page = newest.slice(0, limit);
      return {
        items: page.map(fromItem),
        next: newest.length > limit ? String(page.at(-1)?.collectionKey) : null,
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
