import type { Document } from "./document.ts";

/** Why one item of a transaction was refused. `None` for those that were not. */
export interface CancellationReason {
  readonly code: string;
  readonly message: string | undefined;
  readonly item: Document | undefined;
}

/** An error that DynamoDB answers. Its `name` is the exception's name in DynamoDB's API. */
export class Refusal extends Error {
  /** The stored item, where `ReturnValuesOnConditionCheckFailure` asks for it. */
  readonly item: Document | undefined;
  /** Of a cancelled transaction: one for each of its items. */
  readonly reasons: readonly CancellationReason[] | undefined;

  constructor(
    name: string,
    message: string,
    { item, reasons }: { item?: Document | undefined; reasons?: readonly CancellationReason[] } = {},
  ) {
    super(message);
    this.name = name;
    this.item = item;
    this.reasons = reasons;
  }
}

/** Refuses a request that is wrong in itself, whatever is stored. */
export const invalid = (message: string) => new Refusal("ValidationException", message);

/** Refuses a value of a field, in the words of DynamoDB's generated checks. */
export const invalidField = (field: string, value: unknown, constraint: string) =>
  invalid(`1 validation error detected: Value '${value}' at '${field}' failed to satisfy constraint: ${constraint}`);

export const notFound = (what: string) =>
  new Refusal("ResourceNotFoundException", `Requested resource not found${what}`);
