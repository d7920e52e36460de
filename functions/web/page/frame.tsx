/** What every page has around it: navigation, who is logged in, and what is wrong with the page itself. */
import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { zone } from "./display.ts";
import { overlay } from "./keyboard.ts";
import { SessionOver } from "./login/session-over.tsx";
import { downCount } from "./monitors/overview.ts";
import { Notices } from "./notices.tsx";
import { WithMore } from "./parts/later.tsx";
import { go, path } from "./router.ts";
import { logOut, session } from "./session.ts";
import { useStanding } from "./standing.ts";

/** A page is marked while one of its paths is shown. */
const PAGES = [
  { to: "/monitors", name: "Monitors", paths: ["/monitors"] },
  { to: "/incidents", name: "Incidents", paths: ["/incidents"] },
  { to: "/changes", name: "Changes", paths: ["/changes"] },
  { to: "/maintenance", name: "Maintenance", paths: ["/maintenance"] },
  { to: "/policies", name: "Alerts", paths: ["/policies", "/channels", "/subscriptions"] },
  { to: "/status-pages", name: "Status pages", paths: ["/status-pages"] },
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

const closeOverlay = () => {
  overlay.value = null;
};

const title = signal("");
/** What the tab is called, beside the number of monitors that are down. */
export const useTitle = (name: string) => {
  useEffect(() => {
    title.value = name;
  }, [name]);
};

const ICON = "/icon.svg";
const DOWN_ICON = `data:image/svg+xml,${encodeURIComponent('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><path fill="#c4162a" d="M0 0h16v16H0z"/><path fill="#fff" d="M7 3h2v6H7zM7 11h2v2H7z"/></svg>')}`;

/** A tab in the background tells: `(3 down) Monitors – Harborlight`, and an icon of another shape and colour. */
const useTab = () => {
  const [name, down] = [title.value, downCount.value];
  useEffect(() => {
    document.title = `${down > 0 ? `(${down} down) ` : ""}${name && `${name} – `}Harborlight`;
    document.querySelector<HTMLLinkElement>("link[rel=icon]")!.href = down > 0 ? DOWN_ICON : ICON;
  }, [name, down]);
};

export const Frame = () => {
  const who = session.value;
  useTab();
  useStanding();
  return (
    <>
      <a class="skip" href="#main">
        Skip to the content
      </a>
      <header class="frame" hidden={path.value === "/wall"}>
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
                <span title="Time zone of all times here">{zone}</span>
                <span>{who.name}</span>
                <button type="button" class="plain" onClick={() => void leave()}>
                  Log out
                </button>
              </div>
            </div>
          </>
        )}
      </header>
      {who && <Notices />}
      <SessionOver />
      {who && overlay.value !== null && (
        <WithMore>
          {({ HelpDialog, Palette }) =>
            overlay.value === "help" ? <HelpDialog close={closeOverlay} /> : <Palette close={closeOverlay} />
          }
        </WithMore>
      )}
    </>
  );
};
