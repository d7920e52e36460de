/** Draws bars of status over time: one SVG path for each status, so that a row costs few elements. Pure. */

/** By letter of `bars`: the status, and the height as a share, so that bars can be told apart without colours. */
const KINDS = {
  u: ["up", 0.6],
  d: ["degraded", 0.8],
  x: ["down", 1],
  m: ["maintenance", 0.6],
  p: ["paused", 0.3],
  "?": ["unknown", 0.45],
  n: ["no-data", 0.15],
} as const;
export type BarKind = (typeof KINDS)[keyof typeof KINDS][0];

export interface BarPath {
  readonly kind: BarKind;
  /** Of an SVG path. */
  readonly d: string;
}

export const BAR = { width: 4, gap: 1, height: 22 } as const;

export const widthOf = (count: number) => Math.max(0, count * (BAR.width + BAR.gap) - BAR.gap);

export const kindOf = (letter: string): BarKind => (KINDS[letter as keyof typeof KINDS] ?? KINDS.n)[0];

/** @param bars a letter for each step, oldest first */
export function barPaths(bars: string): BarPath[] {
  const paths = new Map<BarKind, string>();
  for (const [index, letter] of [...bars].entries()) {
    const [kind, share] = KINDS[letter as keyof typeof KINDS] ?? KINDS.n;
    const height = Math.max(2, Math.round(BAR.height * share));
    const box = `M${index * (BAR.width + BAR.gap)} ${BAR.height - height}h${BAR.width}v${height}h-${BAR.width}z`;
    paths.set(kind, (paths.get(kind) ?? "") + box);
  }
  return [...paths].map(([kind, d]) => ({ kind, d }));
}
