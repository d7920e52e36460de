import { z } from "zod";
import type { Protocol } from "./protocol.ts";
import { parseSettings } from "./settings.ts";

const settings = z.strictObject({});
export const tcp: Protocol = {
  title: "TCP",
  summary: "Open when the connection is accepted.",
  reference: "RFC 9293",
  transports: ["tcp"],
  defaultPort: null,
  settings,
  example: { port: 5432, settings: {} },
  prepare(input) {
    parseSettings(settings, input);
    return { transport: "tcp" };
  },
};
