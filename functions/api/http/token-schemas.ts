/** Schemas of tokens and sessions: what callers send, and what they get. */
import { z } from "zod";
import { DAY_SECONDS } from "../../../shared/durations.ts";
import { expecting } from "../../../shared/issues.ts";
import { FAMILIES } from "../../../shared/model.ts";
import { fields, flag, list, oneOf, text, whole } from "../../../shared/schema.ts";
import { SCOPES } from "../../../shared/tokens.ts";
import { moment } from "./representations.ts";

const tokenName = text(100, "a name").describe("Who or what uses it.");
export const tokenInput = fields({
  name: tokenName,
  scopes: list(oneOf(SCOPES), SCOPES.length, "scopes")
    .min(1, { error: `must name at least one of ${SCOPES.join(", ")}` })
    .describe(
      "Each includes the ones before it. `metrics`: only `/v1/metrics`. `read`: everything but secrets and addresses of people. `deploy`: also changes monitors, still without seeing those. `write`: sees them too, and changes subscriptions. `admin`: tokens and sessions.",
    ),
  expiresAt: z.iso
    .datetime({ offset: true, error: expecting("a moment in ISO 8601 such as 2027-01-31T00:00:00Z") })
    .transform((moment) => new Date(moment).toISOString())
    .optional()
    .describe("When it stops working. Default: never."),
  monitorTags: list(text(193, "name=value").regex(/^[^=]+=/, { error: expecting("name=value") }), 20, "tags")
    .min(1, { error: "must name at least one tag; leave it out for all monitors" })
    .optional()
    .describe(
      "`name=value`: the token sees and changes only monitors with at least one of these tags, and what it creates must have one. Not for scope `admin`. Default: all monitors.",
    ),
});
export const tokenPatch = fields({ name: tokenName });

const MOST_OVERLAP_SECONDS = 7 * DAY_SECONDS;
export const rotateInput = fields({
  overlapSeconds: whole(0, MOST_OVERLAP_SECONDS, " seconds")
    .default(DAY_SECONDS)
    .describe("How long the present secret works beside the new one. Default a day; 0 ends it at once."),
});

export const sessionInput = fields({
  token: z
    .string({ error: expecting("a token") })
    .max(300, { error: expecting("a token") })
    .describe("`hl_<id>_<secret>`"),
  remember: flag()
    .default(false)
    .describe("Whether it outlives the browser, and 30 days without use instead of 12 hours."),
});

export const TOKEN_STATES = ["active", "revoked", "expired"] as const;
const scopes = z.array(z.enum(SCOPES));
const monitorTags = z
  .array(z.string())
  .nullable()
  .describe("`name=value`: limited to monitors with at least one of these tags. Null: all monitors.");
export const tokenView = z
  .object({
    id: z.string().describe("The part of the text between `hl_` and the secret."),
    name: z.string().describe("Who or what uses it."),
    state: z.enum(TOKEN_STATES).describe("Only an `active` token works."),
    scopes: scopes.describe("What it may do."),
    monitorTags,
    createdAt: moment.describe("When it was created."),
    expiresAt: moment.nullable().describe("When it stops working. Null: never."),
    lastUsedAt: moment.nullable().describe("Exact to the day. Null: never."),
    revokedAt: moment.nullable().describe("When it was revoked. Null: it was not."),
    previousSecretExpiresAt: moment
      .nullable()
      .describe("Until when the secret before the last rotation works too. Null: there is none."),
  })
  .meta({ id: "Token" });
export const newTokenView = tokenView
  .extend({ token: z.string().describe("`hl_<id>_<secret>`. Keep it: it is not stored and cannot be shown again.") })
  .meta({ id: "NewToken" });

const sessionTimes = {
  createdAt: moment.describe("When it began, or the token was created."),
  expiresAt: moment
    .nullable()
    .describe("When it ends unless it is used, or the token's own end if that is earlier. Null: never."),
};
export const ownSessionView = z
  .object({
    id: z.string().nullable().describe("Null for a caller that sends the token itself."),
    tokenId: z.string().describe("The token that it stands for."),
    name: z.string().describe("Name of that token."),
    scopes: scopes.describe("What it may do."),
    monitorTags,
    ...sessionTimes,
    version: z.string().describe("Version of Harborlight."),
    locations: z
      .array(
        z.object({
          name: z.string().describe("Name of the location, as in a monitor's `locations`."),
          families: z.array(z.enum(FAMILIES)).describe("What it can reach."),
          port25: z.boolean().describe("Whether it can reach TCP port 25."),
        }),
      )
      .describe("Where checks can run from."),
  })
  .meta({ id: "OwnSession", description: "Who is logged in, and what a page needs to begin." });
export const newSessionView = ownSessionView
  .extend({
    headerSecret: z
      .string()
      .nullable()
      .describe("Over plain http: send it as header `harborlight-session` with each request. Null over https."),
  })
  .meta({ id: "NewSession" });
export const sessionView = z
  .object({
    id: z.string().describe("For `DELETE /v1/sessions/{id}`."),
    tokenId: z.string().describe("The token that was used to log in."),
    isRemembered: z.boolean().describe("Whether it outlives the browser."),
    ...sessionTimes,
    sourceIp: z.string().describe("Address that logged in."),
    userAgent: z.string().describe("Browser that logged in, in its own words."),
  })
  .meta({ id: "Session" });
