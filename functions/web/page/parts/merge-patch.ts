/** The difference of two objects, as the API takes changes. Pure. */
export type Json = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** What turns one object into another, as a merge patch (RFC 7396): null for what is gone; undefined for no difference. */
export const mergePatch = (before: Json, after: Json): Json | undefined => {
  const changes: Record<string, unknown> = {};
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const [old, fresh] = [before[name], after[name]];
    if (fresh === undefined) changes[name] = null;
    else if (isObject(old) && isObject(fresh)) {
      const inner = mergePatch(old, fresh);
      if (inner) changes[name] = inner;
    } else if (JSON.stringify(old) !== JSON.stringify(fresh)) changes[name] = fresh;
  }
  return Object.keys(changes).length > 0 ? changes : undefined;
};
