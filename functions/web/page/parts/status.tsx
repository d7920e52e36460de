/** A status as a shape, a word and a colour, so that none of them is needed to tell it. */
import { STATUS_SHAPES } from "../../../../shared/drawing/status-shapes.ts";
import type { Status } from "../model.ts";

export const StatusMark = ({ status }: { readonly status: Status }) => (
  <span class={`status is-${status}`}>
    <svg viewBox="0 0 12 12" aria-hidden="true">
      <path d={STATUS_SHAPES[status]} />
    </svg>
    {status}
  </span>
);
