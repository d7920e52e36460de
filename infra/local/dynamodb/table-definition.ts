import { isDeepStrictEqual } from "node:util";

export interface KeyElement {
  readonly AttributeName: string;
  /** `HASH` or `RANGE`. */
  readonly KeyType: string;
}

interface AttributeDefinition {
  readonly AttributeName: string;
  readonly AttributeType: string;
}

/** A global secondary index. */
export interface Index {
  readonly IndexName: string;
  readonly KeySchema: readonly KeyElement[];
  readonly Projection: { readonly ProjectionType: string; readonly NonKeyAttributes?: readonly string[] };
}

/** A table as it is noted in the store, and as DescribeTable shows it. */
export interface TableDescription {
  readonly TableName: string;
  readonly AttributeDefinitions: readonly AttributeDefinition[];
  readonly KeySchema: readonly KeyElement[];
  readonly GlobalSecondaryIndexes?: readonly Index[];
  readonly CreationDateTime?: number;
  /** Not of the API: the form in which the entries of its indexes are stored. */
  readonly IndexForm?: number;
  readonly [other: string]: unknown;
}

export type StreamViewType = "KEYS_ONLY" | "NEW_IMAGE" | "OLD_IMAGE" | "NEW_AND_OLD_IMAGES";

/** The template's definition of one table, with the names of DynamoDB's API. */
export interface TableDefinition {
  readonly name: string;
  readonly arn: string;
  readonly attributes: readonly AttributeDefinition[];
  readonly keys: readonly KeyElement[];
  readonly indexes: readonly Index[];
  readonly stream: StreamViewType | null;
  /** TTL attribute: holds the epoch second at which an item expires. */
  readonly expiryAttribute: string | null;
}

export const tableArn = (name: string) => `arn:aws:dynamodb:us-east-1:000000000000:table/${name}`;

/** AWS labels a stream with the time at which it was enabled; a fixed label keeps the ARN the same over restarts. */
export const streamArn = (arnOfTable: string) => `${arnOfTable}/stream/2026-01-01T00:00:00.000`;

type Properties = Readonly<Record<string, unknown>>;

/** Names in one projection, and in all projections of a table together (Developer Guide, "Quotas in Amazon DynamoDB"). */
const MAX_PROJECTED = 20;
const MAX_PROJECTED_IN_ALL = 100;
const MAX_INDEXES = 20;

/** @throws DynamoDB's message for indexes beyond its limits */
function assertIndexes(name: string, indexes: readonly Index[]): void {
  const refuse = (message: string) => {
    throw new Error(`table ${name}: One or more parameter values were invalid: ${message}`);
  };
  if (indexes.length > MAX_INDEXES)
    refuse(`GlobalSecondaryIndex count exceeds the per-table limit of ${MAX_INDEXES}, got ${indexes.length}`);
  const counts = indexes.map(({ Projection: { NonKeyAttributes = [] } }) => NonKeyAttributes.length);
  const index = counts.findIndex((count) => count > MAX_PROJECTED);
  if (index >= 0)
    refuse(
      `Member must have length less than or equal to ${MAX_PROJECTED} at the NonKeyAttributes of index ${indexes[index]?.IndexName}, got ${counts[index]}`,
    );
  const all = counts.reduce((sum, count) => sum + count, 0);
  if (all > MAX_PROJECTED_IN_ALL)
    refuse(`the NonKeyAttributes of all indexes together must be at most ${MAX_PROJECTED_IN_ALL}, got ${all}`);
}

/**
 * Reads the resolved properties of an `AWS::DynamoDB::Table` or `AWS::DynamoDB::GlobalTable`.
 * @throws when it uses what the local database does not support (local secondary indexes, more than one replica).
 */
export function tableDefinition(type: string, name: string, properties: Properties): TableDefinition {
  const global = type === "AWS::DynamoDB::GlobalTable";
  if (properties.LocalSecondaryIndexes)
    throw new Error(`table ${name}: local secondary indexes are not supported here`);
  const replicas = (properties.Replicas as unknown[] | undefined) ?? [];
  if (replicas.length > 1) throw new Error(`table ${name}: expected one replica, the template has ${replicas.length}`);
  const stream = properties.StreamSpecification as
    | { StreamViewType: StreamViewType; StreamEnabled?: boolean }
    | undefined;
  const indexes = ((properties.GlobalSecondaryIndexes ?? []) as Index[]).map(
    ({ IndexName, KeySchema, Projection }) => ({
      IndexName,
      KeySchema,
      Projection,
    }),
  );
  assertIndexes(name, indexes);
  const expiry = properties.TimeToLiveSpecification as { AttributeName?: string; Enabled?: boolean } | undefined;
  return {
    name,
    arn: tableArn(name),
    attributes: properties.AttributeDefinitions as TableDefinition["attributes"],
    keys: properties.KeySchema as TableDefinition["keys"],
    indexes,
    // Naming a view type enables the stream: a specification may lack `StreamEnabled`.
    stream: stream && (global || stream.StreamEnabled !== false) ? stream.StreamViewType : null,
    expiryAttribute: expiry?.Enabled ? (expiry.AttributeName ?? null) : null,
  };
}

/** @throws when a table on disk has another key than in the template: its items cannot be kept */
export function assertSameKeys(stored: TableDescription, wanted: TableDefinition): void {
  const describe = (keys: readonly KeyElement[], attributes: readonly AttributeDefinition[]) =>
    keys
      .map((key) => {
        const type = attributes.find((attribute) => attribute.AttributeName === key.AttributeName)?.AttributeType;
        return `${key.AttributeName} (${key.KeyType}, ${type})`;
      })
      .join(" + ");
  const has = describe(stored.KeySchema, stored.AttributeDefinitions);
  const wants = describe(wanted.keys, wanted.attributes);
  if (has === wants) return;
  throw new Error(
    `table ${wanted.name} has the key ${has} on disk, but the template wants ${wants}. ` +
      "A table's key cannot change: move the data folder away, or rename the table.",
  );
}

/** @throws when an index of the same name differs: DynamoDB cannot change the key or the projection of an index */
export function assertSameProjections(stored: TableDescription, wanted: TableDefinition): void {
  for (const index of stored.GlobalSecondaryIndexes ?? []) {
    const next = wanted.indexes.find(({ IndexName }) => IndexName === index.IndexName);
    if (next && !isDeepStrictEqual(next, index))
      throw new Error(
        `table ${wanted.name}: index ${index.IndexName}: Cannot update GSI's properties other than Provisioned Throughput. You can create a new GSI with a different name.`,
      );
  }
}

export const sameIndexes = (stored: TableDescription, wanted: TableDefinition) =>
  isDeepStrictEqual(stored.GlobalSecondaryIndexes ?? [], wanted.indexes);
