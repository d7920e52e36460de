/** A list of the API, page by page. */
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { get } from "../api.ts";
import type { Page } from "../model.ts";
import { Failed } from "./notice.tsx";

export interface PagedList<Item> {
  /** Null before the first page has come. */
  readonly items: readonly Item[] | null;
  readonly nextCursor: string | null;
  readonly failure: unknown;
  readonly isBusy: boolean;
  readonly more: () => void;
  /** Reads the first page again. */
  readonly refresh: () => void;
}

/** @param path with its query, without `cursor`; empty: nothing is read */
export const usePaged = <Item,>(path: string): PagedList<Item> => {
  const [page, setPage] = useState<Page<Item> | null>(null);
  const [failure, setFailure] = useState<unknown>(null);
  const [isBusy, setBusy] = useState(false);
  const read = async (before: readonly Item[], cursor: string | null, isWanted = () => true) => {
    setBusy(true);
    try {
      const next = await get<Page<Item>>(cursor === null ? path : `${path}&cursor=${encodeURIComponent(cursor)}`);
      if (!isWanted()) return;
      setPage({ items: [...before, ...next.items], nextCursor: next.nextCursor });
      setFailure(null);
    } catch (error) {
      if (isWanted()) setFailure(error);
    } finally {
      setBusy(false);
    }
  };
  const refresh = () => void read([], null);
  useEffect(() => {
    let isWanted = true;
    setPage(null);
    if (path !== "") void read([], null, () => isWanted);
    return () => {
      isWanted = false;
    };
  }, [path]);
  return {
    items: page?.items ?? null,
    nextCursor: page?.nextCursor ?? null,
    failure,
    isBusy,
    more: () => void read(page?.items ?? [], page?.nextCursor ?? null),
    refresh,
  };
};

interface PagedProps<Item> {
  readonly list: PagedList<Item>;
  /** What belongs here, and how to make the first. */
  readonly empty: ComponentChildren;
  readonly children: (items: readonly Item[]) => ComponentChildren;
}

export const Paged = <Item,>({ list, empty, children }: PagedProps<Item>) => {
  const { items, nextCursor, failure, isBusy, more, refresh } = list;
  return (
    <>
      {failure !== null && <Failed failure={failure} retry={refresh} />}
      {!items && failure === null && <div class="placeholder" aria-busy="true" />}
      {items?.length === 0 && nextCursor === null && <div class="empty">{empty}</div>}
      {items && items.length > 0 && children(items)}
      {nextCursor !== null && (
        <p>
          <button type="button" disabled={isBusy} onClick={more}>
            Show more
          </button>
        </p>
      )}
    </>
  );
};
