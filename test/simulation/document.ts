/** Documents as lib-dynamodb gives them to the stores: numbers, strings, maps, lists, sets, bytes, null. */
import { DynamoDBServiceException } from "@aws-sdk/client-dynamodb";

/** A map of attributes; frozen all the way down once it is stored. */
export type Document = Readonly<Record<string, unknown>>;

/** A request that DynamoDB refuses as wrong in itself, whatever is stored. */
export const invalid = (message: string) =>
  new DynamoDBServiceException({ name: "ValidationException", $fault: "client", message, $metadata: {} });

export type TypeName = "NULL" | "S" | "N" | "BOOL" | "B" | "SET" | "L" | "M";

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
      return value instanceof Set ? "SET" : "M";
    default:
      return undefined;
  }
}

export const isDocument = (value: unknown): value is Document => typeOf(value) === "M";

/**
 * A frozen copy of what a caller hands in, as it would be after the way over the wire. What is frozen already is
 * taken as it is: it came from here. So an update copies what it changes and shares the rest.
 * @throws where the SDK's marshaller throws: what is no value of DynamoDB, an empty set, a number that is none
 */
export function stored<T>(value: T): T;
export function stored(value: unknown): unknown {
  if (typeof value === "number") {
    if (!Number.isFinite(value) || Math.abs(value) > Number.MAX_SAFE_INTEGER)
      throw new Error(`Number ${value} is no number for DynamoDB`);
    return value;
  }
  if (typeof value === "string" || typeof value === "boolean" || value === null) return value;
  if (typeof value !== "object") throw new Error(`Unsupported type passed: ${typeof value}`);
  if (Object.isFrozen(value)) return value;
  if (Array.isArray(value)) return Object.freeze(value.filter((one) => one !== undefined).map((one) => stored(one)));
  if (value instanceof Uint8Array) return new Uint8Array(value); // plain bytes, as the SDK gives them, never a Buffer
  if (value instanceof Set) {
    if (value.size === 0) throw new Error("Pass a non-empty set");
    return new Set(value);
  }
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null)
    throw new Error(`Unsupported type passed: ${value.constructor.name}`);
  const copy: Record<string, unknown> = {};
  for (const name in value) {
    const one = (value as Document)[name];
    if (one !== undefined) copy[name] = stored(one);
  }
  return Object.freeze(copy);
}

/** Equal as DynamoDB sees it: types differ, orders of sets and maps do not matter. */
export function isSame(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  const type = typeOf(one);
  if (type !== typeOf(other)) return false;
  switch (type) {
    case "B":
      return Buffer.compare(one as Uint8Array, other as Uint8Array) === 0;
    case "SET": {
      const [left, right] = [one as Set<unknown>, other as Set<unknown>];
      return left.size === right.size && [...left].every((element) => right.has(element));
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

/** Order of two values; undefined where DynamoDB has none: other types, or types without an order. */
export function compare(one: unknown, other: unknown): number | undefined {
  const type = typeOf(one);
  if (type !== typeOf(other)) return undefined;
  if (type === "B") return Buffer.compare(one as Uint8Array, other as Uint8Array);
  if (type !== "S" && type !== "N") return undefined;
  const [left, right] = [one as string | number, other as string | number];
  return left < right ? -1 : left > right ? 1 : 0;
}

/**
 * Bytes of a document as DynamoDB counts them (Developer Guide, "DynamoDB item sizes and formats").
 * `infra/local/dynamodb/item-size.ts` counts the same for documents in the form of the wire.
 */
export function sizeOf(document: Document): number {
  let bytes = 0;
  for (const name in document) bytes += textBytes(name) + valueBytes(document[name]);
  return bytes;
}

/** What an empty list or map takes, and each element of one. */
const CONTAINER_BYTES = 3;
const ELEMENT_BYTES = 1;

function valueBytes(value: unknown): number {
  if (typeof value === "string") return textBytes(value);
  if (typeof value === "number") return numberBytes(value);
  if (typeof value !== "object" || value === null) return 1;
  if (value instanceof Uint8Array) return value.byteLength;
  let bytes = 0;
  if (value instanceof Set) {
    for (const one of value) bytes += valueBytes(one);
    return bytes;
  }
  bytes = CONTAINER_BYTES;
  if (Array.isArray(value)) for (const one of value) bytes += ELEMENT_BYTES + valueBytes(one);
  else for (const name in value) bytes += ELEMENT_BYTES + textBytes(name) + valueBytes((value as Document)[name]);
  return bytes;
}

/** UTF-8; ASCII, which is nearly all, needs no encoder. */
function textBytes(text: string): number {
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) > 127) return Buffer.byteLength(text);
  return text.length;
}

/** One byte, one more for each two digits (zeros at either end left out), and one for a minus sign. */
function numberBytes(value: number): number {
  const sign = value < 0 ? 1 : 0;
  if (value === 0) return 1;
  if (!Number.isInteger(value)) {
    const [digits = "", exponent = "0"] = Math.abs(value).toExponential().split("e");
    const shift = Number(exponent) % 2 === 0 ? 1 : 0; // the pairs begin at the point
    return 1 + Math.ceil((digits.replace(".", "").length + shift) / 2) + sign;
  }
  let rest = Math.abs(value);
  while (rest % 100 === 0) rest /= 100;
  let pairs = 0;
  for (; rest >= 1; rest /= 100) pairs++;
  return 1 + pairs + sign;
}
