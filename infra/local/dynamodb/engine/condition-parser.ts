import { compare, type Document, hasElement, isDocument, isSame, isSet, typeOf } from "./document.ts";
import { type Operand, Parser } from "./parser.ts";
import type { Bindings } from "./paths.ts";

export type Test = (item: Document | undefined, bindings: Bindings) => boolean;

const COMPARISONS: Readonly<Record<string, (order: number) => boolean>> = {
  "<": (order) => order < 0,
  "<=": (order) => order <= 0,
  ">": (order) => order > 0,
  ">=": (order) => order >= 0,
};

const TYPES = new Set(["NULL", "S", "N", "BOOL", "B", "SS", "NS", "BS", "L", "M"]);

/** `ConditionExpression` and `FilterExpression`, by recursive descent: one method for each rule of the grammar. */
export class ConditionParser extends Parser {
  condition(): Test {
    const parts = [this.#conjunction()];
    while (this.skip("OR")) parts.push(this.#conjunction());
    if (parts.length === 1) return parts[0]!;
    return (item, bindings) => parts.some((part) => part(item, bindings));
  }

  #conjunction(): Test {
    const parts = [this.#negation()];
    while (this.skip("AND")) parts.push(this.#negation());
    if (parts.length === 1) return parts[0]!;
    return (item, bindings) => parts.every((part) => part(item, bindings));
  }

  #negation(): Test {
    if (!this.skip("NOT")) return this.#predicate();
    const negated = this.#negation();
    return (item, bindings) => !negated(item, bindings);
  }

  #predicate(): Test {
    if (this.skip("(")) {
      const inner = this.condition();
      this.expect(")");
      return inner;
    }
    if (this.peek(1) === "(" && this.peek() !== "size") return this.#function();
    const left = this.#operand();
    if (this.skip("BETWEEN")) {
      const from = this.#operand();
      this.expect("AND");
      const to = this.#operand();
      return (item, bindings) => {
        const value = left(item, bindings);
        const [low, high] = [compare(value, from(item, bindings)), compare(value, to(item, bindings))];
        return low !== undefined && high !== undefined && low >= 0 && high <= 0;
      };
    }
    if (this.skip("IN")) {
      const choices = this.arguments(() => this.#operand());
      return (item, bindings) => {
        const value = left(item, bindings);
        return value !== undefined && choices.some((choice) => isSame(value, choice(item, bindings)));
      };
    }
    return this.#comparison(left);
  }

  #comparison(left: Operand): Test {
    const operator = this.take();
    const holds = COMPARISONS[operator];
    if (!holds && operator !== "=" && operator !== "<>") throw this.unexpected(-1);
    const right = this.#operand();
    if (!holds)
      return (item, bindings) => {
        const [one, other] = [left(item, bindings), right(item, bindings)];
        const isEqual = one !== undefined && isSame(one, other);
        return operator === "=" ? isEqual : !isEqual && !(one === undefined && other === undefined);
      };
    return (item, bindings) => {
      const order = compare(left(item, bindings), right(item, bindings));
      return order !== undefined && holds(order);
    };
  }

  #operand(): Operand {
    if (this.peek()?.startsWith(":")) {
      const value = this.value();
      return (_, bindings) => value(bindings);
    }
    if (this.peek() !== "size" || this.peek(1) !== "(") return this.pathOperand();
    this.take();
    const [of] = this.arguments(() => this.#operand());
    return (item, bindings) => lengthOf(of!(item, bindings));
  }

  #function(): Test {
    const name = this.take();
    switch (name) {
      case "attribute_exists":
      case "attribute_not_exists": {
        const paths = this.arguments(() => this.pathOperand());
        this.assertArguments(name, paths, 1);
        const isWanted = name === "attribute_exists";
        return (item, bindings) => (paths[0]!(item, bindings) !== undefined) === isWanted;
      }
      case "attribute_type":
        return this.#binary(name, (value, type) => {
          if (!TYPES.has(String(type))) throw this.refusal(`Invalid attribute type name found; type: ${type}`);
          return typeOf(value) === type;
        });
      case "begins_with":
        return this.#binary(name, (value, prefix) => {
          const type = typeOf(prefix);
          if (type !== undefined && type !== "S" && type !== "B") throw this.#wrongType(name, type);
          if (type === "B" && value instanceof Uint8Array)
            return Buffer.from(value)
              .subarray(0, (prefix as Uint8Array).length)
              .equals(prefix as Uint8Array);
          return typeof value === "string" && typeof prefix === "string" && value.startsWith(prefix);
        });
      case "contains":
        return this.#binary(name, (value, wanted) => {
          if (typeof value === "string") return typeof wanted === "string" && value.includes(wanted);
          if (value instanceof Uint8Array)
            return wanted instanceof Uint8Array && Buffer.from(value).includes(Buffer.from(wanted));
          if (isSet(value)) return hasElement(value, wanted);
          return Array.isArray(value) && value.some((one) => isSame(one, wanted));
        });
      default:
        throw this.refusal(`Invalid function name; function: ${name}`);
    }
  }

  #binary(name: string, holds: (one: unknown, other: unknown) => boolean): Test {
    const operands = this.arguments(() => this.#operand());
    this.assertArguments(name, operands, 2);
    return (item, bindings) => holds(operands[0]!(item, bindings), operands[1]!(item, bindings));
  }

  #wrongType(name: string, type: string) {
    return this.refusal(
      `Incorrect operand type for operator or function; operator or function: ${name}, operand type: ${type}`,
    );
  }
}

/** What `size` answers: characters of text, bytes, elements of sets, lists and maps; undefined for other types. */
function lengthOf(value: unknown): number | undefined {
  if (typeof value === "string" || value instanceof Uint8Array || Array.isArray(value)) return value.length;
  if (isSet(value)) return value.size;
  return isDocument(value) ? Object.keys(value).length : undefined;
}
