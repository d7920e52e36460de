/** The dashboard against the whole running stack: log in, see monitors, see one go down and come back. */
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type RunningStack, startStack } from "../../infra/local/stack.ts";
import { createClient } from "../support/client.ts";
import { freePort } from "../support/product.ts";
import { expectAccessible, startBrowser, type Visit, visit } from "./browser.ts";

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

test.each(["light", "dark"] as const)(
  "every page is accessible, %s",
  async (colorScheme) => {
    const one = await visit(browser, stack.apiUrl, { colorScheme });
    await one.page.goto("/");
    await logIn(one);
    await one.page.getByRole("table", { name: "Monitors" }).waitFor();
    await expectAccessible(one.page, "monitors");
    await one.page.getByRole("link", { name: "Incidents" }).click();
    await one.page.getByText("No incidents.").or(one.page.getByRole("table")).first().waitFor();
    await expectAccessible(one.page, "incidents");
    await one.page.goto(`/monitors/${id}`);
    await one.page.getByRole("heading", { name: "Newest checks" }).waitFor();
    await one.page.getByLabel("Latency: p50, p95, p99").waitFor();
    await expectAccessible(one.page, "monitor");
    await one.page.goto("/nowhere");
    await one.page.getByRole("heading", { name: "There is no such page" }).waitFor();
    await expectAccessible(one.page, "no page");
    expect(one.faults).toEqual([]);
    await one.close();
  },
  60_000,
);

test("the list: search, filter, group, and Back and reload keep what was asked", async () => {
  const one = await visit(browser, stack.apiUrl);
  await one.page.goto("/");
  await logIn(one);
  const rows = one.page.locator(".rows [role=row] a.name");
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
  const one = await visit(browser, stack.apiUrl);
  await one.page.goto("/");
  await logIn(one);
  await one.page.getByRole("link", { name: /^Orders/ }).click();
  await one.page.locator("main .status.is-up").first().waitFor();
  target.close();
  await one.page.getByText("refused the connection").first().waitFor({ timeout: 30_000 });
  await one.page.getByRole("region", { name: "Open incident" }).waitFor();
  await one.page.getByRole("link", { name: "Monitors" }).click();
  await one.page.getByRole("button", { name: "down 1" }).waitFor();
  await expect.poll(() => one.page.title(), { timeout: 20_000 }).toBe("(1 down) Monitors – Harborlight");
  await one.page.getByRole("link", { name: "Incidents" }).click();
  await one.page.getByRole("cell", { name: "open" }).waitFor();
  target = await listen();
  await one.page.goto(`/monitors/${id}`);
  await one.page.getByRole("button", { name: "Check now" }).click();
  await one.page.locator("main > p .status.is-up").waitFor({ timeout: 30_000 });
  expect(one.faults).toEqual([]);
  await one.close();
}, 120_000);

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
  await one.page.getByText("Your session has ended.").waitFor();
  await one.page.getByRole("link", { name: "Log in again" }).click();
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
