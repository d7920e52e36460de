/** The stack, the browser and the two monitors that the journeys of the dashboard share, and how a journey begins. */
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContextOptions } from "playwright-core";
import { afterAll, beforeAll } from "vitest";
import { type RunningStack, startStack } from "../../../infra/local/stack.ts";
import { createClient } from "../../support/client.ts";
import { freePort } from "../../support/product.ts";
import { startBrowser, visit } from "../browser.ts";

let folder: string;
export let stack: RunningStack;
let browser: Browser;
let target: Server;
export let api: ReturnType<typeof createClient>;
export let closedPort: number;
export const ids = new Map<string, string>();

const create = async (name: string, body: object) => {
  const common = { protocol: "tcp", host: "127.0.0.1", intervalSeconds: 10, retries: { count: 0, delayMs: 0 } };
  ids.set(name, (await api("POST", "/v1/monitors", { ...common, name, ...body })).body.id);
};

/** To be called once by the test file. */
export const startJourneys = (): void => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "harborlight-browser-"));
    const openPort = await freePort();
    closedPort = await freePort();
    target = createServer((socket) => socket.on("error", () => {}).end()).listen(openPort, "127.0.0.1");
    [stack, browser] = await Promise.all([
      startStack({ dataFolder: folder, port: 0, assembly: process.env.HARBORLIGHT_TEST_ASSEMBLY }),
      startBrowser(),
    ]);
    api = createClient(stack.apiUrl, stack.token);
    await create("Broken", { port: closedPort, tags: { team: "web", wall: "1" } });
    await create("Fine", { port: openPort, tags: { team: "orders", wall: "1" } });
  }, 60_000);
  afterAll(async () => {
    target?.close();
    await Promise.all([browser?.close(), stack?.stop()]);
    await rm(folder, { recursive: true, force: true });
  });
};

interface EnterOptions extends BrowserContextOptions {
  readonly expected?: readonly number[];
  /** Logs in by the page; without it the browser is logged in already, as admin. */
  readonly token?: string;
}

/** What a browser that is logged in keeps. */
let loggedIn: BrowserContextOptions["storageState"];

export const enter = async (path: string, { token, ...options }: EnterOptions = {}) => {
  const isKnown = token === undefined && loggedIn !== undefined;
  const one = await visit(browser, stack.apiUrl, isKnown ? { storageState: loggedIn!, ...options } : options);
  const { page } = one;
  const logIn = async () => {
    await page.getByLabel("Token").fill(token ?? stack.token);
    await page.getByLabel("Stay logged in").check();
    await page.getByRole("button", { name: "Log in" }).click();
  };
  await page.goto(path);
  if (!isKnown) {
    await logIn();
    await page.getByRole("button", { name: "Log out" }).waitFor();
  }
  if (token === undefined) loggedIn ??= await page.context().storageState();
  return { ...one, logIn };
};
