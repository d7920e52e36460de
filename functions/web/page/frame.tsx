/** What every page has around it: navigation, who is logged in, and what is wrong with the page itself. */
import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { contact, isSessionOver } from "./api.ts";
import { downCount } from "./monitors/list.tsx";
import { go, path } from "./router.ts";
import { logOut, session } from "./session.ts";
import { atClock, zone } from "./words.ts";

/** A page is marked while one of its paths is shown. */
const PAGES = [
  { to: "/monitors", name: "Monitors", paths: ["/monitors"] },
  { to: "/incidents", name: "Incidents", paths: ["/incidents"] },
  { to: "/maintenance", name: "Maintenance", paths: ["/maintenance"] },
  { to: "/policies", name: "Alerts", paths: ["/policies", "/channels", "/subscriptions"] },
  { to: "/locations", name: "Locations", paths: ["/locations"] },
  { to: "/settings", name: "Settings", paths: ["/settings"] },
] as const;

/** On a narrow screen the navigation is behind a button, and closes when another page is opened. */
const isMenuOpen = signal(false);
path.subscribe(() => {
  isMenuOpen.value = false;
});

const leave = async () => {
  await logOut();
  go("/login");
};

export const Frame = () => {
  const who = session.value;
  return (
    <>
      <a class="skip" href="#main">
        Skip to the content
      </a>
      <header class="frame">
        <a class="brand" href="/monitors">
          <img src="/icon.svg" alt="" width={20} height={20} />
          Harborlight
        </a>
        {who && (
          <>
            <div class="down-count">
              {downCount.value > 0 && (
                <a class="is-down" href="/monitors?status=down">
                  {downCount.value} down
                </a>
              )}
            </div>
            <button
              type="button"
              class="menu"
              aria-expanded={isMenuOpen.value}
              aria-controls="menu"
              onClick={() => {
                isMenuOpen.value = !isMenuOpen.value;
              }}
            >
              Menu
            </button>
            <div id="menu" class={isMenuOpen.value ? "is-open" : ""}>
              <nav aria-label="Pages">
                {PAGES.map(({ to, name, paths }) => (
                  <a
                    key={to}
                    href={to}
                    aria-current={paths.some((at) => path.value.startsWith(at)) ? "page" : undefined}
                  >
                    {name}
                  </a>
                ))}
              </nav>
              <div class="end">
                <span>{zone}</span>
                <span>{who.name}</span>
                <button type="button" class="plain" onClick={() => void leave()}>
                  Log out
                </button>
              </div>
            </div>
          </>
        )}
      </header>
      {contact.value.isLost && (
        <div class="bar-notice" role="status">
          No contact since {atClock(contact.value.lastAt)}, trying again. What you see is as old as that.
        </div>
      )}
      {who && isSessionOver.value && (
        <div class="bar-notice" role="alert">
          Your session has ended. <a href={`/login?to=${encodeURIComponent(path.value)}`}>Log in again</a>
        </div>
      )}
    </>
  );
};

/** `(3 down) Monitors – Harborlight`, so that a tab in the background tells. */
export const useTitle = (name: string) => {
  const down = downCount.value;
  useEffect(() => {
    document.title = `${down > 0 ? `(${down} down) ` : ""}${name} – Harborlight`;
  }, [name, down]);
};
