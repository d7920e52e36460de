/** The registry. To add a protocol: its file, its test, its row here. */
import type { Protocol } from "./protocol.ts";

export const protocols: Readonly<Record<string, Protocol>> = {};
