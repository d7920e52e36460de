/** Starts a real browser: HARBORLIGHT_BROWSER, the one that npm installed (Linux on x64), or an installed Chrome. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Browser, chromium } from "playwright-core";

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

/**
 * Not as the package wants it: in one process the browser ends with its first context; without its rules on origins it
 * would not notice what a user's browser forbids; and drawing by an emulated graphics card takes a tenth of the time.
 */
const UNWANTED =
  /^--(single-process|disable-web-security|allow-running-insecure-content|.*gpu.*|use-gl|use-angle|.*swiftshader)\b/;

export const startBrowser = async (): Promise<Browser> => {
  const { path, args, env = {} } = found();
  return chromium.launch({
    executablePath: path,
    args: [...args.filter((argument) => !UNWANTED.test(argument)), "--disable-gpu", "--disable-software-rasterizer"],
    env: { ...process.env, ...env } as Record<string, string>,
  });
};
