/**
 * OpenVPN: open when the server answers our reset with its own, or acknowledges it, with our session id (documentation in
 * OpenVPN's source, "Network protocol" and "Reliability layer"; IETF draft-openvpn-wire-protocol, sections 2 and 4).
 * Needs no certificate: the reset comes before TLS. Servers with `tls-auth`, `tls-crypt` or `tls-crypt-v2` silently drop
 * unsigned packets and never answer, by UDP or by TCP.
 * One datagram per check: each one makes the server wait up to a minute for the rest of a handshake.
 */

import type { Connection } from "../contract/connection.ts";
import { type Finding, ProbeFailure, type Protocol } from "../contract/protocol.ts";
import { Cursor } from "../wire/cursor.ts";
import { parseSettings } from "../wire/settings.ts";
import { tcpProbe, udpOrTcp, udpProbe } from "../wire/udp.ts";

/** The upper five bits are the opcode, the lower three the key id (0). */
const CLIENT_RESET = 7 << 3;
const SERVER_RESET = 8;
/** An acknowledgement alone, from a server that still has sessions in progress: its reset comes later, or not at all. */
const ACKNOWLEDGEMENT = 5;
const SESSION_BYTES = 8;
/** Opcode, session, an empty list of acknowledgements, packet id 0. */
const request = (random: (bytes: number) => Buffer): Buffer =>
  Buffer.concat([Buffer.of(CLIENT_RESET), random(SESSION_BYTES), Buffer.alloc(5)]);

const settings = udpOrTcp({}, { count: 1, spacingMs: 1000 });

const understand = (packet: Buffer, question: Buffer): Finding | undefined => {
  const opcode = (packet[0] ?? 0) >> 3;
  if (opcode < 4 || opcode > 11 || packet.length < 2)
    throw new ProbeFailure("wrong-protocol", "expected an OpenVPN reset, got something else", {
      evidence: { firstBytes: packet.subarray(0, 8).toString("hex") },
    });
  if (opcode !== SERVER_RESET && opcode !== ACKNOWLEDGEMENT) return undefined;
  const cursor = new Cursor(packet, "OpenVPN answer", 1);
  cursor.take(SESSION_BYTES);
  const acknowledged = cursor.u8();
  if (acknowledged === 0) return undefined;
  cursor.take(acknowledged * 4);
  if (!cursor.take(SESSION_BYTES).equals(question.subarray(1, 1 + SESSION_BYTES))) return undefined;
  if (opcode === ACKNOWLEDGEMENT)
    return { evidence: { answer: "acknowledgement" }, message: "the OpenVPN server acknowledges our session" };
  cursor.u32();
  return { evidence: { answer: "server reset", keyMethod: 2 }, message: "the OpenVPN server starts a session with us" };
};

const talk = async (connection: Connection, random: (bytes: number) => Buffer): Promise<Finding> => {
  const question = request(random);
  connection.write(Buffer.concat([Buffer.of(0, question.length), question]));
  const length = (await connection.read(2)).readUInt16BE();
  // A server's reset has 26 bytes; the limit leaves room for a few more acknowledgements.
  const finding = understand(length <= 128 ? await connection.read(length) : Buffer.alloc(0), question);
  if (finding) return finding;
  throw new ProbeFailure("unexpected-answer", "the OpenVPN answer does not belong to our session");
};

export const openvpn: Protocol = {
  title: "OpenVPN",
  summary: "Open when the server answers our session reset; servers with tls-auth or tls-crypt stay silent.",
  reference: "OpenVPN source documentation, network protocol; draft-openvpn-wire-protocol, sections 2 and 4",
  transports: ["udp", "tcp"],
  defaultPort: 1194,
  settings,
  example: { settings: { transport: "udp" } },
  prepare(input) {
    const wanted = parseSettings(settings, input);
    if (wanted.transport === "tcp") return tcpProbe(wanted, (connection, target) => talk(connection, target.random));
    return udpProbe(wanted, {
      silenceMeans: "an OpenVPN server with tls-auth or tls-crypt does not answer clients without its key",
      ask: (_n, random) => request(random),
      read: understand,
    });
  },
};
