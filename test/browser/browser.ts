/**
 * A real browser for tests: HARBORLIGHT_BROWSER, the one that npm installed (Linux on x64), or an installed Chrome.
 * Whatever a page does wrong by itself fails its test: an error in the console, a violation of the
 * Content-Security-Policy, a request to another origin.
 */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { source as axeSource } from "axe-core";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { expect } from "vitest";

const INSTALLED = [
  "/usr/bin/google-chrome",
  "/usr/bin/chromium",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

interface Found {
  readonly path: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Unpacks the browser of @sparticuz/chromium, in a process of its own: with this variable it brings the libraries that a
 * machine without a desktop lacks, and nothing else shall believe to run in Lambda.
 */
const unpacked = (): Found => {
  const env = { ...process.env, AWS_EXECUTION_ENV: "AWS_Lambda_nodejs24.x" };
  const script = join(import.meta.dirname, "unpack.ts");
  return JSON.parse(execFileSync(process.execPath, [script], { env, encoding: "utf8" })) as Found;
};

const found = (): Found => {
  const chosen = process.env.HARBORLIGHT_BROWSER;
  if (chosen) return { path: chosen, args: [] };
  if (process.platform === "linux" && process.arch === "x64") return unpacked();
  const path = INSTALLED.find((one) => existsSync(one));
  if (!path) throw new Error("there is no browser for these tests: name one in HARBORLIGHT_BROWSER");
  return { path, args: [] };
};

export const startBrowser = async (): Promise<Browser> => {
  const { path, args, env = {} } = found();
  return chromium.launch({
    executablePath: path,
    // In one process the browser ends with its first context.
    args: args.filter((argument) => argument !== "--single-process"),
    env: { ...process.env, ...env } as Record<string, string>,
  });
};

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

/** WCAG A and AA up to 2.2, in the theme that the page has. */
export const expectAccessible = async (page: Page, where: string): Promise<void> => {
  // By the debugger, because the page's Content-Security-Policy lets nobody add scripts.
  const session = await page.context().newCDPSession(page);
  const run = `${axeSource}; axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] }).then(({ violations, passes }) => JSON.stringify({ violations, passes: passes.length }))`;
  const { result } = await session.send("Runtime.evaluate", {
    expression: run,
    awaitPromise: true,
    returnByValue: true,
  });
  await session.detach();
  const { violations, passes } = JSON.parse(String(result.value)) as AxeResult;
  expect(passes, `rules that axe looked at in ${where}`).toBeGreaterThan(5);
  const told = violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html}\n${failureSummary}`),
  );
  expect(told, where).toEqual([]);
};
