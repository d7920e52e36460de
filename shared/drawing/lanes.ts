/** Draws how a port answered over time as a lane: one SVG path for each kind of stretch, whatever their number. Pure. */

export interface LaneStretch {
  readonly from: string;
  readonly to: string;
  readonly state: string;
  readonly health: string;
  readonly reason: string | null;
}

export interface LanePath {
  readonly health: string;
  readonly state: string;
  readonly d: string;
}

/** Height by health as a share, so that lanes can be read without colours. */
const SHARES: Readonly<Record<string, number>> = { up: 0.6, degraded: 0.8, down: 1, unknown: 0.45 };
/** A stretch is never too thin to be seen. */
const MIN_WIDTH = 1;

/** @param span epoch milliseconds */
export function lanePaths(
  stretches: readonly LaneStretch[],
  span: { readonly from: number; readonly to: number },
  size: { readonly width: number; readonly height: number },
): LanePath[] {
  const paths = new Map<string, LanePath>();
  const x = (at: string) => ((Date.parse(at) - span.from) / (span.to - span.from)) * size.width;
  for (const { from, to, state, health } of stretches) {
    const height = Math.round(size.height * (SHARES[health] ?? 1));
    const begin = x(from);
    const width = Math.max(MIN_WIDTH, x(to) - begin);
    const box = `M${begin.toFixed(1)} ${size.height - height}h${width.toFixed(1)}v${height}h-${width.toFixed(1)}z`;
    const known = paths.get(`${health} ${state}`);
    paths.set(`${health} ${state}`, { health, state, d: (known?.d ?? "") + box });
  }
  return [...paths.values()];
}
