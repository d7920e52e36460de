import type { Item } from "dynalite/db/index.js";
import dynalite from "dynalite/db/index.js";

/** Bytes of an empty list or map, and of each element of one. */
const CONTAINER_BYTES = 3;
const ELEMENT_BYTES = 1;

/**
 * Bytes of an item as DynamoDB counts them for capacity, streams and storage: names and text in UTF-8 (Developer
 * Guide, "DynamoDB item sizes and formats"). dynalite counts characters, which is less for anything but ASCII.
 */
export function itemSize(item: Item): number {
  let bytes = 0;
  for (const [name, value] of Object.entries(item)) bytes += Buffer.byteLength(name) + valueSize(value);
  return bytes;
}

function valueSize(value: Record<string, unknown>): number {
  for (const [type, inner] of Object.entries(value)) {
    switch (type) {
      case "S":
        return Buffer.byteLength(inner as string);
      case "B":
        return Buffer.byteLength(inner as string, "base64");
      case "SS":
      case "BS":
      case "NS":
        return (inner as string[]).reduce((sum, one) => sum + valueSize({ [type[0]!]: one }), 0);
      case "L":
        return (inner as Record<string, unknown>[]).reduce(
          (sum, one) => sum + ELEMENT_BYTES + valueSize(one),
          CONTAINER_BYTES,
        );
      case "M": {
        const map = inner as Item;
        return CONTAINER_BYTES + ELEMENT_BYTES * Object.keys(map).length + itemSize(map);
      }
    }
  }
  // dynalite counts numbers, booleans and nulls correctly: they have no text.
  return dynalite.itemSize({ "": value });
}
