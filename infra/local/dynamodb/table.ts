import type { Document } from "./engine/document.ts";
import type { Page, Selection } from "./engine/reads.ts";
import { type IndexSchema, type ItemKey, TableSchema } from "./engine/schema.ts";
import { beginningWith, entryKey, goingOn, indexPrefix, itemKey, itemsPrefix, keysOf } from "./item-keys.ts";
import type { Operation, Range, Store } from "./store.ts";
import type { TableDefinition } from "./table-definition.ts";
import { StoredItem, type WireItem } from "./wire.ts";

/** One table with its indexes in a store. It reads; of a change it only tells what has to be written. */
export class StoredTable {
  readonly definition: TableDefinition;
  readonly schema: TableSchema;
  readonly #store: Store;

  constructor(definition: TableDefinition, store: Store) {
    this.definition = definition;
    this.schema = new TableSchema(definition);
    this.#store = store;
  }

  get name(): string {
    return this.definition.name;
  }

  get(key: ItemKey): StoredItem | undefined {
    const wire = this.#store.get(itemKey(this.schema, key)) as WireItem | undefined;
    return wire && StoredItem.ofWire(wire);
  }

  async read(selection: Selection): Promise<Page<StoredItem>> {
    const page = selection.page<StoredItem>();
    for await (const entries of this.#store.pages(this.#rangeOf(selection)))
      for (const [, wire] of entries) if (page.add(StoredItem.ofWire(wire as WireItem))) return page;
    return page;
  }

  /** All items, some at a time. */
  async *items(): AsyncGenerator<StoredItem[]> {
    for await (const entries of this.#store.pages(beginningWith(itemsPrefix(this.name))))
      yield entries.map(([, wire]) => StoredItem.ofWire(wire as WireItem));
  }

  /** What a change writes of the item itself. */
  itemOperation(key: ItemKey, after: StoredItem | undefined): Operation {
    const place = itemKey(this.schema, key);
    return after ? { type: "put", key: place, value: after.wire } : { type: "del", key: place };
  }

  /** What a change writes of the item's entries in the indexes. */
  indexOperations(before: StoredItem | undefined, after: StoredItem | undefined): Operation[] {
    const operations: Operation[] = [];
    for (const index of this.schema.indexes) {
      if (before && after && index.isSameEntry(before.item, after.item)) continue;
      const [was, is] = [index.entryOf(before?.item), index.entryOf(after?.item)];
      const [oldKey, newKey] = [was && entryKey(this.schema, index, was), is && entryKey(this.schema, index, is)];
      if (oldKey !== undefined && oldKey !== newKey) operations.push({ type: "del", key: oldKey });
      if (newKey !== undefined) operations.push({ type: "put", key: newKey, value: partOf(after!, is!) });
    }
    return operations;
  }

  #rangeOf({ index, range, isDescending, start, limit }: Selection): Range {
    const prefix = index ? indexPrefix(this.name, index.name) : itemsPrefix(this.name);
    const keys = range ? keysOf(prefix, index ?? this.schema, range) : beginningWith(prefix);
    const rest = start ? goingOn(keys, this.#placeOf(index, start), isDescending) : keys;
    return { ...rest, ...(limit !== undefined && { limit }), reverse: isDescending };
  }

  #placeOf(index: IndexSchema | undefined, start: Document): string {
    return index ? entryKey(this.schema, index, start) : itemKey(this.schema, this.schema.keyOf(start));
  }
}

/** The attributes of an entry in an index, in the form of the wire. */
function partOf({ wire, item }: StoredItem, entry: Document): WireItem {
  return entry === item ? wire : Object.fromEntries(Object.keys(entry).map((name) => [name, wire[name]!]));
}
