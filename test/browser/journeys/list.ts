/** Journeys: import, raw results, the keyboard, the wall. */
import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { expectAccessible, expectFit } from "../browser.ts";
import { api, closedPort, enter, ids } from "./journey.ts";

export const listJourneys = (): void => {
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
    expect(JSON.parse(await readFile(await saved.path(), "utf8"))).toMatchObject({
      monitors: expect.arrayContaining(monitors.map((one) => expect.objectContaining(one))),
    });
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
  }, 90_000);

  test("results: by time, and all of them as CSV", async () => {
    const { page, faults, close } = await enter(`/monitors/${ids.get("Broken")}`, { expected: [422] });
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
    await expect.poll(() => new URL(page.url()).search, { timeout: 20_000 }).toBe("?from=-7d");
    await page.goto(`/monitors/${ids.get("Broken")}/results?from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z`);
    await page.getByText("No checks in this time.").waitFor();
    await page.goto(`/monitors/${ids.get("Broken")}/results?from=yesterday`);
    await page.getByText(/got "yesterday"/).waitFor();
    await page.getByLabel("Time").selectOption("-1h");
    await page
      .getByRole("row", { name: /closed/ })
      .first()
      .waitFor();
    expect(faults).toEqual([]);
    await close();
  }, 90_000);

  test("keyboard: search, move, select, open, create, help, and Ctrl+K to anything; single keys can be switched off", async () => {
    const { page, faults, close } = await enter("/monitors?sort=name&tag=wall");
    await page.getByRole("link", { name: "Fine" }).waitFor();
    const { keyboard } = page;
    const focused = () => page.evaluate("document.activeElement.textContent");
    await keyboard.press("j");
    expect(await focused()).toBe("Broken");
    await keyboard.press("j");
    expect(await focused()).toBe("Fine");
    await keyboard.press("x");
    await page.getByText("1 monitor selected").waitFor();
    await keyboard.press("k");
    await keyboard.press("Enter");
    await page.getByRole("heading", { name: "Broken" }).waitFor();
    await keyboard.press("?");
    const help = page.getByRole("dialog", { name: "Keyboard" });
    await help.waitFor();
    await expectAccessible(page, "help");
    await keyboard.press("Escape");
    await help.waitFor({ state: "detached" });
    await keyboard.press("Control+k");
    const palette = page.getByRole("dialog", { name: "Go to" });
    await palette.getByRole("option", { name: "Fine" }).waitFor();
    await expectAccessible(page, "palette");
    await keyboard.type("fi");
    await keyboard.press("Enter");
    await page.getByRole("heading", { name: "Fine" }).waitFor();
    await keyboard.press("Control+k");
    await palette.waitFor();
    await keyboard.type("display");
    await keyboard.press("Enter");
    await page.getByLabel("Keyboard shortcuts").selectOption("off");
    await page.getByRole("link", { name: "Monitors" }).click();
    await page.getByRole("link", { name: "Fine" }).waitFor();
    await keyboard.press("c");
    await keyboard.press("Control+k");
    await palette.waitFor();
    expect(new URL(page.url()).pathname).toBe("/monitors");
    await keyboard.press("Escape");
    await page.evaluate("localStorage.removeItem('harborlight-display')");
    await page.reload();
    await page.getByRole("link", { name: "Fine" }).waitFor();
    await keyboard.press("/");
    await keyboard.type("fine");
    await page.getByText(/^1 of \d+$/).waitFor();
    await page.getByRole("heading", { name: "Monitors" }).focus();
    await keyboard.press("c");
    await page.getByRole("heading", { name: "New monitor" }).waitFor();
    expect(faults).toEqual([]);
    await close();
  }, 90_000);

  test("the wall shows problems first, of the monitors with a tag", async () => {
    const { page, faults, close } = await enter("/wall?tag=wall");
    await page.getByRole("heading", { name: "1 down of 2" }).waitFor();
    expect(await page.getByRole("listitem").locator("b").allTextContents()).toEqual(["Broken", "Fine"]);
    expect(await page.getByRole("navigation").count()).toBe(0);
    await expectFit(page, "wall");
    await page.goto("/wall?tag=team=orders");
    await page.getByRole("heading", { name: "All 1 up" }).waitFor();
    expect(faults).toEqual([]);
    await close();
  }, 90_000);
};
