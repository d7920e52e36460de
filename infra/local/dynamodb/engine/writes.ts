/** PutItem, UpdateItem, DeleteItem and ConditionCheck: what each makes of the item that is there. */
import { type Document, sizeOf } from "./document.ts";
import { assertBindings, parseCondition, parseUpdate, type Update } from "./expressions.ts";
import { type Bindings, type Path, partsAt, resolve } from "./paths.ts";
import { invalid, invalidField, Refusal } from "./refusal.ts";
import { type ItemKey, MAX_ITEM_BYTES, type TableSchema } from "./schema.ts";

/** Fields of a request, with documents as values. Those of other operations are undefined. */
export interface WriteInput {
  readonly Item?: Document | undefined;
  readonly Key?: Document | undefined;
  readonly UpdateExpression?: string | undefined;
  readonly ConditionExpression?: string | undefined;
  readonly ExpressionAttributeNames?: Readonly<Record<string, string>> | undefined;
  readonly ExpressionAttributeValues?: Document | undefined;
  readonly ReturnValues?: string | undefined;
  readonly ReturnValuesOnConditionCheckFailure?: string | undefined;
}

/** A write that is right in itself; what comes of it depends on the item that is there. */
export interface ItemWrite {
  readonly key: ItemKey;
  /**
   * @returns the item afterwards: the same object for no change, undefined for none
   * @throws ConditionalCheckFailedException; ValidationException for what would not be an item
   */
  run(before: Document | undefined): Document | undefined;
  /** @returns the attributes that `ReturnValues` asks for */
  answer(before: Document | undefined, after: Document | undefined): Document | undefined;
}

export function preparePut(schema: TableSchema, input: WriteInput): ItemWrite {
  assertReturnValues(input.ReturnValues, ["NONE", "ALL_OLD"]);
  const item = required("item", input.Item);
  const key = schema.keyOfItem(item);
  assertSize(item, "Item size has exceeded the maximum allowed size");
  const guard = guardOf(input);
  return {
    key,
    run(before) {
      guard(before);
      for (const index of schema.indexes) index.assertKeys(before, item);
      return item;
    },
    answer: (before) => (input.ReturnValues === "ALL_OLD" ? before : undefined),
  };
}

export function prepareDelete(schema: TableSchema, input: WriteInput): ItemWrite {
  assertReturnValues(input.ReturnValues, ["NONE", "ALL_OLD"]);
  const key = schema.keyOf(required("key", input.Key));
  const guard = guardOf(input);
  return {
    key,
    run(before) {
      guard(before);
      return undefined;
    },
    answer: (before) => (input.ReturnValues === "ALL_OLD" ? before : undefined),
  };
}

/** Changes nothing: for transactions that rest on an item. */
export function prepareCheck(schema: TableSchema, input: WriteInput): ItemWrite {
  required("conditionExpression", input.ConditionExpression);
  const key = schema.keyOf(required("key", input.Key));
  const guard = guardOf(input);
  return {
    key,
    run(before) {
      guard(before);
      return before;
    },
    answer: () => undefined,
  };
}

export function prepareUpdate(schema: TableSchema, input: WriteInput): ItemWrite {
  assertReturnValues(input.ReturnValues, ["NONE", "ALL_OLD", "UPDATED_OLD", "ALL_NEW", "UPDATED_NEW"]);
  const key = schema.keyOf(required("key", input.Key));
  const update = parseUpdate(input.UpdateExpression);
  const guard = guardOf(input, update);
  const bindings = bindingsOf(input);
  const written = (update?.changed ?? []).map((path) => resolve(path, bindings));
  assertOutsideKey(schema, written);
  return {
    key,
    run(before) {
      guard(before);
      const base = before ?? schema.keyDocument(key);
      const after = update ? update.run(base, bindings) : base;
      assertSize(after, "Item size to update has exceeded the maximum allowed size");
      for (const index of schema.indexes) index.assertKeys(before, after);
      return after;
    },
    answer(before, after) {
      switch (input.ReturnValues) {
        case "ALL_OLD":
          return before;
        case "ALL_NEW":
          return after;
        case "UPDATED_OLD":
          return before && partsOrNothing(before, written);
        case "UPDATED_NEW":
          return after && partsOrNothing(after, written);
        default:
          return undefined;
      }
    },
  };
}

/** @returns checks the condition against the item that is there; throws ConditionalCheckFailedException */
function guardOf(input: WriteInput, update?: Update): (before: Document | undefined) => void {
  const condition = parseCondition(input.ConditionExpression);
  const bindings = bindingsOf(input);
  assertBindings(bindings, [condition, update]);
  const showsItem = input.ReturnValuesOnConditionCheckFailure === "ALL_OLD";
  return (before) => {
    if (!condition || condition.run(before, bindings)) return;
    const item = showsItem ? before : undefined;
    throw new Refusal("ConditionalCheckFailedException", "The conditional request failed", { item });
  };
}

const bindingsOf = ({ ExpressionAttributeNames, ExpressionAttributeValues }: WriteInput): Bindings => ({
  names: ExpressionAttributeNames,
  values: ExpressionAttributeValues,
});

function required<T>(field: string, value: T | undefined): T {
  if (value === undefined) throw invalidField(field, null, "Member must not be null");
  return value;
}

function assertReturnValues(wanted: string | undefined, known: readonly string[]): void {
  if (wanted === undefined || known.includes(wanted)) return;
  throw invalid(
    known.length === 2 ? "ReturnValues can only be ALL_OLD or NONE" : `ReturnValues must be one of ${known.join(", ")}`,
  );
}

function assertSize(item: Document, tooLarge: string): void {
  if (sizeOf(item) > MAX_ITEM_BYTES) throw invalid(tooLarge);
}

/** @throws ValidationException for an update of a key attribute */
function assertOutsideKey(schema: TableSchema, paths: readonly Path[]): void {
  for (const [name] of paths)
    if (schema.keyNames.includes(String(name)))
      throw invalid(
        `One or more parameter values were invalid: Cannot update attribute ${name}. This attribute is part of the key`,
      );
}

function partsOrNothing(item: Document, paths: readonly Path[]): Document | undefined {
  const parts = partsAt(item, paths);
  return Object.keys(parts).length > 0 ? parts : undefined;
}
