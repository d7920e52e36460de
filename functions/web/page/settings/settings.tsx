/** What the pages of the settings have in common. */
import type { ComponentChildren } from "preact";
import { SubPages } from "../parts/sub-pages.tsx";
import { may } from "../session.ts";

const FOR_ADMINS = [
  { to: "/settings/tokens", name: "Tokens" },
  { to: "/settings/sessions", name: "Sessions" },
  { to: "/settings/audit", name: "Audit log" },
];
const PAGES = [{ to: "/settings", name: "Display" }];

interface SettingsProps {
  readonly title: string;
  readonly isForAdmins?: boolean;
  readonly children: ComponentChildren;
}

export const Settings = ({ title, isForAdmins = false, children }: SettingsProps) => {
  const isAdmin = may("admin");
  return (
    <main id="main">
      <SubPages label="Settings" pages={isAdmin ? [...PAGES, ...FOR_ADMINS] : PAGES} />
      <div class="top">
        <h1 tabIndex={-1}>{title}</h1>
      </div>
      {isForAdmins && !isAdmin ? (
        <p class="notice">This needs a token with the scope admin; yours has another one.</p>
      ) : (
        children
      )}
    </main>
  );
};
