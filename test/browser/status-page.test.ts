/** Public status pages in a browser against the whole running stack: without a script, with one, private, in a frame of nobody. */
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type RunningStack, startStack } from "../../infra/local/stack.ts";
import { createClient } from "../support/client.ts";
import { freePort } from "../support/product.ts";
import { expectAccessible, startBrowser, type Visit, visit } from "./browser.ts";

const SECRETS = /db-2\.internal|Orders database|hunter2|127\.0\.0\.1:\d+ refused|ECONNREFUSED/;
const PASSWORD = "correct horse";

let folder: string;
let stack: RunningStack;
let browser: Browser;
let api: ReturnType<typeof createClient>;
let pageId: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "harborlight-status-"));
  [stack, browser] = await Promise.all([
    startStack({ dataFolder: folder, port: 0, assembly: process.env.HARBORLIGHT_TEST_ASSEMBLY }),
    startBrowser(),
  ]);
  api = createClient(stack.apiUrl, stack.token);
  const common = { protocol: "tcp", host: "127.0.0.1", intervalSeconds: 10, retries: { count: 0, delayMs: 0 } };
  const create = async (name: string, port: number) =>
    (await api("POST", "/v1/monitors", { ...common, name, port, failureThreshold: 1 })).body.id as string;
  const up = await create("Orders database", Number(new URL(stack.apiUrl).port));
  const down = await create("Orders database, second", await freePort());
  const entries = [
    { monitorId: up, name: "Ordering <b>&amp;</b> عربى 🚢", text: "Baskets" },
    { monitorId: down, name: "Payment" },
  ];
  const settings = { title: "Shop", accentColor: "#0a7d55", groups: [{ name: "Services", entries }] };
  pageId = (await api("POST", "/v1/status-pages", settings)).body.id;
  await api("POST", "/v1/status-pages", { ...settings, slug: "inner", visibility: "private", password: PASSWORD });
  await vi.waitFor(
    async () => {
      const { counts } = await (await fetch(`${stack.apiUrl}/status/shop.json`)).json();
      expect(counts).toMatchObject({ up: 1, down: 1 });
    },
    { timeout: 40_000, interval: 1_000 },
  );
}, 90_000);
afterAll(async () => {
  await Promise.all([browser?.close(), stack?.stop()]);
  await rm(folder, { recursive: true, force: true });
});

/** From the status to an incident, to the history, and back. */
const walk = async ({ page }: Visit, look: (where: string) => Promise<void>) => {
  await page.goto("/status/shop");
  await page.getByText("1 of 2 services has problems").waitFor();
  const names = await page.locator(".name").allTextContents();
  expect(names).toEqual(["Payment", "Ordering <b>&amp;</b> عربى 🚢"]);
  expect(await page.content()).not.toMatch(SECRETS);
  await look("status");
  await page.getByRole("link", { name: "Payment is down" }).click();
  await page.getByRole("heading", { name: "Payment is down" }).waitFor();
  await look("incident");
  await page.getByRole("link", { name: "History" }).click();
  await page.getByRole("heading", { name: /^History/ }).waitFor();
  await look("history");
  await page.getByRole("link", { name: "Back to the present status" }).click();
  await page.getByText("Baskets").waitFor();
};

test("it is complete without a script", async () => {
  const one = await visit(browser, stack.apiUrl, { javaScriptEnabled: false });
  await walk(one, async () => {});
  expect(one.faults).toEqual([]);
  await one.close();
}, 30_000);

test.each([
  [1280, "light"],
  [320, "dark"],
] as const)(
  "everybody can use it: %i px wide, %s",
  async (width, colorScheme) => {
    const one = await visit(browser, stack.apiUrl, { viewport: { width, height: 800 }, colorScheme });
    await walk(one, async (where) => {
      await expectAccessible(one.page, `${where} at ${width}`);
      const hidden = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
      expect([where, await one.page.evaluate(hidden)]).toEqual([where, 0]);
    });
    expect(one.faults).toEqual([]);
    await one.close();
  },
  30_000,
);

test("the script, which the policy allows by its hash, writes times in the reader's zone", async () => {
  const one = await visit(browser, stack.apiUrl, { timezoneId: "Asia/Kathmandu", locale: "en-GB" });
  await one.page.goto("/status/shop");
  await one.page.getByText(/^Times are in Asia\/Kat/).waitFor();
  const [shown, title, at] = await one.page
    .locator("time")
    .first()
    .evaluate((element) => [element.textContent, element.getAttribute("title"), element.getAttribute("datetime")]);
  expect(shown).not.toBe(title);
  const format = { dateStyle: "medium", timeStyle: "short" } as const;
  expect(shown).toBe(new Date(at!).toLocaleString("en-GB", { ...format, timeZone: "Asia/Kathmandu" }));
  expect(one.faults).toEqual([]);
  await one.close();
}, 60_000);

test("a private page asks for its password, and opens by a link from the API", async () => {
  const one = await visit(browser, stack.apiUrl, { expected: [403] });
  await one.page.goto("/status/inner");
  await expectAccessible(one.page, "password");
  expect(await one.page.content()).not.toMatch(/Shop|Payment/);
  await one.page.getByLabel("Password").fill("wrong");
  await one.page.getByRole("button", { name: "Open" }).click();
  await one.page.getByRole("alert").waitFor();
  await one.page.getByLabel("Password").fill(PASSWORD);
  await one.page.getByRole("button", { name: "Open" }).click();
  await one.page.getByText("Baskets").waitFor();
  expect(one.faults).toEqual([]);
  await one.close();

  const { body } = await api("GET", "/v1/status-pages");
  const inner = body.items.find(({ slug }: { slug: string }) => slug === "inner");
  const link = await api("POST", `/v1/status-pages/${inner.id}/links`);
  const other = await visit(browser, stack.apiUrl);
  await other.page.goto(link.body.path);
  await other.page.getByText("Baskets").waitFor();
  expect(new URL(other.page.url()).search).toBe("");
  expect(other.faults).toEqual([]);
  await other.close();
}, 60_000);

test("a preview is the real page, and feeds, JSON and badge tell what the page tells", async () => {
  const preview = await api("POST", "/v1/status-pages/preview", { title: "Not saved yet" });
  const one = await visit(browser, stack.apiUrl);
  await one.page.goto(preview.body.path);
  await one.page.getByRole("heading", { name: "Not saved yet" }).waitFor();

  await api("POST", `/v1/status-pages/${pageId}/notices`, { title: "Holidays <soon>" });
  const textOf = async (view: string) => (await fetch(`${stack.apiUrl}/status/shop${view}`)).text();
  const written = { timeout: 25_000, interval: 1_000 };
  await expect.poll(() => textOf("/feed.atom"), written).toContain("Holidays &#60;soon&#62;");
  for (const view of ["/feed.atom", "/feed.rss", "/badge.svg", ".json"]) {
    const text = await textOf(view);
    expect([view, SECRETS.test(text), text.includes("Shop")]).toEqual([view, false, true]);
    if (view === ".json") continue;
    const isWellFormed = await one.page.evaluate(
      `!new DOMParser().parseFromString(${JSON.stringify(text)}, "application/xml").querySelector("parsererror")`,
    );
    expect([view, isWellFormed]).toEqual([view, true]);
  }
  expect(one.faults).toEqual([]);
  await one.close();
}, 60_000);

/** The text of mails that were sent, as far as ASCII goes. */
const mails = async (): Promise<string[]> => {
  const sent = join(folder, "mail");
  const names = await readdir(sent, { recursive: true }).catch(() => []);
  const files = names.filter((name) => name.endsWith(".eml")).map((name) => join(sent, name));
  return Promise.all(
    files.map(async (file) => (await readFile(file, "utf8")).replace(/=\r?\n/g, "").replaceAll("=3D", "=")),
  );
};

test("whoever subscribes confirms by the link in a mail, and leaves by another", async () => {
  const one = await visit(browser, stack.apiUrl);
  await one.page.goto("/status/shop");
  await one.page.getByLabel("Mail address").fill("ann@example.com");
  await one.page.getByRole("button", { name: "Subscribe" }).click();
  await one.page.getByRole("heading", { name: /a mail is on its way/ }).waitFor();
  await expectAccessible(one.page, "subscribed");
  const linkIn = (text: string, action: string) =>
    new RegExp(`${stack.apiUrl}(/status/\\S+/subscribers/${action}[^\\s>]+)`).exec(text)?.[1];
  const [confirm] = await vi.waitFor(
    async () => {
      const links = (await mails()).flatMap((text) => linkIn(text, "confirm") ?? []);
      expect(links.length).toBe(1);
      return links;
    },
    { timeout: 30_000, interval: 500 },
  );
  await one.page.goto(confirm!);
  await expectAccessible(one.page, "confirm");
  await one.page.getByRole("button", { name: "Confirm" }).click();
  await one.page.getByRole("heading", { name: "You are subscribed." }).waitFor();

  await api("POST", `/v1/status-pages/${pageId}/notices`, { title: "Sunday", kind: "maintenance" });
  const [leave] = await vi.waitFor(
    async () => {
      const links = (await mails()).flatMap((text) => (text.includes("Sunday") ? (linkIn(text, "leave") ?? []) : []));
      expect(links.length).toBe(1);
      return links;
    },
    { timeout: 30_000, interval: 500 },
  );
  await one.page.goto(leave!);
  await one.page.getByRole("button", { name: "Unsubscribe" }).click();
  await one.page.getByRole("heading", { name: "You get no more mail from this page." }).waitFor();
  const left = await api("GET", `/v1/status-pages/${pageId}/subscribers`);
  expect(left.body.items).toEqual([]);
  expect(one.faults).toEqual([]);
  await one.close();
}, 90_000);
