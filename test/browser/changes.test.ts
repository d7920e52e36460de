/** The dashboard's pages about what services say of themselves and which ports are open, against the whole running stack. */
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type RunningStack, startStack } from "../../infra/local/stack.ts";
import { createSweepStore } from "../../shared/store/sweeps.ts";
import { type Client, createClient, until } from "../support/client.ts";
import { inProcessClient } from "../support/in-process-client.ts";
import { expectAccessible, expectFit, startBrowser, type Visit, visit } from "./browser.ts";

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

/** Keeps what a sweep found, without the minute that a sweep takes. */
const keepSweep = async (id: string, tick: number, hosts: Readonly<Record<string, string>> | null) => {
  const table = stack.resources.find(
    ({ type, name }) => type.startsWith("AWS::DynamoDB::") && /history/i.test(name),
  )!.name;
  const openCount = Object.values(hosts ?? {}).flatMap((open) => open.split(",")).length;
  await createSweepStore(inProcessClient(stack.database, stack.accessKeyId), table).putSweep(
    { id, location: "local" },
    {
      tick,
      startedAt: new Date(tick * 1000).toISOString(),
      endedAt: new Date((tick + 75) * 1000).toISOString(),
      settingsVersion: 1,
      state: hosts ? "open" : "unmeasured",
      reason: hosts ? null : "cut-short",
      message: hosts ? `${openCount} ports are open` : "1 of 2 slices is missing",
      ...(hosts && {
        hosts: Object.fromEntries(
          Object.entries(hosts).map(([address, open]) => [
            address,
            { open, services: { 22: "ssh", 23: "silent" }, firstSeen: { [tick - 86_400]: "22", [tick]: "23-443" } },
          ]),
        ),
        closedPorts: [
          { address: "127.77.0.17", port: 25, service: "smtp", firstSeen: tick - 86_400, lastSeen: tick - 7_200 },
        ],
      }),
      addressCount: 8,
      openCount,
      closedCount: 9,
      filteredCount: 0,
      unmeasuredCount: 0,
      answersEverywhere: [],
    },
  );
};

test("a port watch is created once its host may be swept, swept by a button, and its sweeps are compared", async () => {
  const one = await open("/monitors/new", { expected: [403, 422] });
  const { page } = one;
  const create = page.getByRole("button", { name: "Create monitor" });
  await page.getByLabel("Port", { exact: true }).waitFor();
  await page.getByLabel("Service").selectOption({ label: "Port watch (ports of a host or network)" });
  await page.getByLabel("Port", { exact: true }).waitFor({ state: "detached" });
  expect(await page.getByRole("button", { name: "Test now" }).count()).toBe(0);
  const host = page.getByLabel("Host name, IP address or network");
  // Of what is pasted the host alone is taken.
  await host.fill("https://nothing.invalid:8443/x");
  await page.getByLabel("Ports", { exact: true }).fill("22-");
  await create.click();
  await page.getByText('"22-" is neither a port nor a range').waitFor();
  await expect.poll(() => page.evaluate("document.activeElement.id")).toBe("settings.ports");
  await page.getByLabel("Ports", { exact: true }).fill("22-25,443");
  await page.getByLabel("Expected ports").fill("22");
  await page.getByLabel("Ports that may be open").fill("443");
  await create.click();
  await expect
    .poll(() => page.getByRole("textbox", { name: "Name of the TXT record" }).inputValue())
    .toBe("_harborlight.nothing.invalid");
  expect(await page.getByRole("textbox", { name: "Its value" }).inputValue()).toMatch(/^harborlight=[0-9a-f]{32}$/);
  await page.getByRole("button", { name: "Copy: Its value" }).waitFor();
  await expect.poll(() => page.evaluate("document.activeElement.id")).toBe("host");
  await expectFit(page, "a refused port watch");
  await host.fill("127.77.0.16/29");
  await page.getByLabel("Name", { exact: true }).fill("Edge exposure");
  await create.click();
  await page.getByText("The first sweep takes a minute or longer.").waitFor();
  const id = /monitors\/([a-z0-9]+)$/.exec(page.url())![1]!;
  expect((await api("GET", `/v1/monitors/${id}`)).body).toMatchObject({
    protocol: "ports",
    intervalSeconds: 3_600,
    settings: { ports: "22-25,443", expected: "22", mayBe: "443" },
  });

  const now = Math.floor(Date.now() / 1000);
  await keepSweep(id, now - 10_800, { "127.77.0.17": "22,25" });
  await keepSweep(id, now - 7_200, null);
  await keepSweep(id, now - 3_600, { "127.77.0.17": "22", "127.77.0.18": "22,23,443" });
  await page.reload();
  const ports = page.getByRole("table", { name: "Open ports" });
  await ports.getByText(/23 says nothing, first seen/).waitFor();
  await ports.getByText(/^3 ports, first seen/).waitFor();
  await page.getByRole("table", { name: "Ports that were open before" }).getByText("smtp").waitFor();
  expect(await page.getByRole("heading", { name: "How the port answered" }).count()).toBe(0);
  await page.getByRole("button", { name: "Sweep now" }).click();
  await page.getByText(/A sweep began at/).waitFor();
  await expectFit(page, "a monitor that sweeps");
  await page.getByRole("link", { name: "All sweeps" }).click();
  await page.getByRole("heading", { name: "Sweeps of Edge exposure" }).waitFor();
  await page.getByText("1 of 2 slices is missing").waitFor();
  await expectFit(page, "sweeps");
  await page.getByRole("row", { name: "4 ports are open" }).getByRole("link").click();
  // The one in between says nothing of ports, and is passed over.
  await page.getByText("3 ports opened, and 1 port closed.").waitFor();
  await page.getByRole("table", { name: "Ports that closed" }).getByText("25 not asked").waitFor();
  expect(await page.getByLabel("Compared with").inputValue()).toBe(String(now - 10_800));
  await expectFit(page, "a sweep");
  await page.goto(`/monitors/${id}/sweep?tick=${now - 7_200}&location=local`);
  await page.getByText("It does not say which ports were open").waitFor();

  await page.goto(`/monitors/${id}/edit`);
  await expect.poll(() => page.getByLabel("Ports that may be open").inputValue()).toBe("443");
  await page.getByLabel("Sweep every").selectOption({ label: "6 h" });
  await page.getByRole("button", { name: "Save" }).click();
  await ports.waitFor();
  expect((await api("GET", `/v1/monitors/${id}`)).body).toMatchObject({ intervalSeconds: 21_600, port: 0 });
  expect(one.faults).toEqual([]);
  await one.close();
});

test("who may change monitors but is no admin is not offered to watch ports", async () => {
  const token = (await api("POST", "/v1/tokens", { name: "deployer", scopes: ["deploy"] })).body.token;
  const one = await visit(browser, stack.apiUrl);
  const { page } = one;
  await page.goto("/login?to=%2Fmonitors%2Fnew");
  await page.getByLabel("Token").fill(token);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByLabel("Service").locator("option", { hasText: "SSH" }).first().waitFor({ state: "attached" });
  expect(await page.getByLabel("Service").locator("option", { hasText: "Port watch" }).count()).toBe(0);
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
