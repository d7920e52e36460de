import { type Document, hasElement, isSet, typeOf } from "./document.ts";
import { ExactNumber, type Numeric, sum } from "./numbers.ts";
import { type Operand, Parser } from "./parser.ts";
import { assertApart, type Bindings, laterFirst, type Path, resolve, setValue, valueAt } from "./paths.ts";
import { invalid } from "./refusal.ts";

/** @returns the changed item, frozen; it shares with the old one what stayed */
export type RunUpdate = (before: Document, bindings: Bindings) => Document;

/** `value` answers undefined for what is removed. */
interface Change {
  readonly path: Path;
  readonly value: (before: Document, bindings: Bindings) => unknown;
}

const isNumber = (value: unknown): value is Numeric => typeof value === "number" || value instanceof ExactNumber;

const wrongOperand = () => invalid("An operand in the update expression has an incorrect data type");

/** `UpdateExpression`, by recursive descent. */
export class UpdateParser extends Parser {
  /** @returns what the update does, and the places that it sets or removes */
  update(): { readonly run: RunUpdate; readonly changed: readonly Path[] } {
    const clauses = {
      SET: () => this.#assignment(),
      REMOVE: (): Change => ({ path: this.path(), value: () => undefined }),
      ADD: () => this.#addition(),
      DELETE: () => this.#subtraction(),
    };
    const changes: Change[] = [];
    const seen = new Set<string>();
    while (!this.isAtEnd) {
      const clause = this.take().toUpperCase();
      if (!Object.hasOwn(clauses, clause)) throw this.unexpected(-1);
      if (seen.has(clause))
        throw this.refusal(`The "${clause}" section can only be used once in an update expression;`);
      seen.add(clause);
      changes.push(...this.list(clauses[clause as keyof typeof clauses]));
    }
    const run: RunUpdate = (before, bindings) => {
      const paths = changes.map(({ path }) => resolve(path, bindings));
      assertApart(paths, "UpdateExpression");
      // Every value is taken from the item as it was.
      const values = changes.map(({ value }) => value(before, bindings));
      const item = { ...before };
      for (const [index, value] of values.entries()) if (value !== undefined) setValue(item, paths[index]!, value);
      const removed = paths.filter((_, index) => values[index] === undefined);
      for (const path of removed.toSorted(laterFirst)) setValue(item, path, undefined);
      return Object.freeze(item);
    };
    return { run, changed: changes.map(({ path }) => path) };
  }

  #assignment(): Change {
    const path = this.path();
    this.expect("=");
    const first = this.#operand();
    const sign = this.skip("+") ? 1 : this.skip("-") ? -1 : undefined;
    if (sign === undefined) return { path, value: first };
    const second = this.#operand();
    return {
      path,
      value: (item, bindings) => {
        const [left, right] = [first(item, bindings), second(item, bindings)];
        if (!isNumber(left) || !isNumber(right)) throw wrongOperand();
        return sum(left, sign, right);
      },
    };
  }

  #operand(): Operand {
    const name = this.peek(1) === "(" ? this.take() : undefined;
    if (name === undefined) return this.#pathOrValue();
    if (name === "if_not_exists") {
      this.expect("(");
      const present = this.pathOperand();
      this.expect(",");
      const otherwise = this.#operand();
      this.expect(")");
      return (item, bindings) => present(item, bindings) ?? otherwise(item, bindings);
    }
    if (name !== "list_append") throw this.refusal(`Invalid function name; function: ${name}`);
    const lists = this.arguments(() => this.#operand());
    this.assertArguments(name, lists, 2);
    return (item, bindings) => {
      const both = lists.map((list) => list(item, bindings));
      if (!both.every(Array.isArray)) throw wrongOperand();
      return Object.freeze(both.flat());
    };
  }

  #pathOrValue(): Operand {
    if (this.peek()?.startsWith(":")) {
      const value = this.value();
      return (_, bindings) => value(bindings);
    }
    const at = this.pathOperand();
    return (item, bindings) => {
      const value = at(item, bindings);
      if (value === undefined)
        throw invalid("The provided expression refers to an attribute that does not exist in the item");
      return value;
    };
  }

  #addition(): Change {
    const path = this.path();
    const operand = this.value();
    return {
      path,
      value: (item, bindings) => {
        const [present, added] = [valueAt(item, resolve(path, bindings)), operand(bindings)];
        const type = typeOf(added);
        if (!isNumber(added) && !isSet(added)) throw this.#notFor("ADD", type);
        if (present !== undefined && typeOf(present) !== type) throw wrongOperand();
        if (isNumber(added)) return sum((present as Numeric | undefined) ?? 0, 1, added);
        const all = new Set(present as Set<unknown> | undefined);
        for (const one of added) if (!hasElement(all, one)) all.add(one);
        return all;
      },
    };
  }

  /** Takes elements out of a set, and the set itself with its last one. */
  #subtraction(): Change {
    const path = this.path();
    const operand = this.value();
    return {
      path,
      value: (item, bindings) => {
        const [present, taken] = [valueAt(item, resolve(path, bindings)), operand(bindings)];
        if (!isSet(taken)) throw this.#notFor("DELETE", typeOf(taken));
        if (present === undefined) return undefined;
        if (typeOf(present) !== typeOf(taken)) throw wrongOperand();
        const left = new Set([...(present as Set<unknown>)].filter((one) => !hasElement(taken, one)));
        return left.size > 0 ? left : undefined;
      },
    };
  }

  #notFor(clause: string, type: string | undefined) {
    return this.refusal(
      `Incorrect operand type for operator or function; operator: ${clause}, operand type: ${type}, typeSet: ${clause === "ADD" ? "ALLOWED_FOR_ADD_OPERAND" : "ALLOWED_FOR_DELETE_OPERAND"}`,
    );
  }
}
