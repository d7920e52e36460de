/** Starts the dashboard: finds out who is logged in, and draws the page that the address names. */
import "./app.css";
import { type ComponentType, render } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Frame, useTitle } from "./frame.tsx";
import MonitorsPage from "./monitors/list.tsx";
import { Failed } from "./parts/notice.tsx";
import { path, query, replace } from "./router.ts";
import { findSession, session } from "./session.ts";

interface PageProps {
  /** What the address names, such as the id of a monitor. */
  readonly id: string;
}
type Load = () => Promise<{ readonly default: ComponentType<PageProps> }>;

/** Pages beside the list are loaded when they are opened. */
const PAGES: readonly { readonly pattern: RegExp; readonly name: string; readonly load: Load }[] = [
  { pattern: /^\/login$/, name: "Log in", load: () => import("./login/login.tsx") },
  { pattern: /^\/monitors\/new$/, name: "New monitor", load: () => import("./monitors/guide.tsx") },
  { pattern: /^\/monitors\/([a-z0-9]+)\/edit$/, name: "Edit monitor", load: () => import("./monitors/edit.tsx") },
  { pattern: /^\/monitors\/([a-z0-9]+)$/, name: "Monitor", load: () => import("./monitors/monitor.tsx") },
  {
    pattern: /^\/incidents\/([a-z0-9]+\.\d+)$/,
    name: "Incident",
    load: () => import("./incidents/incident.tsx"),
  },
  { pattern: /^\/channels$/, name: "Channels", load: () => import("./channels/list.tsx") },
  { pattern: /^\/locations$/, name: "Locations", load: () => import("./locations/list.tsx") },
  { pattern: /^\/incidents$/, name: "Incidents", load: () => import("./incidents/list.tsx") },
];

const Later = ({ load, id }: { readonly load: Load; readonly id: string }) => {
  const [found, setFound] = useState<{ readonly load: Load; readonly Content: ComponentType<PageProps> } | null>(null);
  const [failure, setFailure] = useState<unknown>(null);
  useEffect(() => {
    load().then(
      ({ default: Content }) => setFound({ load, Content }),
      // A newer version may have replaced the file.
      () => setFailure(new Error("This page could not be loaded. Reload to get the newest version.")),
    );
  }, [load]);
  if (failure !== null)
    return (
      <main id="main">
        <Failed failure={failure} retry={() => location.reload()} />
      </main>
    );
  return found?.load === load ? <found.Content key={id} id={id} /> : <main id="main" aria-busy="true" />;
};

const NotFound = () => (
  <main id="main">
    <h1 tabIndex={-1}>There is no such page</h1>
    <p>
      <a href="/monitors">All monitors</a>
    </p>
  </main>
);

const Content = () => {
  const at = path.value;
  const page = PAGES.find(({ pattern }) => pattern.test(at));
  useTitle(at === "/monitors" ? "Monitors" : (page?.name ?? "Not found"));
  if (at === "/monitors") return <MonitorsPage />;
  return page ? <Later load={page.load} id={page.pattern.exec(at)?.[1] ?? ""} /> : <NotFound />;
};

const App = () => {
  const who = session.value;
  const at = path.value;
  useEffect(() => {
    if (at === "/") replace("/monitors");
    else if (who === null && at !== "/login") {
      const to = query.peek().size > 0 ? `${at}?${query.peek()}` : at;
      replace(`/login?to=${encodeURIComponent(to)}`);
    }
  }, [who, at]);
  return (
    <>
      <Frame />
      {(who || at === "/login") && at !== "/" && <Content />}
    </>
  );
};

const root = document.getElementById("app")!;
const start = async () => {
  try {
    await findSession();
    root.textContent = "";
    render(<App />, root);
  } catch (error) {
    root.textContent = "";
    render(
      <>
        <Frame />
        <main id="main">
          <Failed failure={error} retry={() => void start()} />
        </main>
      </>,
      root,
    );
  }
};
void start();
