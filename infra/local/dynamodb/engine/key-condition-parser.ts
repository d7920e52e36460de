import { Parser } from "./parser.ts";
import { type Bindings, type Path, resolve } from "./paths.ts";
import { invalid } from "./refusal.ts";
import type { Bound } from "./sorted-rows.ts";

/** Which items a query asks for: those of one partition, between two places. */
export interface KeyRange {
  readonly hash: string;
  /** Before the first item; undefined for all from the beginning. */
  readonly low?: Bound | undefined;
  readonly high?: Bound | undefined;
}

/** The key attributes of a table or an index. */
export interface KeyNames {
  readonly hash: string;
  readonly range: string | undefined;
}

export type RunKeyCondition = (bindings: Bindings, keys: KeyNames) => KeyRange;

/** A comparison of one key attribute with values. */
interface Comparison {
  readonly path: Path;
  readonly operator: string;
  readonly values: readonly ((bindings: Bindings) => unknown)[];
}

/** Where the range of each operator begins and ends. */
const SIDES: Readonly<Record<string, { readonly low?: Bound["side"]; readonly high?: Bound["side"] }>> = {
  "=": { low: "at", high: "after" },
  "<": { high: "at" },
  "<=": { high: "after" },
  ">": { low: "after" },
  ">=": { low: "at" },
  BETWEEN: { low: "at", high: "after" },
  begins_with: { low: "at", high: "afterPrefix" },
};

/** `KeyConditionExpression`: equality of the partition key, alone or with one condition on the sort key. */
export class KeyConditionParser extends Parser {
  keyCondition(): RunKeyCondition {
    const comparisons = this.#conjunction();
    if (comparisons.length > 2) throw invalid("Conditions can be of length 1 or 2 only");
    return (bindings, keys) => {
      const named = new Map(comparisons.map((one) => [resolve(one.path, bindings)[0]!, one]));
      if (named.size < comparisons.length)
        throw this.refusal("KeyConditionExpressions must only contain one condition per key");
      const ofHash = named.get(keys.hash);
      if (!ofHash) throw invalid(`Query condition missed key schema element: ${keys.hash}`);
      if (ofHash.operator !== "=") throw invalid("Query key condition not supported");
      const [hash] = textsOf(ofHash, bindings);
      if (named.size === 1) return { hash: hash! };
      const ofRange = keys.range === undefined ? undefined : named.get(keys.range);
      if (!ofRange)
        throw invalid(
          keys.range === undefined
            ? "Query key condition not supported"
            : `Query condition missed key schema element: ${keys.range}`,
        );
      const texts = textsOf(ofRange, bindings);
      const [first, last] = [texts[0]!, texts.at(-1)!];
      if (ofRange.operator === "BETWEEN" && first > last)
        throw this.refusal(
          "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound operand: " +
            `AttributeValue: {S:${first}}, upper bound operand: AttributeValue: {S:${last}}`,
        );
      const { low, high } = SIDES[ofRange.operator]!;
      return {
        hash: hash!,
        low: low && { text: first, side: low },
        high: high && { text: last, side: high },
      };
    };
  }

  #conjunction(): Comparison[] {
    const all = this.#comparisons();
    while (this.skip("AND")) all.push(...this.#comparisons());
    return all;
  }

  #comparisons(): Comparison[] {
    if (this.skip("(")) {
      const inner = this.#conjunction();
      this.expect(")");
      return inner;
    }
    if (this.peek() === "begins_with" && this.peek(1) === "(") {
      this.take();
      this.expect("(");
      const path = this.path();
      this.expect(",");
      const prefix = this.value();
      this.expect(")");
      return [{ path, operator: "begins_with", values: [prefix] }];
    }
    const path = this.path();
    const operator = this.take().toUpperCase();
    if (!Object.hasOwn(SIDES, operator))
      throw this.refusal(`Invalid operator used in KeyConditionExpression: ${operator}`);
    const values = [this.value()];
    if (operator === "BETWEEN") {
      this.expect("AND");
      values.push(this.value());
    }
    return [{ path, operator, values }];
  }
}

/** @throws ValidationException for a value that is no text: all keys are text here */
function textsOf({ path, values }: Comparison, bindings: Bindings): string[] {
  return values.map((value) => {
    const text = value(bindings);
    if (typeof text !== "string")
      throw invalid("One or more parameter values were invalid: Condition parameter type does not match schema type");
    if (text === "")
      throw invalid(
        `One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: ${resolve(path, bindings)[0]}`,
      );
    return text;
  });
}
