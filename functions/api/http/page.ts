/** Pages of lists: cursors that carry the total, and pages that fit into an answer. */
import { decodeCursor, encodeCursor } from "../../../shared/store/cursor.ts";

/** Most bytes of items in a page. Lambda answers with 6 MB at most, in which each quotation mark counts twice. */
const MAX_PAGE_BYTES = 2.5 * 1024 * 1024;

/** What a cursor holds: where the next page begins, and the total that the first page counted. */
export interface Start {
  readonly position: string;
  readonly total: number | null;
}

/** @param question the query with its filters. @returns undefined for the first page. @throws InvalidInput */
export const startOf = (cursor: string | undefined, question: string): Start | undefined => {
  if (cursor === undefined) return undefined;
  const [position, total] = JSON.parse(decodeCursor(cursor, question));
  return { position, total };
};

interface Positioned<T> {
  readonly item: T;
  /** Where the next page begins if this is the last of a page. */
  readonly position: string;
}

/** How long, and how much, a list may be searched for a page. */
interface Budget {
  /** Batches in which matches are counted; after them the total is null. Default: none, nothing is counted. */
  readonly countedBatches?: number;
  /** Whether a page that has something should be short rather than take longer. */
  readonly isLate?: () => boolean;
}

/**
 * Takes a page from a list that is read in batches. It reads on until one more is found than fits, so that a page is
 * empty only at the end, and has a cursor only if something follows (or the call took long).
 */
export const takePage = async <T>(
  batches: AsyncIterable<readonly Positioned<T>[]>,
  limit: number,
  { countedBatches = 0, isLate = () => false }: Budget = {},
) => {
  const found: Positioned<T>[] = [];
  let [read, matching, isWhole] = [0, 0, true];
  for await (const batch of batches) {
    read++;
    matching += batch.length;
    found.push(...batch.slice(0, limit + 1 - found.length));
    const isEnough = found.length > limit ? read >= countedBatches || isLate() : found.length > 0 && isLate();
    if (isEnough) {
      isWhole = false;
      break;
    }
  }
  return { found: found.slice(0, limit), hasMore: found.length > limit || !isWhole, total: isWhole ? matching : null };
};
type Taken<T> = Pick<Awaited<ReturnType<typeof takePage<T>>>, "found" | "hasMore">;

/** The answer of a list. A page whose items have many bytes is cut short, and the cursor leads to the others. */
export const pageBody = <T>({ found, hasMore }: Taken<T>, total: number | null, question: string) => {
  let bytes = 0;
  const fitting = found.findIndex(({ item }, index) => {
    bytes += Buffer.byteLength(JSON.stringify(item));
    return index > 0 && bytes > MAX_PAGE_BYTES;
  });
  const shown = fitting < 0 ? found : found.slice(0, fitting);
  const last = hasMore || shown.length < found.length ? shown.at(-1) : undefined;
  return {
    items: shown.map(({ item }) => item),
    nextCursor: last ? encodeCursor(JSON.stringify([last.position, total]), question) : null,
    total,
  };
};
