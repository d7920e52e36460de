/** Route `/v1/channel-kinds`: what alerts can be sent to, with the schemas of their settings. */
import { z } from "zod";
import type { Outside } from "../../../../shared/alerts/channels/channel.ts";
import { type ChannelName, channels } from "../../../../shared/alerts/channels/index.ts";
import { pageOf } from "../../http/representations.ts";
import { type Route, route } from "../../http/route.ts";
import { channelKindView } from "../representations.ts";

const present = (name: ChannelName, outside: Outside) => {
  const { title, summary, reference, audience, needs = null, rate, settings, example, isSetUp } = channels[name];
  return {
    name,
    title,
    summary,
    reference,
    audience,
    isSetUp: isSetUp(outside),
    needs,
    rate,
    settings: z.toJSONSchema(settings, { io: "input", unrepresentable: "any" }),
    example: { name: title, kind: name, settings: example },
  };
};

export const kinds: readonly Route[] = [
  route({
    method: "GET",
    path: "/v1/channel-kinds",
    operationId: "listChannelKinds",
    summary: "The kinds of alert channels",
    scope: "read",
    responses: {
      200: {
        description: "All of them, by name.",
        schema: pageOf(channelKindView),
      },
    },
    handle: async (_call, { receivers }) => ({
      body: {
        items: (Object.keys(channels) as ChannelName[]).toSorted().map((name) => present(name, receivers)),
        nextCursor: null,
      },
    }),
  }),
];
