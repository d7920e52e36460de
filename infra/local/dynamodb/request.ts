/** Requests of DynamoDB's API: their fields, checked, with documents in place of values in the form of the wire. */
import type { Document } from "./engine/document.ts";
import type { GetInput, SelectInput } from "./engine/reads.ts";
import { invalid, invalidField, Refusal } from "./engine/refusal.ts";
import type { WriteInput } from "./engine/writes.ts";
import { documentOf, type WireItem } from "./wire.ts";

export type Fields = Readonly<Record<string, unknown>>;

const wrongType = (field: string, expected: string) =>
  new Refusal("SerializationException", `${field} must be ${expected}`);

const text = (value: unknown, field: string): string => {
  if (typeof value !== "string") throw wrongType(field, "a string");
  return value;
};

const boolean = (value: unknown, field: string): boolean => {
  if (typeof value !== "boolean") throw wrongType(field, "a boolean");
  return value;
};

const integer = (value: unknown, field: string): number => {
  if (!Number.isInteger(value)) throw wrongType(field, "an integer");
  return value as number;
};

export const fields = (value: unknown, field: string): Fields => {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw wrongType(field, "a map");
  return value as Fields;
};

export const list = (value: unknown, field: string): readonly unknown[] => {
  if (!Array.isArray(value)) throw wrongType(field, "a list");
  return value;
};

const item = (value: unknown, field: string): Document => documentOf(fields(value, field) as WireItem);

const names = (value: unknown, field: string): Readonly<Record<string, string>> => {
  const all = fields(value, field);
  for (const name in all) text(all[name], `${field}.${name}`);
  return all as Readonly<Record<string, string>>;
};

const oneOf =
  (...known: readonly string[]) =>
  (value: unknown, field: string): string => {
    if (known.includes(value as string)) return value as string;
    const name = field.charAt(0).toLowerCase() + field.slice(1);
    throw invalidField(name, value, `Member must satisfy enum value set: [${known.join(", ")}]`);
  };

/** How each field is read. */
const FIELDS = {
  TableName: text,
  IndexName: text,
  Key: item,
  Item: item,
  ExclusiveStartKey: item,
  ExpressionAttributeNames: names,
  ExpressionAttributeValues: item,
  KeyConditionExpression: text,
  FilterExpression: text,
  ProjectionExpression: text,
  ConditionExpression: text,
  UpdateExpression: text,
  ConsistentRead: boolean,
  ScanIndexForward: boolean,
  Limit: integer,
  Select: oneOf("ALL_ATTRIBUTES", "ALL_PROJECTED_ATTRIBUTES", "SPECIFIC_ATTRIBUTES", "COUNT"),
  ReturnValues: oneOf("ALL_NEW", "UPDATED_OLD", "ALL_OLD", "NONE", "UPDATED_NEW"),
  ReturnValuesOnConditionCheckFailure: oneOf("ALL_OLD", "NONE"),
  ReturnConsumedCapacity: oneOf("INDEXES", "TOTAL", "NONE"),
  ReturnItemCollectionMetrics: oneOf("NONE"),
  ClientRequestToken: text,
} satisfies Record<string, (value: unknown, field: string) => unknown>;

export type Field = keyof typeof FIELDS;

export type Input = WriteInput &
  GetInput &
  SelectInput & { readonly TableName?: string; readonly ReturnConsumedCapacity?: string };

const CAPACITY = "ReturnConsumedCapacity";
const METRICS = "ReturnItemCollectionMetrics";
const NAMES_AND_VALUES = ["ExpressionAttributeNames", "ExpressionAttributeValues"] as const;
const CONDITION = ["ConditionExpression", "ReturnValuesOnConditionCheckFailure", ...NAMES_AND_VALUES] as const;
const READ = ["ConsistentRead", "ProjectionExpression", "ExpressionAttributeNames"] as const;
const WRITE = ["TableName", "ReturnValues", CAPACITY, METRICS, ...CONDITION] as const;
const SELECT = [
  ...["TableName", "IndexName", "FilterExpression", "ExpressionAttributeValues", "Limit", "ExclusiveStartKey"],
  ...["Select", CAPACITY, ...READ],
] as readonly Field[];

/** The fields that each operation knows, and those of the parts of a batch or a transaction. */
const KNOWN = {
  GetItem: ["TableName", "Key", CAPACITY, ...READ],
  PutItem: ["Item", ...WRITE],
  UpdateItem: ["Key", "UpdateExpression", ...WRITE],
  DeleteItem: ["Key", ...WRITE],
  Query: ["KeyConditionExpression", "ScanIndexForward", ...SELECT],
  Scan: SELECT,
  BatchGetKeys: READ,
  BatchPut: ["Item"],
  BatchDelete: ["Key"],
  TransactPut: ["TableName", "Item", ...CONDITION],
  TransactUpdate: ["TableName", "Key", "UpdateExpression", ...CONDITION],
  TransactDelete: ["TableName", "Key", ...CONDITION],
  TransactConditionCheck: ["TableName", "Key", ...CONDITION],
  TransactGet: ["TableName", "Key", "ProjectionExpression", "ExpressionAttributeNames"],
  Whole: [CAPACITY, METRICS, "ClientRequestToken"],
} satisfies Record<string, readonly Field[]>;

/**
 * Reads the fields that an operation knows. Absent ones may be null, as some clients send them.
 * @param apart fields that the caller reads itself
 * @throws ValidationException for a field that is not known here, for example of DynamoDB's older interface
 */
export function readInput(body: unknown, what: keyof typeof KNOWN, apart: readonly string[] = []): Input {
  const known: readonly string[] = KNOWN[what];
  const input: Record<string, unknown> = {};
  for (const [field, value] of Object.entries(fields(body, what))) {
    if (value === undefined || value === null || apart.includes(field)) continue;
    if (!known.includes(field)) throw invalid(`${field} is not supported by Harborlight's local database.`);
    input[field] = FIELDS[field as Field](value, field);
  }
  return input;
}
