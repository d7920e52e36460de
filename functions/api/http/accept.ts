/** Chooses a content type by the header `Accept` and its q-values (RFC 9110, section 12.5.1). */

interface MediaRange {
  /** `text/csv`, `text/*` or the wildcard for all. */
  readonly name: string;
  /** From 0 (not wanted) to 1. */
  readonly quality: number;
}

const mediaRanges = (accept: string): MediaRange[] =>
  accept.split(",").map((part) => {
    const [name = "", ...parameters] = part.split(";").map((text) => text.trim().toLowerCase());
    const [, quality = "1"] = parameters.map((text) => /^q=([01](?:\.\d{0,3})?)$/.exec(text)).find(Boolean) ?? [];
    return { name, quality: Math.min(1, Number(quality)) };
  });

/**
 * @param offered content types, the default first
 * @returns the type with the highest q-value; of equals the one that the header names first. The default if none is
 * wanted, because an answer of another type helps more than a 406.
 */
export const preferred = <T extends string>(accept: string | undefined, offered: readonly [T, ...T[]]): T => {
  const ranges = mediaRanges(accept || "*/*");
  const rated = offered.map((type) => {
    // The most specific range counts: `text/csv;q=0, */*` wants everything but CSV.
    const found = [type, `${type.split("/")[0]}/*`, "*/*"]
      .map((name) => ranges.findIndex((range) => range.name === name))
      .find((index) => index >= 0);
    return { type, index: found ?? ranges.length, quality: ranges[found ?? -1]?.quality ?? 0 };
  });
  const [best] = rated
    .filter(({ quality }) => quality > 0)
    .toSorted((a, b) => b.quality - a.quality || a.index - b.index);
  return best?.type ?? offered[0];
};
