/** Document paths: places within an item as expressions name them. Reading, setting, projecting, comparing them. */
import { type Document, isDocument } from "./document.ts";
import { invalid } from "./refusal.ts";

/** What the placeholders of an expression stand for. */
export interface Bindings {
  readonly names: Readonly<Record<string, string>> | undefined;
  readonly values: Document | undefined;
}

/** Steps into an item: names or `#placeholders`, as written, and places in lists. */
export type Path = readonly (string | number)[];

/** Replaces placeholders by the names that they stand for. */
export const resolve = (path: Path, { names }: Bindings): Path =>
  path.map((step) => (typeof step === "string" && step.startsWith("#") ? names![step]! : step));

export function valueAt(item: unknown, path: Path): unknown {
  let value = item;
  for (const step of path) {
    if (typeof step === "number") value = Array.isArray(value) ? value[step] : undefined;
    else value = isDocument(value) && Object.hasOwn(value, step) ? value[step] : undefined;
    if (value === undefined) return undefined;
  }
  return value;
}

type Container = Record<string, unknown> | unknown[];

const copyOf = (value: unknown, step: string | number | undefined): Container => {
  if (typeof step === "number" ? !Array.isArray(value) : !isDocument(value))
    throw invalid("The document path provided in the update expression is invalid for update");
  return Array.isArray(value) ? [...value] : { ...(value as Document) };
};

/**
 * Sets one value in a container, and copies of the containers on the way to it, which must be there. A place beyond the end
 * of a list appends to it.
 * @param value undefined removes what is there
 */
export function setValue(container: Container, [step, ...rest]: Path, value: unknown): void {
  if (rest.length > 0) {
    const inner = copyOf((container as Record<string | number, unknown>)[step!], rest[0]);
    setValue(inner, rest, value);
    (container as Record<string | number, unknown>)[step!] = Object.freeze(inner);
  } else if (!Array.isArray(container)) {
    if (value === undefined) delete container[step!];
    else container[step!] = value;
  } else if (value !== undefined) container[Math.min(step as number, container.length)] = value;
  else if ((step as number) < container.length) container.splice(step as number, 1);
}

/** Sorts paths so that removing one moves none of those after it: later places in a list come first. */
export function laterFirst(one: Path, other: Path): number {
  for (const [index, step] of one.entries()) {
    const counterpart = other[index];
    if (typeof step === "number" && typeof counterpart === "number" && step !== counterpart) return counterpart - step;
  }
  return 0;
}

/** What is to be shown of a value: all of it, or some of its children. */
interface Shown {
  isWhole: boolean;
  readonly children: Map<string | number, Shown>;
}

/** The parts of an item that lie at the paths. Of a list they move together. */
export function partsAt(item: Document, paths: readonly Path[]): Document {
  const root: Shown = { isWhole: false, children: new Map() };
  for (const path of paths) {
    let at = root;
    for (const step of path) {
      const next = at.children.get(step) ?? { isWhole: false, children: new Map() };
      at.children.set(step, next);
      at = next;
    }
    at.isWhole = true;
  }
  return (shownOf(item, root) as Document | undefined) ?? Object.freeze({});
}

function shownOf(value: unknown, { isWhole, children }: Shown): unknown {
  if (isWhole) return value;
  const found = [...children]
    .map(([step, child]) => [step, shownOf(valueAt(value, [step]), child)] as const)
    .filter(([, one]) => one !== undefined);
  if (found.length === 0) return undefined;
  if (!Array.isArray(value)) return Object.freeze(Object.fromEntries(found));
  return Object.freeze(found.toSorted(([one], [other]) => Number(one) - Number(other)).map(([, one]) => one));
}

/** @throws ValidationException when one path lies within another, or equals it: their order would matter */
export function assertApart(paths: readonly Path[], expression: string): void {
  for (const [index, path] of paths.entries())
    for (const other of paths.slice(0, index)) {
      const shared = Math.min(path.length, other.length);
      if (path.slice(0, shared).every((step, place) => step === other[place]))
        throw invalid(
          `Invalid ${expression}: Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [${other.join(", ")}], path two: [${path.join(", ")}]`,
        );
    }
}
