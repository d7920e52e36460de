/** TransactWriteItems and TransactGetItems: all or nothing (Developer Guide, "Managing complex workflows with transactions"). */
import { isDeepStrictEqual } from "node:util";
import { readCapacity, sumOf, writeCapacity } from "./capacity.ts";
import { type Document, sizeOf } from "./engine/document.ts";
import { prepareGet } from "./engine/reads.ts";
import { type CancellationReason, invalid, invalidField, Refusal } from "./engine/refusal.ts";
import type { TableSchema } from "./engine/schema.ts";
import {
  type ItemWrite,
  prepareCheck,
  prepareDelete,
  preparePut,
  prepareUpdate,
  type WriteInput,
} from "./engine/writes.ts";
import type { Outcome, TableWrite } from "./item-writer.ts";
import type { Result, Tables } from "./operations.ts";
import { type Fields, fields, list, readInput } from "./request.ts";
import { wireOf } from "./wire.ts";

const MAX_ITEMS = 100;
const MAX_BYTES = 4 * 1024 * 1024;

function assertBytes(documents: readonly Document[]): void {
  if (documents.reduce((sum, one) => sum + sizeOf(one), 0) > MAX_BYTES)
    throw invalid("Transaction size exceeds the limit of 4 MB");
}

/** A request is known by its `ClientRequestToken` for ten minutes. */
const TOKEN_MS = 10 * 60_000;
/** Each item of a transaction is read or written twice: to prepare, and to commit. */
const CAPACITY_FACTOR = 2;

const KINDS = {
  Put: preparePut,
  Update: prepareUpdate,
  Delete: prepareDelete,
  ConditionCheck: prepareCheck,
} satisfies Record<string, (schema: TableSchema, input: WriteInput) => ItemWrite>;

const partsOf = (body: unknown): readonly unknown[] => {
  const parts = list(fields(body, "request").TransactItems ?? [], "TransactItems");
  if (parts.length < 1) throw invalidField("transactItems", "[]", "Member must have length greater than or equal to 1");
  if (parts.length > MAX_ITEMS)
    throw invalidField("transactItems", "[...]", `Member must have length less than or equal to ${MAX_ITEMS}`);
  return parts;
};

/** The one operation that a part of a transaction names. */
function onlyOf<Kind extends string>(part: unknown, kinds: readonly Kind[]): [Kind, Fields] {
  const [first, ...others] = Object.entries(fields(part, "TransactItems"));
  const kind = kinds.find((one) => one === first?.[0]);
  if (kind === undefined || others.length > 0)
    throw invalid(`TransactItems can only contain one of ${kinds.join(", ")}`);
  return [kind, fields(first![1], kind)];
}

/** Refuses all when one of a transaction's items was. */
function cancelled(outcomes: readonly Outcome[]): Refusal | undefined {
  if (!outcomes.some(({ refusal }) => refusal)) return undefined;
  const reasons = outcomes.map(
    ({ refusal }): CancellationReason => ({
      code: refusal ? refusal.name.replace(/Exception$/, "").replace("Validation", "ValidationError") : "None",
      message: refusal?.message,
      item: refusal?.item,
    }),
  );
  const codes = reasons.map(({ code }) => code).join(", ");
  return new Refusal(
    "TransactionCanceledException",
    `Transaction cancelled, please refer cancellation reasons for specific reasons [${codes}]`,
    { reasons },
  );
}

/** @returns the operation, which remembers the tokens of transactions that it has written */
export function createTransactWrite(now: () => number): (tables: Tables, body: unknown) => Promise<Result> {
  const known = new Map<string, { readonly atMs: number; readonly parts: unknown; readonly result: Promise<Result> }>();

  const write = async (tables: Tables, parts: readonly unknown[]): Promise<Result> => {
    const inputs = parts.map((part) => {
      const [kind, input] = onlyOf(part, Object.keys(KINDS) as (keyof typeof KINDS)[]);
      return { kind, input: readInput(input, `Transact${kind}`) };
    });
    assertBytes(inputs.map(({ input }) => input.Item ?? input.ExpressionAttributeValues ?? {}));
    const writes = inputs.map(({ kind, input }): TableWrite => {
      const table = tables.table(input.TableName);
      return { table, write: KINDS[kind](table.schema, input) };
    });
    const names = new Set(writes.map(({ table, write: { key } }) => JSON.stringify([table.name, key])));
    if (names.size < writes.length) throw invalid("Transaction request cannot include multiple operations on one item");
    const outcomes = await tables.writer.write(writes);
    return {
      body: cancelled(outcomes) ?? {},
      capacity: () =>
        sumOf(
          outcomes.map(({ before, after }, index) => writeCapacity(writes[index]!.table.schema, before, after)),
          CAPACITY_FACTOR,
        ),
    };
  };

  return async (tables, body) => {
    readInput(body, "Whole", ["TransactItems"]);
    const token = fields(body, "request").ClientRequestToken as string | undefined;
    const parts = partsOf(body);
    if (token === undefined) return write(tables, parts);
    const atMs = now();
    for (const [old, { atMs: then }] of known) if (then < atMs - TOKEN_MS) known.delete(old);
    const earlier = known.get(token);
    if (earlier && !isDeepStrictEqual(earlier.parts, parts))
      throw new Refusal(
        "IdempotentParameterMismatchException",
        "The request uses the same client token as a previous, but non-identical request. Do not reuse a client token with different requests, unless the requests are identical",
      );
    if (earlier) return earlier.result;
    const result = write(tables, parts);
    known.set(token, { atMs, parts, result });
    // Only what was written is remembered: a transaction that was refused may be tried again.
    const isWritten = await result.then(({ body: answer }) => !(answer instanceof Refusal)).catch(() => false);
    if (!isWritten) known.delete(token);
    return result;
  };
}

export async function transactGet(tables: Tables, body: unknown): Promise<Result> {
  readInput(body, "Whole", ["TransactItems"]);
  const reads = partsOf(body).map((part) => {
    const input = readInput(onlyOf(part, ["Get"])[1], "TransactGet");
    const table = tables.table(input.TableName);
    return { table, get: prepareGet(table.schema, input) };
  });
  // Reading is synchronous, so that no write comes between.
  const found = reads.map(({ table, get }) => table.get(get.key));
  assertBytes(found.filter((item) => item !== undefined).map(({ item }) => item));
  return {
    body: { Responses: found.map((item, index) => (item ? { Item: wireOf(reads[index]!.get.shown(item.item)) } : {})) },
    capacity: () =>
      sumOf(
        reads.map(({ table }, index) => readCapacity(table.name, [found[index]], true)),
        CAPACITY_FACTOR,
      ),
  };
}
