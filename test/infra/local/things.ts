import { type TableDefinition, tableArn } from "../../../infra/local/dynamodb/table-definition.ts";

const keys = (hash: string, range: string) => [
  { AttributeName: hash, KeyType: "HASH" },
  { AttributeName: range, KeyType: "RANGE" },
];

/** A table with all that a table can have: indexes of two projections, a stream, expiry. */
export const things = (change: Partial<TableDefinition> = {}): TableDefinition => ({
  name: "things",
  arn: tableArn("things"),
  attributes: ["pk", "sk", "shard", "due", "at"].map((AttributeName) => ({ AttributeName, AttributeType: "S" })),
  keys: keys("pk", "sk"),
  indexes: [
    {
      IndexName: "by-shard",
      KeySchema: keys("shard", "pk"),
      Projection: { ProjectionType: "INCLUDE", NonKeyAttributes: ["name", "views"] },
    },
    { IndexName: "due", KeySchema: keys("due", "at"), Projection: { ProjectionType: "KEYS_ONLY" } },
  ],
  stream: "NEW_AND_OLD_IMAGES",
  expiryAttribute: "expiresAtSeconds",
  ...change,
});
