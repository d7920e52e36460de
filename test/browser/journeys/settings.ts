/** Journeys: tokens, sessions, the audit log, and how the dashboard is displayed. */
import { expect, test } from "vitest";
import { createClient } from "../../support/client.ts";
import { expectAccessible, expectFit } from "../browser.ts";
import { api, enter, ids, stack } from "./journey.ts";

export const settingsJourneys = (): void => {
  test("tokens: create, see its text once, rename, rotate, revoke; what is wrong stands at its field", async () => {
    const { page, faults, close } = await enter("/settings/tokens", { expected: [422, 409] });
    await page.getByRole("row", { name: /\(yours\)/ }).waitFor();
    await page.getByRole("button", { name: "Create token" }).click();
    await page.getByText("Nothing was stored.").waitFor();
    await expect.poll(() => page.evaluate("document.activeElement.id"), { timeout: 20_000 }).toBe("name");
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
    await expect.poll(() => rows.count(), { timeout: 20_000 }).toBe(before - 1);
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

  test("settings are accessible and fit a small phone, in both themes", async () => {
    const { page, faults, close } = await enter("/settings");
    for (const name of ["Tokens", "Sessions", "Audit log", "Display"]) {
      await page.getByRole("navigation", { name: "Settings" }).getByRole("link", { name }).click();
      await page.getByRole("heading", { name, level: 1 }).waitFor();
      if (name !== "Display") await page.locator("tbody tr").first().waitFor();
      await expectFit(page, name);
    }
    expect(faults).toEqual([]);
    await close();
  }, 60_000);

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
};
