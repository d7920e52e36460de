/** Keyboard shortcuts of the whole dashboard. Single keys can be switched off (WCAG 2.1.4); Ctrl+K cannot. */
import { signal } from "@preact/signals";
import { display } from "./display.ts";
import { go } from "./router.ts";
import { mayChangeMonitors, session } from "./session.ts";

/** What the keyboard has opened over the page. */
export const overlay = signal<"palette" | "help" | null>(null);

/** Focus is the cursor of the list: Enter then opens the row by itself. */
const move = (by: 1 | -1) => {
  const links = [...document.querySelectorAll<HTMLElement>(".rows > :not([hidden]) a.name")];
  const row = document.activeElement?.closest("[role=row]");
  const at = links.findIndex((link) => row?.contains(link));
  const next = at < 0 ? links[0] : links[Math.max(0, Math.min(links.length - 1, at + by))];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
};

const KEYS: Readonly<Record<string, () => void>> = {
  "/": () => document.querySelector<HTMLElement>("main input[type=search]")?.focus(),
  j: () => move(1),
  k: () => move(-1),
  x: () => document.activeElement?.closest("[role=row]")?.querySelector<HTMLElement>("input[type=checkbox]")?.click(),
  c: () => mayChangeMonitors.value && go("/monitors/new"),
  "?": () => {
    overlay.value = "help";
  },
};

const isWriting = (target: EventTarget | null) =>
  target instanceof Element &&
  target.closest("input:not([type=checkbox]), select, textarea, [contenteditable], dialog") !== null;

addEventListener("keydown", (event) => {
  if (!session.peek() || event.defaultPrevented || event.isComposing) return;
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
    event.preventDefault();
    if (document.querySelector("dialog[open]") === null) overlay.value = "palette";
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || overlay.peek() !== null || isWriting(event.target)) return;
  const act = display.peek().shortcuts === "on" ? KEYS[event.key] : undefined;
  if (!act) return;
  event.preventDefault();
  act();
});
