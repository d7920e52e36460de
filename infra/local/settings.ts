import { resolve } from "node:path";
import { InvalidContext, parseControlTargets } from "../locations.ts";
import { StartError } from "./http-server/listen.ts";
import type { StackOptions } from "./stack.ts";

const LOCATION = /^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/;
/** What an admin token looks like. */
export const TOKEN = /^hl_[a-z0-9]{4,40}_[A-Za-z0-9_-]{16,200}$/;

/** Secrets, or with a password in them, even when they are wrong. */
const SECRETS = new Set(["HARBORLIGHT_TOKEN", "SMTP_URL"]);

/**
 * Reads `HARBORLIGHT_PORT` (4000), `HARBORLIGHT_HOST` (127.0.0.1), `HARBORLIGHT_DATA` (`.harborlight/`),
 * `HARBORLIGHT_PUBLIC_URL` (where it listens), `HARBORLIGHT_TOKEN`, `HARBORLIGHT_LOCATIONS` (`local`),
 * `HARBORLIGHT_CONTROL_TARGETS`, `HARBORLIGHT_SENDER` (harborlight@localhost), `SMTP_URL`, and for trying what AWS would
 * do `HARBORLIGHT_CONCURRENCY` (1000) and `HARBORLIGHT_LAMBDA_CPU` (false).
 * An empty variable counts as not set.
 * @throws {StartError} naming the variable, what was expected and what came
 */
export const readSettings = (env: Readonly<Record<string, string | undefined>>): StackOptions => {
  const value = (name: string): string | undefined => (env[name]?.trim() === "" ? undefined : env[name]?.trim());
  const matching = (name: string, pattern: RegExp, expected: string): string | undefined => {
    const text = value(name);
    if (text === undefined || pattern.test(text)) return text;
    const came = SECRETS.has(name) ? "something else" : JSON.stringify(text);
    throw new StartError(`${name} must be ${expected}, got ${came}`);
  };

  const port = Number(matching("HARBORLIGHT_PORT", /^\d{1,5}$/, "a port from 0 to 65535") ?? 4000);
  if (port > 65_535) throw new StartError(`HARBORLIGHT_PORT must be a port from 0 to 65535, got "${port}"`);
  const locations = value("HARBORLIGHT_LOCATIONS")
    ?.split(",")
    .map((name) => name.trim());
  const wrong = locations?.find((name, index) => !LOCATION.test(name) || locations.indexOf(name) !== index);
  if (wrong !== undefined) {
    throw new StartError(
      `HARBORLIGHT_LOCATIONS must be different names of 1 to 32 lower-case letters, digits and inner hyphens, separated by commas; ${JSON.stringify(wrong)} is not one, or comes twice`,
    );
  }
  const controlTargets = value("HARBORLIGHT_CONTROL_TARGETS")?.split(",");
  const concurrency = matching("HARBORLIGHT_CONCURRENCY", /^[1-9]\d{0,5}$/, "a number of invocations from 1");
  return {
    dataFolder: resolve(value("HARBORLIGHT_DATA") ?? ".harborlight"),
    port,
    host: value("HARBORLIGHT_HOST"),
    publicUrl: readUrl(value("HARBORLIGHT_PUBLIC_URL")),
    token: matching("HARBORLIGHT_TOKEN", TOKEN, "hl_<4 to 40 of a-z 0-9>_<16 to 200 of A-Z a-z 0-9 _ ->"),
    locations,
    controlTargets: controlTargets && readTargets(controlTargets.map((target) => target.trim())),
    alertSender: matching("HARBORLIGHT_SENDER", /^[^\s@<>"]+@[a-z0-9.-]+$/i, "a mail address"),
    accountConcurrency: concurrency === undefined ? undefined : Number(concurrency),
    limitsCpu: matching("HARBORLIGHT_LAMBDA_CPU", /^(true|false)$/, "true or false") === "true",
    smtpUrl: matching("SMTP_URL", /^smtps?:\/\/[^\s]+$/, "smtp://user:password@host:587 or smtps://…"),
  };
};

const readUrl = (text: string | undefined): string | undefined => {
  if (text === undefined) return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isPlain = url !== undefined && /^https?:$/.test(url.protocol) && url.search + url.hash + url.username === "";
  if (isPlain) return url.href.replace(/\/+$/, "");
  throw new StartError(
    `HARBORLIGHT_PUBLIC_URL must be the address at which others reach the API, such as https://monitor.example.com, got ${JSON.stringify(text)}`,
  );
};

const readTargets = (targets: readonly string[]): readonly string[] => {
  try {
    return parseControlTargets(targets, "HARBORLIGHT_CONTROL_TARGETS");
  } catch (error) {
    throw error instanceof InvalidContext ? new StartError(error.message) : error;
  }
};
