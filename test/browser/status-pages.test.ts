/** The dashboard's pages about status pages: make one, look at it, announce something on it, see who subscribes. */
import { expect, test } from "vitest";
import { expectAccessible, expectFit, expectFocus } from "./browser.ts";
import { api, enter, ids, startJourneys } from "./journeys/journey.ts";

startJourneys();

/** A picture of one pixel. */
const PIXEL = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==",
  "base64",
);

test("a status page: groups in an order, a look, a preview that is the real page; what is wrong stands at its field", async () => {
  const { page, faults, close } = await enter("/status-pages", { expected: [422] });
  await page.getByText("No status pages.").waitFor();
  await expectAccessible(page, "no status pages");
  await page.getByRole("link", { name: "Make the first one" }).click();
  await page.getByRole("button", { name: "Create status page" }).click();
  await expectFocus(page, "title");
  await page.getByLabel("Title").fill("Shop & Co.");
  await page.getByLabel("Heading", { exact: true }).fill("Services");
  for (const name of ["Broken", "Fine"]) {
    await page.getByLabel("Add a monitor").fill(name);
    await page.getByRole("button", { name: `+ ${name}` }).click();
    await expectFocus(page, "groups[0].entries");
  }
  const names = page.getByLabel("Public name");
  await names.nth(0).fill("Payment");
  await names.nth(1).fill("");
  await page.getByRole("button", { name: "Create status page" }).click();
  await page.getByText("is required: what the public reads").waitFor();
  await expectFocus(page, "groups[0].entries[1].name");
  await names.nth(1).fill("Ordering");
  await expectFit(page, "status page with errors");

  // By the keyboard: up within its group, where the focus stays with it.
  await page.getByRole("button", { name: "Move Fine up" }).focus();
  await page.keyboard.press("Enter");
  await expectFocus(page, "Move Fine up");
  expect(await names.evaluateAll((all) => all.map((one) => (one as { value?: string }).value))).toEqual([
    "Ordering",
    "Payment",
  ]);
  await page.getByRole("button", { name: "Add a group" }).click();
  await page
    .getByRole("group", { name: "Group 2" })
    .getByRole("button", { name: "Add monitors by their tags" })
    .click();
  await page.getByLabel("Tags", { exact: true }).fill("team=web");
  // Down from the end of a group: into the next one.
  await page.getByRole("button", { name: "Move Broken down" }).click();
  await page.getByRole("list", { name: "Shown in group 2" }).getByLabel("Public name").waitFor();
  await page.getByLabel("Logo", { exact: true }).setInputFiles({ name: "a.png", mimeType: "image/png", buffer: PIXEL });
  await page.getByRole("img", { name: "The logo" }).waitFor();
  await page.getByLabel("Colour of the line at the top").fill("#0a7d55");
  await page.getByLabel("How far back").selectOption("30 days");
  await page.getByLabel("Latency of the newest check").check();
  await page.getByRole("button", { name: "Add a link to its foot" }).click();
  await page.getByLabel("Link 1", { exact: true }).fill("Help");
  await page.getByLabel("Address of link 1").fill("example.com");
  await page.getByRole("button", { name: "Show the page" }).click();
  await page.getByText(/must be an address that begins with https/).waitFor();
  await page.getByLabel("Address of link 1").fill("https://example.com/help");
  await page.getByRole("button", { name: "Show the page" }).click();
  const frame = page.frameLocator("iframe");
  await frame.getByRole("heading", { name: "Shop & Co." }).waitFor();
  await frame.getByText("Ordering").waitFor();
  await page.getByRole("button", { name: "Create status page" }).click();
  const row = page.getByRole("row", { name: "Shop & Co." });
  await row.getByText("/status/shop-co").waitFor();
  await row.getByText("2 monitors, and those with team=web").waitFor();
  await row.getByText("0 subscribers").waitFor();
  await expectFit(page, "status pages");
  const [stored] = (await api("GET", "/v1/status-pages")).body.items;
  expect(stored).toMatchObject({
    ...{ accentColor: "#0a7d55", days: 30, showLatency: true, showPercent: true, embed: false },
    logo: `data:image/png;base64,${PIXEL.toString("base64")}`,
    links: [{ label: "Help", url: "https://example.com/help" }],
    groups: [
      { name: "Services", text: null, entries: [{ monitorId: ids.get("Fine"), name: "Ordering" }] },
      {
        name: null,
        text: null,
        entries: [{ monitorId: ids.get("Broken"), name: "Payment" }, { tags: { team: "web" } }],
      },
    ],
  });
  const opened = page.waitForEvent("popup");
  await row.getByRole("link", { name: "Open Shop & Co. in a new tab" }).click();
  const popup = await opened;
  await popup.getByRole("heading", { name: "Shop & Co." }).waitFor();
  expect(faults).toEqual([]);
  await close();
}, 60_000);

test("who sees it: a secret address that is made anew, a password that is never shown, a link shown once; a conflict", async () => {
  const { id, slug } = (await api("POST", "/v1/status-pages", { title: "Inner", visibility: "unlisted" })).body;
  const { page, faults, close } = await enter(`/status-pages/${id}`, { expected: [412, 422] });
  await page.getByRole("button", { name: "Give it a new secret address" }).click();
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("row", { name: "Inner" }).getByText("By its secret address").waitFor();
  const renewed = (await api("GET", `/v1/status-pages/${id}`)).body.slug;
  expect(renewed).toMatch(/^[0-9a-f]{32}$/);
  expect(renewed).not.toBe(slug);
  await page.getByRole("link", { name: "Inner", exact: true }).click();
  await page.getByLabel("Seen").selectOption("By password or link");
  await page.getByLabel("Password").fill("short");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("must have at least 8 characters").waitFor();
  await page.getByLabel("Password").fill("correct horse");
  await api("PATCH", `/v1/status-pages/${id}`, { days: 30 });
  await page.getByRole("button", { name: "Save" }).click();
  const conflict = page.getByRole("alert", { name: "Changed meanwhile" });
  await conflict.getByRole("row", { name: "days 90 30" }).waitFor();
  await conflict.getByRole("button", { name: "Store my changes as well" }).click();
  const row = page.getByRole("row", { name: "Inner" });
  await row.getByRole("button", { name: "Make a link to Inner" }).click();
  const dialog = page.getByRole("dialog", { name: "A link to Inner" });
  const link = await dialog.getByLabel("Link").inputValue();
  await expectAccessible(page, "link");
  await dialog.getByRole("button", { name: "Done" }).click();
  await expectFocus(page, "Make a link to Inner");
  expect((await fetch(link, { redirect: "manual" })).status).toBe(303);
  await row.getByRole("link", { name: "Inner", exact: true }).click();
  expect(await page.getByLabel("Password", { exact: true }).getAttribute("placeholder")).toBe("set, stays as it is");
  await page.getByLabel(/^Remove it/).check();
  await page.getByRole("button", { name: "Save" }).click();
  await row.waitFor();
  expect((await api("GET", `/v1/status-pages/${id}`)).body).toMatchObject({ hasPassword: false, days: 30 });
  await row.getByRole("button", { name: "Delete…" }).click();
  await page.getByRole("button", { name: "Delete", exact: true }).click();
  await row.waitFor({ state: "detached" });
  await page.goto(`/status-pages/${id}`);
  await page.getByRole("heading", { name: "There is no such status page" }).waitFor();
  expect(faults.filter((fault) => !fault.includes("404"))).toEqual([]);
  await close();
}, 60_000);

test("notices are written, changed, ended and deleted; subscribers are found and removed; a public note", async () => {
  const entries = [{ monitorId: ids.get("Broken"), name: "Payment" }];
  const { id, slug } = (await api("POST", "/v1/status-pages", { title: "News", groups: [{ entries }] })).body;
  const { page, faults, close } = await enter(`/status-pages/${id}/notices`, { expected: [422] });
  const notices = async () => (await api("GET", `/v1/status-pages/${id}/notices`)).body.items;
  await page.getByText("No notices at present.").waitFor();
  await page.getByRole("button", { name: "Write notice" }).click();
  await expectFocus(page, "new-title");
  await page.getByLabel("Headline").fill("Work on Sunday");
  await page.getByLabel("About").selectOption("Maintenance");
  await page.getByLabel("From").fill("2030-01-06T02:00");
  await page.getByLabel("Until").fill("2030-01-06T01:00");
  await page.getByRole("button", { name: "Write notice" }).click();
  await page.getByText(/must be after startsAt/).waitFor();
  await expectFit(page, "notice with errors");
  await page.getByLabel("From").fill("");
  await page.getByLabel("Until").fill("");
  await page.getByRole("button", { name: "Write notice" }).click();
  const card = page.getByRole("region", { name: "Work on Sunday" });
  await card.getByText(/^Maintenance, on from .* until somebody ends it$/).waitFor();
  await card.getByRole("button", { name: "Change Work on Sunday" }).click();
  await card.getByLabel("Text").fill("It takes an hour.");
  await card.getByRole("button", { name: "Save" }).click();
  await card.getByText("It takes an hour.", { exact: true }).waitFor();
  expect(await notices()).toMatchObject([{ kind: "maintenance", text: "It takes an hour.", endsAt: null }]);
  await expectFit(page, "notices");
  await card.getByRole("button", { name: "End now: Work on Sunday" }).click();
  await page.getByText("1 notice that is over").click();
  await card.getByRole("button", { name: "Delete…" }).click();
  await page.getByRole("button", { name: "Delete", exact: true }).click();
  await expect.poll(notices).toEqual([]);

  await page.getByRole("link", { name: "Subscribers" }).click();
  await page.getByText("No subscribers.").waitFor();
  await expectAccessible(page, "no subscribers");
  await page.goto(`/status/${slug}`);
  await page.getByLabel("Mail address").fill("ann@example.com");
  await page.getByRole("button", { name: "Subscribe" }).click();
  await page.getByRole("heading", { name: /a mail is on its way/ }).waitFor();
  await page.goto(`/status-pages/${id}/subscribers`);
  const subscriber = page.getByRole("row", { name: /ann@example\.com has not confirmed yet/ });
  await subscriber.waitFor();
  await expectFit(page, "subscribers");
  await page.getByLabel("Find an address").fill("bob");
  await subscriber.waitFor({ state: "detached" });
  await page.getByLabel("Find an address").fill("");
  await subscriber.getByRole("button", { name: "Delete…" }).click();
  await page.getByRole("button", { name: "Delete", exact: true }).click();
  await page.getByText("No subscribers.").waitFor();

  const incidents = async () => (await api("GET", "/v1/incidents")).body.items;
  await expect.poll(incidents, { timeout: 30_000 }).toHaveLength(1);
  await page.goto(`/incidents/${(await incidents())[0].id}`);
  await page.getByLabel("Note").fill("We have found the cause.");
  await page.getByLabel(/^For everybody/).check();
  await page.getByRole("button", { name: "Write note" }).click();
  await page.getByText("for everybody:").waitFor();
  const shown = async () => (await fetch(new URL(`/status/${slug}.json`, page.url()))).text();
  await expect.poll(shown, { timeout: 30_000, interval: 1_000 }).toContain("We have found the cause.");
  expect(faults).toEqual([]);
  await close();
}, 90_000);

test("a token that may only read sees the pages without what it may not do, and is told what a direct address needs", async () => {
  await api("POST", "/v1/status-pages", { title: "Readable" });
  const { token } = (await api("POST", "/v1/tokens", { name: "Reader", scopes: ["read"] })).body;
  const { page, faults, close } = await enter("/status-pages/new", { token });
  await page.getByText("Creating a status page needs a token with the scope write.").waitFor();
  await page.getByRole("link", { name: "Status pages" }).click();
  await page.getByRole("link", { name: "Readable", exact: true }).click();
  await page.getByText("No notices at present.").waitFor();
  expect(await page.locator("main").getByRole("button").count()).toBe(0);
  const id = new URL(page.url()).pathname.split("/")[2];
  await page.goto(`/status-pages/${id}/subscribers`);
  await page.getByText("Seeing who subscribes needs a token with the scope write.").waitFor();
  expect(faults).toEqual([]);
  await close();
}, 60_000);
