/** Places within an item as expressions name them: read, set, compared. */
import { type Document, invalid, isDocument } from "./document.ts";

/** What the placeholders of an expression stand for. */
export interface Bindings {
  readonly names: Readonly<Record<string, string>> | undefined;
  readonly values: Document | undefined;
}

/** Steps into an item, as written: names or `#placeholders`. */
export type Path = readonly string[];

export const resolve = (path: Path, { names }: Bindings): string[] =>
  path.map((step) => {
    if (!step.startsWith("#")) return step;
    const name = names?.[step];
    if (name === undefined)
      throw invalid(`An expression attribute name used in the document path is not defined; attribute name: ${step}`);
    return name;
  });

export function valueAt(item: unknown, names: readonly string[]): unknown {
  let value = item;
  for (const name of names) {
    if (!isDocument(value) || !Object.hasOwn(value, name)) return undefined;
    value = value[name];
  }
  return value;
}

const wrongPath = () => invalid("The document path provided in the update expression is invalid for update");

/** Sets one value in a document (undefined removes it), and copies of the maps on the way, which must be there unless they are made. */
export function setValue(
  document: Record<string, unknown>,
  [name, ...rest]: readonly string[],
  value: unknown,
  onTheWay: "keep" | "make",
): void {
  if (rest.length === 0) {
    if (value === undefined) delete document[name!];
    else document[name!] = value;
    return;
  }
  const inner = document[name!] ?? (onTheWay === "make" ? {} : undefined);
  if (!isDocument(inner)) throw wrongPath();
  const copy = { ...inner };
  setValue(copy, rest, value, onTheWay);
  document[name!] = Object.freeze(copy);
}

/** @throws ValidationException when one path lies within another: their order would matter */
export function assertApart(paths: readonly (readonly string[])[]): void {
  for (const [index, path] of paths.entries())
    for (const other of paths.slice(0, index)) {
      const shared = Math.min(path.length, other.length);
      if (path.slice(0, shared).every((name, step) => name === other[step]))
        throw invalid(`Two document paths overlap with each other: [${other.join(", ")}], [${path.join(", ")}]`);
    }
}
