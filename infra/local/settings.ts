import { resolve } from "node:path";
import { z } from "zod";
import { TOKEN } from "../../shared/tokens.ts";
import { controlTargets, LOCATION_NAME } from "../locations.ts";
import { sweepTargets } from "../settings.ts";
import { matching, must, problemsOf, senderAddress, show } from "../validation.ts";
import { StartError } from "./http-server/listen.ts";
import type { StackOptions } from "./stack.ts";

/** Text that is a secret or has one in it: error messages do not show it. */
const secret = (pattern: RegExp, expected: string) =>
  z.string().regex(pattern, { error: `must be ${expected}, got something else` });

const aPort = must("a port from 0 to 65535");
const listed = z.string().transform((text) => text.split(",").map((one) => one.trim()));
const locations = listed.superRefine((names, { addIssue }) => {
  const wrong = names.find((name, index) => !LOCATION_NAME.test(name) || names.indexOf(name) !== index);
  if (wrong === undefined) return;
  const message = `must be different names of 1 to 32 lower-case letters, digits and inner hyphens, separated by commas; ${show(wrong)} is not one, or comes twice`;
  addIssue({ code: "custom", message });
});
const publicUrl = z
  .string()
  .refine(isPlainUrl, must("the address at which others reach the API, such as https://monitor.example.com"))
  .transform((text) => new URL(text).href.replace(/\/+$/, ""));

const VARIABLES = z.object({
  HARBORLIGHT_DATA: z.string().default(".harborlight"),
  HARBORLIGHT_PORT: z
    .string()
    .refine((text) => /^\d{1,5}$/.test(text) && Number(text) <= 65_535, aPort)
    .transform(Number)
    .default(4000),
  HARBORLIGHT_HOST: z.string().optional(),
  HARBORLIGHT_PUBLIC_URL: publicUrl.optional(),
  HARBORLIGHT_TOKEN: secret(TOKEN, "hl_<4 to 40 of a-z 0-9>_<16 to 200 of A-Z a-z 0-9 _ ->").optional(),
  HARBORLIGHT_LOCATIONS: locations.optional(),
  HARBORLIGHT_CONTROL_TARGETS: listed.pipe(controlTargets).optional(),
  HARBORLIGHT_SWEEP_TARGETS: listed.pipe(sweepTargets).optional(),
  HARBORLIGHT_SENDER: senderAddress().optional(),
  HARBORLIGHT_CONCURRENCY: matching(/^[1-9]\d{0,5}$/, "a number of invocations from 1")
    .transform(Number)
    .optional(),
  HARBORLIGHT_LAMBDA_CPU: z.enum(["true", "false"], must("true or false")).default("false"),
  SMTP_URL: secret(/^smtps?:\/\/[^\s]+$/, "smtp://user:password@host:587 or smtps://…").optional(),
});

/**
 * Reads `HARBORLIGHT_PORT` (4000), `HARBORLIGHT_HOST` (127.0.0.1), `HARBORLIGHT_DATA` (`.harborlight/`),
 * `HARBORLIGHT_PUBLIC_URL` (where it listens), `HARBORLIGHT_TOKEN`, `HARBORLIGHT_LOCATIONS` (`local`),
 * `HARBORLIGHT_CONTROL_TARGETS`, `HARBORLIGHT_SWEEP_TARGETS`, `HARBORLIGHT_SENDER` (harborlight@localhost), `SMTP_URL`, and to simulate limits of
 * AWS `HARBORLIGHT_CONCURRENCY` (1000) and `HARBORLIGHT_LAMBDA_CPU` (false).
 * An empty variable counts as not set.
 * @throws {StartError} naming each wrong variable, what was expected and what came
 */
export const readSettings = (env: Readonly<Record<string, string | undefined>>): StackOptions => {
  const given = Object.keys(VARIABLES.shape).map((name) => [name, env[name]?.trim() || undefined]);
  const { data, error } = VARIABLES.safeParse(Object.fromEntries(given));
  if (!data) throw new StartError(problemsOf(error).join("\n"));
  return {
    dataFolder: resolve(data.HARBORLIGHT_DATA),
    port: data.HARBORLIGHT_PORT,
    host: data.HARBORLIGHT_HOST,
    publicUrl: data.HARBORLIGHT_PUBLIC_URL,
    token: data.HARBORLIGHT_TOKEN,
    locations: data.HARBORLIGHT_LOCATIONS,
    controlTargets: data.HARBORLIGHT_CONTROL_TARGETS,
    sweepTargets: data.HARBORLIGHT_SWEEP_TARGETS,
    alertSender: data.HARBORLIGHT_SENDER,
    accountConcurrency: data.HARBORLIGHT_CONCURRENCY,
    limitsCpu: data.HARBORLIGHT_LAMBDA_CPU === "true",
    smtpUrl: data.SMTP_URL,
  };
};

function isPlainUrl(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return url !== undefined && /^https?:$/.test(url.protocol) && url.search + url.hash + url.username === "";
}
