/**
 * UDP checks: the settings that all of them have (packets, loss, silence), and the probe made of these settings and of
 * what the protocol adds, its questions and its reading of answers.
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
 * What every UDP check has. Where a protocol says nothing else it sends three datagrams 200 ms apart: one that gets lost
 * on the way is no outage, and half of them lost is worth a warning.
 */
export const udpFields = ({ count = 3, spacingMs = 200, silence = "down" }: UdpDefaults = {}) => ({
  packets: z
    .strictObject({
      count: z.int().min(1).max(20).default(count).describe("Datagrams per check."),
      spacingMs: z.int().min(0).max(5000).default(spacingMs).describe("Pause between their starts."),
    })
    .prefault({}),
  lossPercent: z
    .strictObject({
      degradedAbove: z.number().min(0).max(100).nullable().default(50),
      downAbove: z.number().min(0).max(100).nullable().default(null),
    })
    .prefault({})
    .describe("Loss above which a check is degraded or down; null: never. 100 % loss is silence."),
  silence: z.enum(["down", "up", "unknown"]).default(silence).describe("What it means when nothing answers."),
});

/**
 * For protocols that speak UDP by default and TCP (with TLS where asked for) on demand: each transport has its own
 * settings, so what only the other one has is refused instead of ignored.
 */
export const udpOrTcp = <F extends z.ZodRawShape>(fields: F, defaults: UdpDefaults = {}) =>
  z.discriminatedUnion(
    "transport",
    [
      z.strictObject({ transport: z.literal("udp").optional(), ...fields, ...udpFields(defaults) }),
      z.strictObject({ transport: z.literal("tcp"), tls: tlsSettings.optional(), ...fields }),
    ],
    { error: (issue) => (issue.code === "invalid_union" ? 'must be "udp" or "tcp"' : undefined) },
  );

/** @param exchange what the protocol asks, and how it reads answers */
export const udpProbe = (
  { packets, lossPercent, silence }: Pick<UdpProbe, "packets" | "lossPercent" | "silence">,
  exchange: Omit<UdpProbe, "transport" | "packets" | "lossPercent" | "silence">,
): UdpProbe => ({ transport: "udp", packets, lossPercent, silence, ...exchange });

/** The probe of the TCP side of `udpOrTcp`: inside TLS where the settings have it. */
export const tcpProbe = (
  { tls }: { readonly tls?: TlsOptions | undefined },
  talk: NonNullable<TcpProbe["talk"]>,
): TcpProbe => ({
  transport: "tcp",
  ...(tls && { tls }),
  talk,
});
