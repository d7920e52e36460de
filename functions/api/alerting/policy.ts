/** Alert policies as callers send and see them. */
import { z } from "zod";
import { expecting } from "../../../shared/issues.ts";
import { ALERT_DEFAULTS } from "../../../shared/monitor/alert-defaults.ts";
import { alertSteps, REMINDERS } from "../../../shared/monitor/escalation.ts";
import { tagName, tagValue } from "../../../shared/monitor/fields.ts";
import { HIDDEN } from "../../../shared/protocols/secrets.ts";
import { type Policy, TROUBLES } from "../../../shared/rules/policies.ts";
import { fields, list, oneOf, text, timeZone } from "../../../shared/schema.ts";
import type { Token } from "../../../shared/store/tokens.ts";
import { ALL_SYSTEM_EVENTS, SYSTEM_EVENTS } from "../../../shared/system-events.ts";
import { moment } from "../http/representations.ts";
import { maySeeReceivers } from "../monitors/present.ts";

const systemEvent = oneOf([ALL_SYSTEM_EVENTS, ...SYSTEM_EVENTS]).meta({
  id: "SystemEventPattern",
  description: "A message about the monitoring itself, or all of them.",
  example: ALL_SYSTEM_EVENTS,
});

/** Keeps the description, which a wrapper would lose. */
const withDefault = <S extends z.ZodType>(schema: S, value: z.core.util.NoUndefined<z.output<S>>) =>
  schema.default(value).describe(schema.description ?? "");

export const trouble = oneOf(TROUBLES).meta({ id: "Trouble", description: "Severity of trouble." });
const settings = {
  name: text(100, "a name")
    .describe("Display name; unique.")
    .meta({ examples: ["On call"] }),
  match: fields({
    tags: z
      .record(tagName, tagValue, {
        error: expecting('an object of names and texts, such as {"team": "orders"}'),
      })
      .optional()
      .describe(
        "Tags that a monitor must all have; `*` stands for any value. `{}`: every monitor matches. Left out: none.",
      ),
    events: list(systemEvent, SYSTEM_EVENTS.length + 1, "events")
      .min(1, { error: "must name at least one; leave it out for none" })
      .optional()
      .meta({
        description: `Messages about the monitoring itself, which its first step then hears of at once; \`${ALL_SYSTEM_EVENTS}\` stands for all.`,
        example: [ALL_SYSTEM_EVENTS],
      }),
  })
    .refine(({ tags, events }) => tags !== undefined || events !== undefined, {
      error: "must have tags, events or both",
    })
    .meta({ id: "PolicyMatch", description: "What it takes." })
    .nullable()
    .default(null)
    .describe(
      "What it takes though nothing names it: monitors, and messages about the monitoring itself. Null: nothing.",
    )
    .meta({ examples: [{ tags: { team: "orders" } }] }),
  severities: list(trouble, TROUBLES.length, "severities")
    .min(1, { error: `must name at least one of ${TROUBLES.join(", ")}` })
    .default([...TROUBLES])
    .describe(
      "What it tells of: `critical` is down, `warning` degraded. The end is told to all who heard the beginning.",
    )
    .meta({ examples: [["critical"]] }),
  steps: alertSteps()
    .min(1, { error: "must be at least one step" })
    .describe("Escalation: each step is told if nobody has acknowledged and nothing has recovered by then.")
    .meta({ examples: [[{ afterSeconds: 0, channels: ["sns"], emails: [] }]] }),
  remindEverySeconds: withDefault(REMINDERS.remindEverySeconds, ALERT_DEFAULTS.remindEverySeconds).meta({
    examples: [3600],
  }),
  remindAtMost: withDefault(REMINDERS.remindAtMost, ALERT_DEFAULTS.remindAtMost).meta({ examples: [5] }),
  until: withDefault(REMINDERS.until, ALERT_DEFAULTS.until).meta({ examples: ["recovered"] }),
  timeZone: timeZone()
    .default("UTC")
    .describe("IANA name of the zone in which people are told times. Of several policies the first one's counts.")
    .meta({ examples: ["Europe/Berlin"] }),
};

export const policyInput = fields(settings).meta({ id: "PolicyInput", description: "An alert policy to create." });

export const policyPatch = fields(
  Object.fromEntries(
    Object.entries(settings).map(([name, schema]) => [
      name,
      z
        .union([schema, z.null()])
        .optional()
        .describe(schema.description ?? ""),
    ]),
  ),
).meta({
  id: "PolicyPatch",
  description: "Merged into the policy (RFC 7396); null brings a field's default back.",
  example: { remindEverySeconds: 3600 },
});

export const policyView = z
  .object({
    id: z.string().meta({ description: "For `alerts.policies` of monitors.", example: "0a1b2c3d4e5f6a7b8c9d" }),
    ...settings,
    createdAt: moment.describe("When it was created."),
    updatedAt: moment.describe("When it last changed."),
  })
  .meta({ id: "Policy", description: "Who is told of trouble, and when." });

/** @param reader the caller's token: addresses are shown with scope `write` only, and not to a token limited to tags */
export const presentPolicy = (policy: Policy, reader: Token | null) => {
  const { revision: _revision, id, createdAt, updatedAt, steps, timeZone = "UTC", ...rest } = policy;
  const shown = maySeeReceivers(reader)
    ? steps
    : steps.map((step) => ({ ...step, emails: step.emails.map(() => HIDDEN) }));
  return { id, ...rest, steps: shown, timeZone, createdAt, updatedAt };
};

/** Puts addresses of steps back where their mask was sent. @param patch as it was sent */
export const withStoredAddresses = (patch: unknown, { steps: stored }: Policy): unknown => {
  const { steps } = (patch ?? {}) as { readonly steps?: unknown };
  if (!Array.isArray(steps)) return patch;
  const restored = steps.map((step: { readonly emails?: unknown } | null, i) =>
    Array.isArray(step?.emails)
      ? {
          ...step,
          emails: step.emails.map((one: unknown, j) => (one === HIDDEN ? (stored[i]?.emails[j] ?? one) : one)),
        }
      : step,
  );
  return { ...(patch as object), steps: restored };
};

export type PolicySettings = z.output<typeof policyInput>;
