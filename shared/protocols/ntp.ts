/**
 * NTP: open when a server answers with our transmit timestamp as its origin timestamp (RFC 5905, sections 7.3 and 8).
 * Stratum, offset, root dispersion and the leap indicator are judged; clients do not use a server that is not
 * synchronised. One datagram per check: servers with rate limiting treat several at once as abuse and answer with a
 * kiss-o'-death (section 7.4), which the message names.
 */
import { z } from "zod";
import { type Finding, ProbeFailure, type Protocol } from "../contract/protocol.ts";
import { printable } from "../wire/cursor.ts";
import { parseSettings } from "../wire/settings.ts";
import { udpFields, udpProbe } from "../wire/udp.ts";

const PACKET_BYTES = 48;
const CLIENT_VERSION_4 = 0x23;
/** Seconds from 1900, NTP's epoch, to 1970. */
const UNIX_EPOCH_SECONDS = 2_208_988_800;
const ERA_MS = 2 ** 32 * 1000;
const UNSYNCHRONISED_STRATUM = 16;

const limits = (what: string) =>
  z
    .strictObject({
      degradedAbove: z.number().min(0).nullable().default(null).describe("Value above which it is degraded."),
      downAbove: z.number().min(0).nullable().default(null).describe("Value above which it is down."),
    })
    .prefault({})
    .describe(`${what} above which the server is degraded or down; null: never.`);

const settings = z.strictObject({
  stratum: limits("Stratum"),
  offsetMs: limits("Offset from this location's clock, either way, in milliseconds,"),
  rootDispersionMs: limits("Root dispersion, in milliseconds,"),
  unsynchronised: z
    .enum(["down", "degraded", "up"])
    .default("down")
    .describe("Health of a server that says that it is not synchronised (leap indicator 3 or stratum 16)."),
  ...udpFields({ count: 1, spacingMs: 2000 }),
});
type Settings = z.infer<typeof settings>;

/** Converts an NTP timestamp to epoch milliseconds, in the era nearest to `near`. */
const fromTimestamp = (packet: Buffer, at: number, near: number): number => {
  const ms = (packet.readUInt32BE(at) - UNIX_EPOCH_SECONDS + packet.readUInt32BE(at + 4) / 2 ** 32) * 1000;
  return ms + Math.round((near - ms) / ERA_MS) * ERA_MS;
};

/** The fraction below a millisecond is random: an off-path attacker cannot guess the timestamp, so it serves as an id. */
const ask = (now: number, random: Buffer): Buffer => {
  const packet = Buffer.alloc(PACKET_BYTES);
  packet[0] = CLIENT_VERSION_4;
  const whole = Math.floor(now);
  packet.writeUInt32BE((Math.floor(whole / 1000) + UNIX_EPOCH_SECONDS) % 2 ** 32, 40);
  const withinMs = random.readUInt32BE() / 2 ** 32;
  packet.writeUInt32BE(Math.floor((((whole % 1000) + withinMs) / 1000) * 2 ** 32), 44);
  return packet;
};

/** The reference id: a stratum-1 server names its clock, others the address of their own server (for IPv6 a hash of it). */
const referenceOf = (packet: Buffer, stratum: number): string =>
  stratum <= 1
    ? printable(packet.toString("latin1", 12, 16).replaceAll("\0", ""))
    : [...packet.subarray(12, 16)].join(".");

const LEAPS = ["none", "last minute of the day has 61 seconds", "last minute of the day has 59 seconds", "alarm"];

interface Facts {
  readonly leap: number;
  readonly stratum: number;
  readonly offsetMs: number;
  readonly rootDispersionMs: number;
}

interface Understood {
  readonly finding: Finding;
  readonly facts: Facts;
  /** Why the server is not synchronised, if it says so. */
  readonly why: string;
}

const understand = (packet: Buffer, question: Buffer, now: number): Understood | undefined => {
  const mode = packet[0]! & 7;
  const version = (packet[0]! >> 3) & 7;
  if (packet.length < PACKET_BYTES && (mode !== 4 || packet.length < 4 || version < 1 || version > 4))
    throw new ProbeFailure("wrong-protocol", `expected an NTP answer, got ${packet.length} bytes of something else`);
  if (packet.length < PACKET_BYTES)
    throw new ProbeFailure(
      "incomplete-answer",
      `the NTP answer has ${packet.length} bytes of at least ${PACKET_BYTES}`,
    );
  if (mode !== 4 || version < 1 || version > 4)
    throw new ProbeFailure("wrong-protocol", `expected an NTP server's answer, got mode ${mode} of version ${version}`);
  if (!packet.subarray(24, 32).equals(question.subarray(40, 48))) return undefined;
  const stratum = packet[1]! || UNSYNCHRONISED_STRATUM;
  const leap = packet[0]! >> 6;
  const code = packet[1] === 0 ? printable(packet.toString("latin1", 12, 16).replaceAll("\0", "")) : undefined;
  if (code !== undefined && UNSYNCHRONISED[code] === undefined) kiss(code);
  if (packet.readBigUInt64BE(40) === 0n) throw new ProbeFailure("unexpected-answer", "the NTP answer contains no time");
  const sentAt = fromTimestamp(question, 40, now);
  const offsetMs = (fromTimestamp(packet, 32, now) - sentAt + (fromTimestamp(packet, 40, now) - now)) / 2;
  const facts = {
    leap,
    stratum,
    offsetMs: Math.round(offsetMs * 10) / 10,
    rootDelayMs: toMs(packet.readInt32BE(4)),
    rootDispersionMs: toMs(packet.readUInt32BE(8)),
  };
  const reference = code === undefined ? referenceOf(packet, stratum) : code || "none";
  const evidence = { version, ...facts, leap: LEAPS[leap], reference };
  return {
    facts,
    why: code === undefined ? "" : `: ${UNSYNCHRONISED[code]}`,
    finding: { evidence, message: `stratum ${stratum} (${reference}), offset ${facts.offsetMs} ms` },
  };
};
/** Converts NTP's short format: seconds in 16.16 bits. */
const toMs = (short: number): number => Math.round((short / 65_536) * 1e6) / 1000;

/** Reference ids with stratum 0 that are no refusal: the server is just not synchronised yet. */
const UNSYNCHRONISED: Readonly<Record<string, string>> = {
  "": "it names no source",
  INIT: "it has not yet synchronised for the first time",
  STEP: "its clock was just set and is not yet synchronised",
};

const KISSES: Readonly<Record<string, string>> = {
  RATE: "too many questions: it asks to be asked less often",
  DENY: "it denies access for good",
  RSTR: "it denies access by its restrictions",
};

const kiss = (code: string): never => {
  throw new ProbeFailure(
    "service-unavailable",
    `the NTP server sends the kiss code ${code}: ${KISSES[code] ?? "it refuses"}`,
    {
      evidence: { kissCode: code },
    },
  );
};

const judge = ({ finding, facts, why }: Understood, wanted: Settings): Finding => {
  const fail = (reason: "service-unavailable" | "unexpected-answer", message: string): never => {
    throw new ProbeFailure(reason, message, { evidence: finding.evidence ?? {} });
  };
  let trouble: string | undefined;
  if ((facts.leap === 3 || facts.stratum >= UNSYNCHRONISED_STRATUM) && wanted.unsynchronised !== "up") {
    trouble = `the NTP server says that it is not synchronised (stratum ${facts.stratum}, leap indicator ${facts.leap})${why}`;
    if (wanted.unsynchronised === "down") fail("service-unavailable", trouble);
  }
  const measured = [
    ["stratum", facts.stratum, wanted.stratum, ""],
    ["offset", Math.abs(facts.offsetMs), wanted.offsetMs, " ms"],
    ["root dispersion", facts.rootDispersionMs, wanted.rootDispersionMs, " ms"],
  ] as const;
  for (const [name, value, { degradedAbove, downAbove }, unit] of measured) {
    if (downAbove !== null && value > downAbove)
      fail("unexpected-answer", `expected ${name} of at most ${downAbove}${unit}, got ${value}${unit}`);
    if (degradedAbove !== null && value > degradedAbove)
      trouble ??= `${name} is ${value}${unit}, above ${degradedAbove}${unit}`;
  }
  return trouble ? { ...finding, degraded: { reason: "poor-quality", message: trouble } } : finding;
};

export const ntp: Protocol = {
  title: "NTP",
  summary:
    "Open when a synchronised server answers our request within the thresholds for stratum, offset and dispersion.",
  reference: "RFC 5905, sections 7.3, 7.4 and 8",
  transports: ["udp"],
  defaultPort: 123,
  settings,
  example: { settings: { offsetMs: { degradedAbove: 100, downAbove: 1000 } } },
  prepare(input) {
    const wanted = parseSettings(settings, input);
    return udpProbe(wanted, {
      ask: (_n, random, target) => ask(target.now(), random(4)),
      read(answer, question, target) {
        const understood = understand(answer, question, target.now());
        return understood && judge(understood, wanted);
      },
    });
  },
};
