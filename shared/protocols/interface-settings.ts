/** Settings of the protocol `interfaces`: which interfaces of a device are watched, and from where on one is in trouble. */
import { z } from "zod";
import type { InterfaceLimits } from "../contract/poll.ts";
import { communitySetting } from "./snmp-session.ts";
import { userSetting } from "./snmp-v3.ts";

const MOST_PATTERNS = 64;
const patterns = (what: string) =>
  z
    .string()
    .min(1)
    .max(1_024)
    .refine((text) => split(text).length <= MOST_PATTERNS && split(text).every((one) => one !== ""), {
      message: `must be at most ${MOST_PATTERNS} names or patterns, separated by commas, such as Gi*,Te1/1/?`,
    })
    .optional()
    .describe(`${what} Names or patterns with * and ?, separated by commas; upper and lower case are the same.`);

const split = (text: string): string[] => text.split(",").map((one) => one.trim());

/** Whether a text fits a pattern with * and ?. Not by a regular expression, which takes for ever with many stars. */
function fits(text: string, pattern: string): boolean {
  let [at, place, star, resume] = [0, 0, -1, 0];
  while (at < text.length) {
    if (pattern[place] === "*") {
      star = place++;
      resume = at;
    } else if (place < pattern.length && (pattern[place] === "?" || pattern[place] === text[at])) {
      place++;
      at++;
    } else if (star >= 0) {
      place = star + 1;
      at = ++resume;
    } else return false;
  }
  while (pattern[place] === "*") place++;
  return place === pattern.length;
}

/** @returns whether a name fits one of the patterns; never without any */
export const matcher = (text: string | undefined): ((name: string) => boolean) => {
  const all = text === undefined ? [] : split(text.toLowerCase());
  return (name) => all.some((pattern) => fits(name.toLowerCase(), pattern));
};

const above = (what: string, standard: number, most: number) =>
  z.number().positive().max(most).nullable().default(standard).describe(`${what}; null: never. Default ${standard}.`);

const limits = z
  .strictObject({
    utilisationPercent: above("Per cent of the line rate, in either direction, on average of 15 minutes", 90, 100),
    errorsPerMillion: above("Errors in a million packets of 5 minutes, of at least 20 errors", 10, 1_000_000),
    discardsPerMillion: above("Discards in a million packets of 15 minutes, of at least 20", 1_000, 1_000_000),
    flaps: z
      .int()
      .min(2)
      .max(1_000)
      .nullable()
      .default(3)
      .describe("Changes of a link in 10 minutes; null: never. Default 3."),
    duplex: z.boolean().default(true).describe("Whether signs of a duplex mismatch count. Default true."),
    slower: z
      .boolean()
      .default(true)
      .describe(
        "Whether a link that is slower than it was counts, which a bad cable often is the cause of. Default true.",
      ),
    down: z
      .enum(["if-it-was-up", "critical", "never"])
      .default("if-it-was-up")
      .describe(
        "Which links must be up: those that were up before, unless they are in `idle`; only those in `critical`; or none. Default `if-it-was-up`.",
      ),
  })
  .prefault({})
  .describe("From where on an interface is in trouble.");

const fields = {
  only: patterns("Interfaces to watch. Default: all."),
  except: patterns("Interfaces to leave out."),
  critical: patterns("Interfaces whose link makes the monitor down, not degraded, when it is down."),
  idle: patterns("Interfaces whose link may go down and change its speed, such as those of laptops."),
  limits,
};

export const interfaceSettings = z.discriminatedUnion(
  "version",
  [
    z.strictObject({
      version: z.literal("2c").optional().describe("Speaks version 2c; the default."),
      community: communitySetting,
      ...fields,
    }),
    z.strictObject({ version: z.literal("3").describe("Speaks version 3."), user: userSetting, ...fields }),
  ],
  { error: (issue) => (issue.code === "invalid_union" ? 'must be "2c" or "3"' : undefined) },
);
export type InterfaceSettings = z.output<typeof interfaceSettings>;

export const limitsOf = ({ limits, critical, idle }: InterfaceSettings): InterfaceLimits => ({
  ...limits,
  isCritical: matcher(critical),
  isIdle: matcher(idle),
});
