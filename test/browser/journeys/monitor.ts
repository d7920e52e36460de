/** Journeys: the past of a monitor. */
import { once } from "node:events";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { makeCertificate } from "../../support/certificates.ts";
import { expectFit } from "../browser.ts";
import { api, enter, ids } from "./journey.ts";

/** A web server whose certificate it has signed itself. @returns its port */
const serveTls = async (): Promise<number> => {
  const { certificate: cert, key } = makeCertificate({ subject: "shop.example.com", names: ["shop.example.com"] });
  const server = createServer({ cert, key }, (_request, response) => response.end("ok")).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
};

export const monitorJourneys = (): void => {
  test("a bar opens its time, and the lane of a location is read with the arrow keys", async () => {
    const { page, faults, close } = await enter(`/monitors/${ids.get("Broken")}`);
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
    await expectFit(page, "detail");
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
  }, 60_000);

  test("a check now shows its stages; the certificate; the chart is zoomed by the mouse, the keyboard and buttons", async () => {
    const settings = { tls: { verify: false } };
    const body = { name: "Shop", protocol: "https", host: "127.0.0.1", port: await serveTls(), settings };
    const { id } = (await api("POST", "/v1/monitors", { ...body, intervalSeconds: 10 })).body;
    const silence = { name: "Work", monitorIds: [id], schedule: { kind: "once", durationSeconds: 3_600 } };
    await api("POST", "/v1/maintenance-windows", silence);
    const { page, faults, close } = await enter("/monitors?q=Shop");
    await page.getByRole("row", { name: /^Select Shop Shop .*in maintenance/ }).waitFor();
    await page.goto(`/monitors/${id}`);
    await page.getByRole("button", { name: "Check now" }).click();
    const checked = page.getByRole("region", { name: "Checked just now" });
    await checked.getByText(/^connect .* ms, TLS .* ms, first byte .* ms$/).waitFor();
    const certificate = page.getByRole("region", { name: "Certificate" });
    await certificate.getByText("no: it is signed by itself").waitFor({ timeout: 30_000 });
    await certificate.getByText("89 days left").waitFor();
    const latency = page.getByRole("region", { name: "Latency" });
    await latency.getByRole("button", { name: "1 hour" }).click();
    const chart = latency.getByRole("slider", { name: "Latency: p50, p95, p99" });
    await chart.waitFor({ timeout: 30_000 });
    await latency.getByText("maintenance", { exact: true }).waitFor();
    await expectFit(page, "monitor with a certificate");
    await chart.scrollIntoViewIfNeeded();
    const { x, y, width } = (await chart.boundingBox())!;
    await page.mouse.move(x + width / 2, y + 50);
    await page.mouse.down();
    await page.mouse.move(x + width, y + 60, { steps: 3 });
    await page.mouse.up();
    const shown = latency.getByText(/^\d+ \w+ 2\d{3}, .* to \d+ \w+ 2\d{3}/);
    await shown.waitFor();
    const drawn = await shown.textContent();
    await chart.press("+");
    await expect.poll(() => shown.textContent(), { timeout: 20_000 }).not.toBe(drawn);
    const closest = await shown.textContent();
    await latency.getByRole("button", { name: "Zoom out" }).click();
    await expect.poll(() => shown.textContent(), { timeout: 20_000 }).not.toBe(closest);
    await latency.getByRole("button", { name: "1 hour" }).click();
    await shown.waitFor({ state: "detached" });
    expect(faults).toEqual([]);
    await close();
  }, 90_000);

  test("answers that take longer than the pause between two questions are shown all the same", async () => {
    const { page, faults, close } = await enter("/settings");
    await page.route(/\/stats\?/, async (route) => {
      await sleep(6_000);
      await route.continue();
    });
    await page.goto(`/monitors/${ids.get("Fine")}`);
    await page
      .getByText(/known$/)
      .first()
      .waitFor({ timeout: 25_000 });
    expect(faults).toEqual([]);
    await close();
  }, 60_000);
};
