/** Rows of the list that are selected, for one action on all of them. */
import { signal } from "@preact/signals";

/** Ids. Only those that the list shows count: what is filtered away is not touched. */
export const selected = signal<ReadonlySet<string>>(new Set());
let last: string | null = null;

export const selectAll = (ids: Iterable<string>): void => {
  selected.value = new Set(ids);
};

/** @param isRange whether everything between the row that was selected last and this one is meant */
export const toggle = (id: string, shown: readonly string[], isRange: boolean): void => {
  const next = new Set(selected.value);
  const isSelected = !next.delete(id);
  if (isSelected) next.add(id);
  const from = last === null ? -1 : shown.indexOf(last);
  const to = shown.indexOf(id);
  if (isRange && from >= 0 && to >= 0)
    for (const one of shown.slice(Math.min(from, to), Math.max(from, to) + 1))
      if (isSelected) next.add(one);
      else next.delete(one);
  last = id;
  selected.value = next;
};
