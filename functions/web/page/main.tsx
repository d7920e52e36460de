/** Starts the dashboard: finds out who is logged in, and draws the page that the address names. */
import "./app.css";
import "./follow-display.ts";
import { type ComponentType, render } from "preact";
import { useEffect, useErrorBoundary } from "preact/hooks";
import { Frame, useTitle } from "./frame.tsx";
import { IncidentPage } from "./incidents/incident.tsx";
import { IncidentsPage } from "./incidents/list.tsx";
import { LoginPage } from "./login/login.tsx";
import { isList } from "./monitors/first-read.ts";
import { MonitorsPage, prefetchMonitors } from "./monitors/list.tsx";
import { MonitorPage } from "./monitors/monitor.tsx";
import { Later, type LaterPage } from "./parts/later.tsx";
import { Failed } from "./parts/notice.tsx";
import { path, query, replace } from "./router.ts";
import { findSession, session } from "./session.ts";

interface PageProps {
  /** What the address names, such as the id of a monitor. */
  readonly id: string;
}
type Content = ComponentType<PageProps>;

interface Page {
  /** Its group, where it has one, is the page's `id`. */
  readonly pattern: RegExp;
  readonly name: string;
  /** In the first script, or by its name in the second one. */
  readonly content: Content | LaterPage;
}

const ID = "([a-z0-9]+)";
/** The first one that matches is drawn. */
const PAGES: readonly Page[] = [
  { pattern: /^\/login$/, name: "Log in", content: LoginPage },
  { pattern: /^\/monitors$/, name: "Monitors", content: MonitorsPage },
  { pattern: /^\/monitors\/new$/, name: "New monitor", content: "GuidePage" },
  { pattern: new RegExp(`^/monitors/${ID}/edit$`), name: "Edit monitor", content: "EditPage" },
  { pattern: new RegExp(`^/monitors/${ID}/clone$`), name: "Clone monitor", content: "ClonePage" },
  { pattern: new RegExp(`^/monitors/${ID}/results$`), name: "Results", content: "ResultsPage" },
  { pattern: new RegExp(`^/monitors/${ID}/sweeps$`), name: "Sweeps", content: "SweepsPage" },
  { pattern: new RegExp(`^/monitors/${ID}/sweep$`), name: "Sweep", content: "SweepPage" },
  { pattern: new RegExp(`^/monitors/${ID}/baseline$`), name: "What is expected", content: "BaselinePage" },
  { pattern: new RegExp(`^/monitors/${ID}$`), name: "Monitor", content: MonitorPage },
  { pattern: /^\/incidents$/, name: "Incidents", content: IncidentsPage },
  { pattern: /^\/incidents\/([a-z0-9]+\.\d+)$/, name: "Incident", content: IncidentPage },
  { pattern: /^\/changes$/, name: "Changes", content: "ChangesPage" },
  { pattern: /^\/channels$/, name: "Channels", content: "ChannelsPage" },
  { pattern: new RegExp(`^/channels/${ID}$`), name: "Channel", content: "ChannelPage" },
  { pattern: /^\/policies$/, name: "Alert policies", content: "PoliciesPage" },
  { pattern: /^\/policies\/new$/, name: "New policy", content: "NewPolicyPage" },
  { pattern: new RegExp(`^/policies/${ID}$`), name: "Policy", content: "PolicyPage" },
  { pattern: /^\/subscriptions$/, name: "Subscriptions", content: "SubscriptionsPage" },
  { pattern: /^\/maintenance$/, name: "Maintenance", content: "MaintenancePage" },
  { pattern: /^\/maintenance\/new$/, name: "New maintenance window", content: "NewWindowPage" },
  { pattern: new RegExp(`^/maintenance/${ID}$`), name: "Maintenance window", content: "WindowPage" },
  { pattern: /^\/status-pages$/, name: "Status pages", content: "StatusPagesPage" },
  { pattern: /^\/status-pages\/new$/, name: "New status page", content: "NewStatusPagePage" },
  { pattern: new RegExp(`^/status-pages/${ID}$`), name: "Status page", content: "StatusPagePage" },
  { pattern: new RegExp(`^/status-pages/${ID}/notices$`), name: "Notices", content: "NoticesPage" },
  { pattern: new RegExp(`^/status-pages/${ID}/subscribers$`), name: "Subscribers", content: "SubscribersPage" },
  { pattern: /^\/locations$/, name: "Locations", content: "LocationsPage" },
  { pattern: /^\/wall$/, name: "Wall", content: "WallPage" },
  { pattern: /^\/settings(\/display)?$/, name: "Display", content: "DisplayPage" },
  { pattern: /^\/settings\/tokens$/, name: "Tokens", content: "TokensPage" },
  { pattern: /^\/settings\/sessions$/, name: "Sessions", content: "SessionsPage" },
  { pattern: /^\/settings\/audit$/, name: "Audit log", content: "AuditPage" },
];

const NotFound = () => (
  <main id="main">
    <h1 tabIndex={-1}>There is no such page</h1>
    <p>
      <a href="/monitors">All monitors</a>
    </p>
  </main>
);

const Main = () => {
  const at = path.value;
  const page = PAGES.find(({ pattern }) => pattern.test(at));
  useTitle(page?.name ?? "Not found");
  const [crash, restart] = useErrorBoundary((error) => console.error(error));
  useEffect(restart, [at]);
  if (crash)
    return (
      <main id="main">
        <Failed failure={new Error("This page has a fault and cannot be shown.")} retry={() => location.reload()} />
      </main>
    );
  if (!page) return <NotFound />;
  const id = page.pattern.exec(at)?.[1] ?? "";
  if (typeof page.content === "string") return <Later name={page.content} id={id} />;
  return <page.content key={id} id={id} />;
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
      {(who || at === "/login") && at !== "/" && <Main />}
    </>
  );
};

const root = document.getElementById("app")!;
const start = async () => {
  try {
    const found = findSession();
    if (session.peek() === undefined && isList(path.peek())) prefetchMonitors();
    await found;
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
