/** One request: operation and body; `TableName` is filled in. */
export type Step = readonly [operation: string, body: Record<string, unknown>];

export const key = (pk: string, sk = "MONITOR") => ({ pk: { S: pk }, sk: { S: sk } });
export const put = (pk: string, attributes: Record<string, unknown> = {}, more: Record<string, unknown> = {}): Step => [
  "PutItem",
  { Item: { ...key(pk), ...attributes }, ...more },
];
export const get = (pk: string, more: Record<string, unknown> = {}): Step => ["GetItem", { Key: key(pk), ...more }];
export const update = (
  pk: string,
  UpdateExpression: string,
  ExpressionAttributeValues?: Record<string, unknown>,
  more: Record<string, unknown> = {},
): Step => ["UpdateItem", { Key: key(pk), UpdateExpression, ExpressionAttributeValues, ...more }];
export const remove = (pk: string, more: Record<string, unknown> = {}): Step => [
  "DeleteItem",
  { Key: key(pk), ...more },
];
/** @param depth how many maps lie in each other */
export const nested = (depth: number): Record<string, unknown> =>
  depth === 0 ? s("end") : { M: { m: nested(depth - 1) } };
export const n = (value: number | string) => ({ N: String(value) });
export const s = (value: string) => ({ S: value });
/** Only what the expression uses: DynamoDB refuses the rest. */
export const namesIn = (expression: string, names: Record<string, string>) => {
  const used = Object.entries(names).filter(([name]) => expression.includes(name));
  return used.length > 0 ? Object.fromEntries(used) : undefined;
};
export const ALL = { ReturnConsumedCapacity: "INDEXES" };
