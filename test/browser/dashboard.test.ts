/** The dashboard against the whole running stack: what the frame says on every page, settings, lists of many, keyboard. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContextOptions } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type RunningStack, startStack } from "../../infra/local/stack.ts";
import { createClient } from "../support/client.ts";
import { freePort } from "../support/product.ts";
import { expectAccessible, startBrowser, visit } from "./browser.ts";

let folder: string;
let stack: RunningStack;
let browser: Browser;
let target: Server;
let api: ReturnType<typeof createClient>;
let closedPort: number;
const ids = new Map<string, string>();

const create = async (name: string, body: object) => {
  const common = { protocol: "tcp", host: "127.0.0.1", intervalSeconds: 10, retries: { count: 0, delayMs: 0 } };
  ids.set(name, (await api("POST", "/v1/monitors", { ...common, name, ...body })).body.id);
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "harborlight-browser-"));
  const openPort = await freePort();
  closedPort = await freePort();
  target = createServer((socket) => socket.on("error", () => {}).end()).listen(openPort, "127.0.0.1");
  [stack, browser] = await Promise.all([
    startStack({ dataFolder: folder, port: 0, assembly: process.env.HARBORLIGHT_TEST_ASSEMBLY }),
    startBrowser(),
  ]);
  api = createClient(stack.apiUrl, stack.token);
  await create("Broken", { port: closedPort, tags: { team: "web" } });
  await create("Fine", { port: openPort, tags: { team: "orders" } });
}, 60_000);
afterAll(async () => {
  target?.close();
  await Promise.all([browser?.close(), stack?.stop()]);
  await rm(folder, { recursive: true, force: true });
});

interface EnterOptions extends BrowserContextOptions {
  readonly expected?: readonly number[];
  /** Logs in by the page; without it the browser is logged in already, as admin. */
  readonly token?: string;
}

/** What a browser that is logged in keeps. */
let loggedIn: BrowserContextOptions["storageState"];

const enter = async (path: string, { token, ...options }: EnterOptions = {}) => {
  const isKnown = token === undefined && loggedIn !== undefined;
  const one = await visit(browser, stack.apiUrl, isKnown ? { storageState: loggedIn!, ...options } : options);
  const { page } = one;
  const logIn = async () => {
    await page.getByLabel("Token").fill(token ?? stack.token);
    await page.getByLabel("Stay logged in").check();
    await page.getByRole("button", { name: "Log in" }).click();
  };
  await page.goto(path);
  if (!isKnown) {
    await logIn();
    await page.getByRole("button", { name: "Log out" }).waitFor();
  }
  if (token === undefined) loggedIn ??= await page.context().storageState();
  return { ...one, logIn };
};

/** Runs at once what a page asks for from time to time. */
const LOOK_NOW = "dispatchEvent(new Event('online'))";

test("every page says how many monitors are down, in its header, its title and its icon", async () => {
  const { page, faults, close } = await enter("/locations");
  await page.getByRole("link", { name: "1 down" }).waitFor({ timeout: 30_000 });
  expect(await page.title()).toBe("(1 down) Locations – Harborlight");
  expect(await page.locator("link[rel=icon]").getAttribute("href")).toMatch(/^data:image\/svg/);
  await page.getByRole("link", { name: "1 down" }).click();
  await page.getByRole("link", { name: "Broken" }).waitFor();
  expect(faults).toEqual([]);
  await close();
}, 60_000);

test("a session that ends leaves the page and what was typed as they are: the token is asked for in a dialog", async () => {
  const { page, faults, close, logIn } = await enter("/monitors/new?from=link", {
    token: stack.token,
    expected: [401],
  });
  await page.getByLabel("Host name or IP address").fill("db.example.com");
  const newest = (await api("GET", "/v1/sessions")).body.items[0].id;
  await api("DELETE", `/v1/sessions/${newest}`);
  await page.getByRole("button", { name: "Test now" }).click();
  const dialog = page.getByRole("dialog", { name: "Your session has ended" });
  await dialog.waitFor();
  await expectAccessible(page, "session over");
  await page.keyboard.press("Escape");
  await logIn();
  await dialog.waitFor({ state: "detached" });
  expect(await page.getByLabel("Host name or IP address").inputValue()).toBe("db.example.com");
  expect(new URL(page.url()).search).toBe("?from=link");
  expect(faults).toEqual([]);
  await close();
}, 60_000);

test("a session that ends soon and a newer version of the page are said under the header", async () => {
  const expiresAt = new Date(Date.now() + 10 * 60_000).toISOString();
  const { token } = (await api("POST", "/v1/tokens", { name: "Short", scopes: ["read"], expiresAt })).body;
  const { page, faults, close } = await enter("/incidents", { token });
  await page.getByText(/^Your session ends at/).waitFor();
  await page.getByRole("button", { name: "Stay logged in" }).click();
  await page.getByText("when your token expires").waitFor();
  await page.route(`${stack.apiUrl}/`, async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: (await response.text()).replaceAll("main-", "main-newer-") });
  });
  await page.evaluate(LOOK_NOW);
  await page.getByText("There is a newer version of this page.").waitFor();
  await expectAccessible(page, "notices");
  await page.getByRole("button", { name: "Reload" }).click();
  await page.getByText("There is a newer version of this page.").waitFor({ state: "detached" });
  expect(faults).toEqual([]);
  await close();
}, 60_000);

test("tokens: create, see its text once, rename, rotate, revoke; what is wrong stands at its field", async () => {
  const { page, faults, close } = await enter("/settings/tokens", { expected: [422, 409] });
  await page.getByRole("row", { name: /\(yours\)/ }).waitFor();
  await page.getByRole("button", { name: "Create token" }).click();
  await page.getByText("Nothing was stored.").waitFor();
  await expect.poll(() => page.evaluate("document.activeElement.id")).toBe("name");
  await expectAccessible(page, "tokens with errors");
  await page.getByLabel("Name", { exact: true }).fill("Grafana");
  await page.getByLabel("Scope").selectOption("read");
  await page.getByLabel("Expires").selectOption("90");
  await page.getByLabel("Only monitors with the tags").fill("team=web");
  await page.getByRole("button", { name: "Create token" }).click();
  const shown = page.getByRole("dialog", { name: "The token Grafana" });
  const token = await shown.getByLabel("Token").inputValue();
  await expectAccessible(page, "new token");
  await shown.getByRole("button", { name: "Done" }).click();
  const own = (await createClient(stack.apiUrl, token)("GET", "/v1/tokens/me")).body;
  expect(own).toMatchObject({ name: "Grafana", scopes: ["read"], monitorTags: ["team=web"], state: "active" });
  await page.getByRole("button", { name: "Rename Grafana" }).click();
  await page.getByLabel("New name").fill("Grafana 2");
  await page.getByRole("button", { name: "Rename", exact: true }).click();
  await page.getByRole("button", { name: "Rotate Grafana 2" }).click();
  await page.getByLabel("The present secret").selectOption("0");
  await page.getByRole("button", { name: "Rotate", exact: true }).click();
  const second = page.getByRole("dialog", { name: "The token Grafana 2" });
  expect(await second.getByLabel("Token").inputValue()).not.toBe(token);
  expect((await createClient(stack.apiUrl, token)("GET", "/v1/tokens/me")).status).toBe(401);
  await second.getByRole("button", { name: "Done" }).click();
  await page.getByRole("button", { name: "Revoke Grafana 2" }).click();
  await page.getByRole("button", { name: "Revoke", exact: true }).click();
  await page.getByRole("row", { name: "Grafana 2" }).waitFor({ state: "detached" });
  await page.getByRole("button", { name: "revoked" }).click();
  await page.getByRole("row", { name: /Grafana 2.*revoked/ }).waitFor();
  expect(faults).toEqual([]);
  await close();
}, 60_000);

test("sessions and audit log: end another session, find who changed what", async () => {
  const other = await enter("/monitors", { token: stack.token, expected: [401] });
  await other.page.getByRole("table", { name: "Monitors" }).waitFor();
  await api("PATCH", `/v1/monitors/${ids.get("Fine")}`, { intervalSeconds: 20 });
  const { page, faults, close } = await enter("/settings/sessions");
  const rows = page.getByRole("row", { name: /Chrome/ });
  await page.getByRole("row", { name: /\(this one\)/ }).waitFor();
  await expectAccessible(page, "sessions");
  const before = await rows.count();
  await rows
    .getByRole("button", { name: /^End the session/ })
    .first()
    .click();
  await expect.poll(() => rows.count()).toBe(before - 1);
  await other.page.getByRole("link", { name: "Incidents" }).click();
  await other.page.getByRole("dialog", { name: "Your session has ended" }).waitFor();
  await other.close();
  await page.getByRole("link", { name: "Audit log" }).click();
  const changed = page.getByRole("row", { name: /update monitor Fine/ });
  await changed.getByText("intervalSeconds:").waitFor();
  expect(await changed.locator("del, ins").allTextContents()).toEqual(expect.arrayContaining(["10", "20"]));
  await changed.getByRole("button", { name: "Fine" }).click();
  await page.getByRole("row", { name: /create monitor Fine/ }).waitFor();
  expect(await page.getByRole("row", { name: /session/ }).count()).toBe(0);
  await expectAccessible(page, "audit log");
  expect(faults).toEqual([]);
  await close();
}, 60_000);

test.each(["light", "dark"] as const)(
  "settings are accessible and fit a small phone, %s",
  async (colorScheme) => {
    const { page, faults, close } = await enter("/settings", { colorScheme, viewport: { width: 320, height: 700 } });
    for (const name of ["Tokens", "Sessions", "Audit log", "Display"]) {
      await page.getByRole("navigation", { name: "Settings" }).getByRole("link", { name }).click();
      await page.getByRole("heading", { name, level: 1 }).waitFor();
      if (name !== "Display") await page.locator("tbody tr").first().waitFor();
      await expectAccessible(page, name);
      expect(await page.evaluate("document.documentElement.scrollWidth - innerWidth"), name).toBe(0);
    }
    expect(faults).toEqual([]);
    await close();
  },
  60_000,
);

test("display: zone, clock and theme hold on every page and after a reload; admin pages say what they need", async () => {
  const { token } = (await api("POST", "/v1/tokens", { name: "Reader", scopes: ["read"] })).body;
  const { page, faults, close } = await enter("/settings/tokens", { token });
  await page.getByText("This needs a token with the scope admin").waitFor();
  await page.getByRole("link", { name: "Settings" }).click();
  await page.getByLabel("Time zone").selectOption("Australia/Eucla");
  await page.getByLabel("Clock").selectOption("12");
  await page.getByLabel("Theme").selectOption("dark");
  await page.getByText(/^Now: .* (am|pm)$/).waitFor();
  await page.getByRole("link", { name: "Monitors" }).click();
  await page.reload();
  await page.getByRole("banner").getByText("Australia/Eucla").waitFor();
  expect(await page.evaluate("document.documentElement.dataset.theme")).toBe("dark");
  await page.goto(`/monitors/${ids.get("Broken")}`);
  const began = (await api("GET", `/v1/monitors/${ids.get("Broken")}`)).body.incident.startedAt;
  const shown = new Intl.DateTimeFormat("en-GB", {
    dateStyle: "medium",
    timeStyle: "medium",
    timeZone: "Australia/Eucla",
    hour12: true,
  }).format(new Date(began));
  await page.getByRole("heading", { name: `Down since ${shown}` }).waitFor();
  expect(faults).toEqual([]);
  await close();
}, 60_000);

test("many monitors: select, see what would happen, change, see which failed and why; ten are not deleted by one click", async () => {
  const names = Array.from({ length: 12 }, (_, n) => `Worker ${n}`);
  const monitors = names.map((name, n) => ({
    key: `w-${n}`,
    name,
    protocol: "tcp",
    host: "127.0.0.1",
    port: closedPort,
  }));
  await api("PUT", "/v1/monitors", { monitors });
  const { page, faults, close } = await enter("/monitors?q=worker&sort=name", { expected: [422] });
  const dialog = page.getByRole("dialog");
  await page.getByLabel("Select Worker 2", { exact: true }).check();
  await page.getByLabel("Select Worker 5", { exact: true }).click({ modifiers: ["Shift"] });
  await page.getByText("4 monitors selected").waitFor();
  await expectAccessible(page, "selection");
  await page.getByRole("button", { name: "Pause…" }).click();
  await dialog.getByText("4 monitors will be paused.").waitFor();
  await expectAccessible(page, "bulk");
  await dialog.getByRole("button", { name: "Pause 4" }).click();
  await page.getByText("4 monitors paused.").waitFor();
  await page.getByRole("button", { name: "Select all 12" }).click();
  await page.getByRole("button", { name: "Resume…" }).click();
  await dialog.getByText("4 monitors will be resumed. 8 of them are like that already.").waitFor();
  await dialog.getByRole("button", { name: "Cancel" }).click();
  await page.getByRole("button", { name: "Check now…" }).click();
  await dialog.getByText("For 4 it is not possible:").waitFor();
  await dialog.getByText("Worker 2: it is paused: resume it first").waitFor();
  await dialog.getByRole("button", { name: "Check 8" }).click();
  await dialog.getByText("8 monitors are being checked. 4 failed:").waitFor();
  await dialog.getByRole("button", { name: "Close" }).click();
  await page.getByRole("button", { name: "Change…" }).click();
  await page.getByLabel("Set tags").fill("=x");
  await page.getByRole("button", { name: "Next" }).click();
  await dialog.locator("[data-error]").waitFor();
  await page.getByLabel("Set tags").fill("team=workers, n=1");
  await page.getByLabel("Check every").selectOption("30");
  await expectAccessible(page, "bulk change");
  await page.getByRole("button", { name: "Next" }).click();
  await dialog.getByRole("button", { name: "Change 12" }).click();
  await page.getByText("12 monitors changed.").waitFor();
  await page.getByRole("button", { name: "Maintenance…" }).click();
  await page.getByLabel("From now on for").selectOption("3600");
  await page.getByRole("button", { name: "Begin" }).click();
  await page.getByText("12 monitors are in maintenance for 1 h.").waitFor();
  const changed = (await api("GET", "/v1/monitors?tag=team%3Dworkers&limit=20")).body.items;
  expect(changed).toHaveLength(12);
  for (const one of changed) expect(one).toMatchObject({ intervalSeconds: 30, tags: { team: "workers", n: "1" } });
  await page.getByRole("button", { name: "Delete…" }).click();
  const remove = dialog.getByRole("button", { name: "Delete 12" });
  await page.getByLabel("Type 12 to confirm").fill("11");
  expect(await remove.isDisabled()).toBe(true);
  await page.getByLabel("Type 12 to confirm").fill("12");
  await remove.click();
  await page.getByText("0 of 2 monitors match.").waitFor();
  expect(faults).toEqual([]);
  await close();
}, 60_000);

test("export and import: what a file would change is shown first, and what is wrong in it", async () => {
  const { page, faults, close } = await enter("/monitors", { expected: [422] });
  await page.getByRole("button", { name: "Export, import…" }).click();
  const dialog = page.getByRole("dialog", { name: "Export and import" });
  const give = (monitors: unknown) =>
    dialog.getByLabel("Import a file (JSON)").setInputFiles({
      name: "monitors.json",
      mimeType: "application/json",
      buffer: Buffer.from(JSON.stringify({ monitors })),
    });
  await give([{ key: "a", name: "Imported", protocol: "tcp", host: "127.0.0.1" }]);
  await dialog.getByText("monitors[0].port").waitFor();
  await expectAccessible(page, "import with errors");
  const monitors = [{ key: "a", name: "Imported", protocol: "tcp", host: "127.0.0.1", port: closedPort }];
  await give(monitors);
  await dialog.getByText("1 created").waitFor();
  await dialog.getByRole("button", { name: "Apply 1 change" }).click();
  await dialog.getByText("The monitors are now as the file says.").waitFor();
  const [saved] = await Promise.all([
    page.waitForEvent("download"),
    dialog.getByRole("button", { name: "Export" }).click(),
  ]);
  expect(JSON.parse(await readFile(await saved.path(), "utf8"))).toMatchObject({ monitors });
  await dialog.getByRole("button", { name: "Close" }).click();
  await page.getByRole("link", { name: "Imported" }).click();
  await page.getByRole("link", { name: "Clone" }).click();
  expect(await page.getByLabel("Name", { exact: true }).inputValue()).toBe("Imported (copy)");
  await expectAccessible(page, "clone");
  await page.getByRole("button", { name: "Create monitor" }).click();
  await page.getByRole("heading", { name: "Imported (copy)", exact: true }).waitFor();
  await page.getByRole("button", { name: "Delete…" }).click();
  await page.getByRole("button", { name: "Delete", exact: true }).click();
  await page.getByRole("heading", { name: "Monitors" }).waitFor();
  await api("PUT", "/v1/monitors?prune=true&force=true", { monitors: [] });
  expect(faults).toEqual([]);
  await close();
}, 60_000);

test("results: by time, and all of them as CSV", async () => {
  const { page, faults, close } = await enter(`/monitors/${ids.get("Broken")}`);
  await page.getByRole("link", { name: "All results, and as CSV" }).click();
  await page
    .getByRole("row", { name: /closed/ })
    .first()
    .waitFor();
  await expectAccessible(page, "results");
  const [saved] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "Download CSV" }).click(),
  ]);
  const lines = (await readFile(await saved.path(), "utf8")).split("\r\n");
  expect(lines[0]).toBe("at,location,state,health,reason,latencyMs,lossPercent,view,offline,maintenance");
  expect(lines[1]).toMatch(/^20.*Z,local,closed,down,/);
  await page.getByLabel("Time").selectOption("-7d");
  await expect.poll(() => new URL(page.url()).search).toBe("?from=-7d");
  await page.goto(`/monitors/${ids.get("Broken")}/results?from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z`);
  await page.getByText("No checks in this time.").waitFor();
  expect(faults).toEqual([]);
  await close();
}, 60_000);
