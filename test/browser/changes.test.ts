/** The dashboard's pages about what services say of themselves, against the whole running stack. */
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type RunningStack, startStack } from "../../infra/local/stack.ts";
import { type Client, createClient, until } from "../support/client.ts";
import { expectAccessible, startBrowser, type Visit, visit } from "./browser.ts";

let folder: string;
let stack: RunningStack;
let browser: Browser;
let api: Client;
let target: Server;
const ids: string[] = [];

/** A monitor of a service that says something else than is expected. */
const watch = async (name: string): Promise<string> => {
  const { port } = target.address() as AddressInfo;
  const body = { name, protocol: "http", host: "127.0.0.1", port, intervalSeconds: 10 };
  const { id } = (await api("POST", "/v1/monitors", body)).body;
  const values = { "http.server": ["nginx/1.26"], "http.header.x-frame-options": ["DENY"], "http.status": ["2xx"] };
  expect((await api("PUT", `/v1/monitors/${id}/baseline`, { values })).status).toBe(200);
  return id;
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "harborlight-changes-"));
  target = createServer((_request, response) => {
    response.writeHead(200, { server: "Apache/2.4", "x-frame-options": "SAMEORIGIN", connection: "close" }).end("ok");
  }).listen(0, "127.0.0.1");
  await once(target, "listening");
  [stack, browser] = await Promise.all([
    startStack({ dataFolder: folder, port: 0, assembly: process.env.HARBORLIGHT_TEST_ASSEMBLY }),
    startBrowser(),
  ]);
  api = createClient(stack.apiUrl, stack.token);
  ids.push(await watch("Shop"), await watch("Intranet"));
  await until("changes", async () => (await api("GET", "/v1/changes")).body.items.length === 4, 60_000);
}, 120_000);
afterAll(async () => {
  target?.close();
  await Promise.all([browser?.close(), stack?.stop()]);
  await rm(folder, { recursive: true, force: true });
});

const open = async (path: string, options: Parameters<typeof visit>[2] = {}): Promise<Visit> => {
  const one = await visit(browser, stack.apiUrl, options);
  await one.page.goto(`/login#${await stack.createLoginCode()}`);
  await one.page.getByRole("heading", { name: "Monitors" }).waitFor();
  await one.page.goto(path);
  return one;
};
const expectFit = async (page: Page, where: string) => {
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    await expectAccessible(page, `${where}, ${colorScheme}`);
  }
  const size = page.viewportSize()!;
  await page.setViewportSize({ width: 320, height: 700 });
  expect(await page.evaluate("document.documentElement.scrollWidth - innerWidth"), `${where} is too wide`).toBe(0);
  await page.setViewportSize(size);
};

test("changes are accepted one by one, several at once, and stay in the history with their note", async () => {
  const one = await open("/changes");
  const { page } = one;
  const accept = page.getByRole("button", { name: "Accept Web server of Shop" });
  await accept.waitFor();
  await expectFit(page, "changes");
  await accept.click();
  await page.getByRole("dialog").getByText("Apache/2.4").waitFor();
  await page.getByLabel("Note").fill("moved to Apache");
  await expectAccessible(page, "accepting");
  await page.getByRole("dialog").getByRole("button", { name: "Accept" }).click();
  await accept.waitFor({ state: "detached" });
  await page.getByLabel("Select Web server of Intranet").check();
  await page.getByLabel("Select Header x-frame-options of Intranet").check();
  await page.getByRole("button", { name: "Accept 2 selected…" }).click();
  await page.getByRole("heading", { name: "Accept 2 changes?" }).waitFor();
  await page.keyboard.press("Escape");
  await expect.poll(() => page.evaluate("document.activeElement.textContent")).toBe("Accept 2 selected…");
  await page.getByRole("button", { name: "Accept 2 selected…" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Accept" }).click();
  await page.getByLabel("Select Web server of Intranet").waitFor({ state: "detached" });
  await page.getByLabel("Which changes").selectOption("open and past");
  await page.getByText("moved to Apache").waitFor();
  await expectFit(page, "past changes");
  expect(one.faults).toEqual([]);
  await one.close();
});

test("a monitor's page says what its service says, and takes an open change; its baseline is edited and learned anew", async () => {
  const one = await open(`/monitors/${ids[0]}`, { expected: [412, 422] });
  const { page } = one;
  const said = page.getByRole("region", { name: "What this service says of itself" });
  await said.getByText("1 change nobody has accepted.").waitFor();
  await said.getByText("SAMEORIGIN").waitFor();
  await expectFit(page, "what a service says");
  await said.getByRole("button", { name: "Accept…" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Accept" }).click();
  await said.getByText("nobody has accepted").waitFor({ state: "detached" });
  await until("the decision", async () => (await api("GET", `/v1/monitors/${ids[0]}/baseline`)).body.openChanges === 0);
  await said.getByRole("link", { name: "What is expected" }).click();
  const header = page.getByRole("textbox", { name: "Header x-frame-options" });
  expect(await header.inputValue()).toBe("SAMEORIGIN");
  await expectFit(page, "baseline");
  // Somebody else changes it meanwhile.
  const { values } = (await api("GET", `/v1/monitors/${ids[0]}/baseline`)).body;
  await api("PUT", `/v1/monitors/${ids[0]}/baseline`, { values: { ...values, "http.status": ["2xx", "3xx"] } });
  await header.fill("SAMEORIGIN\nDENY");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("It was changed meanwhile").waitFor();
  await page.getByRole("button", { name: "Read it again" }).click();
  await expect
    .poll(() => page.getByRole("textbox", { name: "Class of the HTTP status" }).inputValue())
    .toBe("2xx\n3xx");
  await page.getByLabel("Another fact").fill("Not a key");
  await page.getByRole("button", { name: "Add" }).click();
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText(/must be the key of a fact/).waitFor();
  await page.getByRole("button", { name: "Remove Not a key" }).click();
  await header.fill("SAMEORIGIN\nDENY");
  await page.getByRole("button", { name: "Save" }).click();
  await said.waitFor();
  expect((await api("GET", `/v1/monitors/${ids[0]}/baseline`)).body.values["http.header.x-frame-options"]).toEqual([
    "SAMEORIGIN",
    "DENY",
  ]);
  await page.goto(`/monitors/${ids[0]}/baseline`);
  await page.getByRole("button", { name: "Learn anew…" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Learn anew" }).click();
  await said.waitFor();
  expect(one.faults).toEqual([]);
  await one.close();
});

test("who may only read sees changes and no way to accept them", async () => {
  const token = (await api("POST", "/v1/tokens", { name: "reader", scopes: ["read"] })).body.token;
  const one = await visit(browser, stack.apiUrl);
  const { page } = one;
  await page.goto("/login");
  await page.getByLabel("Token").fill(token);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByRole("heading", { name: "Monitors" }).waitFor();
  await page.goto("/changes?state=all");
  await page.getByText("moved to Apache").waitFor();
  expect(await page.getByRole("button", { name: /Accept/ }).count()).toBe(0);
  await page.goto(`/monitors/${ids[0]}/baseline`);
  await page.getByText("Changing what is expected needs a token with the scope write.").first().waitFor();
  expect(one.faults).toEqual([]);
  await one.close();
});
