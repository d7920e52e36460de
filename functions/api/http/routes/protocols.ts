/** Route `/v1/protocols`: all protocols, with the schemas of their settings. */
import { z } from "zod";
import type { Protocol } from "../../../../shared/contract/protocol.ts";
import { protocols as registry } from "../../../../shared/protocols/index.ts";
import { type Route, route } from "../route.ts";
import { CACHED } from "./openapi.ts";

const protocolView = z
  .object({
    name: z.string(),
    title: z.string(),
    summary: z.string(),
    reference: z.string().describe("The documents it follows."),
    transports: z.array(z.enum(["tcp", "udp"])).describe("The first is the default."),
    defaultPort: z.int().nullable().describe("Null: the port is required."),
    settings: z.looseObject({}).describe("JSON Schema (2020-12) of a monitor's `settings`."),
    example: z.looseObject({}).describe("The start of a monitor that works as it is."),
  })
  .meta({ id: "Protocol" });

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
        schema: z.object({ items: z.array(protocolView), nextCursor: z.null() }),
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
