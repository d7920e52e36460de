/** Links between pages that belong together. */
import { path } from "../router.ts";

interface SubPagesProps {
  readonly label: string;
  readonly pages: readonly { readonly to: string; readonly name: string }[];
}

export const SubPages = ({ label, pages }: SubPagesProps) => {
  const at = path.value;
  // A page of its own stands before the pages below it.
  const current = pages.filter(({ to }) => at === to || at.startsWith(`${to}/`)).at(-1);
  return (
    <nav class="sub-pages" aria-label={label}>
      {pages.map((page) => (
        <a key={page.to} href={page.to} aria-current={page === current ? "page" : undefined}>
          {page.name}
        </a>
      ))}
    </nav>
  );
};
