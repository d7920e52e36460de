/** A status as a shape, a word and a colour, so that none of them is needed to tell it. */
import type { Status } from "../model.ts";

const SHAPES: Readonly<Record<Status, string>> = {
  up: "M6 0a6 6 0 1 0 .01 0z",
  degraded: "M6 0l6 11.5H0z",
  down: "M0 0h12v12H0z",
  unknown: "M6 0l6 6-6 6-6-6z",
  pending: "M6 0l6 6-6 6-6-6zM6 4L4 6l2 2 2-2z",
  paused: "M1 0h3.5v12H1zM7.5 0H11v12H7.5z",
  maintenance: "M0 4h12v4H0z",
};

export const StatusMark = ({ status }: { readonly status: Status }) => (
  <span class={`status is-${status}`}>
    <svg viewBox="0 0 12 12" aria-hidden="true">
      <path d={SHAPES[status]} fill="currentColor" fill-rule="evenodd" />
    </svg>
    {status}
  </span>
);
