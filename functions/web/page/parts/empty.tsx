/** What a page says while it has nothing to show: what belongs there, and how to make the first. */
import type { ComponentChildren } from "preact";

export const Empty = ({ title, children }: { readonly title: string; readonly children: ComponentChildren }) => (
  <div class="empty">
    <p>
      <strong>{title}</strong>
    </p>
    <div class="dim">{children}</div>
  </div>
);
