/** DynamoDB's expressions (Developer Guide, "Expressions in DynamoDB"). Each text is parsed once and remembered. */
import { ConditionParser, type Test } from "./condition-parser.ts";
import type { Document } from "./document.ts";
import { KeyConditionParser, type RunKeyCondition } from "./key-condition-parser.ts";
import { type Kind, type Parsed, Parser } from "./parser.ts";
import { type Bindings, type Path, partsAt, resolve } from "./paths.ts";
import { invalid } from "./refusal.ts";
import { type RunUpdate, UpdateParser } from "./update-parser.ts";

export type Condition = Parsed<Test>;
export type Projection = Parsed<(item: Document, bindings: Bindings) => Document>;
/** `changed` are the places that the update sets or removes. */
export type Update = Parsed<RunUpdate> & { readonly changed: readonly Path[] };
export type KeyCondition = Parsed<RunKeyCondition>;

/** Texts that are remembered. Stores have some hundred; whoever builds texts from data must not fill the memory. */
const MAX_REMEMBERED = 2_000;

const remembered = <T>(parse: (text: string) => T): ((text: string | undefined) => T | undefined) => {
  const known = new Map<string, T>();
  return (text) => {
    if (text === undefined) return undefined;
    let parsed = known.get(text);
    if (parsed === undefined) {
      parsed = parse(text);
      if (known.size >= MAX_REMEMBERED) known.clear();
      known.set(text, parsed);
    }
    return parsed;
  };
};

const conditions = (kind: Kind) =>
  remembered((text): Condition => {
    const parser = new ConditionParser(kind, text);
    return parser.whole(parser.condition());
  });

export const parseCondition = conditions("ConditionExpression");
export const parseFilter = conditions("FilterExpression");

export const parseUpdate = remembered((text): Update => {
  const parser = new UpdateParser("UpdateExpression", text);
  const { run, changed } = parser.update();
  return { ...parser.whole(run), changed };
});

export const parseProjection = remembered((text): Projection => {
  const parser = new Parser("ProjectionExpression", text);
  const paths = parser.list(() => parser.path());
  return parser.whole((item, bindings) =>
    partsAt(
      item,
      paths.map((path) => resolve(path, bindings)),
    ),
  );
});

export const parseKeyCondition = remembered((text): KeyCondition => {
  const parser = new KeyConditionParser("KeyConditionExpression", text);
  return parser.whole(parser.keyCondition());
});

/** @throws ValidationException for a placeholder that has no meaning, and for one that no expression uses */
export function assertBindings(bindings: Bindings, expressions: readonly (Parsed<unknown> | undefined)[]): void {
  const used = expressions.filter((expression) => expression !== undefined);
  for (const { kind, placeholders } of used)
    for (const placeholder of placeholders) {
      const [given, what] = placeholder.startsWith("#")
        ? [bindings.names, "name used in the document path is not defined; attribute name"]
        : [bindings.values, "value used in expression is not defined; attribute value"];
      if (given?.[placeholder] === undefined)
        throw invalid(`Invalid ${kind}: An expression attribute ${what}: ${placeholder}`);
    }
  for (const [parameter, given] of [
    ["ExpressionAttributeNames", bindings.names],
    ["ExpressionAttributeValues", bindings.values],
  ] as const) {
    if (!given) continue;
    if (used.length === 0) throw invalid(`${parameter} can only be specified when using expressions`);
    const unused = Object.keys(given).filter((one) => !used.some(({ placeholders }) => placeholders.has(one)));
    if (unused.length > 0 || Object.keys(given).length === 0)
      throw invalid(
        unused.length > 0
          ? `Value provided in ${parameter} unused in expressions: keys: {${unused.join(", ")}}`
          : `${parameter} must not be empty`,
      );
  }
}
