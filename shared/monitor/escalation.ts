/** Schemas of escalation steps and reminders, which alert policies and monitors have alike. */
import { z } from "zod";
import { expecting } from "../issues.ts";
import { REMINDED_UNTIL } from "../rules/policies.ts";
import { fields, idOf, list, oneOf, whole } from "../schema.ts";
import { isMailAddress, MAX_ADDRESS_LENGTH } from "./mail-address.ts";

export const MAX_EMAILS = 20;
const MAX_STEPS = 10;
const MAX_CHANNELS = 20;
/** Receivers of a policy: an incident remembers what each was told. */
export const MAX_RECEIVERS = 50;
/** Receivers that a monitor names itself, `emails` included, so that its item stays below 200 KB. */
export const MAX_OWN_RECEIVERS = 40;

/** The document gives it no format: `(hidden)` stands in its place for whoever may only read, and may be sent back. */
export const email = () =>
  z
    .string({ error: expecting("a mail address") })
    .refine(isMailAddress, { error: expecting("a mail address") })
    .meta({ maxLength: MAX_ADDRESS_LENGTH });

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
}).meta({ id: "AlertStep", description: "Whom to tell once the trouble has lasted." });

export const alertSteps = () => list(step, MAX_STEPS, "steps");

/** What is set of reminders. */
export const REMINDERS = {
  remindEverySeconds: whole(60, 604_800, " seconds")
    .nullable()
    .describe("Seconds between reminders to whoever was told. Default null: none."),
  remindAtMost: whole(1, 100).describe("Most reminders to one receiver about one incident. Default 10."),
  until: oneOf(REMINDED_UNTIL)
    .meta({ id: "RemindedUntil", description: "What ends reminders." })
    .describe("What ends the reminders: an acknowledgement (the default), or the recovery alone."),
};
