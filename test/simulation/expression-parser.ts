/** DynamoDB's expressions as functions: a parser by recursive descent, one method for each rule of the grammar. */
import { compare, type Document, invalid, isSame, stored, typeOf } from "./document.ts";
import { assertApart, type Bindings, type Path, resolve, setValue, valueAt } from "./document-paths.ts";
import type { Bound } from "./sorted.ts";

/** @param placeholders the `#names` and `:values` that the text uses */
export interface Parsed<T> {
  readonly run: T;
  readonly placeholders: ReadonlySet<string>;
}

export type Condition = Parsed<(item: Document | undefined, bindings: Bindings) => boolean>;
export type Projection = Parsed<(item: Document, bindings: Bindings) => Document>;
/** @returns the changed item, frozen, which shares with the old one what stayed */
export type Update = Parsed<(item: Document, bindings: Bindings) => Document>;
export type KeyCondition = Parsed<(bindings: Bindings) => KeyRange>;

/** Which items a query asks for. */
export interface KeyRange {
  readonly hashName: string;
  readonly hash: unknown;
  readonly rangeName: string | undefined;
  /** From here on: the first that is not before it (`at`), or the first after all that equal it (`after`). */
  readonly low: Bound | undefined;
  /** Up to here. */
  readonly high: Bound | undefined;
}

type Operand = (item: Document | undefined, bindings: Bindings) => unknown;
type Test = (item: Document | undefined, bindings: Bindings) => boolean;
type Change = (before: Document, bindings: Bindings) => { readonly names: readonly string[]; readonly value: unknown };

const TOKEN = /\s*(<=|>=|<>|[=<>(),.+-]|[:#]?[A-Za-z0-9_]+)/y;

const COMPARISONS: Readonly<Record<string, (order: number) => boolean>> = {
  "<": (order) => order < 0,
  "<=": (order) => order <= 0,
  ">": (order) => order > 0,
  ">=": (order) => order >= 0,
};

export class Parser {
  readonly #text: string;
  readonly #tokens: string[] = [];
  #next = 0;

  constructor(text: string) {
    this.#text = text.trim();
    TOKEN.lastIndex = 0;
    while (TOKEN.lastIndex < this.#text.length) {
      const from = TOKEN.lastIndex;
      const token = TOKEN.exec(this.#text)?.[1];
      if (!token) throw invalid(`Invalid expression: syntax error at ${this.#text.slice(from)}`);
      this.#tokens.push(token);
    }
  }

  /** @throws when something is left over */
  whole<T>(run: T): Parsed<T> {
    if (this.#next < this.#tokens.length) throw this.#unexpected();
    return { run, placeholders: new Set(this.#tokens.filter((token) => /^[:#]/.test(token))) };
  }

  list<T>(one: () => T): T[] {
    const all = [one()];
    while (this.#skip(",")) all.push(one());
    return all;
  }

  path(): Path {
    const path = [this.#take()];
    while (this.#skip(".")) path.push(this.#take());
    return path;
  }

  condition(): Test {
    const parts = [this.#conjunction()];
    while (this.#skip("OR")) parts.push(this.#conjunction());
    if (parts.length === 1) return parts[0]!;
    // All are looked at, not only up to the first that holds: a placeholder without a meaning is an error anywhere.
    return (item, bindings) => parts.filter((part) => part(item, bindings)).length > 0;
  }

  #conjunction(): Test {
    const parts = [this.#negation()];
    while (this.#skip("AND")) parts.push(this.#negation());
    if (parts.length === 1) return parts[0]!;
    return (item, bindings) => parts.filter((part) => part(item, bindings)).length === parts.length;
  }

  #negation(): Test {
    if (!this.#skip("NOT")) return this.#predicate();
    const negated = this.#negation();
    return (item, bindings) => !negated(item, bindings);
  }

  #predicate(): Test {
    if (this.#skip("(")) {
      const inner = this.condition();
      this.#expect(")");
      return inner;
    }
    if (this.#tokens[this.#next + 1] === "(" && !this.#is("if_not_exists")) return this.#function();
    const left = this.#operand();
    if (this.#skip("BETWEEN")) {
      const from = this.#operand();
      this.#expect("AND");
      const to = this.#operand();
      return (item, bindings) => {
        const value = left(item, bindings);
        const [low, high] = [compare(value, from(item, bindings)), compare(value, to(item, bindings))];
        return low !== undefined && high !== undefined && low >= 0 && high <= 0;
      };
    }
    if (this.#skip("IN")) {
      const choices = this.#arguments(() => this.#operand());
      return (item, bindings) => {
        const value = left(item, bindings);
        return value !== undefined && choices.some((choice) => isSame(value, choice(item, bindings)));
      };
    }
    return this.#comparison(left);
  }

  #comparison(left: Operand): Test {
    const operator = this.#take();
    const right = this.#operand();
    if (operator === "=" || operator === "<>")
      return (item, bindings) => {
        const [one, other] = [left(item, bindings), right(item, bindings)];
        const isEqual = one !== undefined && isSame(one, other);
        return operator === "=" ? isEqual : !isEqual && !(one === undefined && other === undefined);
      };
    const holds = COMPARISONS[operator];
    if (!holds) throw invalid(`Invalid expression: unknown operator ${operator}`);
    return (item, bindings) => {
      const order = compare(left(item, bindings), right(item, bindings));
      return order !== undefined && holds(order);
    };
  }

  #function(): Test {
    const name = this.#take();
    switch (name) {
      case "attribute_exists":
      case "attribute_not_exists": {
        const [path] = this.#arguments(() => this.path());
        const isWanted = name === "attribute_exists";
        return (item, bindings) => (valueAt(item, resolve(path!, bindings)) !== undefined) === isWanted;
      }
      case "begins_with": {
        const [whole, start] = this.#arguments(() => this.#operand());
        return (item, bindings) => {
          const [value, prefix] = [whole!(item, bindings), start!(item, bindings)];
          return typeof value === "string" && typeof prefix === "string" && value.startsWith(prefix);
        };
      }
      case "contains": {
        const [whole, part] = this.#arguments(() => this.#operand());
        return (item, bindings) => {
          const [value, wanted] = [whole!(item, bindings), part!(item, bindings)];
          if (typeof value === "string") return typeof wanted === "string" && value.includes(wanted);
          return (value instanceof Set || Array.isArray(value)) && [...value].some((one) => isSame(one, wanted));
        };
      }
      default:
        throw invalid(`Invalid expression: the function ${name} is not known here`);
    }
  }

  #arguments<T>(one: () => T): T[] {
    this.#expect("(");
    const all = this.list(one);
    this.#expect(")");
    return all;
  }

  #operand(): Operand {
    if (this.#tokens[this.#next]?.startsWith(":")) return this.#value();
    if (this.#is("if_not_exists")) {
      this.#next++;
      this.#expect("(");
      const path = this.path();
      this.#expect(",");
      const otherwise = this.#operand();
      this.#expect(")");
      return (item, bindings) => valueAt(item, resolve(path, bindings)) ?? otherwise(item, bindings);
    }
    const path = this.path();
    return (item, bindings) => valueAt(item, resolve(path, bindings));
  }

  #value(): Operand {
    const name = this.#take();
    if (!name.startsWith(":")) throw this.#unexpected();
    return (_, { values }) => {
      const value = values?.[name];
      if (value === undefined)
        throw invalid(`An expression attribute value used in expression is not defined; attribute value: ${name}`);
      return value;
    };
  }

  // ---- updates ------------------------------------------------------------------------------------------------------

  update(): Update["run"] {
    const clauses = {
      SET: () => this.#assignment(),
      REMOVE: () => this.#removal(),
      ADD: () => this.#addition(),
      DELETE: () => this.#subtraction(),
    };
    const changes: Change[] = [];
    const seen = new Set<string>();
    while (this.#next < this.#tokens.length) {
      const clause = this.#take().toUpperCase();
      if (seen.has(clause)) throw invalid(`The "${clause}" section can only be used once in an update expression`);
      seen.add(clause);
      if (!Object.hasOwn(clauses, clause))
        throw invalid(`Invalid UpdateExpression: the clause ${clause} is not known here`);
      changes.push(...this.list(clauses[clause as keyof typeof clauses]));
    }
    return (before, bindings) => {
      // Every value is taken from the item as it was.
      const all = changes.map((change) => change(before, bindings));
      assertApart(all.map(({ names }) => names));
      const after = { ...before };
      for (const { names, value } of all) setValue(after, names, value, "keep");
      return Object.freeze(after);
    };
  }

  #assignment(): Change {
    const path = this.path();
    this.#expect("=");
    const first = this.#operand();
    const sign = this.#skip("+") ? 1 : this.#skip("-") ? -1 : 0;
    const second = sign === 0 ? undefined : this.#operand();
    return (item, bindings) => {
      const value = first(item, bindings);
      const other = second?.(item, bindings);
      if (value === undefined || (second && other === undefined))
        throw invalid("The provided expression refers to an attribute that does not exist in the item");
      if (second && (typeof value !== "number" || typeof other !== "number"))
        throw invalid("An operand in the update expression has an incorrect data type");
      return { names: resolve(path, bindings), value: second ? Number(value) + sign * Number(other) : stored(value) };
    };
  }

  #removal(): Change {
    const path = this.path();
    return (_, bindings) => ({ names: resolve(path, bindings), value: undefined });
  }

  #addition(): Change {
    const path = this.path();
    const operand = this.#value();
    return (item, bindings) => {
      const names = resolve(path, bindings);
      const [present, added] = [valueAt(item, names), operand(item, bindings)];
      const type = typeOf(added);
      if ((type !== "N" && type !== "SET") || (present !== undefined && typeOf(present) !== type))
        throw invalid("An operand in the update expression has an incorrect data type");
      const value =
        type === "N"
          ? Number(present ?? 0) + Number(added)
          : new Set([...((present as Set<unknown>) ?? []), ...(added as Set<unknown>)]);
      return { names, value };
    };
  }

  /** Takes elements out of a set; with its last one the set goes. */
  #subtraction(): Change {
    const path = this.path();
    const operand = this.#value();
    return (item, bindings) => {
      const names = resolve(path, bindings);
      const [present, taken] = [valueAt(item, names), operand(item, bindings)];
      if (typeOf(taken) !== "SET" || (present !== undefined && typeOf(present) !== "SET"))
        throw invalid("An operand in the update expression has an incorrect data type");
      const left = new Set([...((present as Set<unknown>) ?? [])].filter((one) => !(taken as Set<unknown>).has(one)));
      return { names, value: left.size > 0 ? left : undefined };
    };
  }

  // ---- key conditions -----------------------------------------------------------------------------------------------

  /** `hash = :value`, alone or with one condition on the sort key, in this order as all stores write it. */
  keyCondition(): KeyCondition["run"] {
    const hashName = this.path();
    this.#expect("=");
    const hash = this.#value();
    const range = this.#skip("AND") ? this.#keyRange() : undefined;
    return (bindings) => {
      const bounds = range?.(bindings);
      return {
        hashName: resolve(hashName, bindings)[0]!,
        hash: hash(undefined, bindings),
        rangeName: bounds?.name,
        low: bounds?.low,
        high: bounds?.high,
      };
    };
  }

  #keyRange(): (bindings: Bindings) => { name: string; low?: Bound; high?: Bound } {
    const text = (value: Operand, bindings: Bindings) => {
      const key = value(undefined, bindings);
      if (typeof key !== "string") throw invalid("Condition parameter type does not match schema type");
      return key;
    };
    if (this.#skip("begins_with")) {
      this.#expect("(");
      const name = this.path();
      this.#expect(",");
      const prefix = this.#value();
      this.#expect(")");
      return (bindings) => {
        const start = text(prefix, bindings);
        const [low, high]: Bound[] = [
          { text: start, side: "at" },
          { text: start, side: "afterPrefix" },
        ];
        return { name: resolve(name, bindings)[0]!, low: low!, high: high! };
      };
    }
    const name = this.path();
    const operator = this.#take().toUpperCase();
    const first = this.#value();
    let second = first;
    if (operator === "BETWEEN") {
      this.#expect("AND");
      second = this.#value();
    }
    const sides = KEY_OPERATORS[operator];
    if (!sides) throw invalid(`Invalid operator used in KeyConditionExpression: ${operator}`);
    return (bindings) => ({
      name: resolve(name, bindings)[0]!,
      ...(sides.low && { low: { text: text(first, bindings), side: sides.low } }),
      ...(sides.high && { high: { text: text(second, bindings), side: sides.high } }),
    });
  }

  // ---- tokens -------------------------------------------------------------------------------------------------------

  #take(): string {
    const token = this.#tokens[this.#next++];
    if (token === undefined) throw this.#unexpected();
    return token;
  }

  #is(word: string): boolean {
    return this.#tokens[this.#next]?.toUpperCase() === word.toUpperCase();
  }

  #skip(word: string): boolean {
    const found = this.#is(word);
    if (found) this.#next++;
    return found;
  }

  #expect(word: string): void {
    if (!this.#skip(word)) throw this.#unexpected();
  }

  #unexpected() {
    return invalid(`Invalid expression: unexpected ${this.#tokens[this.#next] ?? "end"} in ${this.#text}`);
  }
}

/** Where the range of each operator begins and ends. */
const KEY_OPERATORS: Readonly<Record<string, { low?: Bound["side"]; high?: Bound["side"] }>> = {
  "=": { low: "at", high: "after" },
  "<": { high: "at" },
  "<=": { high: "after" },
  ">": { low: "after" },
  ">=": { low: "at" },
  BETWEEN: { low: "at", high: "after" },
};
