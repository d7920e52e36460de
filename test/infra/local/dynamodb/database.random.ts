import fc from "fast-check";
import type { Step } from "./steps.ts";

const text = fc.constantFrom("a", "b", "c").map((S) => ({ S }));
const number = fc.integer({ min: -3, max: 3 }).map((value) => ({ N: String(value) }));
const words = fc.uniqueArray(fc.constantFrom("x", "y", "z"), { minLength: 1, maxLength: 3 }).map((SS) => ({ SS }));

/**
 * Attributes that touch everything: both indexes' keys, a projected and an unseen one, a set, a map. The two keys of
 * the index `due` come and go together: DynamoDB Local charges for an entry when an item with one of them gets the
 * other instead, although neither item is in the index.
 */
const attributes = fc
  .record(
    {
      shard: text,
      timer: fc.record({ due: text, at: text }),
      name: text,
      count: number,
      tags: words,
      views: fc.constant({ M: {} }),
    },
    { requiredKeys: [] },
  )
  .map(({ timer, ...rest }) => ({ ...rest, ...timer }));

const CONDITIONS = [
  undefined,
  undefined,
  "attribute_exists(pk)",
  "attribute_not_exists(pk)",
  "attribute_not_exists(due) OR #shard = :v",
  "#count > :n",
  "contains(tags, :x)",
];
const CHANGES = [
  "SET #shard = :v",
  "SET due = :v, #at = :v",
  "SET due = if_not_exists(due, :v), #at = if_not_exists(#at, :v) REMOVE #shard",
  "REMOVE due, #at",
  "ADD #count :n",
  "SET #count = #count + :n",
  "ADD tags :t",
  "DELETE tags :t",
  "SET #views.inner = :v",
  "REMOVE #views.inner",
];
const NAMES = { "#shard": "shard", "#at": "at", "#count": "count", "#views": "views" };

/** Only what the expressions name: DynamoDB refuses the rest as unused. */
const used = (expressions: string[], all: Record<string, unknown>) => {
  const found = Object.entries(all).filter(([name]) => new RegExp(`${name}\\b`).test(expressions.join(" ")));
  return found.length > 0 ? Object.fromEntries(found) : undefined;
};

/** Requests to three items, as far as possible each other's neighbours in the indexes. */
export const history = (prefix: string) =>
  fc.array(
    fc
      .record({
        item: fc.constantFrom("1", "2", "3"),
        operation: fc.constantFrom("PutItem", "UpdateItem", "UpdateItem", "UpdateItem", "DeleteItem"),
        attributes,
        change: fc.constantFrom(...CHANGES),
        condition: fc.constantFrom(...CONDITIONS),
        values: fc.record({ ":v": text, ":n": number, ":t": words, ":x": fc.constant({ S: "x" }) }),
        old: fc.boolean(),
      })
      .map(({ item, operation, attributes: put, change, condition, values, old }): Step => {
        const key = { pk: { S: `${prefix}${item}` }, sk: { S: "x" } };
        const expressions = [...(operation === "UpdateItem" ? [change] : []), ...(condition ? [condition] : [])];
        return [
          operation,
          {
            ...(operation === "PutItem" ? { Item: { ...put, ...key } } : { Key: key }),
            ...(operation === "UpdateItem" ? { UpdateExpression: change } : {}),
            ConditionExpression: condition,
            ExpressionAttributeNames: used(expressions, NAMES),
            ExpressionAttributeValues: used(expressions, values),
            ReturnValues: old ? "ALL_OLD" : operation === "UpdateItem" ? "ALL_NEW" : "NONE",
            ReturnValuesOnConditionCheckFailure: condition && old ? "ALL_OLD" : undefined,
            ReturnConsumedCapacity: "INDEXES",
          },
        ];
      }),
    { minLength: 5, maxLength: 25 },
  );

/** What is there afterwards: the items and every index's entries. */
export const everything: readonly Step[] = [
  ["Scan", {}],
  ["Scan", { IndexName: "by-shard" }],
  ["Scan", { IndexName: "due" }],
];
