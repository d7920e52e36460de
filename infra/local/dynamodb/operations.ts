import batchGetItem from "dynalite/actions/batchGetItem.js";
import batchWriteItem from "dynalite/actions/batchWriteItem.js";
import deleteItem from "dynalite/actions/deleteItem.js";
import describeTable from "dynalite/actions/describeTable.js";
import getItem from "dynalite/actions/getItem.js";
import listTables from "dynalite/actions/listTables.js";
import putItem from "dynalite/actions/putItem.js";
import query from "dynalite/actions/query.js";
import scan from "dynalite/actions/scan.js";
import updateItem from "dynalite/actions/updateItem.js";
import type { Done, Request, Store } from "dynalite/db/index.js";
import batchGetItemRules from "dynalite/validations/batchGetItem.js";
import batchWriteItemRules from "dynalite/validations/batchWriteItem.js";
import deleteItemRules from "dynalite/validations/deleteItem.js";
import describeTableRules from "dynalite/validations/describeTable.js";
import getItemRules from "dynalite/validations/getItem.js";
import listTablesRules from "dynalite/validations/listTables.js";
import putItemRules from "dynalite/validations/putItem.js";
import queryRules from "dynalite/validations/query.js";
import scanRules from "dynalite/validations/scan.js";
import updateItemRules from "dynalite/validations/updateItem.js";

export interface DynamoOperation {
  readonly act: (store: Store, request: Request, done: Done) => void;
  /** dynalite's validation: the fields of the request, and the rules between them. */
  readonly types: Record<string, unknown>;
  readonly custom: unknown;
  readonly isWrite: boolean;
}

type Rules = Pick<DynamoOperation, "types" | "custom">;

const read = (act: DynamoOperation["act"], { types, custom }: Rules): DynamoOperation => ({
  act,
  types,
  custom,
  isWrite: false,
});
const write = (act: DynamoOperation["act"], { types, custom }: Rules): DynamoOperation => ({
  act,
  types: { ...types, ReturnValuesOnConditionCheckFailure: { type: "String", enum: ["ALL_OLD", "NONE"] } },
  custom,
  isWrite: true,
});

/** DynamoDB refuses the empty string as the value of a key in a query; dynalite takes it. */
const withoutEmptyKeys = ({ types, custom }: Rules): Rules => ({
  types,
  custom: (request: Readonly<Record<string, unknown>>): string | undefined => {
    const refusal = (custom as (request: object) => string | undefined)(request);
    const values = (request.ExpressionAttributeValues ?? {}) as Readonly<Record<string, { readonly S?: string }>>;
    const [empty] =
      String(request.KeyConditionExpression ?? "")
        .match(/:\w+/g)
        ?.filter((name) => values[name]?.S === "") ?? [];
    return (
      refusal ??
      (empty && `One or more parameter values are not valid. The value of a key is an empty string: ${empty}`)
    );
  },
});

/** The supported operations. None creates, changes or deletes a table: tables come from the template only. */
export const operations: ReadonlyMap<string, DynamoOperation> = new Map([
  ["GetItem", read(getItem, getItemRules)],
  ["BatchGetItem", read(batchGetItem, batchGetItemRules)],
  ["Query", read(query, withoutEmptyKeys(queryRules))],
  ["Scan", read(scan, scanRules)],
  ["DescribeTable", read(describeTable, describeTableRules)],
  ["ListTables", read(listTables, listTablesRules)],
  ["PutItem", write(putItem, putItemRules)],
  ["UpdateItem", write(updateItem, updateItemRules)],
  ["DeleteItem", write(deleteItem, deleteItemRules)],
  ["BatchWriteItem", { ...write(batchWriteItem, batchWriteItemRules), types: batchWriteItemRules.types }],
]);
