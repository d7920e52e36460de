/** Route `/v1/protocols`: all protocols, with the schemas of their settings. */
import { z } from "zod";
import type { Protocol } from "../../../../shared/contract/protocol.ts";
import { protocolName } from "../../../../shared/monitor/fields.ts";
import { protocols as registry } from "../../../../shared/protocols/index.ts";
import { pageOf, transport } from "../representations.ts";
import { type Route, route } from "../route.ts";
import { CACHED } from "./openapi.ts";

const protocolView = z
  .object({
    name: protocolName(),
    title: z.string().meta({ description: "For people.", example: "SSH" }),
    summary: z.string().meta({ description: "What makes it `open`.", example: "Open when the server names itself." }),
    reference: z.string().meta({ description: "The documents it follows.", example: "RFC 4253, section 4.2" }),
    transports: z.array(transport).describe("The first is the default."),
    defaultPort: z
      .int()
      .nullable()
      .meta({ description: "Null: the port is required. 0: it has none, such as a sweep of many ports.", example: 22 }),
    settings: z
      .record(z.string(), z.unknown())
      .meta({ description: "JSON Schema (2020-12) of a monitor's `settings`.", example: { type: "object" } }),
    example: z.record(z.string(), z.unknown()).meta({
      description: "The start of a monitor that works as it is.",
      example: { name: "SSH", protocol: "ssh", host: "example.com", settings: {} },
    }),
  })
  .meta({ id: "Protocol", description: "A protocol that monitors can speak.", example: { name: "ssh" } });

const present = (
  name: string,
  { title, summary, reference, transports, defaultPort, settings, example }: Protocol,
) => ({
  name,
  title,
  summary,
  reference,
  transports,
  defaultPort,
  settings: z.toJSONSchema(settings, { io: "input", unrepresentable: "any" }),
  example: { name: title, protocol: name, host: "example.com", ...example },
});

export const protocols: readonly Route[] = [
  route({
    method: "GET",
    path: "/v1/protocols",
    operationId: "listProtocols",
    summary: "The protocols that monitors can speak",
    scope: "read",
    responses: {
      200: {
        description: "All of them, by name.",
        schema: pageOf(protocolView),
      },
    },
    handle: async () => ({
      headers: { "cache-control": CACHED },
      body: {
        items: Object.entries(registry)
          .toSorted(([a], [b]) => (a < b ? -1 : 1))
          .map(([name, protocol]) => present(name, protocol)),
        nextCursor: null,
      },
    }),
  }),
];
