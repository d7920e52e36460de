/** Journeys: the past of a monitor. */
import { expect, test } from "vitest";
import { expectAccessible } from "../browser.ts";
import { enter, ids } from "./journey.ts";

export const monitorJourneys = (): void => {
  test.each(["light", "dark"] as const)(
    "a bar opens its time, and the lane of a location is read with the arrow keys, %s",
    async (colorScheme) => {
      const { page, faults, close } = await enter(`/monitors/${ids.get("Broken")}`, { colorScheme });
      const bars = page.getByRole("slider", { name: /^Status by day/ });
      await bars.focus();
      await page.keyboard.press("End");
      await page.keyboard.press("Enter");
      const detail = page.getByRole("region", { name: "How the port answered" });
      await detail.getByText(/\(UTC\), one day$/).waitFor();
      const lane = detail.getByRole("slider", { name: "How the port answered, seen from local" });
      await lane.focus();
      await page.keyboard.press("End");
      expect(await lane.getAttribute("aria-valuetext")).toMatch(/: closed, [a-z-]+ \(down\)$/);
      await detail.getByRole("listitem").getByText("down").first().waitFor();
      await expectAccessible(page, "detail");
      await detail.getByRole("button", { name: "1 hour" }).click();
      await detail.getByText(/one day$/).waitFor({ state: "detached" });
      await lane.waitFor();
      await detail.getByRole("link", { name: "Results of this time" }).click();
      await page
        .getByRole("row", { name: /closed/ })
        .first()
        .waitFor();
      expect(new URL(page.url()).search).toBe("?from=-1h");
      expect(faults).toEqual([]);
      await close();
    },
    60_000,
  );
};
