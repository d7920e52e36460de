/** Navigation between the pages about who is told of trouble. */
import { path } from "../router.ts";

const PAGES = [
  { to: "/policies", name: "Policies" },
  { to: "/channels", name: "Channels" },
  { to: "/subscriptions", name: "Subscriptions" },
] as const;

export const AlertsNav = () => (
  <nav class="sub" aria-label="Alerts">
    {PAGES.map(({ to, name }) => (
      <a key={to} href={to} aria-current={path.value.startsWith(to) ? "page" : undefined}>
        {name}
      </a>
    ))}
  </nav>
);
