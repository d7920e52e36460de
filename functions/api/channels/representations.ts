/** Schemas and representations of alert channels. */
import { z } from "zod";
import { type ChannelName, channels } from "../../../shared/alerts/channels/index.ts";
import { expecting } from "../../../shared/issues.ts";
import { HIDDEN } from "../../../shared/protocols/secrets.ts";
import { fields, oneOf, text } from "../../../shared/schema.ts";
import type { StoredChannel } from "../../../shared/store/channels.ts";
import { moment } from "../http/representations.ts";

const NAMES = Object.keys(channels).toSorted() as [ChannelName, ...ChannelName[]];
const kind = oneOf(NAMES).describe("What it sends to; `GET /v1/channel-kinds` has all of them.");
const name = text(100, "a name")
  .describe("Unique among channels, whatever the case.")
  .meta({ example: "Ops in Slack" });
const settings = z
  .record(z.string(), z.unknown(), { error: expecting("an object") })
  .describe("As the schema of the kind says.");
const EXAMPLE = { name: "Ops in Slack", kind: "slack", settings: channels.slack.example };

export const channelInput = fields({ name, kind, settings }).meta({ id: "ChannelInput", example: EXAMPLE });
export type ChannelInput = z.output<typeof channelInput>;

export const channelPatch = z
  .looseObject({
    name: name.optional(),
    settings: settings.optional().describe("Merged with the present ones; null removes a field."),
  })
  .meta({ id: "ChannelPatch", example: { name: "Ops, day and night" } });

export const channelView = z
  .object({
    id: z.string().describe("Stays when the name changes."),
    name: z.string().describe("Unique among channels, whatever the case."),
    kind: z.enum(NAMES).describe("What it sends to."),
    settings: z.record(z.string(), z.unknown()).describe(`Secrets are \`${HIDDEN}\`, for everybody.`),
    createdAt: moment.describe("When it was made."),
    updatedAt: moment.describe("When it was last changed."),
  })
  .meta({ id: "Channel", description: "A way to people or programs that alerts can take." });

export const presentChannel = ({ id, name, kind, settings, secrets, createdAt, updatedAt }: StoredChannel) => ({
  id,
  name,
  kind,
  settings: { ...settings, ...Object.fromEntries(secrets.map((secret) => [secret, HIDDEN])) },
  createdAt,
  updatedAt,
});

export const channelTest = z
  .object({
    delivered: z.boolean().describe("Whether the service took all messages."),
    messages: z
      .array(
        z
          .object({
            event: z.enum(["down", "recovered"]).describe("What the test alert says."),
            delivered: z.boolean().describe("Whether the service took it."),
            answer: z.string().describe("What the service said, or why nothing came; without secrets."),
            isPermanent: z.boolean().describe("Whether trying again cannot help: the settings have to change."),
            retryAfterSeconds: z
              .int()
              .nullable()
              .describe("How long the service asks to wait; null if it does not say."),
          })
          .meta({ id: "ChannelTestMessage" }),
      )
      .describe("One for people; services that open incidents get its end too."),
  })
  .meta({ id: "ChannelTest", description: "Result of a test alert." });

export const channelKindView = z
  .object({
    name: z.enum(NAMES).describe("The `kind` of channels."),
    title: z.string().describe("For people."),
    summary: z.string().describe("What it does."),
    reference: z.string().describe("Page that documents the service's format."),
    audience: z.enum(["people", "machines"]).describe("People get digests when many alerts come at once."),
    isSetUp: z.boolean().describe("Whether this deployment can use it."),
    needs: z.string().nullable().describe("Setting of the deployment that turns it on; null if it needs none."),
    rate: z
      .object({
        messages: z.int().describe("Messages in that time."),
        seconds: z.int().describe("The time."),
      })
      .nullable()
      .describe("Most messages that the service documents to take; null if it names no number."),
    settings: z.looseObject({}).describe("JSON Schema (2020-12) of a channel's `settings`; secrets are `writeOnly`."),
    example: z.looseObject({}).describe("Start of a channel, with made-up secrets."),
  })
  .meta({ id: "ChannelKind" });
