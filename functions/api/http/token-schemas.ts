/** Schemas of tokens and sessions: what callers send, and what they get. */
import { z } from "zod";
import { DAY_SECONDS } from "../../../shared/durations.ts";
import { expecting } from "../../../shared/issues.ts";
import { fields, flag, list, oneOf, text, whole } from "../../../shared/schema.ts";
import { SCOPES } from "../../../shared/tokens.ts";
import { addressFamily, locationName, moment } from "./representations.ts";

const scope = oneOf(SCOPES).meta({ id: "Scope", description: "What a token may do.", example: "read" });
const tokenName = text(100, "a name").meta({ description: "Who or what uses it.", example: "Grafana" });
const tagError = { error: expecting("name=value") };
const tag = z
  .string(tagError)
  .trim()
  .max(193, tagError)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: one line, and one pattern, which generators need
  .regex(/^[^=\x00-\x1f\x7f-\x9f]+=[^\x00-\x1f\x7f-\x9f]*$/, tagError);
export const tokenInput = fields({
  name: tokenName,
  scopes: list(scope, SCOPES.length, "scopes")
    .min(1, { error: `must name at least one of ${SCOPES.join(", ")}` })
    .describe(
      "Each includes the ones before it. `metrics`: only `/v1/metrics`. `read`: everything but secrets and addresses of people. `deploy`: also changes monitors, still without seeing those. `write`: sees them too, and changes subscriptions. `admin`: tokens and sessions.",
    ),
  expiresAt: z.iso
    .datetime({ offset: true, error: expecting("a moment in ISO 8601 such as 2027-01-31T00:00:00Z") })
    .transform((moment) => new Date(moment).toISOString())
    .optional()
    .meta({ description: "When it stops working. Default: never.", example: "2099-01-31T00:00:00.000Z" }),
  monitorTags: list(tag, 20, "tags")
    .min(1, { error: "must name at least one tag; leave it out for all monitors" })
    .optional()
    .meta({ example: ["team=orders"] })
    .describe(
      "`name=value`: the token sees and changes only monitors with at least one of these tags, and what it creates must have one. Not for scope `admin`. Default: all monitors.",
    ),
}).meta({ id: "TokenInput", description: "A token to create." });
export const tokenPatch = fields({ name: tokenName }).meta({ id: "TokenPatch", description: "Another name." });

const MOST_OVERLAP_SECONDS = 7 * DAY_SECONDS;
export const rotateInput = fields({
  overlapSeconds: whole(0, MOST_OVERLAP_SECONDS, " seconds")
    .default(DAY_SECONDS)
    .describe("How long the present secret works beside the new one. Default a day; 0 ends it at once."),
}).meta({ id: "RotateInput", description: "How to rotate.", example: { overlapSeconds: 3600 } });

export const sessionInput = fields({
  token: z
    .string({ error: expecting("a token") })
    .max(300, { error: expecting("a token") })
    .meta({
      description: "`hl_<id>_<secret>`, or the one-time code of the link that `npm start` prints.",
      example: "hl_a1b2c3d4e5f6a7b8c9d0_Kx7pT0n3VfQm2sR9wYcJ4hLb",
    }),
  remember: flag()
    .default(false)
    .describe("Whether it outlives the browser, and 30 days without use instead of 12 hours."),
}).meta({ id: "SessionInput", description: "Who logs in." });

export const TOKEN_STATES = ["active", "revoked", "expired"] as const;
const scopes = z.array(scope);
const monitorTags = z
  .array(z.string())
  .nullable()
  .describe("`name=value`: limited to monitors with at least one of these tags. Null: all monitors.")
  .meta({ example: null });
const tokenId = z.string().meta({ example: "a1b2c3d4e5f6a7b8c9d0" });
export const tokenState = oneOf(TOKEN_STATES).meta({ id: "TokenState", description: "Whether a token works." });
export const tokenView = z
  .object({
    id: tokenId.describe("The part of the text between `hl_` and the secret."),
    name: z.string().meta({ description: "Who or what uses it.", example: "Grafana" }),
    state: tokenState.describe("Only an `active` token works."),
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
  .meta({
    id: "Token",
    description: "An API token, without its text.",
    example: { expiresAt: null, revokedAt: null, previousSecretExpiresAt: null },
  });
export const newTokenView = tokenView
  .extend({
    token: z.string().meta({
      description: "`hl_<id>_<secret>`. Keep it: it is not stored and cannot be shown again.",
      example: "hl_a1b2c3d4e5f6a7b8c9d0_Kx7pT0n3VfQm2sR9wYcJ4hLb",
    }),
  })
  .meta({
    id: "NewToken",
    description: "A token with its text.",
    example: { expiresAt: null, lastUsedAt: null, revokedAt: null, previousSecretExpiresAt: null },
  });

const sessionId = z.string().meta({ example: "5f6a7b8c9d0a1b2c3d4e" });
const sessionTimes = {
  createdAt: moment.describe("When it began, or the token was created."),
  expiresAt: moment
    .nullable()
    .describe("When it ends unless it is used, or the token's own end if that is earlier. Null: never."),
};
export const ownSessionView = z
  .object({
    id: sessionId.nullable().describe("Null for a caller that sends the token itself."),
    tokenId: tokenId.describe("The token that it stands for."),
    name: z.string().meta({ description: "Name of that token.", example: "Grafana" }),
    scopes: scopes.describe("What it may do."),
    monitorTags,
    ...sessionTimes,
    version: z.string().meta({ description: "Version of Harborlight.", example: "0.1.0" }),
    locations: z
      .array(
        z
          .object({
            name: locationName.describe("Name of the location, as in a monitor's `locations`."),
            families: z.array(addressFamily).describe("What it can reach."),
            port25: z.boolean().describe("Whether it can reach TCP port 25."),
          })
          .meta({ id: "Reach", description: "A location, and what it can reach." }),
      )
      .describe("Where checks can run from."),
  })
  .meta({ id: "OwnSession", description: "Who is logged in, and what a page needs to begin." });
export const newSessionView = ownSessionView
  .extend({
    headerSecret: z
      .string()
      .nullable()
      .describe("Over plain http: send it as header `harborlight-session` with each request. Null over https.")
      .meta({ example: null }),
  })
  .meta({ id: "NewSession", description: "The session that has begun." });
export const sessionView = z
  .object({
    id: sessionId.describe("For `DELETE /v1/sessions/{id}`."),
    tokenId: tokenId.describe("The token that was used to log in."),
    isRemembered: z.boolean().describe("Whether it outlives the browser."),
    ...sessionTimes,
    sourceIp: z.string().meta({ description: "Address that logged in.", example: "192.0.2.77" }),
    userAgent: z.string().meta({ description: "Browser that logged in, in its own words.", example: "Mozilla/5.0" }),
  })
  .meta({ id: "Session", description: "A login that lasts." });
