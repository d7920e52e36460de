/** Finds the page of an address. Pages that are known are read by their id; only an unknown address reads all of them. */
import type { StatusPage, StatusPageStore } from "../../shared/store/status-pages.ts";
import { createKept } from "./kept.ts";

/** How long the list of all is good for an address that is not in it: a new page is there at once, and guesses cost little. */
const LIST_KEPT_MS = 1_000;

const PREVIEW = /^preview-([0-9a-f]{32})$/;

export function createFindPage(
  pages: Pick<StatusPageStore, "all" | "get" | "preview">,
  keptMs: number,
  now: () => Date,
) {
  const ids = new Map<string, string>();
  const all = createKept<readonly StatusPage[]>(LIST_KEPT_MS, now);
  const one = createKept<StatusPage | undefined>(keptMs, now);

  const search = async (slug: string): Promise<StatusPage | undefined> => {
    // Two that were created at the same moment may have the same address: it is the older one's.
    const [found] = (await all("", pages.all))
      .filter((page) => page.slug === slug)
      .toSorted((a, b) => a.createdAt.localeCompare(b.createdAt));
    if (found) ids.set(slug, found.id);
    return found;
  };

  return async (slug: string): Promise<StatusPage | undefined> => {
    const preview = PREVIEW.exec(slug)?.[1];
    if (preview) return pages.preview(preview, now());
    const id = ids.get(slug);
    const known = id && (await one(id, () => pages.get(id)));
    if (known && known.slug === slug) return known;
    ids.delete(slug);
    return search(slug);
  };
}
