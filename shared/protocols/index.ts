/** The registry. To add a protocol: its file, its test, its row here. */
import type { Protocol } from "./protocol.ts";
import { tcp } from "./tcp.ts";

export const protocols: Readonly<Record<string, Protocol>> = {
  tcp,
};
