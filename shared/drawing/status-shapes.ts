/** A shape for each status, so that it is told by more than a colour: SVG paths in a box of 12 by 12, filled by `evenodd`. */

export const STATUS_SHAPES = {
  up: "M6 0a6 6 0 1 0 .01 0z",
  degraded: "M6 0l6 11.5H0z",
  down: "M0 0h12v12H0z",
  unknown: "M6 0l6 6-6 6-6-6z",
  pending: "M6 0l6 6-6 6-6-6zM6 4L4 6l2 2 2-2z",
  paused: "M1 0h3.5v12H1zM7.5 0H11v12H7.5z",
  maintenance: "M0 4h12v4H0z",
} as const satisfies Readonly<Record<string, string>>;
