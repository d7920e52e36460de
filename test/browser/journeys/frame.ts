/** Journeys: what the frame says on every page, and a session that ends. */
import { expect, test } from "vitest";
import { expectAccessible, expectFit, expectFocus } from "../browser.ts";
import { api, enter, stack } from "./journey.ts";

/** Runs at once what a page asks for from time to time. */
const LOOK_NOW = "dispatchEvent(new Event('online'))";

export const frameJourneys = (): void => {
  test("every page says how many monitors are down, in its header, its title and its icon", async () => {
    const { page, faults, close } = await enter("/locations");
    await page.getByRole("link", { name: "1 down" }).waitFor({ timeout: 30_000 });
    expect(await page.title()).toBe("(1 down) Locations – Harborlight");
    expect(await page.locator("link[rel=icon]").getAttribute("href")).toMatch(/^data:image\/svg/);
    await page.getByRole("link", { name: "1 down" }).click();
    await page.getByRole("link", { name: "Broken" }).waitFor();
    // What the first script asks for, the others do not ask for again.
    const asked: string[] = [];
    page.on("request", (request) => asked.push(new URL(request.url()).pathname));
    await page.reload();
    await page.getByRole("link", { name: "Broken" }).waitFor();
    expect(asked.filter((path) => path === "/v1/session")).toHaveLength(1);
    expect(faults).toEqual([]);
    await close();
  }, 60_000);

  test("whoever opens a page is at its heading, also where the page is loaded first; a test leaves the focus where it is", async () => {
    const { page, faults, close } = await enter("/monitors");
    await page.getByRole("table", { name: "Monitors" }).waitFor();
    await page.getByRole("link", { name: "Fine" }).press("Enter");
    await expectFocus(page, "Fine");
    await page.getByRole("link", { name: "Alerts" }).press("Enter");
    await expectFocus(page, "Alert policies");
    await page.keyboard.press("c");
    await expectFocus(page, "New monitor");
    await page.getByLabel("Host name or IP address").fill("127.0.0.1:1");
    await page.getByRole("button", { name: "Test now" }).press("Enter");
    await page.getByRole("table", { name: "What each location saw" }).waitFor();
    await expectFocus(page, "Test now");
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
    // What the page still asks for would open the dialog too, over the button.
    await page.waitForLoadState("networkidle");
    await api("DELETE", `/v1/sessions/${newest}`);
    await page.evaluate(LOOK_NOW);
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

  test("whoever asks too often is told how long to wait, and the page goes on by itself", async () => {
    const { page, faults, close } = await enter("/locations", { expected: [429, 503] });
    await page.getByRole("cell", { name: "works" }).waitFor();
    const busy = { status: 429, headers: { "retry-after": "3" }, json: { detail: "1200 calls a minute are enough" } };
    let answer: { readonly status: number; readonly json: object } | null = busy;
    await page.route("**/v1/incidents?*", (route) => (answer ? route.fulfill(answer) : route.continue()));
    await page.getByRole("link", { name: "Incidents" }).click();
    await page.getByText("1200 calls a minute are enough").waitFor();
    await page.getByText(/^Wait [123] s before you try again\.$/).waitFor();
    await page.getByText("You can try again now.").waitFor();
    await expectFit(page, "too many requests");
    answer = { status: 429, json: { message: "Too Many Requests" } };
    const again = page.getByRole("button", { name: "Try again" });
    await again.click();
    await page.getByText("There are too many requests at once").waitFor();
    answer = { status: 503, json: { message: "Service Unavailable" } };
    await again.click();
    await page.getByText("Service Unavailable").waitFor();
    answer = null;
    await page.getByRole("link", { name: "Broken" }).waitFor({ timeout: 20_000 });
    expect(await again.count()).toBe(0);
    expect(faults).toEqual([]);
    await close();
  }, 60_000);

  test("a page that cannot be drawn says so, and the others still work", async () => {
    const { page, faults, close } = await enter("/settings");
    await page.route("**/v1/locations", (route) => route.fulfill({ json: { items: [{ condition: "working" }] } }));
    await page.getByRole("link", { name: "Locations" }).click();
    await page.getByText("This page has a fault and cannot be shown.").waitFor();
    await expectAccessible(page, "a page with a fault");
    await page.getByRole("link", { name: "Incidents" }).click();
    await page.getByRole("link", { name: "Broken" }).waitFor();
    expect(faults).toEqual([expect.stringMatching(/^console: TypeError/)]);
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
    const said = page.getByText("There is a newer version of this page.");
    // A look that is on its way already saw the old one.
    await expect.poll(() => page.evaluate(LOOK_NOW).then(() => said.count()), { timeout: 20_000 }).toBe(1);
    await expectAccessible(page, "notices");
    await page.getByRole("button", { name: "Reload" }).click();
    await page.getByText("There is a newer version of this page.").waitFor({ state: "detached" });
    expect(faults).toEqual([]);
    await close();
  }, 60_000);
};
