/** Fills a page of a filtered list, so that only the last one is short, and a cursor is given only if something follows. */
import type { Page } from "../../../shared/store/cursor.ts";

/**
 * @param read a page of the store after a position
 * @param positionOf the position of an item, for the page after it
 */
export const filledPage = async <T>(
  limit: number,
  after: string | undefined,
  read: (limit: number, after?: string) => Promise<Page<T>>,
  { passes, positionOf }: { readonly passes: (item: T) => boolean; readonly positionOf: (item: T) => string },
): Promise<Page<T>> => {
  const found: T[] = [];
  // One more than asked for, to know whether something follows.
  for (let from = after, ended = false; !ended && found.length <= limit; ) {
    const { items, next } = await read(limit + 1, from);
    found.push(...items.filter(passes));
    from = next ?? undefined;
    ended = next === null;
  }
  const items = found.slice(0, limit);
  const last = items.at(-1);
  return { items, next: found.length > limit && last !== undefined ? positionOf(last) : null };
};
