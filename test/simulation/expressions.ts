/**
 * DynamoDB's expressions (Developer Guide, "Expressions in DynamoDB"), as far as stores use them: conditions, updates,
 * projections, key conditions. Each text is parsed once and kept. Not here, and refused with an error: places in lists,
 * `size`, `attribute_type` and `list_append`. Reserved words are not looked for; dynalite does.
 */
import { invalid } from "./document.ts";
import { type Bindings, resolve, setValue, valueAt } from "./document-paths.ts";
import {
  type Condition,
  type KeyCondition,
  type Parsed,
  Parser,
  type Projection,
  type Update,
} from "./expression-parser.ts";

export const parseCondition = remembered((text): Condition => {
  const parser = new Parser(text);
  return parser.whole(parser.condition());
});

export const parseUpdate = remembered((text): Update => {
  const parser = new Parser(text);
  return parser.whole(parser.update());
});

export const parseProjection = remembered((text): Projection => {
  const parser = new Parser(text);
  const paths = parser.list(() => parser.path());
  return parser.whole((item, bindings) => {
    const shown: Record<string, unknown> = {};
    for (const path of paths) {
      const names = resolve(path, bindings);
      const value = valueAt(item, names);
      if (value !== undefined) setValue(shown, names, value, "make");
    }
    return Object.freeze(shown);
  });
});

export const parseKeyCondition = remembered((text): KeyCondition => {
  const parser = new Parser(text);
  return parser.whole(parser.keyCondition());
});

/** @throws ValidationException as DynamoDB does, when a placeholder is given that no expression uses */
export function assertAllUsed(bindings: Bindings, expressions: readonly (Parsed<unknown> | undefined)[]): void {
  for (const given of [bindings.names, bindings.values])
    for (const placeholder in given)
      if (!expressions.some((expression) => expression?.placeholders.has(placeholder)))
        throw invalid(`Value provided in ExpressionAttributeNames or -Values unused in expressions: ${placeholder}`);
}

function remembered<T>(parse: (text: string) => T): (text: string) => T {
  const known = new Map<string, T>();
  return (text) => {
    const parsed = known.get(text) ?? parse(text);
    known.set(text, parsed);
    return parsed;
  };
}
