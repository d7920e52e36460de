/** Alert policies as callers send and see them. */
import { z } from "zod";
import { type FieldError, InvalidInput } from "../../../shared/errors.ts";
import { expecting, show } from "../../../shared/issues.ts";
import { email, MAX_EMAILS, tagName, tagValue } from "../../../shared/monitor/fields.ts";
import { HIDDEN } from "../../../shared/protocols/secrets.ts";
import { type Policy, REMINDED_UNTIL, TROUBLES } from "../../../shared/rules/policies.ts";
import { fields, idOf, list, oneOf, text, timeZone, whole } from "../../../shared/schema.ts";
import type { Token } from "../../../shared/store/tokens.ts";
import { ALL_SYSTEM_EVENTS, SYSTEM_EVENTS } from "../../../shared/system-events.ts";
import { moment } from "../http/representations.ts";
import { maySeeReceivers } from "../monitors/present.ts";

const MAX_STEPS = 10;
const MAX_CHANNELS = 20;
/** Receivers of one policy: an incident remembers what each was told. */
const MAX_RECEIVERS = 50;

const step = fields({
  afterSeconds: whole(0, 604_800, " seconds").meta({
    description: "How long the trouble must have lasted. Each step later than the one before.",
    example: 0,
  }),
  channels: list(idOf("channel"), MAX_CHANNELS, "ids of channels")
    .default([])
    .meta({ example: ["sns"] })
    .describe("Ids of channels; `sns` is the topic `alerts`."),
  emails: list(email(), MAX_EMAILS, "mail addresses").default([]).describe("Mail addresses."),
}).meta({ id: "PolicyStep", description: "Whom to tell once the trouble has lasted." });

const systemEvent = oneOf([ALL_SYSTEM_EVENTS, ...SYSTEM_EVENTS]).meta({
  id: "SystemEventPattern",
  description: "A message about the monitoring itself, or all of them.",
  example: ALL_SYSTEM_EVENTS,
});

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
  steps: list(step, MAX_STEPS, "steps")
    .min(1, { error: "must be at least one step" })
    .describe("Escalation: each step is told if nobody has acknowledged and nothing has recovered by then.")
    .meta({ examples: [[{ afterSeconds: 0, channels: ["sns"], emails: [] }]] }),
  remindEverySeconds: whole(60, 604_800, " seconds")
    .nullable()
    .default(null)
    .describe("Seconds between reminders to whoever was told. Null: none.")
    .meta({ examples: [3600] }),
  remindAtMost: whole(1, 100)
    .default(10)
    .describe("Most reminders to one receiver about one incident.")
    .meta({ examples: [5] }),
  until: oneOf(REMINDED_UNTIL)
    .meta({ id: "RemindedUntil", description: "What ends reminders." })
    .default("acknowledged")
    .describe("What ends the reminders: an acknowledgement, or the recovery alone.")
    .meta({ examples: ["recovered"] }),
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

/** Rules between fields. @param channels ids of the channels that exist */
function policyErrors({ steps }: PolicySettings, channels: ReadonlySet<string>): FieldError[] {
  const errors: FieldError[] = [];
  const all = new Set<string>();
  for (const [i, { afterSeconds, channels: own, emails }] of steps.entries()) {
    const before = steps[i - 1]?.afterSeconds;
    if (before !== undefined && afterSeconds <= before)
      errors.push({ path: `steps[${i}].afterSeconds`, message: `must be more than the ${before} of the step before` });
    if (own.length + emails.length === 0)
      errors.push({ path: `steps[${i}]`, message: "must name at least one channel or mail address" });
    for (const [j, id] of own.entries()) {
      if (id !== "sns" && !channels.has(id))
        errors.push({ path: `steps[${i}].channels[${j}]`, message: `there is no channel ${show(id)}` });
      if (own.indexOf(id) < j)
        errors.push({ path: `steps[${i}].channels[${j}]`, message: `${show(id)} is there twice` });
    }
    for (const [j, address] of emails.entries())
      if (emails.findIndex((other) => other.toLowerCase() === address.toLowerCase()) < j)
        errors.push({ path: `steps[${i}].emails[${j}]`, message: `${show(address)} is there twice` });
    for (const one of [...own, ...emails]) all.add(one);
  }
  if (all.size > MAX_RECEIVERS)
    errors.push({
      path: "steps",
      message: `must name at most ${MAX_RECEIVERS} channels and addresses, got ${all.size}`,
    });
  return errors;
}

/** @throws InvalidInput that names every wrong field */
export function refuseWrongPolicy(policy: PolicySettings, channels: ReadonlySet<string>): void {
  const errors = policyErrors(policy, channels);
  if (errors.length > 0) throw new InvalidInput(errors);
}
