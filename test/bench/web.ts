/**
 * `npm run bench -- web [monitors ...]`: what the dashboard's list costs a browser, at 1,000 and 5,000 monitors with 90 days
 * of bars, on the one-machine stack: processor time of the page's main thread by action, memory, and the time to the
 * first rows over a slow line. Processor time depends on the machine: compare it with the reference, a loop in the same
 * page. Exits 1 when a budget of 1,000 monitors is missed.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { BrowserContextOptions, CDPSession, Page } from "playwright-core";
import { type RunningStack, startStack } from "../../infra/local/stack.ts";
import { startBrowser } from "../browser/start.ts";
import { createClient } from "../support/client.ts";
import { seed } from "./load/seed.ts";

const SIZES = process.argv.length > 3 ? process.argv.slice(3).map(Number) : [1_000, 5_000];
const ROUNDS = 5;
const LIST = "/monitors?bars=90d";
/** Milliseconds and megabytes, of 1,000 monitors. */
const BUDGETS = { draw: 250, poll: 100, letter: 60, heap: 40, frame: 1_000, rows: 2_000, rowsAgain: 1_200 };
/** 400 kbit/s, and 400 ms from a request to its answer. */
const SLOW_LINE = { offline: false, latency: 400, downloadThroughput: 50_000, uploadThroughput: 50_000 };

let hasMissed = false;
const browser = await startBrowser();

interface Line {
  readonly what: string;
  readonly value: number;
  readonly unit: "ms" | "MB";
  readonly budget?: number;
}

async function measureAt(size: number) {
  const folder = await mkdtemp(join(tmpdir(), "harborlight-web-"));
  const stack = await startStack({ dataFolder: folder, port: 0 });
  try {
    const { ids } = await seed(stack, size);
    await sleep(5_000); // The database still writes what was filled in.
    const storageState = await logIn(stack);
    const lines = [
      ...(await processorTimes(stack, storageState, { size, changed: ids[0]! })),
      ...(await slowVisits(stack, storageState)),
    ];
    for (const { what, value, unit, budget } of lines) {
      const isMissed = size === 1_000 && budget !== undefined && value > budget;
      hasMissed ||= isMissed;
      const judged =
        budget === undefined || size !== 1_000 ? "" : `, at most ${budget}: ${isMissed ? "NOT met" : "met"}`;
      console.log(`${what.padEnd(44)} ${value.toFixed(0).padStart(6)} ${unit}${judged}`);
    }
  } finally {
    await stack.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function logIn({ apiUrl, token }: RunningStack): Promise<BrowserContextOptions["storageState"]> {
  const context = await browser.newContext({ baseURL: apiUrl });
  const page = await context.newPage();
  await page.goto("/login?to=/settings");
  await page.getByLabel("Token").fill(token);
  await page.getByLabel("Stay logged in").check();
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByRole("button", { name: "Log out" }).waitFor();
  const state = await context.storageState();
  await context.close();
  return state;
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;

/** Processor time of the page's main thread, in milliseconds. */
const cpu = async (session: CDPSession): Promise<number> => {
  const { metrics } = await session.send("Performance.getMetrics");
  return (metrics.find(({ name }) => name === "TaskDuration")?.value ?? 0) * 1000;
};

/** What an action costs until the page has drawn what came of it. */
const costOf = async (page: Page, session: CDPSession, act: () => Promise<unknown>, done: () => Promise<unknown>) => {
  const before = await cpu(session);
  await act();
  await done();
  await page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done, 100)))");
  return (await cpu(session)) - before;
};

/** Waits until the list has so many rows. Looks seldom, because looking costs the page time as well. */
const rowsShown = async (page: Page, size: number) => {
  while (Number(await page.evaluate('document.querySelectorAll(".rows [role=row]").length')) < size) await sleep(500);
};
/** Locators by role or label would look at each of the page's 30,000 nodes, on the measured thread. */
const SEARCH = "input[type=search]";
const [GROUP, SORT] = [".tools label:nth-of-type(1) select", ".tools label:nth-of-type(2) select"] as const;

/** Runs in the page: notes when the list had its first 50 rows. */
const NOTE_ROWS = `new MutationObserver((changes, observer) => {
  if (document.querySelectorAll(".rows [role=row]").length < 50) return;
  window.rowsAt = performance.now();
  observer.disconnect();
}).observe(document, { childList: true, subtree: true })`;

async function processorTimes(
  stack: RunningStack,
  storageState: BrowserContextOptions["storageState"],
  { size, changed }: { readonly size: number; readonly changed: string },
): Promise<Line[]> {
  const context = await browser.newContext({ baseURL: stack.apiUrl, ...(storageState && { storageState }) });
  const page = await context.newPage();
  const session = await context.newCDPSession(page);
  await session.send("Performance.setTimeDomain", { timeDomain: "threadTicks" });
  await session.send("Performance.enable");
  const api = createClient(stack.apiUrl, stack.token, { isChecked: false });
  const measure = async (act: (round: number) => Promise<unknown>, done: () => Promise<unknown> = async () => {}) => {
    const all: number[] = [];
    for (let round = 0; round < ROUNDS; round++) all.push(await costOf(page, session, () => act(round), done));
    return median(all);
  };
  const draw = await costOf(
    page,
    session,
    () => page.goto(LIST),
    () => rowsShown(page, size),
  );
  const reference = await measure(() => page.evaluate("for (let n = 0, x = 0; n < 3e7; n++) x += n % 7"));
  const poll = await measure(
    (round) => api("PATCH", `/v1/monitors/${changed}`, { name: `Renamed ${round}` }),
    async () => {
      await page.evaluate("dispatchEvent(new Event('online'))");
      await page.waitForResponse((response) => response.url().includes("since="));
    },
  );
  const search = page.locator(SEARCH);
  const letter = await measure(async (round) => {
    await search.focus();
    await page.keyboard.press(round % 2 === 0 ? "7" : "Backspace");
  });
  await search.fill("");
  const sort = await measure((round) => page.locator(SORT).selectOption(round % 2 === 0 ? "name" : "status"));
  await page.locator(SORT).selectOption("status");
  const group = await measure((round) => page.locator(GROUP).selectOption(round % 2 === 0 ? "team" : ""));
  await session.send("HeapProfiler.collectGarbage");
  const { usedSize } = await session.send("Runtime.getHeapUsage");
  await context.close();
  return [
    { what: "reference: a loop of 30 million steps", value: reference, unit: "ms" },
    { what: "the page and all rows, first draw", value: draw, unit: "ms", budget: BUDGETS.draw },
    { what: "a poll that finds one change", value: poll, unit: "ms", budget: BUDGETS.poll },
    { what: "a letter in the search", value: letter, unit: "ms", budget: BUDGETS.letter },
    { what: "another order", value: sort, unit: "ms" },
    { what: "another group", value: group, unit: "ms" },
    { what: "heap", value: usedSize / 2 ** 20, unit: "MB", budget: BUDGETS.heap },
  ];
}

/** Times from the start of a visit to the frame and to the first 50 rows. */
async function slowVisits(stack: RunningStack, storageState: BrowserContextOptions["storageState"]): Promise<Line[]> {
  const context = await browser.newContext({ baseURL: stack.apiUrl, ...(storageState && { storageState }) });
  await context.addInitScript(NOTE_ROWS);
  const visit = async () => {
    const page = await context.newPage();
    const session = await context.newCDPSession(page);
    await session.send("Network.enable");
    await session.send("Network.emulateNetworkConditions", SLOW_LINE);
    await page.goto(LIST, { waitUntil: "commit" });
    await rowsShown(page, 50);
    const shown = Number(await page.evaluate("rowsAt"));
    const frame = Number(
      await page.evaluate("performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? NaN"),
    );
    await page.close();
    return { frame, shown };
  };
  const first = await visit();
  const again = await visit();
  await context.close();
  return [
    { what: "slow line, first visit: frame", value: first.frame, unit: "ms", budget: BUDGETS.frame },
    { what: "slow line, first visit: 50 rows", value: first.shown, unit: "ms", budget: BUDGETS.rows },
    { what: "slow line, again: 50 rows", value: again.shown, unit: "ms", budget: BUDGETS.rowsAgain },
  ];
}

try {
  for (const size of SIZES) await measureAt(size);
} finally {
  await browser.close();
}
if (hasMissed) process.exitCode = 1;
