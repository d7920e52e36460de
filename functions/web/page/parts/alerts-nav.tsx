/** Links between the pages about who is told of trouble. */
import { SubPages } from "./sub-pages.tsx";

const PAGES = [
  { to: "/policies", name: "Policies" },
  { to: "/channels", name: "Channels" },
  { to: "/subscriptions", name: "Subscriptions" },
];

export const AlertsNav = () => <SubPages label="Alerts" pages={PAGES} />;
