/** Items in the form of DynamoDB's API (`{"S": "text"}`), and the same as documents, with which the engine works. */
import { type Document, sizeOf, typeOf } from "./engine/document.ts";
import { ExactNumber, numberText, parseNumber } from "./engine/numbers.ts";
import { invalid, Refusal } from "./engine/refusal.ts";

/** One `AttributeValue`. */
export type WireValue = Readonly<Record<string, unknown>>;
export type WireItem = Readonly<Record<string, WireValue>>;

/** Deepest nesting of lists and maps (Developer Guide, "Quotas in Amazon DynamoDB"). */
const MAX_DEPTH = 32;

/** @throws ValidationException for what is no item */
export function documentOf(item: WireItem): Document {
  const document: Record<string, unknown> = {};
  for (const name in item) document[name] = documentValueOf(item[name]!, 0);
  return document;
}

export function wireOf(document: Document): WireItem {
  const item: Record<string, WireValue> = {};
  for (const name in document) item[name] = wireValueOf(document[name]);
  return item;
}

const malformed = (message: string) => new Refusal("SerializationException", message);

function documentValueOf(value: WireValue, depth: number): unknown {
  if (typeof value !== "object" || value === null) throw malformed("Unexpected value type in payload");
  const [type, ...others] = Object.keys(value);
  if (type === undefined)
    throw invalid("Supplied AttributeValue is empty, must contain exactly one of the supported datatypes");
  if (others.length > 0)
    throw invalid(
      "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes",
    );
  const inner = value[type];
  switch (type) {
    case "S":
      return textOf(inner);
    case "N":
      return parseNumber(textOf(inner));
    case "BOOL":
      if (typeof inner !== "boolean") throw malformed("Unexpected token received from parser");
      return inner;
    case "NULL":
      if (inner !== true)
        throw invalid(
          "One or more parameter values were invalid: Null attribute value types must have the value of true",
        );
      return null;
    case "B":
      return bytesOf(inner);
    case "SS":
      return setOf(inner, "An string set  may not be empty", textOf);
    case "NS":
      return setOf(inner, "An number set  may not be empty", (one) => parseNumber(textOf(one)));
    case "BS":
      return setOf(inner, "Binary sets should not be empty", bytesOf);
    case "L":
      assertDepth(depth);
      if (!Array.isArray(inner)) throw malformed("Start of structure or map found where not expected");
      return inner.map((one) => documentValueOf(one as WireValue, depth + 1));
    case "M": {
      assertDepth(depth);
      if (typeof inner !== "object" || inner === null || Array.isArray(inner)) throw malformed("Unexpected field type");
      const map: Record<string, unknown> = {};
      for (const name in inner) map[name] = documentValueOf((inner as WireItem)[name]!, depth + 1);
      return map;
    }
    default:
      throw invalid("Supplied AttributeValue is empty, must contain exactly one of the supported datatypes");
  }
}

function assertDepth(depth: number): void {
  if (depth >= MAX_DEPTH) throw invalid("Nesting Levels have exceeded supported limits");
}

function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  throw malformed(`${typeof value === "number" ? "NUMBER_VALUE" : "The value"} cannot be converted to String`);
}

function bytesOf(value: unknown): Uint8Array {
  const text = textOf(value);
  const bytes = Buffer.from(text, "base64");
  if (bytes.toString("base64") !== text) throw malformed("only base-64-encoded strings are convertible to bytes");
  return bytes;
}

function setOf(value: unknown, whenEmpty: string, elementOf: (one: unknown) => unknown): Set<unknown> {
  if (!Array.isArray(value)) throw malformed("Unexpected field type");
  if (value.length === 0) throw invalid(`One or more parameter values were invalid: ${whenEmpty}`);
  const elements = value.map(elementOf);
  const names = new Set(elements.map((one) => JSON.stringify(wireValueOf(one))));
  if (names.size < value.length)
    throw invalid(
      `One or more parameter values were invalid: Input collection [${value.join(", ")}] contains duplicates.`,
    );
  return new Set(elements);
}

function wireValueOf(value: unknown): WireValue {
  switch (typeof value) {
    case "string":
      return { S: value };
    case "number":
      return { N: numberText(value) };
    case "boolean":
      return { BOOL: value };
  }
  if (value === null) return { NULL: true };
  if (Array.isArray(value)) return { L: value.map(wireValueOf) };
  if (value instanceof Uint8Array) return { B: Buffer.from(value).toString("base64") };
  if (value instanceof ExactNumber) return { N: value.text };
  if (value instanceof Set) {
    const type = typeOf(value)!;
    return { [type]: [...value].map((one) => wireValueOf(one)[type[0]!]) };
  }
  return { M: wireOf(value as Document) };
}

/** An item that is stored, in both forms, each made of the other when it is asked for. */
export class StoredItem {
  #wire: WireItem | undefined;
  #item: Document | undefined;
  #size: number | undefined;

  private constructor(wire: WireItem | undefined, item: Document | undefined) {
    this.#wire = wire;
    this.#item = item;
  }

  /** @param wire as it was stored */
  static ofWire = (wire: WireItem) => new StoredItem(wire, undefined);
  static ofItem = (item: Document) => new StoredItem(undefined, item);

  get wire(): WireItem {
    this.#wire ??= wireOf(this.#item!);
    return this.#wire;
  }

  get item(): Document {
    this.#item ??= documentOf(this.#wire!);
    return this.#item;
  }

  /** Bytes as DynamoDB counts them. */
  get size(): number {
    this.#size ??= sizeOf(this.item);
    return this.#size;
  }
}
