/** The dashboard against the whole running stack: log in, see monitors, see one go down and come back. */
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type RunningStack, startStack } from "../../infra/local/stack.ts";
import { createClient } from "../support/client.ts";
import { freePort } from "../support/product.ts";
import { expectAccessible, expectFit, expectFocus, startBrowser, type Visit, visit } from "./browser.ts";

let folder: string;
let stack: RunningStack;
let browser: Browser;
let target: Server;
let port: number;
let id: string;

const listen = () =>
  new Promise<Server>((resolve) => {
    const server = createServer((socket) => socket.end()).listen(port, "127.0.0.1", () => resolve(server));
  });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "harborlight-browser-"));
  port = await freePort();
  target = await listen();
  [stack, browser] = await Promise.all([
    startStack({ dataFolder: folder, port: 0, assembly: process.env.HARBORLIGHT_TEST_ASSEMBLY }),
    startBrowser(),
  ]);
  const api = createClient(stack.apiUrl, stack.token);
  const common = { protocol: "tcp", host: "127.0.0.1", intervalSeconds: 10, retries: { count: 0, delayMs: 0 } };
  const monitor = { ...common, name: "Orders <b>&amp;</b> عربى 🚢", port, tags: { team: "orders" } };
  id = (await api("POST", "/v1/monitors", monitor)).body.id;
  await api("POST", "/v1/monitors", {
    ...common,
    name: "API",
    port: Number(new URL(stack.apiUrl).port),
    tags: { team: "web" },
  });
  await api("POST", "/v1/monitors", { ...common, name: "Resting", port, paused: true });
}, 60_000);
afterAll(async () => {
  target?.close();
  await Promise.all([browser?.close(), stack?.stop()]);
  await rm(folder, { recursive: true, force: true });
});

const logIn = async ({ page }: Visit, token = stack.token) => {
  await page.getByLabel("Token").fill(token);
  await page.getByRole("button", { name: "Log in" }).click();
};

test("log in: a wrong token says why, the right one leads to where one wanted to be, logging out ends it", async () => {
  const one = await visit(browser, stack.apiUrl, { expected: [401] });
  await one.page.goto("/monitors?sort=name");
  await one.page.getByRole("heading", { name: "Log in" }).waitFor();
  await expectAccessible(one.page, "login");
  await logIn(one, "hl_nobody_nothing");
  await one.page.getByRole("alert").waitFor();
  expect(await one.page.getByRole("alert").textContent()).toMatch(/token/);
  await one.page.locator("[name=token]:focus").waitFor();
  await logIn(one);
  await one.page.getByRole("heading", { name: "Monitors" }).waitFor();
  expect(new URL(one.page.url()).search).toBe("?sort=name");
  await one.page.reload();
  await one.page.getByRole("table", { name: "Monitors" }).waitFor();
  await one.page.getByRole("button", { name: "Log out" }).click();
  await one.page.getByRole("heading", { name: "Log in" }).waitFor();
  await one.page.goto(`/monitors/${id}`);
  await one.page.getByRole("heading", { name: "Log in" }).waitFor();
  expect(one.faults).toEqual([]);
  await one.close();
}, 60_000);

test("the link that the start prints logs in once, and does not stay in the address", async () => {
  const link = `/login#${await stack.createLoginCode()}`;
  const one = await visit(browser, stack.apiUrl);
  await one.page.goto(link);
  await one.page.getByRole("table", { name: "Monitors" }).waitFor();
  expect(one.page.url()).toBe(`${stack.apiUrl}/monitors`);
  expect(one.faults).toEqual([]);
  await one.close();
  const other = await visit(browser, stack.apiUrl, { expected: [401] });
  await other.page.goto(link);
  await other.page.getByText("this link was used already").waitFor();
  expect(other.page.url()).toBe(`${stack.apiUrl}/login`);
  expect(other.faults).toEqual([]);
  await other.close();
}, 60_000);

test("every page is accessible, in both themes", async () => {
  const one = await visit(browser, stack.apiUrl);
  await one.page.goto("/");
  await logIn(one);
  await one.page.getByRole("table", { name: "Monitors" }).waitFor();
  await expectFit(one.page, "monitors");
  await one.page.getByRole("link", { name: "Incidents" }).click();
  await one.page.getByText("No incidents.").or(one.page.getByRole("table")).first().waitFor();
  await expectFit(one.page, "incidents");
  await one.page.goto(`/monitors/${id}`);
  await one.page.getByRole("heading", { name: "Newest checks" }).waitFor();
  await one.page.getByLabel("Latency: p50, p95, p99").waitFor();
  await expectFit(one.page, "monitor");
  await one.page.goto("/nowhere");
  await one.page.getByRole("heading", { name: "There is no such page" }).waitFor();
  await expectFit(one.page, "no page");
  expect(one.faults).toEqual([]);
  await one.close();
}, 60_000);

test("the list: search, filter, group, and Back and reload keep what was asked", async () => {
  const one = await visit(browser, stack.apiUrl);
  await one.page.goto("/");
  await logIn(one);
  const rows = one.page.locator(".rows > :not([hidden]) a.name");
  await rows.nth(2).waitFor();
  expect(await rows.allTextContents()).toContain("Orders <b>&amp;</b> عربى 🚢");
  await one.page.getByRole("searchbox").fill("api");
  await one.page.getByText("1 of 3").waitFor();
  expect(await rows.allTextContents()).toEqual(["API"]);
  await one.page.reload();
  await one.page.getByText("1 of 3").waitFor();
  await one.page.getByRole("searchbox").fill("no such thing");
  await one.page.getByText("0 of 3 monitors match.").waitFor();
  await one.page.getByRole("link", { name: "Clear the filters" }).click();
  await rows.nth(2).waitFor();
  await one.page.getByLabel("Group by").selectOption("team");
  await one.page.getByRole("button", { name: "orders" }).click();
  expect(await rows.allTextContents()).toEqual(["API", "Resting"]);
  await one.page.getByRole("button", { name: /paused/ }).click();
  await one.page.getByText("1 of 3").waitFor();
  await rows.first().click();
  await one.page.getByRole("heading", { name: "Resting" }).waitFor();
  await one.page.goBack();
  await one.page.getByText("1 of 3").waitFor();
  expect(new URL(one.page.url()).search).toBe("?group=team&status=paused");
  expect(one.faults).toEqual([]);
  await one.close();
}, 60_000);

test("a target stops: its page, the list and the title say so by themselves; then it is back", async () => {
  const one = await visit(browser, stack.apiUrl, { expected: [422] });
  await one.page.goto("/");
  await logIn(one);
  await one.page.getByRole("link", { name: /^Orders/ }).click();
  await one.page.locator("main .status.is-up").first().waitFor();
  target.close();
  await one.page.getByText("refused the connection").first().waitFor({ timeout: 30_000 });
  const incident = one.page.getByRole("region", { name: "Open incident" });
  await incident.getByRole("button", { name: "Acknowledge" }).click();
  await incident.getByText("one machine has taken it on").waitFor();
  await one.page.getByRole("button", { name: "Silence it for 2 h" }).click();
  await one.page.getByText("nobody is told of trouble").waitFor();
  await expectAccessible(one.page, "trouble");
  await one.page.getByRole("button", { name: "End it now" }).click();
  await one.page.getByRole("button", { name: "Silence it for 2 h" }).waitFor();
  await one.page.getByRole("link", { name: "Monitors" }).click();
  await one.page.getByRole("button", { name: "down 1" }).waitFor();
  await expect.poll(() => one.page.title(), { timeout: 20_000 }).toBe("(1 down) Monitors – Harborlight");
  await one.page.getByRole("link", { name: "Incidents" }).click();
  await one.page
    .getByRole("row", { name: /still going on/ })
    .getByRole("link")
    .last()
    .click();
  await one.page.getByText("one machine has taken it on.").waitFor();
  await one.page.getByLabel("Note").fill("x".repeat(2_001));
  await one.page.getByRole("button", { name: "Write note" }).click();
  await one.page.getByText(/must be a text of 1 to 2000 characters/).waitFor();
  await expectFocus(one.page, "text");
  await one.page.getByLabel("Note").fill("The disk is full.");
  await one.page.getByLabel("State of the work").selectOption("identified");
  await one.page.getByRole("button", { name: "Write note" }).click();
  await one.page.getByText("The disk is full.").last().waitFor();
  await expectAccessible(one.page, "incident");
  target = await listen();
  await one.page.goto(`/monitors/${id}`);
  await one.page.getByRole("button", { name: "Check now" }).click();
  await one.page.locator("main > p .status.is-up").waitFor({ timeout: 30_000 });
  expect(one.faults).toEqual([]);
  await one.close();
}, 120_000);

test("a new monitor: a pasted URL, a test, what is wrong at its field, then it is created and goes up", async () => {
  const one = await visit(browser, stack.apiUrl, { expected: [422] });
  const { page } = one;
  await page.goto("/monitors");
  await logIn(one);
  await page.getByRole("link", { name: "New monitor" }).click();
  // Enter does not leave the field: what it says is taken apart all the same.
  await page.getByLabel("Host name or IP address").fill("127.0.0.1:1");
  await page.getByLabel("Mail addresses").fill("ops");
  await page.getByLabel("Host name or IP address").press("Enter");
  await page.getByText('must be a mail address, got "ops"').waitFor();
  expect(await page.getByLabel("Port", { exact: true }).inputValue()).toBe("1");
  await page.getByLabel("Host name or IP address").fill(`${stack.apiUrl}/v1/health`);
  await page.getByLabel("Host name or IP address").press("Tab");
  await page.getByText(/^Taken apart: http, 127\.0\.0\.1, port \d+, path \/v1\/health\.$/).waitFor();
  await expectAccessible(page, "guide");
  await page.getByRole("button", { name: "Test now" }).click();
  await page.getByRole("table", { name: "What each location saw" }).getByText("HTTP/1.1 200 OK").waitFor();
  await page.getByLabel("Check every").selectOption("10");
  await page.getByText(/hears of it at most 1 min \d+ s after it fails/).waitFor();
  await page.getByLabel("Mail addresses").fill("ops");
  await page.getByRole("button", { name: "Create monitor" }).click();
  await page.getByText('must be a mail address, got "ops"').waitFor();
  await expect.poll(() => page.evaluate("document.activeElement.id")).toBe("emails");
  await expectAccessible(page, "guide with errors");
  await page.reload();
  expect(await page.getByLabel("Host name or IP address").inputValue()).toBe("127.0.0.1");
  await page.getByLabel("Mail addresses").fill("ops@example.com");
  await page.getByLabel("Name", { exact: true }).fill("Health");
  await page.getByText("Advanced").click();
  await page.getByLabel("Key").fill("shop/health");
  await page.getByRole("button", { name: "Create monitor" }).click();
  await page.getByRole("heading", { name: "Health" }).waitFor();
  await page.locator("main > p .status.is-up").waitFor({ timeout: 30_000 });
  await page.getByRole("link", { name: "Edit" }).click();
  await page.getByText("Its key, which stays: shop/health").waitFor();
  expect(one.faults).toEqual([]);
  await one.close();
}, 60_000);

test("edit: only what was changed is sent; what somebody else changed meanwhile is shown; delete asks first", async () => {
  const api = createClient(stack.apiUrl, stack.token);
  const body = {
    name: "Short-lived",
    protocol: "http",
    host: "127.0.0.1",
    port,
    settings: { path: "/a" },
    tags: { team: "web" },
  };
  const made = (await api("POST", "/v1/monitors", body)).body.id;
  const one = await visit(browser, stack.apiUrl, { expected: [412] });
  const { page } = one;
  await page.goto(`/monitors/${made}`);
  await logIn(one);
  await page.getByRole("link", { name: "Edit" }).click();
  await page.getByLabel("Name", { exact: true }).fill("Renamed");
  await page.getByText("Settings of HTTP").click();
  expect(await page.getByLabel("path").inputValue()).toBe("/a");
  await expectAccessible(page, "edit");
  await api("PATCH", `/v1/monitors/${made}`, { intervalSeconds: 300 });
  await page.getByRole("button", { name: "Save" }).click();
  const conflict = page.getByRole("alert", { name: "Changed meanwhile" });
  await conflict.getByRole("row", { name: "intervalSeconds 60 300" }).waitFor();
  await expectAccessible(page, "conflict");
  await conflict.getByRole("button", { name: "Store my changes as well" }).click();
  await page.getByRole("heading", { name: "Renamed" }).waitFor();
  expect((await api("GET", `/v1/monitors/${made}`)).body).toMatchObject({
    ...body,
    name: "Renamed",
    intervalSeconds: 300,
  });
  await page.getByRole("button", { name: "Delete…" }).click();
  await page.getByRole("dialog", { name: "Delete Renamed?" }).waitFor();
  await expectAccessible(page, "dialog");
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Delete…" }).click();
  await page.getByRole("button", { name: "Delete", exact: true }).click();
  await page.getByRole("heading", { name: "Monitors" }).waitFor();
  await page.getByRole("link", { name: "Renamed" }).waitFor({ state: "detached" });
  expect((await api("GET", `/v1/monitors/${made}`)).status).toBe(404);
  expect(one.faults).toEqual([]);
  await one.close();
}, 60_000);

test("channels: what is wrong stands at its field; a test says whether it was taken; delete; locations work", async () => {
  const taken: string[] = [];
  const receiver = createHttpServer((request, response) => {
    taken.push(request.url ?? "");
    response.writeHead(request.url === "/hook" ? 204 : 410).end();
  }).listen(0, "127.0.0.1");
  await once(receiver, "listening");
  const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
  const one = await visit(browser, stack.apiUrl, { expected: [422] });
  const { page } = one;
  await page.goto("/channels");
  await logIn(one);
  await page.getByText("No channels.").waitFor();
  await page.getByLabel("Kind", { exact: true }).selectOption("webhook");
  await page.getByRole("button", { name: "Create channel" }).click();
  await page.getByText("Nothing was stored.").waitFor();
  await expectAccessible(page, "channels with errors");
  for (const [name, path] of [
    ["Good hook", "/hook"],
    ["Bad hook", "/gone"],
  ] as const) {
    await page.getByLabel("Name", { exact: true }).fill(name);
    await page.getByLabel(/^URL/).fill(url + path);
    await page.getByRole("button", { name: "Create channel" }).click();
    const row = page.getByRole("row", { name });
    await row.getByRole("button", { name: "Send test" }).click();
    await row.getByText(path === "/hook" ? "The test was taken." : /^The test was not taken: .*410/).waitFor();
  }
  expect(taken).toContain("/hook");
  await expectAccessible(page, "channels");
  await page.getByRole("row", { name: "Bad hook" }).getByRole("button", { name: "Delete…" }).click();
  await page.getByRole("button", { name: "Delete", exact: true }).click();
  await page.getByRole("row", { name: "Bad hook" }).waitFor({ state: "detached" });
  await page.getByRole("link", { name: "Locations" }).click();
  await page.getByRole("row", { name: /local.*works/ }).waitFor();
  await expectAccessible(page, "locations");
  expect(one.faults).toEqual([]);
  await one.close();
  receiver.close();
}, 60_000);

test("pause and resume by a button", async () => {
  const one = await visit(browser, stack.apiUrl);
  await one.page.goto("/");
  await logIn(one);
  await one.page.getByRole("link", { name: "API" }).click();
  await one.page.getByRole("button", { name: "Pause" }).click();
  await one.page.getByRole("button", { name: "Resume" }).waitFor();
  await one.page.locator("main > p .status.is-paused").waitFor({ timeout: 20_000 });
  await one.page.getByRole("button", { name: "Resume" }).click();
  await one.page.getByRole("button", { name: "Pause" }).waitFor();
  expect(one.faults).toEqual([]);
  await one.close();
}, 60_000);

test("a token that may only read gets no buttons that change something", async () => {
  const api = createClient(stack.apiUrl, stack.token);
  const { token } = (await api("POST", "/v1/tokens", { name: "Reader", scopes: ["read"] })).body;
  const one = await visit(browser, stack.apiUrl);
  await one.page.goto(`/monitors/${id}`);
  await logIn(one, token);
  await one.page.getByRole("heading", { name: "Newest checks" }).waitFor();
  expect(await one.page.getByRole("button", { name: /Check now|Pause/ }).count()).toBe(0);
  expect(one.faults).toEqual([]);
  await one.close();
}, 60_000);

test("no contact is said with its time, and contact again without a reload; a session that ends is said too", async () => {
  const one = await visit(browser, stack.apiUrl, { expected: [0, 401] });
  await one.page.goto("/");
  await logIn(one);
  await one.page.getByRole("table", { name: "Monitors" }).waitFor();
  await one.page.context().setOffline(true);
  await one.page
    .getByRole("button", { name: "24 hours" })
    .or(one.page.getByLabel("Bars of"))
    .first()
    .selectOption("7d");
  await one.page.getByText(/No contact since \d\d:\d\d/).waitFor();
  await one.page.context().setOffline(false);
  await one.page.getByText(/No contact since/).waitFor({ state: "detached", timeout: 30_000 });
  const api = createClient(stack.apiUrl, stack.token);
  for (const { id: session } of (await api("GET", "/v1/sessions")).body.items)
    await api("DELETE", `/v1/sessions/${session}`);
  await one.page.getByRole("link", { name: "Incidents" }).click();
  await one.page.getByRole("dialog", { name: "Your session has ended" }).waitFor();
  await logIn(one);
  await one.page.getByRole("heading", { name: "Incidents" }).waitFor();
  expect(one.faults).toEqual([]);
  await one.close();
}, 90_000);

test("320 pixels wide, nothing has to be scrolled sideways", async () => {
  const one = await visit(browser, stack.apiUrl, { viewport: { width: 320, height: 700 } });
  await one.page.goto("/");
  const overflow = () => one.page.evaluate("document.documentElement.scrollWidth - innerWidth");
  expect(await overflow()).toBe(0);
  await logIn(one);
  await one.page.getByRole("table", { name: "Monitors" }).waitFor();
  expect(await overflow()).toBe(0);
  await one.page.goto(`/monitors/${id}`);
  await one.page.getByRole("heading", { name: "Newest checks" }).waitFor();
  expect(await overflow()).toBe(0);
  expect(one.faults).toEqual([]);
  await one.close();
}, 60_000);
