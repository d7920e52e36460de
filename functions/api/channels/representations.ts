/** Schemas and representations of alert channels. */
import { z } from "zod";
import { type ChannelName, channels } from "../../../shared/alerts/channels/index.ts";
import { expecting } from "../../../shared/issues.ts";
import { HIDDEN } from "../../../shared/protocols/secrets.ts";
import { fields, oneOf, text } from "../../../shared/schema.ts";
import type { StoredChannel } from "../../../shared/store/channels.ts";
import { moment } from "../http/representations.ts";

const NAMES = Object.keys(channels).toSorted() as [ChannelName, ...ChannelName[]];
const kind = oneOf(NAMES).meta({
  id: "ChannelKindName",
  description: "What it sends to; `GET /v1/channel-kinds` has all of them.",
  example: "slack",
});
const name = text(100, "a name")
  .describe("Unique among channels, whatever the case.")
  .meta({ example: "Ops in Slack" });
const settings = z
  .record(z.string(), z.unknown(), { error: expecting("an object") })
  .meta({ description: "As the schema of the kind says.", example: channels.slack.example });
const EXAMPLE = { name: "Ops in Slack", kind: "slack", settings: channels.slack.example };

export const channelInput = fields({ name, kind, settings }).meta({
  id: "ChannelInput",
  description: "A channel to create.",
  example: EXAMPLE,
});
export type ChannelInput = z.output<typeof channelInput>;

export const channelPatch = fields({
  name: name.optional(),
  kind: kind.optional().describe("Cannot change."),
  settings: settings.optional().describe("Merged with the present ones; null removes a field."),
}).meta({
  id: "ChannelPatch",
  description: "What to change of a channel.",
  example: { name: "Ops, day and night" },
});

export const channelView = z
  .object({
    id: z.string().meta({ description: "Stays when the name changes.", example: "0a1b2c3d4e5f6a7b8c9d" }),
    name: z.string().meta({ description: "Unique among channels, whatever the case.", example: EXAMPLE.name }),
    kind,
    settings: z
      .record(z.string(), z.unknown())
      .meta({ description: `Secrets are \`${HIDDEN}\`, for everybody.`, example: { url: HIDDEN } }),
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
            event: z
              .enum(["down", "recovered"])
              .meta({ id: "TestEvent", description: "What the test alert says.", example: "down" }),
            delivered: z.boolean().meta({ description: "Whether the service took it.", example: true }),
            answer: z
              .string()
              .meta({ description: "What the service said, or why nothing came; without secrets.", example: "200 ok" }),
            isPermanent: z.boolean().meta({
              description: "Whether trying again cannot help: the settings have to change.",
              example: false,
            }),
            retryAfterSeconds: z
              .int()
              .nullable()
              .describe("How long the service asks to wait; null if it does not say."),
          })
          .meta({ id: "ChannelTestMessage", description: "A message that was sent, and what became of it." }),
      )
      .describe("One for people; services that open incidents get its end too."),
  })
  .meta({ id: "ChannelTest", description: "Result of a test alert." });

export const channelKindView = z
  .object({
    name: kind,
    title: z.string().meta({ description: "For people.", example: channels.slack.title }),
    summary: z.string().meta({ description: "What it does.", example: channels.slack.summary }),
    reference: z
      .string()
      .meta({ description: "Page that documents the service's format.", example: channels.slack.reference }),
    audience: z.enum(["people", "machines"]).meta({
      id: "Audience",
      description: "Who reads its messages. People get digests when many alerts come at once.",
      example: "people",
    }),
    isSetUp: z.boolean().meta({ description: "Whether this deployment can use it.", example: true }),
    needs: z
      .string()
      .nullable()
      .meta({ description: "Setting of the deployment that turns it on; null if it needs none.", example: null }),
    rate: z
      .object({
        messages: z.int().meta({ description: "Messages in that time.", example: 1 }),
        seconds: z.int().meta({ description: "The time.", example: 1 }),
      })
      .meta({ id: "ChannelRate", description: "Messages in a time." })
      .nullable()
      .describe("Most messages that the service documents to take; null if it names no number."),
    settings: z.record(z.string(), z.unknown()).meta({
      description: "JSON Schema (2020-12) of a channel's `settings`; secrets are `writeOnly`.",
      example: { type: "object" },
    }),
    example: z
      .record(z.string(), z.unknown())
      .meta({ description: "Start of a channel, with made-up secrets.", example: EXAMPLE }),
  })
  .meta({ id: "ChannelKind", description: "What alerts can be sent to." });
