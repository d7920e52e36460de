/** The dashboard's pages about alerts, against the whole running stack: policies, channels, subscriptions, maintenance. */
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer as createHttpServer, type Server as HttpServer } from "node:http";
import { type AddressInfo, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type RunningStack, startStack } from "../../infra/local/stack.ts";
import { type Client, createClient } from "../support/client.ts";
import { expectAccessible, expectFit, expectFocus, startBrowser, type Visit, visit } from "./browser.ts";

let folder: string;
let stack: RunningStack;
let browser: Browser;
let api: Client;
let target: Server;
let receiver: HttpServer;
/** Paths that channels posted to. */
const posted: string[] = [];
let hook: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "harborlight-alerts-"));
  target = createServer((socket) => socket.end()).listen(0, "127.0.0.1");
  receiver = createHttpServer((request, response) => {
    posted.push(request.url ?? "");
    response.writeHead(request.url === "/gone" ? 410 : 204).end();
  }).listen(0, "127.0.0.1");
  await Promise.all([once(target, "listening"), once(receiver, "listening")]);
  hook = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
  [stack, browser] = await Promise.all([
    startStack({ dataFolder: folder, port: 0, assembly: process.env.HARBORLIGHT_TEST_ASSEMBLY }),
    startBrowser(),
  ]);
  api = createClient(stack.apiUrl, stack.token);
}, 60_000);
afterAll(async () => {
  target?.close();
  receiver?.close();
  await Promise.all([browser?.close(), stack?.stop()]);
  await rm(folder, { recursive: true, force: true });
});

/** Logs in by a link and opens a page. */
const open = async (path: string, options: Parameters<typeof visit>[2] = {}): Promise<Visit> => {
  const one = await visit(browser, stack.apiUrl, options);
  await one.page.goto(`/login#${await stack.createLoginCode()}`);
  await one.page.getByRole("heading", { name: "Monitors" }).waitFor();
  await one.page.goto(path);
  return one;
};
const create = async (path: string, body: object): Promise<string> => {
  const answer = await api("POST", path, body);
  expect(answer.status, JSON.stringify(answer.body)).toBe(201);
  return answer.body.id;
};
const port = () => (target.address() as AddressInfo).port;
test("policies: steps, tags and reminders in words; bad input at its field; a conflict; delete gives the focus back", async () => {
  await create("/v1/channels", { name: "Pager", kind: "webhook", settings: { url: `${hook}/pager` } });
  await create("/v1/monitors", {
    name: "Unheard",
    protocol: "tcp",
    host: "127.0.0.1",
    port: port(),
    tags: { team: "orders" },
  });
  const one = await open("/policies", { expected: [404, 412, 422] });
  const { page } = one;
  await page.getByText("No policies.").waitFor();
  await page.getByText("Nobody would hear of trouble with these monitors:").waitFor();
  await page.getByRole("link", { name: "Unheard" }).waitFor();
  await expectAccessible(page, "no policies");
  await page.getByRole("link", { name: "New policy" }).click();
  await page.getByLabel("Name", { exact: true }).fill("On call");
  await page.getByRole("button", { name: "Create policy" }).click();
  await page.getByText("must name at least one channel or mail address").waitFor();
  await page.getByLabel("And these mail addresses").fill("ops@example.com");
  await page.getByRole("button", { name: "Add a step" }).click();
  const second = page.getByRole("group", { name: "Step 2" });
  await second.getByLabel("And these mail addresses").fill("nobody");
  await page.getByRole("button", { name: "Create policy" }).click();
  await page.getByText('must be a mail address, got "nobody"').waitFor();
  await expectFocus(page, "steps[1].emails");
  await expectFit(page, "policy with errors");
  await second.getByLabel("And these mail addresses").fill("");
  await second.getByLabel("When").selectOption("after 10 min of trouble");
  await second.getByLabel("Pager").check();
  await page.getByLabel("Monitors", { exact: true }).selectOption("monitors with these tags");
  await page.getByLabel("Tags").fill("team=orders");
  await page.getByLabel("Remind every").selectOption("1 h");
  await page.getByLabel("At most (times)").fill("5");
  await page
    .getByRole("region", { name: "In words" })
    .getByText("After 10 min, if nobody has acknowledged: Pager.")
    .waitFor();
  await page.getByRole("button", { name: "Create policy" }).click();
  const card = page.getByRole("region", { name: "On call" });
  await card.getByText("At once: mail to ops@example.com.").waitFor();
  await card
    .getByText(/^For monitors with team=orders\. .*Reminds every 1 h until somebody acknowledges, 5 times/)
    .waitFor();
  await page.getByText("Nobody would hear of trouble").waitFor({ state: "detached" });
  await expectFit(page, "policies");
  await card.getByRole("link", { name: "Edit" }).click();
  await page.getByRole("heading", { name: "Edit On call" }).waitFor();
  await page.getByLabel("Name", { exact: true }).fill("Night");
  const [{ id }] = (await api("GET", "/v1/policies")).body.items;
  await api("PATCH", `/v1/policies/${id}`, { remindAtMost: 7 });
  await page.getByRole("button", { name: "Save" }).click();
  const conflict = page.getByRole("alert", { name: "Changed meanwhile" });
  await conflict.getByRole("row", { name: "remindAtMost 5 7" }).waitFor();
  await expectAccessible(page, "conflict");
  await conflict.getByRole("button", { name: "Store my changes as well" }).click();
  const night = page.getByRole("region", { name: "Night" });
  await night.getByText("7 times at most").waitFor();
  await night.getByRole("button", { name: "Delete…" }).click();
  await page.getByRole("button", { name: "Cancel" }).click();
  await expectFocus(page, "Delete…");
  await night.getByRole("button", { name: "Delete…" }).click();
  await page.getByRole("button", { name: "Delete", exact: true }).click();
  await page.getByText("No policies.").waitFor();
  await page.goto(`/policies/${id}`);
  await page.getByRole("heading", { name: "There is no such policy" }).waitFor();
  expect(one.faults).toEqual([]);
  await one.close();
}, 60_000);

test("a channel: secrets are not shown and stay; what it was told; one that a policy names is deleted only on purpose", async () => {
  const settings = { url: `${hook}/gone`, method: "PUT", secret: `whsec_${"A".repeat(32)}` };
  const id = await create("/v1/channels", { name: "Old pager", kind: "webhook", settings });
  const policy = await create("/v1/policies", { name: "Old", steps: [{ afterSeconds: 0, channels: [id] }] });
  await create("/v1/monitors", {
    name: "Closed",
    protocol: "tcp",
    host: "127.0.0.1",
    port: 1,
    alerts: { policies: [policy] },
  });
  const one = await open("/channels", { expected: [409, 422] });
  const { page } = one;
  const row = page.getByRole("row", { name: "Old pager" });
  await expect
    .poll(async () => (await api("GET", `/v1/channels/${id}/deliveries?state=undeliverable`)).body.items, {
      timeout: 20_000,
    })
    .toHaveLength(1);
  await page.reload();
  await row.getByText("down: given up").waitFor();
  await expectFit(page, "channels");
  await row.getByRole("link", { name: "Old pager" }).click();
  const deliveries = page.getByRole("table", { name: "Deliveries" });
  await deliveries.getByRole("row", { name: /down Closed given up HTTP 410/ }).waitFor();
  await page.getByLabel("Show").selectOption("what waits");
  await page.getByText("Nothing of that kind.").waitFor();
  expect(await page.getByLabel("url").inputValue()).toBe("");
  expect(await page.getByLabel("url").getAttribute("placeholder")).toBe("set, stays as it is");
  await page.getByLabel("secret").fill("short");
  await page.getByLabel("Headers").fill("{no JSON");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText(/must be whsec_/).waitFor();
  await expectFocus(page, "settings.headers");
  await expectFit(page, "channel with errors");
  await page.getByLabel("secret").fill("");
  await page.getByLabel("Headers").fill("");
  await page.getByLabel("Name", { exact: true }).fill("Older pager");
  await page.getByLabel("method").selectOption("POST");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("row", { name: "Older pager" }).getByRole("button", { name: "Send test" }).click();
  await page.getByText(/^The test was not taken: .*410/).waitFor();
  expect((await api("GET", `/v1/channels/${id}`)).body).toMatchObject({
    name: "Older pager",
    settings: { url: "(hidden)", secret: "(hidden)", method: "POST" },
  });
  await page.getByRole("row", { name: "Older pager" }).getByRole("button", { name: "Delete…" }).click();
  await page.getByRole("button", { name: "Delete", exact: true }).click();
  await page.getByText('these policies name it: "Old"').waitFor();
  await page.getByRole("button", { name: "Delete all the same…" }).click();
  await page.getByRole("button", { name: "Delete", exact: true }).click();
  await page.getByRole("row", { name: "Older pager" }).waitFor({ state: "detached" });
  expect((await api("GET", `/v1/channels/${id}`)).status).toBe(404);
  expect(one.faults).toEqual([]);
  await one.close();
}, 60_000);

test("maintenance: for a monitor found by its name, each week in a zone; shown before it is saved; extended and ended", async () => {
  const id = await create("/v1/monitors", { name: "Router", protocol: "tcp", host: "127.0.0.1", port: port() });
  const one = await open("/maintenance", { expected: [412, 422] });
  const { page } = one;
  await page.getByText("No maintenance.").waitFor();
  await expectAccessible(page, "no maintenance");
  await page.getByRole("link", { name: "New window" }).click();
  await page.getByLabel("Name", { exact: true }).fill("Firmware");
  await page.getByRole("button", { name: "Create window" }).click();
  await page.getByText("the window is for no monitor").waitFor();
  await page.getByLabel("These monitors").fill("rout");
  await page.getByRole("button", { name: "+ Router" }).click();
  await page.getByRole("button", { name: "Remove Router" }).waitFor();
  await expectFocus(page, "monitorIds");
  await page.getByLabel("It occurs").selectOption("on days of the week");
  await page.getByLabel("Tuesday").check();
  await page.getByLabel("Sunday").uncheck();
  await page.getByLabel("At", { exact: true }).fill("02:30");
  await page.getByLabel("Time zone").fill("Mars/Olympus");
  const preview = page.getByRole("region", { name: "When it will be" });
  await preview.getByText(/must be a name of the IANA time zone database/).waitFor();
  await page.getByRole("button", { name: "Create window" }).click();
  await expectFocus(page, "timeZone");
  await expectFit(page, "window with errors");
  await page.getByLabel("Time zone").fill("Europe/Zurich");
  await preview.getByRole("listitem").nth(4).waitFor();
  await page.getByRole("button", { name: "Create window" }).click();
  const card = page.getByRole("region", { name: "Firmware" });
  await card.getByText("Every Tuesday at 02:30 (Europe/Zurich), for 1 h. For Router.").waitFor();
  await page.getByRole("img", { name: /^[45] times, first / }).waitFor();
  await expectFit(page, "maintenance");
  await card.getByRole("link", { name: "Edit" }).click();
  await page.getByLabel("It occurs").selectOption("once");
  await page.getByLabel("Lasts").selectOption("2 h");
  const [window] = (await api("GET", "/v1/maintenance-windows")).body.items;
  await api("PATCH", `/v1/maintenance-windows/${window.id}`, { name: "Firmware 2" });
  await page.getByRole("button", { name: "Save" }).click();
  const conflict = page.getByRole("alert", { name: "Changed meanwhile" });
  await conflict.getByRole("row", { name: "name" }).waitFor();
  await conflict.getByRole("button", { name: "Store my changes as well" }).click();
  await page.getByText(/^Now, until /).waitFor();
  await page.goto(`/monitors/${id}`);
  await page.getByRole("link", { name: /^In maintenance until / }).click();
  const ends = async () =>
    Date.parse((await api("GET", `/v1/maintenance-windows/${window.id}`)).body.active?.endsAt ?? 0);
  const before = await ends();
  await page.getByLabel("Extend by").selectOption("30 min");
  await page.getByRole("button", { name: "Extend" }).click();
  await expect.poll(ends, { timeout: 20_000 }).toBe(before + 1_800_000);
  await page.getByRole("button", { name: "End now" }).click();
  await page.getByText("1 window of the last 400 days, over").click();
  await page.getByRole("button", { name: "Delete…" }).click();
  await page.getByRole("button", { name: "Delete", exact: true }).click();
  await page.getByText("No maintenance.").waitFor();
  expect(one.faults).toEqual([]);
  await one.close();
}, 60_000);

test("a monitor: who would hear of it and why, what it depends on; policies, flapping and dependencies in its form", async () => {
  const pager = await create("/v1/channels", {
    name: "Night pager",
    kind: "webhook",
    settings: { url: `${hook}/night` },
  });
  const steps = [
    { afterSeconds: 0, emails: ["first@example.com"] },
    { afterSeconds: 600, channels: [pager] },
  ];
  const tagged = await create("/v1/policies", { name: "Web team", match: { tags: { team: "web" } }, steps });
  await create("/v1/policies", {
    name: "Managers",
    steps: [{ afterSeconds: 3600, emails: ["boss@example.com"], channels: [pager] }],
  });
  const common = { protocol: "tcp", host: "127.0.0.1", intervalSeconds: 10, retries: { count: 0, delayMs: 0 } };
  const uplink = await create("/v1/monitors", { ...common, name: "Uplink", port: 1 });
  const shop = await create("/v1/monitors", { ...common, name: "Shop", port: 1, tags: { team: "web" } });
  const one = await open(`/monitors/${shop}/edit`, { expected: [422] });
  const { page } = one;
  const words = page.getByRole("region", { name: "Who will hear of it" });
  await words
    .getByText(
      "By the policy Web team: At once: mail to first@example.com. After 10 min, if nobody has acknowledged: Night pager.",
    )
    .waitFor();
  await page.getByLabel("Managers").check();
  await words.getByText(/^By the policy Managers: After 1 h: mail to boss@example\.com and Night pager/).waitFor();
  await page.getByRole("button", { name: "Send test to Night pager" }).click();
  await page.getByText("The test was taken.").waitFor();
  expect(posted).toContain("/night");
  await page.getByText("Steps and reminders of its own").click();
  await page.getByRole("button", { name: "Add a step" }).click();
  const step = page.getByRole("group", { name: "Step 1" });
  await page.getByRole("button", { name: "Save" }).click();
  await step.getByText("must name at least one channel or mail address").waitFor();
  await step.getByLabel("Night pager").check();
  await page.getByLabel("Remind every").selectOption("1 h");
  await words
    .getByText("After 5 min: Night pager. Reminds every 1 h until somebody acknowledges, 10 times at most.")
    .waitFor();
  await page.getByText("When nobody is told").click();
  await page.getByLabel("It depends on").fill("upl");
  await page.getByRole("button", { name: "+ Uplink" }).click();
  await words.getByText(/and later where it waits for what it depends on/).waitFor();
  await page.getByLabel(/^While its status changes all the time/).check();
  await expectFit(page, "form of a monitor");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("heading", { name: "Shop", exact: true }).waitFor();
  expect((await api("GET", `/v1/monitors/${shop}`)).body).toMatchObject({
    dependsOn: [uplink],
    flapping: { highPercent: 30, lowPercent: 20 },
    alerts: {
      policies: [expect.any(String)],
      steps: [{ afterSeconds: 300, channels: [pager], emails: [] }],
      remindEverySeconds: 3600,
    },
  });
  const hearers = page.getByRole("region", { name: "Who would hear of this" });
  await hearers.getByText("After 10 min, if nobody has acknowledged: Night pager.").waitFor();
  await hearers.getByText("which takes it by its tags").waitFor();
  await hearers.getByText("which it names").waitFor();
  const dependencies = page.getByRole("region", { name: "Dependencies" });
  await dependencies.getByRole("link", { name: "Uplink" }).waitFor();
  await expectFit(page, "monitor with dependencies");
  await dependencies.getByRole("link", { name: "Uplink" }).click();
  await page.getByRole("heading", { name: "Uplink" }).waitFor();
  await page.getByRole("button", { name: "What depends on it?" }).click();
  await dependencies.getByText("These depend on it:").waitFor();
  await dependencies.getByRole("link", { name: "Shop" }).first().waitFor();
  await hearers
    .getByText("At once: programs that have subscribed and whoever has subscribed by mail or SMS.")
    .waitFor();
  await page.goto(`/monitors/${shop}`);
  await hearers.getByRole("link", { name: "Web team" }).click();
  await page.getByRole("heading", { name: "Edit Web team" }).waitFor();
  expect(new URL(page.url()).pathname).toBe(`/policies/${tagged}`);
  expect(one.faults).toEqual([]);
  await one.close();
}, 60_000);

test("subscriptions: what each gets in words; asked to confirm; a test that reaches others asks first; delete", async () => {
  const one = await open("/subscriptions", { expected: [409, 422] });
  const { page } = one;
  await page.getByText("No subscriptions.").waitFor();
  await expectAccessible(page, "no subscriptions");
  await page.getByLabel("Mail address").fill("nobody");
  await page.getByRole("button", { name: "Subscribe" }).click();
  await page.getByText('must be a mail address, got "nobody"').waitFor();
  await expectFocus(page, "endpoint");
  await page.getByLabel("Mail address").fill("people@example.com");
  await page.getByText("Only some alerts").click();
  await page.getByLabel("critical: down").check();
  await page.getByLabel("Tags").fill("team=orders, team=web");
  await page.getByRole("button", { name: "Subscribe" }).click();
  await page.getByText("people@example.com was asked to confirm.").waitFor();
  await page.getByRole("row", { name: /people@example\.com .*waits for its confirmation/ }).waitFor();
  for (const number of ["+41790000001", "+41790000002"]) {
    await page.getByLabel("By").selectOption("SMS");
    await page.getByLabel("Phone number").fill(number);
    await page.getByRole("button", { name: "Subscribe" }).click();
    await page.getByRole("row", { name: new RegExp(`${number.slice(1)}.*All alerts\\. confirmed`) }).waitFor();
  }
  await expectFit(page, "subscriptions");
  const row = page.getByRole("row", { name: /41790000001/ });
  await row.getByRole("button", { name: "Send test" }).click();
  await row.getByText("the test also reaches 1 other subscriptions").waitFor();
  await row.getByRole("button", { name: "Send it to all of them" }).click();
  await row.getByText("The test was sent, to 1 other too.").waitFor();
  await row.getByRole("button", { name: "Change…" }).click();
  const dialog = page.getByRole("dialog", { name: /^What .*41790000001 gets$/ });
  await dialog.getByLabel("critical: down").check();
  await dialog.getByLabel("Tags").fill("nonsense");
  await dialog.getByRole("button", { name: "Save" }).click();
  await expectFocus(page, "change-tags");
  await expectAccessible(page, "filter with errors");
  await dialog.getByLabel("Tags").fill("team=web");
  await dialog.getByRole("button", { name: "Save" }).click();
  await row.getByText("Alerts of severity critical, of monitors with team=web.").waitFor();
  await expectFocus(page, "Change…");
  await row.getByRole("button", { name: "Delete…" }).click();
  await page.getByRole("button", { name: "Delete", exact: true }).click();
  await row.waitFor({ state: "detached" });
  expect(one.faults).toEqual([]);
  await one.close();
}, 60_000);

test("a token that may only read sees the pages without what it may not do; on a phone they are behind a menu", async () => {
  const { token } = (await api("POST", "/v1/tokens", { name: "Reader", scopes: ["read"] })).body;
  const one = await visit(browser, stack.apiUrl, { viewport: { width: 375, height: 800 } });
  const { page } = one;
  await page.goto("/policies/new");
  await page.getByLabel("Token").fill(token);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByText("Creating a policy needs a token with the scope write.").waitFor();
  for (const name of ["Alerts", "Maintenance"]) {
    await page.getByRole("button", { name: "Menu" }).click();
    await expectAccessible(page, "menu");
    await page.getByRole("link", { name, exact: true }).click();
    await page.getByRole("heading", { level: 1 }).waitFor();
  }
  for (const [path, heading] of [
    ["/policies", "Alert policies"],
    ["/channels", "Channels"],
    ["/subscriptions", "Subscriptions"],
    ["/maintenance", "Maintenance"],
  ] as const) {
    await page.goto(path);
    await page.getByRole("heading", { name: heading }).waitFor();
    await page.getByText("Loading").waitFor({ state: "detached" });
    expect(await page.locator("main").getByRole("button").count(), path).toBe(0);
    expect(await page.getByRole("link", { name: /^New|^Edit/ }).count(), path).toBe(0);
  }
  expect(one.faults).toEqual([]);
  await one.close();
}, 60_000);
