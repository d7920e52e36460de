/**
 * Settings that all UDP protocols share (packets, loss, silence), and the functions that create a probe from them and from
 * the protocol's own part: how to ask and how to read answers.
 */
import { z } from "zod";
import type { TlsOptions } from "../contract/connection.ts";
import type { TcpProbe, UdpProbe } from "../contract/protocol.ts";
import { tlsSettings } from "./settings.ts";

interface UdpDefaults {
  readonly count?: number;
  readonly spacingMs?: number;
  readonly silence?: UdpProbe["silence"];
}

/**
 * Settings of every UDP protocol. By default a check sends three datagrams 200 ms apart: one lost datagram is no outage,
 * and more than half of them lost degrades the check.
 */
export const udpFields = ({ count = 3, spacingMs = 200, silence = "down" }: UdpDefaults = {}) => ({
  packets: z
    .strictObject({
      count: z.int().min(1).max(20).default(count).describe("Datagrams per check."),
      spacingMs: z.int().min(0).max(5000).default(spacingMs).describe("Pause between their starts."),
    })
    .prefault({})
    .describe("The datagrams of a check."),
  lossPercent: z
    .strictObject({
      degradedAbove: z.number().min(0).max(100).nullable().default(50).describe("Per cent above which it is degraded."),
      downAbove: z.number().min(0).max(100).nullable().default(null).describe("Per cent above which it is down."),
    })
    .prefault({})
    .describe("Loss above which a check is degraded or down; null: never. 100 % loss is silence."),
  silence: z.enum(["down", "up", "unknown"]).default(silence).describe("What it means when nothing answers."),
});

const BY_UDP = "Asks over UDP; the default.";

/**
 * Settings of protocols that use UDP by default and TCP (with TLS where asked for) on demand. Each transport has its own
 * schema, so that a setting of the other one is refused instead of ignored.
 */
export const udpOrTcp = <F extends z.ZodRawShape>(fields: F, defaults: UdpDefaults = {}) =>
  z.discriminatedUnion(
    "transport",
    [
      z.strictObject({ transport: z.literal("udp").optional().describe(BY_UDP), ...fields, ...udpFields(defaults) }),
      z.strictObject({
        transport: z.literal("tcp").describe("Asks over TCP."),
        tls: tlsSettings.optional(),
        ...fields,
      }),
    ],
    { error: (issue) => (issue.code === "invalid_union" ? 'must be "udp" or "tcp"' : undefined) },
  );

/** @param exchange what the protocol asks, and how it reads answers */
export const udpProbe = (
  { packets, lossPercent, silence }: Pick<UdpProbe, "packets" | "lossPercent" | "silence">,
  exchange: Omit<UdpProbe, "transport" | "packets" | "lossPercent" | "silence">,
): UdpProbe => ({ transport: "udp", packets, lossPercent, silence, ...exchange });

/** Creates the probe for the TCP settings of `udpOrTcp`, with TLS if they have `tls`. */
export const tcpProbe = (
  { tls }: { readonly tls?: TlsOptions | undefined },
  talk: NonNullable<TcpProbe["talk"]>,
): TcpProbe => ({
  transport: "tcp",
  ...(tls && { tls }),
  talk,
});
