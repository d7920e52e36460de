/** Journeys: one action on many monitors of the list. */
import { expect, test } from "vitest";
import { expectAccessible } from "../browser.ts";
import { api, closedPort, enter } from "./journey.ts";

/** Makes monitors of which each name begins with `word`, and opens the list of them. */
const listOf = async (word: string, count: number) => {
  const monitors = Array.from({ length: count }, (_, n) => ({
    ...{
      key: `${word}-${n}`,
      name: `${word} ${n}`,
      paused: true,
      protocol: "tcp",
      host: "127.0.0.1",
      port: closedPort,
    },
  }));
  await api("PUT", "/v1/monitors", { monitors });
  const one = await enter(`/monitors?q=${word}&sort=name`, { expected: [422] });
  await one.page.getByLabel(`Select ${word} 0`, { exact: true }).waitFor();
  return { ...one, dialog: one.page.getByRole("dialog") };
};

export const bulkJourneys = (): void => {
  test("select some, see what would happen, do it, see for which it failed and why", async () => {
    const { page, dialog, faults, close } = await listOf("Worker", 4);
    await page.getByLabel("Select Worker 1", { exact: true }).check();
    await page.getByLabel("Select Worker 3", { exact: true }).click({ modifiers: ["Shift"] });
    await page.getByText("3 monitors selected").waitFor();
    await expectAccessible(page, "selection");
    await page.getByRole("button", { name: "Resume…" }).click();
    await dialog.getByText("3 monitors will be resumed.").waitFor();
    await expectAccessible(page, "bulk");
    await dialog.getByRole("button", { name: "Resume 3" }).click();
    await page.getByText("3 monitors resumed.").waitFor();
    await page.getByRole("button", { name: "Select all 4" }).click();
    await page.getByRole("button", { name: "Pause…" }).click();
    await dialog.getByText("3 monitors will be paused. 1 of them is like that already.").waitFor();
    await dialog.getByRole("button", { name: "Cancel" }).click();
    const focused = () => page.evaluate("document.activeElement.textContent");
    await expect.poll(focused, { timeout: 20_000 }).toBe("Pause…");
    await page.getByRole("button", { name: "Check now…" }).click();
    await dialog.getByText("For 1 it is not possible:").waitFor();
    await dialog.getByText("Worker 0: it is paused: resume it first").waitFor();
    await dialog.getByRole("button", { name: "Check 3" }).click();
    await dialog.getByText("3 monitors are being checked. 1 failed:").waitFor();
    await dialog.getByRole("button", { name: "Close" }).click();
    await api("POST", "/v1/monitors/bulk", { filter: { q: "worker" }, action: "delete" });
    expect(faults).toEqual([]);
    await close();
  }, 90_000);

  test("change settings of all, silence them; ten are not deleted by one click", async () => {
    const { page, dialog, faults, close } = await listOf("Robot", 10);
    await page.getByLabel("Select all that are shown").check();
    await page.getByRole("button", { name: "Change…" }).click();
    await page.getByLabel("Set tags").fill("=x");
    await page.getByRole("button", { name: "Next" }).click();
    await dialog.locator("[data-error]").waitFor();
    await page.getByLabel("Set tags").fill("team=robots, n=1");
    await page.getByLabel("Check every").selectOption("30");
    await expectAccessible(page, "bulk change");
    await page.getByRole("button", { name: "Next" }).click();
    await dialog.getByRole("button", { name: "Change 10" }).click();
    await page.getByText("10 monitors changed.").waitFor();
    await page.getByRole("button", { name: "Maintenance…" }).click();
    await page.getByLabel("From now on for").selectOption("3600");
    await page.getByRole("button", { name: "Begin" }).click();
    await page.getByText("10 monitors are in maintenance for 1 h.").waitFor();
    const changed = (await api("GET", "/v1/monitors?tag=team%3Drobots")).body.items;
    expect(changed).toHaveLength(10);
    for (const one of changed) expect(one).toMatchObject({ intervalSeconds: 30, tags: { team: "robots", n: "1" } });
    await page.getByRole("button", { name: "Delete…" }).click();
    const remove = dialog.getByRole("button", { name: "Delete 10" });
    await page.getByLabel("Type 10 to confirm").fill("1");
    expect(await remove.isDisabled()).toBe(true);
    await page.getByLabel("Type 10 to confirm").fill("10");
    await remove.click();
    await page.getByText(/^0 of \d monitors match\.$/).waitFor();
    expect(faults).toEqual([]);
    await close();
  }, 90_000);
};
