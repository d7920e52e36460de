/**
 * Visits of tests with a real browser. Whatever a page does wrong by itself fails its test: an error in the console, a
 * violation of the Content-Security-Policy, a request to another origin.
 */
import { source as axeSource } from "axe-core";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { expect } from "vitest";

export { startBrowser } from "./start.ts";

export interface Visit {
  readonly page: Page;
  /** What the page did wrong so far. */
  readonly faults: string[];
  close(): Promise<void>;
}

/** Errors that a test causes on purpose: the browser notes each answer of 400 and above. */
const isExpected = (text: string, expected: readonly number[]) =>
  expected.some((status) => text.includes(`status of ${status}`)) ||
  (expected.includes(0) && text.includes("net::ERR_"));

/** @param expected statuses of answers that the test is about; 0: no answer at all */
export const visit = async (
  browser: Browser,
  origin: string,
  { expected = [], ...options }: BrowserContextOptions & { readonly expected?: readonly number[] } = {},
): Promise<Visit> => {
  const context = await browser.newContext({ baseURL: origin, ...options });
  const page = await context.newPage();
  const faults: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" && !isExpected(message.text(), expected)) faults.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => faults.push(`page: ${error.stack ?? error.message}`));
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(origin) && !url.startsWith("data:")) faults.push(`request: ${url}`);
  });
  return { page, faults, close: () => context.close() };
};

interface AxeResult {
  readonly passes: number;
  readonly violations: readonly {
    readonly id: string;
    readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
  }[];
}

/** WCAG A and AA up to 2.2; in the dark theme contrast alone, because that is all that a theme changes. */
export const expectAccessible = async (page: Page, where: string): Promise<void> => {
  // By the debugger, because the page's Content-Security-Policy lets nobody add scripts.
  const session = await page.context().newCDPSession(page);
  const isDark = await page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches");
  const rules = isDark ? ["color-contrast"] : ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
  const runOnly = { type: isDark ? "rule" : "tag", values: rules };
  const run = `${axeSource}; axe.run(document, { runOnly: ${JSON.stringify(runOnly)} }).then(({ violations, passes }) => JSON.stringify({ violations, passes: passes.length }))`;
  const { result } = await session.send("Runtime.evaluate", {
    expression: run,
    awaitPromise: true,
    returnByValue: true,
  });
  await session.detach();
  const { violations, passes } = JSON.parse(String(result.value)) as AxeResult;
  expect(passes, `rules that axe looked at in ${where}`).toBeGreaterThanOrEqual(isDark ? 1 : 6);
  const told = violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html}\n${failureSummary}`),
  );
  expect(told, where).toEqual([]);
};

/** In both themes and on a narrow screen. */
export const expectFit = async (page: Page, where: string): Promise<void> => {
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    await expectAccessible(page, `${where}, ${colorScheme}`);
  }
  const size = page.viewportSize()!;
  await page.setViewportSize({ width: 320, height: 700 });
  expect(await page.evaluate("document.documentElement.scrollWidth - innerWidth"), `${where} is too wide`).toBe(0);
  await page.setViewportSize(size);
};

/** @param what the id of the element, its label, or what it says */
export const expectFocus = async (page: Page, what: string): Promise<void> => {
  const found = "document.activeElement.id || document.activeElement.ariaLabel || document.activeElement.textContent";
  await expect.poll(() => page.evaluate(found), { timeout: 20_000 }).toBe(what);
};
