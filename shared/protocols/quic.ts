/**
 * QUIC: open when the server answers a reserved version with a Version Negotiation packet, the list of its versions (RFC
 * 9000, sections 6, 15 and 17.2.1; RFC 8999, section 6). No handshake begins, so the server keeps no state.
 * Datagrams have 1,200 bytes, because servers do not answer shorter ones.
 */
import { z } from "zod";
import { type Finding, ProbeFailure, type Protocol } from "../contract/protocol.ts";
import { Cursor } from "../wire/cursor.ts";
import { oneLine, parseSettings } from "../wire/settings.ts";
import { udpFields, udpProbe } from "../wire/udp.ts";

const INITIAL_BYTES = 1200;
const ID_BYTES = 8;
/** Long header, fixed bit, type Initial; a server that does not know the version ignores the rest. */
const FIRST_BYTE = 0xc0;

const NAMES: Readonly<Record<number, string>> = { 1: "1", 1798521807: "2" };
const nameOf = (version: number): string => {
  if (NAMES[version]) return NAMES[version];
  if (version >>> 8 === 0xff0000) return `draft-${version & 0xff}`;
  return `0x${version.toString(16).padStart(8, "0")}`;
};
/** Reserved versions (0x?a?a?a?a) exist only to force version negotiation (greasing); servers add random ones to their list. */
const isReserved = (version: number): boolean => (version & 0x0f0f0f0f) >>> 0 === 0x0a0a0a0a;

const settings = z.strictObject({
  versions: z
    .array(oneLine(20))
    .min(1)
    .optional()
    .describe('Versions that the server has to offer: "1", "2", "draft-29" or "0x…". Default: any.'),
  ...udpFields(),
});

const request = (random: (bytes: number) => Buffer): Buffer => {
  const datagram = Buffer.concat([random(5), Buffer.alloc(INITIAL_BYTES - 5)]);
  datagram[0] = FIRST_BYTE;
  for (let i = 1; i < 5; i += 1) datagram[i] = (datagram[i]! & 0xf0) | 0x0a;
  datagram[5] = ID_BYTES;
  random(ID_BYTES).copy(datagram, 6);
  datagram[6 + ID_BYTES] = ID_BYTES;
  random(ID_BYTES).copy(datagram, 7 + ID_BYTES);
  return datagram;
};

const understand = (datagram: Buffer, question: Buffer, wanted: readonly string[] | undefined): Finding | undefined => {
  const isLong = datagram.length >= 7 && datagram[0]! >= 0x80;
  if (!isLong || datagram.readUInt32BE(1) !== 0)
    throw new ProbeFailure("wrong-protocol", "expected a QUIC version negotiation, got something else", {
      evidence: { firstBytes: datagram.subarray(0, 8).toString("hex") },
    });
  const cursor = new Cursor(datagram, "QUIC answer", 5);
  const destination = cursor.take(cursor.u8());
  const source = cursor.take(cursor.u8());
  const ours = question.subarray(7 + ID_BYTES, 7 + 2 * ID_BYTES);
  if (!destination.equals(ours) || !source.equals(question.subarray(6, 6 + ID_BYTES))) return undefined;
  const offered: number[] = [];
  do offered.push(cursor.u32());
  while (cursor.left > 0);
  const versions = offered.filter((version) => !isReserved(version)).map(nameOf);
  // A list with only our own version must be discarded (section 6.2); beside real ones it may be a random reserved one.
  if (versions.length === 0) return undefined;
  const evidence = { versions: versions.slice(0, 24) };
  const missing = wanted?.filter((version) => !versions.includes(version)) ?? [];
  if (missing.length)
    throw new ProbeFailure(
      "unexpected-answer",
      `expected QUIC version ${missing.join(", ")}, got ${versions.join(", ")}`,
      {
        evidence,
      },
    );
  return {
    evidence,
    message: `QUIC versions ${versions.join(", ")}`,
    facts: { "quic.versions": versions.toSorted().join(", ") },
  };
};

export const quic: Protocol = {
  title: "QUIC",
  summary: "Open when the server answers a reserved version with the list of its versions.",
  reference: "RFC 9000, sections 6, 15 and 17.2.1; RFC 8999, section 6",
  transports: ["udp"],
  defaultPort: 443,
  settings,
  example: { settings: { versions: ["1"] } },
  prepare(input) {
    const wanted = parseSettings(settings, input);
    return udpProbe(wanted, {
      ask: (_n, random) => request(random),
      read: (datagram, question) => understand(datagram, question, wanted.versions),
    });
  },
};
