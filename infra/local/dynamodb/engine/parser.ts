/** What all of DynamoDB's expressions are made of: tokens, paths, values. One parser for each kind extends it. */

import type { Document } from "./document.ts";
import type { Bindings, Path } from "./paths.ts";
import { resolve, valueAt } from "./paths.ts";
import { invalid } from "./refusal.ts";
import { isReserved } from "./reserved-words.ts";

/** The parameter that holds an expression. */
export type Kind =
  | "ConditionExpression"
  | "FilterExpression"
  | "KeyConditionExpression"
  | "ProjectionExpression"
  | "UpdateExpression";

/** An expression, parsed once and run with the bindings of many requests. */
export interface Parsed<Run> {
  readonly kind: Kind;
  readonly run: Run;
  /** The `#names` and `:values` that the text uses. */
  readonly placeholders: ReadonlySet<string>;
  /** The paths that the text names, as written. */
  readonly paths: readonly Path[];
}

/** @param item undefined where there is none */
export type Operand = (item: Document | undefined, bindings: Bindings) => unknown;

const TOKEN = /\s*(<=|>=|<>|[=<>(),.+[\]-]|[:#]?[A-Za-z0-9_]+)/y;
const NAME = /^(?:#[A-Za-z0-9_]+|[A-Za-z_][A-Za-z0-9_]*)$/;
const INDEX = /^\d+$/;

/** Longest expression in bytes (Developer Guide, "Quotas in Amazon DynamoDB"). */
const MAX_BYTES = 4_096;

export class Parser {
  readonly #kind: Kind;
  readonly #tokens: string[] = [];
  readonly #paths: Path[] = [];
  #next = 0;

  constructor(kind: Kind, text: string) {
    this.#kind = kind;
    if (text.trim() === "") throw this.refusal("The expression can not be empty;");
    const bytes = Buffer.byteLength(text);
    if (bytes > MAX_BYTES)
      throw this.refusal(`Expression size has exceeded the maximum allowed size; expression size: ${bytes}`);
    const trimmed = text.trimEnd();
    TOKEN.lastIndex = 0;
    while (TOKEN.lastIndex < trimmed.length) {
      const from = TOKEN.lastIndex;
      const token = TOKEN.exec(trimmed)?.[1];
      if (!token)
        throw this.refusal(
          `Syntax error; token: "${trimmed.slice(from).trimStart()[0]}", near: "${trimmed.slice(from)}"`,
        );
      this.#tokens.push(token);
    }
  }

  /** @throws when something is left over */
  whole<Run>(run: Run): Parsed<Run> {
    if (!this.isAtEnd) throw this.unexpected();
    const placeholders = new Set(this.#tokens.filter((token) => /^[:#]/.test(token)));
    return { kind: this.#kind, run, placeholders, paths: this.#paths };
  }

  list<T>(one: () => T): T[] {
    const all = [one()];
    while (this.skip(",")) all.push(one());
    return all;
  }

  path(): Path {
    const path: (string | number)[] = [this.#name()];
    for (;;) {
      if (this.skip(".")) path.push(this.#name());
      else if (this.skip("[")) {
        const index = this.take();
        if (!INDEX.test(index)) throw this.unexpected(-1);
        path.push(Number(index));
        this.expect("]");
      } else break;
    }
    this.#paths.push(path);
    return path;
  }

  #name(): string {
    const name = this.take();
    if (!NAME.test(name)) throw this.unexpected(-1);
    if (isReserved(name)) throw this.refusal(`Attribute name is a reserved keyword; reserved keyword: ${name}`);
    return name;
  }

  protected pathOperand(): Operand {
    const path = this.path();
    return (item, bindings) => valueAt(item, resolve(path, bindings));
  }

  protected value(): (bindings: Bindings) => unknown {
    const name = this.take();
    if (!name.startsWith(":")) throw this.unexpected(-1);
    return ({ values }) => values![name];
  }

  /** Arguments of a function, in parentheses. */
  protected arguments<T>(one: () => T): T[] {
    this.expect("(");
    const all = this.list(one);
    this.expect(")");
    return all;
  }

  /** @throws unless a function has so many arguments */
  protected assertArguments(name: string, given: readonly unknown[], count: number): void {
    if (given.length !== count)
      throw this.refusal(
        `Incorrect number of operands for operator or function; operator or function: ${name}, number of operands: ${given.length}`,
      );
  }

  // ---- tokens -------------------------------------------------------------------------------------------------------

  protected get isAtEnd(): boolean {
    return this.#next >= this.#tokens.length;
  }

  protected take(): string {
    const token = this.#tokens[this.#next++];
    if (token === undefined) throw this.unexpected();
    return token;
  }

  /** @param ahead how many tokens from the next one on */
  protected peek(ahead = 0): string | undefined {
    return this.#tokens[this.#next + ahead];
  }

  protected is(word: string): boolean {
    return this.peek()?.toUpperCase() === word.toUpperCase();
  }

  protected skip(word: string): boolean {
    const found = this.is(word);
    if (found) this.#next++;
    return found;
  }

  protected expect(word: string): void {
    if (!this.skip(word)) throw this.unexpected();
  }

  /** @param ahead which token is wrong, from the next one on */
  protected unexpected(ahead = 0) {
    const place = Math.min(this.#next + ahead, this.#tokens.length);
    const near = this.#tokens.slice(Math.max(0, place - 1), place + 2).join(" ");
    return this.refusal(`Syntax error; token: "${this.#tokens[place] ?? "<EOF>"}", near: "${near}"`);
  }

  protected refusal(what: string) {
    return invalid(`Invalid ${this.#kind}: ${what}`);
  }
}
