/**
 * Values of items as documents, the form in which lib-dynamodb gives them to the stores: text, numbers, booleans, null,
 * bytes, arrays, maps, and sets of text, numbers or bytes. They never change: an update copies what it changes, and shares
 * the rest with the item before.
 */
import { compareNumbers, ExactNumber, type Numeric, numberBytes } from "./numbers.ts";

/** A map of attributes. */
export type Document = Readonly<Record<string, unknown>>;

export type TypeName = "NULL" | "S" | "N" | "BOOL" | "B" | "SS" | "NS" | "BS" | "L" | "M";

export function typeOf(value: unknown): TypeName | undefined {
  switch (typeof value) {
    case "string":
      return "S";
    case "number":
      return "N";
    case "boolean":
      return "BOOL";
    case "object":
      if (value === null) return "NULL";
      if (Array.isArray(value)) return "L";
      if (value instanceof Uint8Array) return "B";
      if (value instanceof ExactNumber) return "N";
      return value instanceof Set ? `${typeOf(value.values().next().value) as "S" | "N" | "B"}S` : "M";
    default:
      return undefined;
  }
}

export const isDocument = (value: unknown): value is Document => typeOf(value) === "M";
export const isSet = (value: unknown): value is ReadonlySet<unknown> => value instanceof Set;

/** Equal as DynamoDB sees it: types differ, orders of sets and maps do not matter. */
export function isSame(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  const type = typeOf(one);
  if (type !== typeOf(other)) return false;
  switch (type) {
    case "N":
      return compareNumbers(one as Numeric, other as Numeric) === 0;
    case "B":
      return Buffer.compare(one as Uint8Array, other as Uint8Array) === 0;
    case "SS":
    case "NS":
    case "BS": {
      const [left, right] = [one as ReadonlySet<unknown>, other as ReadonlySet<unknown>];
      return left.size === right.size && [...left].every((element) => hasElement(right, element));
    }
    case "L": {
      const [left, right] = [one as unknown[], other as unknown[]];
      return left.length === right.length && left.every((element, index) => isSame(element, right[index]));
    }
    case "M": {
      const [left, right] = [one as Document, other as Document];
      const names = Object.keys(left);
      return (
        names.length === Object.keys(right).length &&
        names.every((name) => Object.hasOwn(right, name) && isSame(left[name], right[name]))
      );
    }
    default:
      return false;
  }
}

/** Whether a set has the element. Bytes and exact numbers are objects, of which equal ones are not identical. */
export const hasElement = (set: ReadonlySet<unknown>, element: unknown): boolean =>
  set.has(element) || (typeof element === "object" && [...set].some((one) => isSame(one, element)));

/** Order of two values; undefined where DynamoDB has none: other types, or types without an order. */
export function compare(one: unknown, other: unknown): number | undefined {
  const type = typeOf(one);
  if (type !== typeOf(other)) return undefined;
  if (type === "B") return Buffer.compare(one as Uint8Array, other as Uint8Array);
  if (type === "N") return compareNumbers(one as Numeric, other as Numeric);
  if (type !== "S") return undefined;
  const [left, right] = [one as string, other as string];
  return left < right ? -1 : left > right ? 1 : 0;
}

/** Bytes of a document as DynamoDB counts them (Developer Guide, "DynamoDB item sizes and formats"). */
export function sizeOf(document: Document): number {
  let bytes = 0;
  for (const name in document) bytes += textBytes(name) + valueBytes(document[name]);
  return bytes;
}

/** Bytes of an empty list or map, and of each element of one. */
const CONTAINER_BYTES = 3;
const ELEMENT_BYTES = 1;

function valueBytes(value: unknown): number {
  if (typeof value === "string") return textBytes(value);
  if (typeof value === "number" || value instanceof ExactNumber) return numberBytes(value);
  if (typeof value !== "object" || value === null) return 1;
  if (value instanceof Uint8Array) return value.byteLength;
  let bytes = 0;
  if (isSet(value)) {
    for (const one of value) bytes += valueBytes(one);
    return bytes;
  }
  bytes = CONTAINER_BYTES;
  if (Array.isArray(value)) for (const one of value) bytes += ELEMENT_BYTES + valueBytes(one);
  else for (const name in value) bytes += ELEMENT_BYTES + textBytes(name) + valueBytes((value as Document)[name]);
  return bytes;
}

/** Bytes in UTF-8. ASCII, which is nearly all, needs no encoder. */
export function textBytes(text: string): number {
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) > 127) return Buffer.byteLength(text);
  return text.length;
}
