/** Lists, tags and numbers as the texts of a form. Pure. */
import type { Tags } from "../model.ts";

/** Of a text with commas, spaces or line ends between them. */
export const addressesFrom = (text: string): string[] => text.split(/[\s,;]+/).filter(Boolean);

/** A text that is no number goes to the API as it is, whose message then names it. */
export const numberOr = (text: string) => (text.trim() === "" || Number.isNaN(Number(text)) ? text : Number(text));

/** Of `key=value`, with commas between them. */
export const tagsFrom = (text: string): Tags =>
  Object.fromEntries(
    text
      .split(",")
      .map((pair) => pair.trim())
      .filter(Boolean)
      .map((pair) => {
        const [key = "", ...value] = pair.split("=");
        return [key.trim(), value.join("=").trim()];
      }),
  );

export const tagsText = (tags: Tags) =>
  Object.entries(tags)
    .map(([key, value]) => `${key}=${value}`)
    .join(", ");
