import type { Document } from "../../infra/local/dynamodb/engine/document.ts";

/**
 * A frozen copy of what a caller hands in, as it would be after the way over the wire. What is frozen already is
 * taken as it is: it came from here. So an update copies what it changes and shares the rest.
 * @throws where the SDK's marshaller throws: what is no value of DynamoDB, an empty set, a number that is none
 */
export const stored = <T>(value: T): T => copyOf(value) as T;

function copyOf(value: unknown): unknown {
  if (typeof value === "number") {
    if (!Number.isFinite(value) || Math.abs(value) > Number.MAX_SAFE_INTEGER)
      throw new Error(`Number ${value} is no number for DynamoDB`);
    return value;
  }
  if (typeof value === "string" || typeof value === "boolean" || value === null) return value;
  if (typeof value !== "object") throw new Error(`Unsupported type passed: ${typeof value}`);
  if (Object.isFrozen(value)) return value;
  if (Array.isArray(value)) return Object.freeze(value.filter((one) => one !== undefined).map((one) => copyOf(one)));
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
    if (one !== undefined) copy[name] = copyOf(one);
  }
  return Object.freeze(copy);
}
