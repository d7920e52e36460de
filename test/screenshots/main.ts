/** `npm run screenshots`: takes the pictures of the README anew, of a running stack with a shop's monitors. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { startBrowser } from "../browser/start.ts";
import { startDemo } from "./demo.ts";

const FOLDER = join(import.meta.dirname, "../../docs/images");
/** Larger pictures would make the repository slow to clone. */
const MOST_BYTES = 200_000;

await mkdir(FOLDER, { recursive: true });
const demo = await startDemo();
const browser = await startBrowser();
try {
  const page = await browser.newPage({
    baseURL: demo.url,
    viewport: { width: 1100, height: 700 },
    colorScheme: "light",
  });
  page.setDefaultTimeout(120_000);
  const shoot = async (name: string) => {
    const path = join(FOLDER, `${name}.png`);
    await page.mouse.move(0, 0);
    const { length } = await page.screenshot({ path });
    if (length > MOST_BYTES) throw new Error(`${path} has ${length} bytes, at most ${MOST_BYTES} are wanted`);
    console.log(`${path}: ${length} bytes`);
  };
  await page.goto(`/login#${await demo.createLoginCode()}`);
  await page.getByRole("heading", { name: "Monitors" }).waitFor();
  await page.goto("/monitors?bars=90d");
  await page.getByText("99.98 %").first().waitFor();
  await shoot("monitors");
  await page.setViewportSize({ width: 1100, height: 640 });
  await page.goto(`/monitors/${demo.idOf("Search")}`);
  await page.getByRole("region", { name: "Latency" }).getByRole("slider").waitFor();
  await page
    .getByText(/^of .* known$/)
    .first()
    .waitFor();
  await shoot("monitor");
  await page.setViewportSize({ width: 1100, height: 900 });
  await page.goto("/status/shop");
  await page.getByText("2 of 5 services have problems").waitFor();
  await shoot("status-page");
} finally {
  await browser.close();
  await demo.stop();
}
