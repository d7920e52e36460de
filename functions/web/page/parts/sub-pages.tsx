/** Links between pages that belong together. */
import { path } from "../router.ts";

interface SubPagesProps {
  readonly label: string;
  readonly pages: readonly { readonly to: string; readonly name: string }[];
}

export const SubPages = ({ label, pages }: SubPagesProps) => (
  <nav class="sub-pages" aria-label={label}>
    {pages.map(({ to, name }) => (
      <a key={to} href={to} aria-current={path.value === to ? "page" : undefined}>
        {name}
      </a>
    ))}
  </nav>
);
