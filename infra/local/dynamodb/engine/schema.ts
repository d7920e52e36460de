/** Keys of a table and of its indexes: what they may be, and which items an index shows. */
import type { Index, TableDefinition } from "../table-definition.ts";
import { type Document, isSame, textBytes, typeOf } from "./document.ts";
import type { KeyNames } from "./key-condition-parser.ts";
import { invalid } from "./refusal.ts";

/** Longest keys in bytes, and largest item (Developer Guide, "Quotas in Amazon DynamoDB"). */
const MAX_HASH_BYTES = 2_048;
const MAX_RANGE_BYTES = 1_024;
export const MAX_ITEM_BYTES = 400 * 1_024;

/** Key of one item in its table. `range` is empty in a table without sort key, and nowhere else. */
export interface ItemKey {
  readonly hash: string;
  readonly range: string;
}

export class TableSchema implements KeyNames {
  readonly name: string;
  readonly hash: string;
  readonly range: string | undefined;
  readonly keyNames: readonly string[];
  readonly indexes: readonly IndexSchema[];
  readonly expiryAttribute: string | null;

  /** @throws Error for keys that are not text, which the local database does not support */
  constructor({ name, keys, attributes, indexes, expiryAttribute }: TableDefinition) {
    for (const { AttributeName, AttributeType } of attributes)
      if (AttributeType !== "S")
        throw new Error(
          `table ${name}: the key ${AttributeName} has the type ${AttributeType}; only text (S) is supported here`,
        );
    this.name = name;
    this.keyNames = keys.map(({ AttributeName }) => AttributeName);
    [this.hash, this.range] = this.keyNames as [string, string | undefined];
    this.indexes = indexes.map((index) => new IndexSchema(index, this.keyNames));
    this.expiryAttribute = expiryAttribute;
  }

  /** @throws ValidationException: a key has exactly the key attributes */
  keyOf(key: Document): ItemKey {
    if (
      Object.keys(key).length !== this.keyNames.length ||
      !this.keyNames.every((name) => typeof key[name] === "string")
    )
      throw invalid("The provided key element does not match the schema");
    return this.#checked(key);
  }

  /** @throws ValidationException for an item that lacks a key attribute */
  keyOfItem(item: Document): ItemKey {
    for (const name of this.keyNames) {
      const type = typeOf(item[name]);
      if (type === undefined)
        throw invalid(`One or more parameter values were invalid: Missing the key ${name} in the item`);
      if (type !== "S")
        throw invalid(
          `One or more parameter values were invalid: Type mismatch for key ${name} expected: S actual: ${type}`,
        );
    }
    return this.#checked(item);
  }

  /** The key attributes alone. */
  keyDocument({ hash, range }: ItemKey): Document {
    return this.range === undefined ? { [this.hash]: hash } : { [this.hash]: hash, [this.range]: range };
  }

  /** @throws ValidationException */
  indexNamed(name: string): IndexSchema {
    const index = this.indexes.find((one) => one.name === name);
    if (!index) throw invalid(`The table does not have the specified index: ${name}`);
    return index;
  }

  /** Epoch second at which an item expires. */
  expiryOf(item: Document | undefined): number | undefined {
    const seconds = this.expiryAttribute === null ? undefined : item?.[this.expiryAttribute];
    return typeof seconds === "number" ? seconds : undefined;
  }

  #checked(item: Document): ItemKey {
    const hash = item[this.hash] as string;
    const range = this.range === undefined ? undefined : (item[this.range] as string);
    for (const name of this.keyNames)
      if (item[name] === "")
        throw invalid(
          `One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: ${name}`,
        );
    if (textBytes(hash) > MAX_HASH_BYTES)
      throw invalid(
        `One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit of${MAX_HASH_BYTES} bytes`,
      );
    if (range !== undefined && textBytes(range) > MAX_RANGE_BYTES)
      throw invalid(
        `One or more parameter values were invalid: Aggregated size of all range keys has exceeded the size limit of ${MAX_RANGE_BYTES} bytes`,
      );
    return { hash, range: range ?? "" };
  }
}

/** A global secondary index. */
export class IndexSchema implements KeyNames {
  readonly name: string;
  readonly hash: string;
  readonly range: string | undefined;
  readonly #keyNames: readonly string[];
  /** Attributes that the index shows; undefined for all. */
  readonly #shown: readonly string[] | undefined;

  constructor({ IndexName, KeySchema, Projection }: Index, tableKeys: readonly string[]) {
    this.name = IndexName;
    this.#keyNames = KeySchema.map(({ AttributeName }) => AttributeName);
    [this.hash, this.range] = this.#keyNames as [string, string | undefined];
    this.#shown =
      Projection.ProjectionType === "ALL"
        ? undefined
        : [...new Set([...this.#keyNames, ...tableKeys, ...(Projection.NonKeyAttributes ?? [])])];
  }

  get showsAll(): boolean {
    return this.#shown === undefined;
  }

  /**
   * What the index shows of an item; undefined for one that lacks a key attribute of the index. An item older than the index
   * may have one of another type, and is left out too.
   */
  entryOf(item: Document | undefined): Document | undefined {
    if (!item || !this.#keyNames.every((name) => typeof item[name] === "string")) return undefined;
    if (!this.#shown) return item;
    const shown: Record<string, unknown> = {};
    for (const name of this.#shown) if (item[name] !== undefined) shown[name] = item[name];
    return Object.freeze(shown);
  }

  /** Whether the index shows the same of both items, as it does after most updates. */
  isSameEntry(before: Document | undefined, after: Document | undefined): boolean {
    if (!before || !after || !this.#shown) return before === after;
    return this.#shown.every((name) => before[name] === after[name] || isSame(before[name], after[name]));
  }

  /** @throws ValidationException: a key that is written is text, neither empty nor too long, or absent */
  assertKeys(before: Document | undefined, after: Document): void {
    for (const name of this.#keyNames) {
      const value = after[name];
      if (value === undefined || value === before?.[name]) continue;
      if (before && isSame(value, before[name])) continue;
      if (typeof value !== "string")
        throw invalid(
          `One or more parameter values were invalid: Type mismatch for Index Key ${name} Expected: S Actual: ${typeOf(value)} IndexName: ${this.name}`,
        );
      if (value === "")
        throw invalid(
          `One or more parameter values are not valid. A value specified for a secondary index key is not supported. The AttributeValue for a key attribute cannot contain an empty string value. IndexName: ${this.name}, IndexKey: ${name}`,
        );
      const [size, most] = [textBytes(value), name === this.hash ? MAX_HASH_BYTES : MAX_RANGE_BYTES];
      if (size > most)
        throw invalid(
          `One or more parameter values were invalid: Size limit exceeded for Index Key ${name} Actual Size: ${size} bytes Max Size: ${most} bytes IndexName: ${this.name}`,
        );
    }
  }
}
