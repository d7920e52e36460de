import { isDeepStrictEqual } from "node:util";
import type { Index, Table } from "dynalite/db/index.js";

export type StreamViewType = "KEYS_ONLY" | "NEW_IMAGE" | "OLD_IMAGE" | "NEW_AND_OLD_IMAGES";

/** What the template says of one table, in the words of DynamoDB's API. */
export interface TableDefinition {
  readonly name: string;
  readonly arn: string;
  readonly attributes: Table["AttributeDefinitions"];
  readonly keys: Table["KeySchema"];
  readonly indexes: readonly Index[];
  readonly stream: StreamViewType | null;
  /** Attribute that holds the epoch second an item expires at. */
  readonly expiryAttribute: string | null;
}

export const tableArn = (name: string) => `arn:aws:dynamodb:us-east-1:000000000000:table/${name}`;

/** AWS labels a stream with the moment it was switched on; one fixed label keeps the ARN the same over restarts. */
export const streamArn = (arnOfTable: string) => `${arnOfTable}/stream/2026-01-01T00:00:00.000`;

type Properties = Readonly<Record<string, unknown>>;

/**
 * Reads the resolved properties of an `AWS::DynamoDB::Table` or `AWS::DynamoDB::GlobalTable`.
 * @throws when it has what the local database does not do (local secondary indexes, more than one replica).
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
  const expiry = properties.TimeToLiveSpecification as { AttributeName?: string; Enabled?: boolean } | undefined;
  return {
    name,
    arn: tableArn(name),
    attributes: properties.AttributeDefinitions as TableDefinition["attributes"],
    keys: properties.KeySchema as TableDefinition["keys"],
    indexes: ((properties.GlobalSecondaryIndexes ?? []) as Index[]).map(({ IndexName, KeySchema, Projection }) => ({
      IndexName,
      KeySchema,
      Projection,
    })),
    // Only CloudFormation's own table has `StreamEnabled`-less specifications too: naming a view type switches it on.
    stream: stream && (global || stream.StreamEnabled !== false) ? stream.StreamViewType : null,
    expiryAttribute: expiry?.Enabled ? (expiry.AttributeName ?? null) : null,
  };
}

/** @throws when a table on disk has another key than the template wants: its items cannot be kept. */
export function assertSameKeys(stored: Table, wanted: TableDefinition): void {
  const describe = (keys: Table["KeySchema"], attributes: Table["AttributeDefinitions"]) =>
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

export const sameIndexes = (stored: Table, wanted: TableDefinition) =>
  isDeepStrictEqual(stored.GlobalSecondaryIndexes ?? [], wanted.indexes);
