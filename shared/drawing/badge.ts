/** Renders badges: small flat SVG pictures with a label and a message. */

const COLOURS = { good: "#2e7d32", fair: "#b26a00", bad: "#c62828", none: "#616161" } as const;
export type Colour = keyof typeof COLOURS;

/** Approximate width in Verdana at 11 px; `textLength` makes the text fit it. */
const widthOf = (text: string) =>
  Math.round(Array.from(text, (char) => (/[ -~]/.test(char) ? 6.6 : 11)).reduce((sum, width) => sum + width, 0));

const escaped = (text: string) => text.replace(/[<>&"']/g, (char) => `&#${char.charCodeAt(0)};`);

/** @param label cut to 60 characters */
export function badgeSvg(label: string, message: string, colour: Colour): string {
  const chars = Array.from(label);
  const left = chars.length > 60 ? `${chars.slice(0, 59).join("")}…` : label;
  const [leftWidth, rightWidth] = [widthOf(left) + 10, widthOf(message) + 10];
  const width = leftWidth + rightWidth;
  const part = (text: string, x: number, length: number) =>
    `<text x="${x}" y="14" textLength="${length}" lengthAdjust="spacingAndGlyphs">${escaped(text)}</text>`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="20" role="img" aria-label="${escaped(`${left}: ${message}`)}">`,
    `<title>${escaped(`${left}: ${message}`)}</title>`,
    `<clipPath id="r"><rect width="${width}" height="20" rx="3"/></clipPath>`,
    `<g clip-path="url(#r)"><rect width="${leftWidth}" height="20" fill="#424242"/>`,
    `<rect x="${leftWidth}" width="${rightWidth}" height="20" fill="${COLOURS[colour]}"/></g>`,
    `<g fill="#fff" text-anchor="middle" font-family="Verdana,Geneva,DejaVu Sans,sans-serif" font-size="11">`,
    part(left, leftWidth / 2, leftWidth - 10),
    part(message, leftWidth + rightWidth / 2, rightWidth - 10),
    "</g></svg>\n",
  ].join("");
}
