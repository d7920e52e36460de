/** The page's address: what is shown, and every filter, lies in the URL, so that it can be bookmarked and sent. */
import { computed, signal } from "@preact/signals";

const address = signal(location.href);
const url = computed(() => new URL(address.value));
export const path = computed(() => url.value.pathname);
export const query = computed(() => url.value.searchParams);

const moved = () => {
  address.value = location.href;
};
addEventListener("popstate", moved);

/** A heading that has not come by then belongs to a page that could not be loaded. */
const HEADING_WITHIN_MS = 20_000;
let stopWaiting = () => {};

/** Puts the focus on the heading of the page that is opened, once it is there: many a page first loads what it shows. */
const focusHeading = (): void => {
  stopWaiting();
  const before = document.querySelector("h1");
  const place = document.activeElement;
  const observer = new MutationObserver(() => {
    const heading = document.querySelector("h1");
    if (heading === null || heading === before) return;
    stopWaiting();
    // Whoever has gone on to something else stays there.
    if (document.activeElement === document.body || document.activeElement === place)
      heading.focus({ preventScroll: true });
  });
  const timer = setTimeout(() => stopWaiting(), HEADING_WITHIN_MS);
  stopWaiting = () => {
    clearTimeout(timer);
    observer.disconnect();
  };
  observer.observe(document.body, { childList: true, subtree: true });
};

/** Opens a page of ours; the reader then is at its heading. */
export const go = (to: string): void => {
  focusHeading();
  history.pushState(null, "", to);
  moved();
  scrollTo(0, 0);
};

/** Opens a page in place of this one, which Back then passes over. */
export const replace = (to: string): void => {
  history.replaceState(null, "", to);
  moved();
};

/** Changes parameters of this page; empty ones are left out. */
export const ask = (change: Readonly<Record<string, string | null>>): void => {
  const next = new URLSearchParams(query.peek());
  for (const [name, value] of Object.entries(change)) {
    if (value) next.set(name, value);
    else next.delete(name);
  }
  replace(next.size > 0 ? `${path.peek()}?${next}` : path.peek());
};

/** The path that a login leads to: one of ours only, because the address may come from anybody. */
export const destination = (to: string | null): string =>
  to !== null && /^\/(?!\/|\\)/.test(to) && new URL(to, location.origin).origin === location.origin ? to : "/monitors";

/** Plain clicks on links of ours change the page without loading it anew. */
addEventListener("click", (event) => {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey)
    return;
  const link = (event.target as Element).closest?.("a");
  if (!link || link.target || link.hasAttribute("download")) return;
  const to = new URL(link.href, location.href);
  if (to.origin !== location.origin || to.pathname.startsWith("/v1")) return;
  if (to.hash && to.pathname === location.pathname) return;
  event.preventDefault();
  go(to.pathname + to.search);
});
