/** What every page has around it: navigation, who is logged in, and what is wrong with the page itself. */
import { useEffect } from "preact/hooks";
import { contact, isSessionOver } from "./api.ts";
import { downCount } from "./monitors/list.tsx";
import { go, path } from "./router.ts";
import { logOut, session } from "./session.ts";
import { atClock, zone } from "./words.ts";

const PAGES = [
  { to: "/monitors", name: "Monitors" },
  { to: "/incidents", name: "Incidents" },
  { to: "/channels", name: "Channels" },
  { to: "/locations", name: "Locations" },
] as const;

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
            <nav aria-label="Pages">
              {PAGES.map(({ to, name }) => (
                <a key={to} href={to} aria-current={path.value.startsWith(to) ? "page" : undefined}>
                  {name}
                </a>
              ))}
            </nav>
            <div class="end">
              {downCount.value > 0 && (
                <a class="is-down" href="/monitors?status=down">
                  {downCount.value} down
                </a>
              )}
              <span>{zone}</span>
              <span>{who.name}</span>
              <button type="button" class="plain" onClick={() => void leave()}>
                Log out
              </button>
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
